CREATE TABLE patient (
  id INTEGER PRIMARY KEY,
  issuer TEXT NOT NULL,
  patient_id TEXT NOT NULL,
  scope TEXT NOT NULL,
  name_folded TEXT NOT NULL,
  birth_date TEXT NOT NULL,
  sex TEXT NOT NULL,
  attributes TEXT NOT NULL,
  UNIQUE (patient_id, issuer, scope)
);
CREATE INDEX patient_name ON patient (name_folded);

CREATE TABLE study (
  id INTEGER PRIMARY KEY,
  uid TEXT NOT NULL,
  patient INTEGER NOT NULL REFERENCES patient (id),
  date TEXT NOT NULL,
  time TEXT NOT NULL,
  accession TEXT NOT NULL,
  referring_folded TEXT NOT NULL,
  study_id TEXT NOT NULL,
  description TEXT NOT NULL,
  attributes TEXT NOT NULL,
  UNIQUE (uid, patient)
);
CREATE INDEX study_newest ON study (date DESC, time DESC, id DESC);
CREATE INDEX study_patient ON study (patient);
CREATE INDEX study_accession ON study (accession);

CREATE TABLE series (
  id INTEGER PRIMARY KEY,
  uid TEXT NOT NULL,
  study INTEGER NOT NULL REFERENCES study (id),
  modality TEXT NOT NULL,
  number TEXT NOT NULL,
  number_sort INTEGER NOT NULL,
  description TEXT NOT NULL,
  body_part TEXT NOT NULL,
  performed_date TEXT NOT NULL,
  performed_time TEXT NOT NULL,
  changed_us INTEGER NOT NULL,
  instances INTEGER NOT NULL,
  revision INTEGER NOT NULL,
  bytes INTEGER NOT NULL,
  attributes TEXT NOT NULL,
  UNIQUE (uid, study)
);
CREATE INDEX series_order ON series (study, number_sort, number, id);

-- The modalities of a study, with its date and time: lists of one modality, newest first.
CREATE TABLE study_modality (
  study INTEGER NOT NULL REFERENCES study (id),
  modality TEXT NOT NULL,
  date TEXT NOT NULL,
  time TEXT NOT NULL,
  PRIMARY KEY (study, modality)
) WITHOUT ROWID;
CREATE INDEX study_modality_newest ON study_modality (modality, date DESC, time DESC, study DESC);

CREATE TABLE request (
  series INTEGER NOT NULL REFERENCES series (id),
  scheduled_step_id TEXT NOT NULL,
  procedure_id TEXT NOT NULL
);
CREATE INDEX request_series ON request (series);

CREATE TABLE instance (
  id INTEGER PRIMARY KEY,
  series INTEGER NOT NULL REFERENCES series (id),
  uid TEXT NOT NULL,
  sop_class TEXT NOT NULL,
  number TEXT NOT NULL,
  number_sort INTEGER NOT NULL,
  frames INTEGER NOT NULL,
  attributes TEXT NOT NULL,
  UNIQUE (uid, series)
);
CREATE INDEX instance_order ON instance (series, number_sort, id);

CREATE TABLE copy (
  id INTEGER PRIMARY KEY,
  instance INTEGER NOT NULL REFERENCES instance (id),
  served INTEGER NOT NULL,
  blob_key TEXT NOT NULL UNIQUE,
  blob_bytes INTEGER NOT NULL,
  data_set_sha256 BLOB NOT NULL,
  transfer_syntax TEXT NOT NULL,
  source TEXT NOT NULL,
  received_us INTEGER NOT NULL,
  layout BLOB NOT NULL,
  UNIQUE (instance, data_set_sha256, transfer_syntax)
);

CREATE TABLE derived (
  series INTEGER NOT NULL REFERENCES series (id),
  kind TEXT NOT NULL,
  revision INTEGER NOT NULL,
  blob_key TEXT NOT NULL UNIQUE,
  blob_bytes INTEGER NOT NULL,
  note TEXT NOT NULL,
  PRIMARY KEY (series, kind)
);

CREATE TABLE event_counter (
  one INTEGER PRIMARY KEY CHECK (one = 1),
  last INTEGER NOT NULL
);
INSERT INTO event_counter (one, last) VALUES (1, 0);

CREATE TABLE event (
  sequence INTEGER PRIMARY KEY,
  at_us INTEGER NOT NULL,
  kind TEXT NOT NULL,
  study TEXT NOT NULL,
  series TEXT NOT NULL,
  instance TEXT NOT NULL
);

CREATE TABLE job (
  id INTEGER PRIMARY KEY,
  kind TEXT NOT NULL,
  subject TEXT NOT NULL,
  run_us INTEGER NOT NULL,
  generation INTEGER NOT NULL,
  attempts INTEGER NOT NULL,
  worker TEXT NOT NULL,
  leased_until_us INTEGER NOT NULL,
  set_aside INTEGER NOT NULL,
  reason TEXT NOT NULL,
  UNIQUE (kind, subject)
);
CREATE INDEX job_due ON job (set_aside, run_us);

-- What a large archive looks like, for the planner: the same plans from the first study on, and no
-- need to look at the tables again. Rows of the table, then rows per value of the index' columns.
ANALYZE;
DELETE FROM sqlite_stat1;
INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
  ('patient', 'sqlite_autoindex_patient_1', '500000 1 1 1'),
  ('patient', 'patient_name', '500000 2'),
  ('study', 'sqlite_autoindex_study_1', '1000000 1 1'),
  ('study', 'study_newest', '1000000 500 2 1'),
  ('study', 'study_patient', '1000000 2'),
  ('study', 'study_accession', '1000000 2'),
  ('series', 'sqlite_autoindex_series_1', '5000000 1 1'),
  ('series', 'series_order', '5000000 5 1 1 1'),
  ('study_modality', 'study_modality', '1500000 2 1'),
  ('study_modality', 'study_modality_newest', '1500000 100000 100 2 1'),
  ('request', 'request_series', '5000000 1'),
  ('instance', 'sqlite_autoindex_instance_1', '500000000 1 1'),
  ('instance', 'instance_order', '500000000 100 1 1'),
  ('copy', 'sqlite_autoindex_copy_1', '500000000 1'),
  ('copy', 'sqlite_autoindex_copy_2', '500000000 1 1 1'),
  ('derived', 'sqlite_autoindex_derived_1', '5000000 1'),
  ('derived', 'sqlite_autoindex_derived_2', '5000000 2 1'),
  ('job', 'sqlite_autoindex_job_1', '10000 5000 1'),
  ('job', 'job_due', '10000 5000 1');
ANALYZE sqlite_schema;
