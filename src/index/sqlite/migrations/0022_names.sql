-- The parts of people's names, folded and as they are spelled: `family` or `given`.
CREATE TABLE person_name (
  text TEXT NOT NULL,
  person INTEGER NOT NULL REFERENCES person (id),
  part TEXT NOT NULL,
  spelled TEXT NOT NULL,
  PRIMARY KEY (text, person, part, spelled)
) WITHOUT ROWID;
CREATE INDEX person_name_person ON person_name (person);
-- People from before, until their names are entered.
ALTER TABLE person ADD COLUMN named INTEGER NOT NULL DEFAULT 0;
CREATE INDEX person_unnamed ON person (id) WHERE named = 0;

-- Nearly all documents are in force: only of those that are replaced an index helps.
DROP INDEX document_superseded;
CREATE INDEX document_replaced ON document (superseded_by) WHERE superseded_by > 0;

-- The planner's picture of a large archive, as in the first migration.
INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
  ('person_name', 'person_name', '1500000 30 2 1 1'),
  ('person_name', 'person_name_person', '1500000 3'),
  ('person', 'person_unnamed', '1 1'),
  ('document', 'document_replaced', '100000 1');
DELETE FROM sqlite_stat1 WHERE idx = 'document_superseded';
ANALYZE sqlite_schema;

-- Whether an update of metadata obscures the document in the national index.
ALTER TABLE gateway_outbox ADD COLUMN obscured INTEGER NOT NULL DEFAULT 0;
