-- What an event of the fascicolo concerns, as /fhir names it, a space between two.
ALTER TABLE event ADD COLUMN concerns TEXT NOT NULL DEFAULT '';

-- Who is told when something they look for comes or changes.
CREATE TABLE subscription (
  id TEXT PRIMARY KEY,
  state TEXT NOT NULL,
  criteria TEXT NOT NULL,
  endpoint TEXT NOT NULL,
  headers TEXT NOT NULL,
  reason TEXT NOT NULL,
  end_us INTEGER NOT NULL,
  error TEXT NOT NULL,
  changed_us INTEGER NOT NULL
);
