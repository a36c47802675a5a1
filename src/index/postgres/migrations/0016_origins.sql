-- By what studies and documents are known to be an organisation's: `ae:CT1`, `oid:2.25.1`, `facility:RIS`.
CREATE TABLE origin_mark (
  owner TEXT COLLATE "C" NOT NULL,
  owner_id BIGINT NOT NULL,
  mark TEXT COLLATE "C" NOT NULL,
  PRIMARY KEY (owner, owner_id, mark)
);
INSERT INTO origin_mark (owner, owner_id, mark)
  SELECT DISTINCT 'study', se.study, 'ae:' || split_part(substr(c.source, 8), '@', 1)
  FROM copy c JOIN instance i ON i.id = c.instance JOIN series se ON se.id = i.series
  WHERE c.source LIKE 'cstore:%@%';
