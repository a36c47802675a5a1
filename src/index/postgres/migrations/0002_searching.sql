-- The words of a patient's name and how they sound (dicom/phonetic.rs), for fuzzy matching.
CREATE TABLE patient_word (
  patient BIGINT NOT NULL REFERENCES patient (id),
  word TEXT COLLATE "C" NOT NULL,
  sound TEXT COLLATE "C" NOT NULL,
  PRIMARY KEY (word, patient)
);
CREATE INDEX patient_word_sound ON patient_word (sound, patient);

-- The same of a referring physician's name, |WORD=KEY|WORD=KEY|.
ALTER TABLE study ADD COLUMN referring_words TEXT COLLATE "C" NOT NULL DEFAULT '';
-- Date and time as an instant, where the object says its time zone.
ALTER TABLE study ADD COLUMN instant_us BIGINT;
ALTER TABLE series ADD COLUMN instant_us BIGINT;

-- How far each follower of the change feed has been served.
CREATE TABLE follower (
  name TEXT COLLATE "C" PRIMARY KEY,
  sequence BIGINT NOT NULL,
  failures BIGINT NOT NULL
);
