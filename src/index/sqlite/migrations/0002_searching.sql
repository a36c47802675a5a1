-- The words of a patient's name and how they sound (dicom/phonetic.rs), for fuzzy matching.
CREATE TABLE patient_word (
  patient INTEGER NOT NULL REFERENCES patient (id) ON DELETE CASCADE,
  word TEXT NOT NULL,
  sound TEXT NOT NULL,
  PRIMARY KEY (word, patient)
) WITHOUT ROWID;
CREATE INDEX patient_word_sound ON patient_word (sound, patient);
CREATE INDEX patient_word_patient ON patient_word (patient);

-- The same of a referring physician's name, |WORD=KEY|WORD=KEY|.
ALTER TABLE study ADD COLUMN referring_words TEXT NOT NULL DEFAULT '';
-- Date and time as an instant, where the object says its time zone.
ALTER TABLE study ADD COLUMN instant_us INTEGER;
ALTER TABLE series ADD COLUMN instant_us INTEGER;

-- Values of attributes the administrator declared; each row names one owner.
CREATE TABLE extended (
  attribute TEXT NOT NULL,
  value TEXT NOT NULL,
  patient INTEGER REFERENCES patient (id) ON DELETE CASCADE,
  study INTEGER REFERENCES study (id) ON DELETE CASCADE,
  series INTEGER REFERENCES series (id) ON DELETE CASCADE,
  instance INTEGER REFERENCES instance (id) ON DELETE CASCADE
);
CREATE INDEX extended_value ON extended (attribute, value);
CREATE INDEX extended_patient ON extended (patient, attribute);
CREATE INDEX extended_study ON extended (study, attribute);
CREATE INDEX extended_series ON extended (series, attribute);
CREATE INDEX extended_instance ON extended (instance, attribute);

-- How far each follower of the change feed has been served.
CREATE TABLE follower (
  name TEXT PRIMARY KEY,
  sequence INTEGER NOT NULL,
  failures INTEGER NOT NULL
);

INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
  ('patient_word', 'patient_word', '1500000 30 1'),
  ('patient_word', 'patient_word_sound', '1500000 60 1'),
  ('patient_word', 'patient_word_patient', '1500000 3'),
  ('extended', 'extended_value', '10000000 1000000 10'),
  ('extended', 'extended_patient', '10000000 100 1'),
  ('extended', 'extended_study', '10000000 100 1'),
  ('extended', 'extended_series', '10000000 20 1'),
  ('extended', 'extended_instance', '10000000 2 1');
ANALYZE sqlite_schema;
