-- Who asked for what, when, and what became of it: only ever added to.
CREATE TABLE access (
  id INTEGER PRIMARY KEY,
  actor TEXT NOT NULL,
  name TEXT NOT NULL,
  address TEXT NOT NULL,
  user_agent TEXT NOT NULL,
  interaction TEXT NOT NULL,
  kind TEXT NOT NULL,
  item TEXT NOT NULL,
  version TEXT NOT NULL,
  query TEXT NOT NULL,
  request TEXT NOT NULL,
  status INTEGER NOT NULL
);
CREATE INDEX access_item ON access (item) WHERE item <> '';

-- Whom an access concerns, nobody being one row too. People are not referred to: the record outlives
-- their rows.
CREATE TABLE access_subject (
  id INTEGER PRIMARY KEY,
  access INTEGER NOT NULL REFERENCES access (id),
  person INTEGER,
  at_us INTEGER NOT NULL
);
CREATE INDEX access_subject_at ON access_subject (at_us);
CREATE INDEX access_subject_person ON access_subject (person, at_us) WHERE person IS NOT NULL;
CREATE INDEX access_subject_access ON access_subject (access);

-- The planner's picture of a large archive, as in the first migration.
INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
  ('access', 'access_item', '5000000 10'),
  ('access_subject', 'access_subject_at', '20000000 2'),
  ('access_subject', 'access_subject_person', '10000000 20 1'),
  ('access_subject', 'access_subject_access', '20000000 2');
ANALYZE sqlite_schema;
