-- People: rows that were found to be one share a root; `merged_into` says what was found, 0 nothing.
CREATE TABLE person (
  id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  root BIGINT NOT NULL,
  merged_into BIGINT NOT NULL,
  name TEXT COLLATE "C" NOT NULL,
  sound TEXT COLLATE "C" NOT NULL,
  birth_date TEXT COLLATE "C" NOT NULL,
  sex TEXT COLLATE "C" NOT NULL,
  origin TEXT COLLATE "C" NOT NULL,
  created_us BIGINT NOT NULL
);
CREATE INDEX person_root ON person (root);
CREATE INDEX person_sound ON person (sound);
CREATE INDEX person_birth ON person (birth_date);

CREATE TABLE person_identifier (
  id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  person BIGINT NOT NULL REFERENCES person (id),
  kind TEXT COLLATE "C" NOT NULL,
  assigner TEXT COLLATE "C" NOT NULL,
  value TEXT COLLATE "C" NOT NULL,
  trust TEXT COLLATE "C" NOT NULL,
  origin TEXT COLLATE "C" NOT NULL,
  first_us BIGINT NOT NULL,
  UNIQUE (value, assigner, kind)
);
CREATE INDEX person_identifier_person ON person_identifier (person);

CREATE TABLE person_history (
  id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  person BIGINT NOT NULL REFERENCES person (id),
  origin TEXT COLLATE "C" NOT NULL,
  name TEXT COLLATE "C" NOT NULL,
  birth_date TEXT COLLATE "C" NOT NULL,
  sex TEXT COLLATE "C" NOT NULL,
  from_us BIGINT NOT NULL
);
CREATE INDEX person_history_person ON person_history (person, id);

CREATE TABLE person_merge (
  id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  survivor BIGINT NOT NULL REFERENCES person (id),
  absorbed BIGINT NOT NULL REFERENCES person (id),
  reason TEXT COLLATE "C" NOT NULL,
  actor TEXT COLLATE "C" NOT NULL,
  at_us BIGINT NOT NULL,
  undone_us BIGINT NOT NULL,
  undone_by TEXT COLLATE "C" NOT NULL
);
CREATE INDEX person_merge_survivor ON person_merge (survivor);
CREATE INDEX person_merge_absorbed ON person_merge (absorbed);

CREATE TABLE person_study (
  study BIGINT PRIMARY KEY REFERENCES study (id),
  person BIGINT NOT NULL REFERENCES person (id),
  origin TEXT COLLATE "C" NOT NULL,
  at_us BIGINT NOT NULL
);
CREATE INDEX person_study_person ON person_study (person);

CREATE TABLE document (
  id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  person BIGINT REFERENCES person (id),
  person_origin TEXT COLLATE "C" NOT NULL,
  kind TEXT COLLATE "C" NOT NULL,
  media_type TEXT COLLATE "C" NOT NULL,
  sha256 BYTEA NOT NULL UNIQUE,
  blob_key TEXT COLLATE "C" NOT NULL UNIQUE,
  blob_bytes BIGINT NOT NULL,
  source TEXT COLLATE "C" NOT NULL,
  document_id TEXT COLLATE "C" NOT NULL,
  set_id TEXT COLLATE "C" NOT NULL,
  version BIGINT NOT NULL,
  superseded_by BIGINT NOT NULL,
  type_code TEXT COLLATE "C" NOT NULL,
  title TEXT COLLATE "C" NOT NULL,
  effective TEXT COLLATE "C" NOT NULL,
  service_date TEXT COLLATE "C" NOT NULL,
  confidentiality TEXT COLLATE "C" NOT NULL,
  findings TEXT COLLATE "C" NOT NULL,
  text TEXT COLLATE "C" NOT NULL,
  name TEXT COLLATE "C" NOT NULL,
  birth_date TEXT COLLATE "C" NOT NULL,
  sex TEXT COLLATE "C" NOT NULL,
  instance BIGINT REFERENCES instance (id) ON DELETE SET NULL,
  received_us BIGINT NOT NULL
);
CREATE INDEX document_person ON document (person);
CREATE INDEX document_own ON document (document_id);
CREATE INDEX document_set ON document (set_id);

CREATE TABLE document_replaces (
  document BIGINT NOT NULL REFERENCES document (id),
  replaced TEXT COLLATE "C" NOT NULL,
  PRIMARY KEY (replaced, document)
);

-- What studies and documents may have in common; `owner` is `study` or `document`.
CREATE TABLE shared_reference (
  owner TEXT COLLATE "C" NOT NULL,
  owner_id BIGINT NOT NULL,
  kind TEXT COLLATE "C" NOT NULL,
  assigner TEXT COLLATE "C" NOT NULL,
  value TEXT COLLATE "C" NOT NULL,
  PRIMARY KEY (owner, owner_id, kind, assigner, value)
);
CREATE INDEX shared_reference_value ON shared_reference (value, kind, owner);

CREATE TABLE document_link (
  id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  document BIGINT NOT NULL REFERENCES document (id),
  study BIGINT NOT NULL REFERENCES study (id),
  method TEXT COLLATE "C" NOT NULL,
  evidence TEXT COLLATE "C" NOT NULL,
  actor TEXT COLLATE "C" NOT NULL,
  made_us BIGINT NOT NULL,
  undone_us BIGINT NOT NULL,
  undone_by TEXT COLLATE "C" NOT NULL
);
CREATE INDEX document_link_document ON document_link (document);
CREATE INDEX document_link_study ON document_link (study);

-- Links of studies that lie in the bin.
CREATE TABLE bin_link (
  id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  study TEXT NOT NULL,
  issuer TEXT NOT NULL,
  patient_id TEXT NOT NULL,
  document BIGINT NOT NULL REFERENCES document (id),
  method TEXT NOT NULL,
  evidence TEXT NOT NULL,
  actor TEXT NOT NULL,
  made_us BIGINT NOT NULL,
  undone_us BIGINT NOT NULL,
  undone_by TEXT NOT NULL
);
CREATE INDEX bin_link_study ON bin_link (study);

CREATE TABLE imaging_order (
  id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  person BIGINT REFERENCES person (id),
  placer TEXT COLLATE "C" NOT NULL,
  placer_assigner TEXT COLLATE "C" NOT NULL,
  filler TEXT COLLATE "C" NOT NULL,
  filler_assigner TEXT COLLATE "C" NOT NULL,
  accession TEXT COLLATE "C" NOT NULL,
  accession_assigner TEXT COLLATE "C" NOT NULL,
  nre TEXT COLLATE "C" NOT NULL,
  study_uid TEXT COLLATE "C" NOT NULL,
  procedure_code TEXT COLLATE "C" NOT NULL,
  procedure_text TEXT COLLATE "C" NOT NULL,
  modality TEXT COLLATE "C" NOT NULL,
  control TEXT COLLATE "C" NOT NULL,
  status TEXT COLLATE "C" NOT NULL,
  changed_us BIGINT NOT NULL
);
CREATE INDEX imaging_order_placer ON imaging_order (placer);
CREATE INDEX imaging_order_filler ON imaging_order (filler);
CREATE INDEX imaging_order_accession ON imaging_order (accession);
CREATE INDEX imaging_order_study ON imaging_order (study_uid);
CREATE INDEX imaging_order_nre ON imaging_order (nre);

CREATE TABLE reconciliation (
  id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  kind TEXT COLLATE "C" NOT NULL,
  waiting TEXT COLLATE "C" NOT NULL,
  waiting_id BIGINT NOT NULL,
  facts TEXT COLLATE "C" NOT NULL,
  opened_us BIGINT NOT NULL,
  closed_us BIGINT NOT NULL,
  decision TEXT COLLATE "C" NOT NULL,
  actor TEXT COLLATE "C" NOT NULL,
  UNIQUE (kind, waiting, waiting_id)
);
CREATE INDEX reconciliation_open ON reconciliation (closed_us, id);

-- One writer of who is who at a time, on any number of nodes.
CREATE TABLE fascicolo_lock (one BIGINT PRIMARY KEY CHECK (one = 1));
INSERT INTO fascicolo_lock (one) VALUES (1);
