-- The parts of people's names, folded and as they are spelled: `family` or `given`.
CREATE TABLE person_name (
  text TEXT COLLATE "C" NOT NULL,
  person BIGINT NOT NULL REFERENCES person (id),
  part TEXT COLLATE "C" NOT NULL,
  spelled TEXT COLLATE "C" NOT NULL,
  PRIMARY KEY (text, person, part, spelled)
);
CREATE INDEX person_name_person ON person_name (person);
-- People from before, until their names are entered.
ALTER TABLE person ADD COLUMN named BIGINT NOT NULL DEFAULT 0;
CREATE INDEX person_unnamed ON person (id) WHERE named = 0;

-- Whether an update of metadata obscures the document in the national index.
ALTER TABLE gateway_outbox ADD COLUMN obscured BIGINT NOT NULL DEFAULT 0;

-- Nearly all documents are in force: only of those that are replaced an index helps.
DROP INDEX document_superseded;
CREATE INDEX document_replaced ON document (superseded_by) WHERE superseded_by > 0;
