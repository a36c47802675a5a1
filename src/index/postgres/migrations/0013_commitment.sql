-- Requests for storage commitment: whole until forgotten, then only their transaction's UID.
CREATE TABLE commitment (
  transaction_uid TEXT COLLATE "C" PRIMARY KEY,
  asked_us BIGINT NOT NULL,
  finished_us BIGINT,
  asked TEXT COLLATE "C" NOT NULL,
  reasons TEXT COLLATE "C" NOT NULL
);
CREATE INDEX commitment_finished ON commitment (finished_us);
