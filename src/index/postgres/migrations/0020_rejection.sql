-- Why something lies in the bin: empty when somebody deleted it, else the code of the note that
-- rejects it, and that note's SOP Instance UID.
ALTER TABLE bin ADD COLUMN reason TEXT COLLATE "C" NOT NULL DEFAULT '';
ALTER TABLE bin ADD COLUMN note TEXT COLLATE "C" NOT NULL DEFAULT '';

-- What notes reject, here already or not.
CREATE TABLE rejection (
  study TEXT COLLATE "C" NOT NULL,
  series TEXT COLLATE "C" NOT NULL,
  instance TEXT COLLATE "C" NOT NULL,
  reason TEXT COLLATE "C" NOT NULL,
  note TEXT COLLATE "C" NOT NULL,
  noted_us BIGINT NOT NULL,
  PRIMARY KEY (study, series, instance)
);

-- Notes so far: whoever enters instances learns from it that one came meanwhile.
ALTER TABLE event_counter ADD COLUMN notes BIGINT NOT NULL DEFAULT 0;

-- All that is asked of the words of one patient, for names that many have.
DROP INDEX patient_word_patient;
CREATE INDEX patient_word_of ON patient_word (patient, sound, word);
