-- Requests for storage commitment: whole until forgotten, then only their transaction's UID.
CREATE TABLE commitment (
  transaction_uid TEXT PRIMARY KEY,
  asked_us INTEGER NOT NULL,
  finished_us INTEGER,
  asked TEXT NOT NULL,
  reasons TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX commitment_finished ON commitment (finished_us);
