-- What an event of the fascicolo concerns, as /fhir names it, a space between two.
ALTER TABLE event ADD COLUMN concerns TEXT COLLATE "C" NOT NULL DEFAULT '';

-- Who is told when something they look for comes or changes.
CREATE TABLE subscription (
  id TEXT COLLATE "C" PRIMARY KEY,
  state TEXT COLLATE "C" NOT NULL,
  criteria TEXT COLLATE "C" NOT NULL,
  endpoint TEXT COLLATE "C" NOT NULL,
  headers TEXT COLLATE "C" NOT NULL,
  reason TEXT COLLATE "C" NOT NULL,
  end_us BIGINT NOT NULL,
  error TEXT COLLATE "C" NOT NULL,
  changed_us BIGINT NOT NULL
);
