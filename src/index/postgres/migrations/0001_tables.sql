CREATE TABLE patient (
  id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  issuer TEXT COLLATE "C" NOT NULL,
  patient_id TEXT COLLATE "C" NOT NULL,
  scope TEXT COLLATE "C" NOT NULL,
  name_folded TEXT COLLATE "C" NOT NULL,
  birth_date TEXT COLLATE "C" NOT NULL,
  sex TEXT COLLATE "C" NOT NULL,
  attributes TEXT COLLATE "C" NOT NULL,
  UNIQUE (patient_id, issuer, scope)
);
CREATE INDEX patient_name ON patient (name_folded);

CREATE TABLE study (
  id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  uid TEXT COLLATE "C" NOT NULL,
  patient BIGINT NOT NULL REFERENCES patient (id),
  date TEXT COLLATE "C" NOT NULL,
  time TEXT COLLATE "C" NOT NULL,
  accession TEXT COLLATE "C" NOT NULL,
  referring_folded TEXT COLLATE "C" NOT NULL,
  study_id TEXT COLLATE "C" NOT NULL,
  description TEXT COLLATE "C" NOT NULL,
  attributes TEXT COLLATE "C" NOT NULL,
  UNIQUE (uid, patient)
);
CREATE INDEX study_newest ON study (date DESC, time DESC, id DESC);
CREATE INDEX study_patient ON study (patient);
CREATE INDEX study_accession ON study (accession);

CREATE TABLE series (
  id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  uid TEXT COLLATE "C" NOT NULL,
  study BIGINT NOT NULL REFERENCES study (id),
  modality TEXT COLLATE "C" NOT NULL,
  number TEXT COLLATE "C" NOT NULL,
  number_sort BIGINT NOT NULL,
  description TEXT COLLATE "C" NOT NULL,
  body_part TEXT COLLATE "C" NOT NULL,
  performed_date TEXT COLLATE "C" NOT NULL,
  performed_time TEXT COLLATE "C" NOT NULL,
  changed_us BIGINT NOT NULL,
  instances BIGINT NOT NULL,
  revision BIGINT NOT NULL,
  bytes BIGINT NOT NULL,
  attributes TEXT COLLATE "C" NOT NULL,
  UNIQUE (uid, study)
);
CREATE INDEX series_order ON series (study, number_sort, number, id);

-- The modalities of a study, with its date and time: lists of one modality, newest first.
CREATE TABLE study_modality (
  study BIGINT NOT NULL REFERENCES study (id),
  modality TEXT COLLATE "C" NOT NULL,
  date TEXT COLLATE "C" NOT NULL,
  time TEXT COLLATE "C" NOT NULL,
  PRIMARY KEY (study, modality)
);
CREATE INDEX study_modality_newest ON study_modality (modality, date DESC, time DESC, study DESC);

CREATE TABLE request (
  series BIGINT NOT NULL REFERENCES series (id),
  scheduled_step_id TEXT COLLATE "C" NOT NULL,
  procedure_id TEXT COLLATE "C" NOT NULL
);
CREATE INDEX request_series ON request (series);

CREATE TABLE instance (
  id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  series BIGINT NOT NULL REFERENCES series (id),
  uid TEXT COLLATE "C" NOT NULL,
  sop_class TEXT COLLATE "C" NOT NULL,
  number TEXT COLLATE "C" NOT NULL,
  number_sort BIGINT NOT NULL,
  frames BIGINT NOT NULL,
  attributes TEXT COLLATE "C" NOT NULL,
  UNIQUE (uid, series)
);
CREATE INDEX instance_order ON instance (series, number_sort, id);

CREATE TABLE copy (
  id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  instance BIGINT NOT NULL REFERENCES instance (id),
  served BIGINT NOT NULL,
  blob_key TEXT COLLATE "C" NOT NULL UNIQUE,
  blob_bytes BIGINT NOT NULL,
  data_set_sha256 BYTEA NOT NULL,
  transfer_syntax TEXT COLLATE "C" NOT NULL,
  source TEXT COLLATE "C" NOT NULL,
  received_us BIGINT NOT NULL,
  layout BYTEA NOT NULL,
  UNIQUE (instance, data_set_sha256, transfer_syntax)
);

CREATE TABLE derived (
  series BIGINT NOT NULL REFERENCES series (id),
  kind TEXT COLLATE "C" NOT NULL,
  revision BIGINT NOT NULL,
  blob_key TEXT COLLATE "C" NOT NULL UNIQUE,
  blob_bytes BIGINT NOT NULL,
  note TEXT COLLATE "C" NOT NULL,
  PRIMARY KEY (series, kind)
);

CREATE TABLE event_counter (
  one BIGINT PRIMARY KEY CHECK (one = 1),
  last BIGINT NOT NULL
);
INSERT INTO event_counter (one, last) VALUES (1, 0);

CREATE TABLE event (
  sequence BIGINT PRIMARY KEY,
  at_us BIGINT NOT NULL,
  kind TEXT COLLATE "C" NOT NULL,
  study TEXT COLLATE "C" NOT NULL,
  series TEXT COLLATE "C" NOT NULL,
  instance TEXT COLLATE "C" NOT NULL
);

CREATE TABLE job (
  id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  kind TEXT COLLATE "C" NOT NULL,
  subject TEXT COLLATE "C" NOT NULL,
  run_us BIGINT NOT NULL,
  generation BIGINT NOT NULL,
  attempts BIGINT NOT NULL,
  worker TEXT COLLATE "C" NOT NULL,
  leased_until_us BIGINT NOT NULL,
  set_aside BIGINT NOT NULL,
  reason TEXT COLLATE "C" NOT NULL,
  UNIQUE (kind, subject)
);
CREATE INDEX job_due ON job (set_aside, run_us);
