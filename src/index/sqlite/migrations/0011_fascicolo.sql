-- People: rows that were found to be one share a root; `merged_into` says what was found, 0 nothing.
CREATE TABLE person (
  id INTEGER PRIMARY KEY,
  root INTEGER NOT NULL,
  merged_into INTEGER NOT NULL,
  name TEXT NOT NULL,
  sound TEXT NOT NULL,
  birth_date TEXT NOT NULL,
  sex TEXT NOT NULL,
  origin TEXT NOT NULL,
  created_us INTEGER NOT NULL
);
CREATE INDEX person_root ON person (root);
CREATE INDEX person_sound ON person (sound);
CREATE INDEX person_birth ON person (birth_date);

CREATE TABLE person_identifier (
  id INTEGER PRIMARY KEY,
  person INTEGER NOT NULL REFERENCES person (id),
  kind TEXT NOT NULL,
  assigner TEXT NOT NULL,
  value TEXT NOT NULL,
  trust TEXT NOT NULL,
  origin TEXT NOT NULL,
  first_us INTEGER NOT NULL,
  UNIQUE (value, assigner, kind)
);
CREATE INDEX person_identifier_person ON person_identifier (person);

CREATE TABLE person_history (
  id INTEGER PRIMARY KEY,
  person INTEGER NOT NULL REFERENCES person (id),
  origin TEXT NOT NULL,
  name TEXT NOT NULL,
  birth_date TEXT NOT NULL,
  sex TEXT NOT NULL,
  from_us INTEGER NOT NULL
);
CREATE INDEX person_history_person ON person_history (person, id);

CREATE TABLE person_merge (
  id INTEGER PRIMARY KEY,
  survivor INTEGER NOT NULL REFERENCES person (id),
  absorbed INTEGER NOT NULL REFERENCES person (id),
  reason TEXT NOT NULL,
  actor TEXT NOT NULL,
  at_us INTEGER NOT NULL,
  undone_us INTEGER NOT NULL,
  undone_by TEXT NOT NULL
);
CREATE INDEX person_merge_survivor ON person_merge (survivor);
CREATE INDEX person_merge_absorbed ON person_merge (absorbed);

CREATE TABLE person_study (
  study INTEGER PRIMARY KEY REFERENCES study (id),
  person INTEGER NOT NULL REFERENCES person (id),
  origin TEXT NOT NULL,
  at_us INTEGER NOT NULL
);
CREATE INDEX person_study_person ON person_study (person);

CREATE TABLE document (
  id INTEGER PRIMARY KEY,
  person INTEGER REFERENCES person (id),
  person_origin TEXT NOT NULL,
  kind TEXT NOT NULL,
  media_type TEXT NOT NULL,
  sha256 BLOB NOT NULL UNIQUE,
  blob_key TEXT NOT NULL UNIQUE,
  blob_bytes INTEGER NOT NULL,
  source TEXT NOT NULL,
  document_id TEXT NOT NULL,
  set_id TEXT NOT NULL,
  version INTEGER NOT NULL,
  superseded_by INTEGER NOT NULL,
  type_code TEXT NOT NULL,
  title TEXT NOT NULL,
  effective TEXT NOT NULL,
  service_date TEXT NOT NULL,
  confidentiality TEXT NOT NULL,
  findings TEXT NOT NULL,
  text TEXT NOT NULL,
  name TEXT NOT NULL,
  birth_date TEXT NOT NULL,
  sex TEXT NOT NULL,
  instance INTEGER REFERENCES instance (id) ON DELETE SET NULL,
  received_us INTEGER NOT NULL
);
CREATE INDEX document_person ON document (person);
CREATE INDEX document_own ON document (document_id);
CREATE INDEX document_set ON document (set_id);

CREATE TABLE document_replaces (
  document INTEGER NOT NULL REFERENCES document (id),
  replaced TEXT NOT NULL,
  PRIMARY KEY (replaced, document)
) WITHOUT ROWID;

-- What studies and documents may have in common; `owner` is `study` or `document`.
CREATE TABLE shared_reference (
  owner TEXT NOT NULL,
  owner_id INTEGER NOT NULL,
  kind TEXT NOT NULL,
  assigner TEXT NOT NULL,
  value TEXT NOT NULL,
  PRIMARY KEY (owner, owner_id, kind, assigner, value)
) WITHOUT ROWID;
CREATE INDEX shared_reference_value ON shared_reference (value, kind, owner);

CREATE TABLE document_link (
  id INTEGER PRIMARY KEY,
  document INTEGER NOT NULL REFERENCES document (id),
  study INTEGER NOT NULL REFERENCES study (id),
  method TEXT NOT NULL,
  evidence TEXT NOT NULL,
  actor TEXT NOT NULL,
  made_us INTEGER NOT NULL,
  undone_us INTEGER NOT NULL,
  undone_by TEXT NOT NULL
);
CREATE INDEX document_link_document ON document_link (document);
CREATE INDEX document_link_study ON document_link (study);

-- Links of studies that lie in the bin.
CREATE TABLE bin_link (
  id INTEGER PRIMARY KEY,
  study TEXT NOT NULL,
  issuer TEXT NOT NULL,
  patient_id TEXT NOT NULL,
  document INTEGER NOT NULL REFERENCES document (id),
  method TEXT NOT NULL,
  evidence TEXT NOT NULL,
  actor TEXT NOT NULL,
  made_us INTEGER NOT NULL,
  undone_us INTEGER NOT NULL,
  undone_by TEXT NOT NULL
);
CREATE INDEX bin_link_study ON bin_link (study);

CREATE TABLE imaging_order (
  id INTEGER PRIMARY KEY,
  person INTEGER REFERENCES person (id),
  placer TEXT NOT NULL,
  placer_assigner TEXT NOT NULL,
  filler TEXT NOT NULL,
  filler_assigner TEXT NOT NULL,
  accession TEXT NOT NULL,
  accession_assigner TEXT NOT NULL,
  nre TEXT NOT NULL,
  study_uid TEXT NOT NULL,
  procedure_code TEXT NOT NULL,
  procedure_text TEXT NOT NULL,
  modality TEXT NOT NULL,
  control TEXT NOT NULL,
  status TEXT NOT NULL,
  changed_us INTEGER NOT NULL
);
CREATE INDEX imaging_order_placer ON imaging_order (placer);
CREATE INDEX imaging_order_filler ON imaging_order (filler);
CREATE INDEX imaging_order_accession ON imaging_order (accession);
CREATE INDEX imaging_order_study ON imaging_order (study_uid);
CREATE INDEX imaging_order_nre ON imaging_order (nre);

CREATE TABLE reconciliation (
  id INTEGER PRIMARY KEY,
  kind TEXT NOT NULL,
  waiting TEXT NOT NULL,
  waiting_id INTEGER NOT NULL,
  facts TEXT NOT NULL,
  opened_us INTEGER NOT NULL,
  closed_us INTEGER NOT NULL,
  decision TEXT NOT NULL,
  actor TEXT NOT NULL,
  UNIQUE (kind, waiting, waiting_id)
);
CREATE INDEX reconciliation_open ON reconciliation (closed_us, id);

-- One writer of who is who at a time, on any number of nodes.
CREATE TABLE fascicolo_lock (one INTEGER PRIMARY KEY CHECK (one = 1));
INSERT INTO fascicolo_lock (one) VALUES (1);

-- The planner's picture of a large archive, as in the first migration.
INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
  ('person', 'person_root', '500000 1'),
  ('person', 'person_sound', '500000 3'),
  ('person', 'person_birth', '500000 20'),
  ('person_identifier', 'sqlite_autoindex_person_identifier_1', '1000000 1 1 1'),
  ('person_identifier', 'person_identifier_person', '1000000 2'),
  ('person_history', 'person_history_person', '1000000 2 1'),
  ('person_study', 'person_study_person', '1000000 2'),
  ('document', 'sqlite_autoindex_document_1', '1000000 1'),
  ('document', 'sqlite_autoindex_document_2', '1000000 1'),
  ('document', 'document_person', '1000000 2'),
  ('document', 'document_own', '1000000 1'),
  ('document', 'document_set', '1000000 1'),
  ('shared_reference', 'shared_reference', '4000000 2000000 2 1 1 1'),
  ('shared_reference', 'shared_reference_value', '4000000 2 2 1'),
  ('document_link', 'document_link_document', '1000000 1'),
  ('document_link', 'document_link_study', '1000000 1'),
  ('imaging_order', 'imaging_order_placer', '1000000 1'),
  ('imaging_order', 'imaging_order_filler', '1000000 1'),
  ('imaging_order', 'imaging_order_accession', '1000000 1'),
  ('imaging_order', 'imaging_order_study', '1000000 1'),
  ('imaging_order', 'imaging_order_nre', '1000000 1'),
  ('reconciliation', 'sqlite_autoindex_reconciliation_1', '20000 5000 2500 1'),
  ('reconciliation', 'reconciliation_open', '20000 10 1');
ANALYZE sqlite_schema;
