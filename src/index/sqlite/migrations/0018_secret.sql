-- What all nodes know and nobody else: keys of keyed hashes.
CREATE TABLE secret (
  name TEXT PRIMARY KEY,
  value BLOB NOT NULL
);
