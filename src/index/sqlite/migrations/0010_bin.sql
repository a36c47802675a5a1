-- What was deleted: whole until it is purged, then only that it was here.
CREATE TABLE bin (
  id INTEGER PRIMARY KEY,
  study TEXT NOT NULL,
  series TEXT NOT NULL,
  instance TEXT NOT NULL,
  issuer TEXT NOT NULL,
  patient_id TEXT NOT NULL,
  deleted_us INTEGER NOT NULL,
  blob_key TEXT UNIQUE,
  facts TEXT NOT NULL,
  data_set_sha256 BLOB,
  layout BLOB
);
CREATE INDEX bin_place ON bin (study, series, instance);
CREATE INDEX bin_due ON bin (deleted_us) WHERE blob_key IS NOT NULL;
