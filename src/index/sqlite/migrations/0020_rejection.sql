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

-- All that is asked of the words of one patient, for names that many have.
DROP INDEX patient_word_patient;
CREATE INDEX patient_word_of ON patient_word (patient, sound, word);

INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
  ('rejection', 'rejection', '1000000 100 20 1'),
  ('patient_word', 'patient_word_of', '1500000 3 1 1');
DELETE FROM sqlite_stat1 WHERE idx = 'patient_word_patient';
ANALYZE sqlite_schema;
