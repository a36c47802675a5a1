-- Who asked for what, when, and what became of it: only ever added to.
CREATE TABLE access (
  id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  actor TEXT COLLATE "C" NOT NULL,
  name TEXT COLLATE "C" NOT NULL,
  address TEXT COLLATE "C" NOT NULL,
  user_agent TEXT COLLATE "C" NOT NULL,
  interaction TEXT COLLATE "C" NOT NULL,
  kind TEXT COLLATE "C" NOT NULL,
  item TEXT COLLATE "C" NOT NULL,
  version TEXT COLLATE "C" NOT NULL,
  query TEXT COLLATE "C" NOT NULL,
  request TEXT COLLATE "C" NOT NULL,
  status BIGINT NOT NULL
);
CREATE INDEX access_item ON access (item) WHERE item <> '';

-- Whom an access concerns, nobody being one row too. People are not referred to: the record outlives
-- their rows.
CREATE TABLE access_subject (
  id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  access BIGINT NOT NULL REFERENCES access (id),
  person BIGINT,
  at_us BIGINT NOT NULL
);
CREATE INDEX access_subject_at ON access_subject (at_us, id);
CREATE INDEX access_subject_person ON access_subject (person, at_us, id) WHERE person IS NOT NULL;
CREATE INDEX access_subject_access ON access_subject (access);
