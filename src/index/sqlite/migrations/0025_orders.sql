-- What an order wants examined.
ALTER TABLE imaging_order ADD COLUMN body_part TEXT NOT NULL DEFAULT '';
ALTER TABLE imaging_order ADD COLUMN side TEXT NOT NULL DEFAULT '';

-- Who made a subscription; empty of those from before.
ALTER TABLE subscription ADD COLUMN made_by TEXT NOT NULL DEFAULT '';
