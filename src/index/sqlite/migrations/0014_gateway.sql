-- What is told to the national gateway: one row a document and operation, for good.
CREATE TABLE gateway_outbox (
  id INTEGER PRIMARY KEY,
  document INTEGER NOT NULL REFERENCES document (id),
  operation TEXT NOT NULL,
  stage TEXT NOT NULL,
  unique_id TEXT NOT NULL,
  in_place_of TEXT NOT NULL,
  workflow TEXT NOT NULL,
  trace TEXT NOT NULL,
  blob_key TEXT NOT NULL,
  blob_bytes INTEGER NOT NULL,
  sha256 BLOB NOT NULL,
  failures INTEGER NOT NULL,
  reason TEXT NOT NULL,
  warning TEXT NOT NULL,
  revision INTEGER NOT NULL,
  actor TEXT NOT NULL,
  made_us INTEGER NOT NULL,
  changed_us INTEGER NOT NULL,
  UNIQUE (document, operation)
);
CREATE INDEX gateway_outbox_stage ON gateway_outbox (stage, id);
CREATE INDEX gateway_outbox_blob ON gateway_outbox (blob_key);
CREATE INDEX document_superseded ON document (superseded_by);
INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
  ('gateway_outbox', 'sqlite_autoindex_gateway_outbox_1', '1000000 1 1'),
  ('gateway_outbox', 'gateway_outbox_stage', '1000000 200000 1'),
  ('gateway_outbox', 'gateway_outbox_blob', '1000000 1'),
  ('document', 'document_superseded', '1000000 10');
ANALYZE sqlite_schema;
