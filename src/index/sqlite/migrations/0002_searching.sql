-- The words of a patient's name and how they sound (dicom/phonetic.rs), for fuzzy matching.
CREATE TABLE patient_word (
  patient INTEGER NOT NULL REFERENCES patient (id),
  word TEXT NOT NULL,
  sound TEXT NOT NULL,
  PRIMARY KEY (word, patient)
) WITHOUT ROWID;
CREATE INDEX patient_word_sound ON patient_word (sound, patient);

-- The same of a referring physician's name, |WORD=KEY|WORD=KEY|.
ALTER TABLE study ADD COLUMN referring_words TEXT NOT NULL DEFAULT '';
-- Date and time as an instant, where the object says its time zone.
ALTER TABLE study ADD COLUMN instant_us INTEGER;
ALTER TABLE series ADD COLUMN instant_us INTEGER;

INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
  ('patient_word', 'patient_word', '1500000 30 1'),
  ('patient_word', 'patient_word_sound', '1500000 60 1');
ANALYZE sqlite_schema;

-- How far each follower of the change feed has been served.
CREATE TABLE follower (
  name TEXT PRIMARY KEY,
  sequence INTEGER NOT NULL,
  failures INTEGER NOT NULL
);
