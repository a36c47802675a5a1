-- People alike are looked for by what is the same, nearest first in the other.
DROP INDEX person_sound;
DROP INDEX person_birth;
CREATE INDEX person_sound ON person (sound, birth_date);
CREATE INDEX person_birth ON person (birth_date, sound);

-- The planner's picture of a large archive, as in the first migration.
DELETE FROM sqlite_stat1 WHERE idx IN ('person_sound', 'person_birth');
INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
  ('person', 'person_sound', '500000 3 1'),
  ('person', 'person_birth', '500000 20 1');
ANALYZE sqlite_schema;
