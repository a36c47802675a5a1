-- The words of a patient's name and how they sound (dicom/phonetic.rs), for fuzzy matching.
CREATE TABLE patient_word (
  patient BIGINT NOT NULL REFERENCES patient (id) ON DELETE CASCADE,
  word TEXT COLLATE "C" NOT NULL,
  sound TEXT COLLATE "C" NOT NULL,
  PRIMARY KEY (word, patient)
);
CREATE INDEX patient_word_sound ON patient_word (sound, patient);
CREATE INDEX patient_word_patient ON patient_word (patient);

-- The same of a referring physician's name, |WORD=KEY|WORD=KEY|.
ALTER TABLE study ADD COLUMN referring_words TEXT COLLATE "C" NOT NULL DEFAULT '';
-- Date and time as an instant, where the object says its time zone.
ALTER TABLE study ADD COLUMN instant_us BIGINT;
ALTER TABLE series ADD COLUMN instant_us BIGINT;

-- Values of attributes the administrator declared; each row names one owner.
CREATE TABLE extended (
  attribute TEXT COLLATE "C" NOT NULL,
  value TEXT COLLATE "C" NOT NULL,
  patient BIGINT REFERENCES patient (id) ON DELETE CASCADE,
  study BIGINT REFERENCES study (id) ON DELETE CASCADE,
  series BIGINT REFERENCES series (id) ON DELETE CASCADE,
  instance BIGINT REFERENCES instance (id) ON DELETE CASCADE
);
CREATE INDEX extended_value ON extended (attribute, value);
CREATE INDEX extended_patient ON extended (patient, attribute);
CREATE INDEX extended_study ON extended (study, attribute);
CREATE INDEX extended_series ON extended (series, attribute);
CREATE INDEX extended_instance ON extended (instance, attribute);

-- How far each follower of the change feed has been served.
CREATE TABLE follower (
  name TEXT COLLATE "C" PRIMARY KEY,
  sequence BIGINT NOT NULL,
  failures BIGINT NOT NULL
);
