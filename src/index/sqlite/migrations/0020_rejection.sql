-- Why something lies in the bin: empty when somebody deleted it, else the code of the note that
-- rejects it, and that note's SOP Instance UID.
ALTER TABLE bin ADD COLUMN reason TEXT NOT NULL DEFAULT '';
ALTER TABLE bin ADD COLUMN note TEXT NOT NULL DEFAULT '';

-- What notes reject, here already or not.
CREATE TABLE rejection (
  study TEXT NOT NULL,
  series TEXT NOT NULL,
  instance TEXT NOT NULL,
  reason TEXT NOT NULL,
  note TEXT NOT NULL,
  noted_us INTEGER NOT NULL,
  PRIMARY KEY (study, series, instance)
) WITHOUT ROWID;

-- Notes so far: whoever enters instances learns from it that one came meanwhile.
ALTER TABLE event_counter ADD COLUMN notes INTEGER NOT NULL DEFAULT 0;

INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES ('rejection', 'rejection', '1000000 100 20 1');
ANALYZE sqlite_schema;
