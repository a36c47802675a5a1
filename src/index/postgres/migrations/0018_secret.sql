-- What all nodes know and nobody else: keys of keyed hashes.
CREATE TABLE secret (
  name TEXT COLLATE "C" PRIMARY KEY,
  value BYTEA NOT NULL
);
