-- What was deleted: whole until it is purged, then only that it was here.
CREATE TABLE bin (
  id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  study TEXT COLLATE "C" NOT NULL,
  series TEXT COLLATE "C" NOT NULL,
  instance TEXT COLLATE "C" NOT NULL,
  issuer TEXT COLLATE "C" NOT NULL,
  patient_id TEXT COLLATE "C" NOT NULL,
  deleted_us BIGINT NOT NULL,
  blob_key TEXT COLLATE "C" UNIQUE,
  facts TEXT COLLATE "C" NOT NULL,
  data_set_sha256 BYTEA,
  layout BYTEA
);
CREATE INDEX bin_place ON bin (study, series, instance);
CREATE INDEX bin_due ON bin (deleted_us) WHERE blob_key IS NOT NULL;
