-- When the fascicolo last saw something change, for lists of what is new.
ALTER TABLE person ADD COLUMN changed_us INTEGER NOT NULL DEFAULT 0;
UPDATE person SET changed_us = created_us;
CREATE INDEX person_changed ON person (changed_us, id);
ALTER TABLE person_study ADD COLUMN changed_us INTEGER NOT NULL DEFAULT 0;
UPDATE person_study SET changed_us = at_us;
CREATE INDEX person_study_changed ON person_study (changed_us, study);
ALTER TABLE document ADD COLUMN changed_us INTEGER NOT NULL DEFAULT 0;
UPDATE document SET changed_us = received_us;
CREATE INDEX document_changed ON document (changed_us, id);
CREATE INDEX document_newest ON document (service_date DESC, id DESC);

-- The planner's picture of a large archive, as in the first migration.
INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
  ('person', 'person_changed', '500000 1 1'),
  ('person_study', 'person_study_changed', '1000000 1 1'),
  ('document', 'document_changed', '1000000 1 1'),
  ('document', 'document_newest', '1000000 300 1');
ANALYZE sqlite_schema;
