-- What is told to the national gateway: one row a document and operation, for good.
CREATE TABLE gateway_outbox (
  id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  document BIGINT NOT NULL REFERENCES document (id),
  operation TEXT COLLATE "C" NOT NULL,
  stage TEXT COLLATE "C" NOT NULL,
  unique_id TEXT COLLATE "C" NOT NULL,
  in_place_of TEXT COLLATE "C" NOT NULL,
  workflow TEXT COLLATE "C" NOT NULL,
  trace TEXT COLLATE "C" NOT NULL,
  blob_key TEXT COLLATE "C" NOT NULL,
  blob_bytes BIGINT NOT NULL,
  sha256 BYTEA NOT NULL,
  failures BIGINT NOT NULL,
  reason TEXT COLLATE "C" NOT NULL,
  warning TEXT COLLATE "C" NOT NULL,
  revision BIGINT NOT NULL,
  actor TEXT COLLATE "C" NOT NULL,
  made_us BIGINT NOT NULL,
  changed_us BIGINT NOT NULL,
  UNIQUE (document, operation)
);
CREATE INDEX gateway_outbox_stage ON gateway_outbox (stage, id);
CREATE INDEX gateway_outbox_blob ON gateway_outbox (blob_key);
CREATE INDEX document_superseded ON document (superseded_by);
