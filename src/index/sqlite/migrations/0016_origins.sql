-- By what studies and documents are known to be an organisation's: `ae:CT1`, `oid:2.25.1`, `facility:RIS`.
CREATE TABLE origin_mark (
  owner TEXT NOT NULL,
  owner_id INTEGER NOT NULL,
  mark TEXT NOT NULL,
  PRIMARY KEY (owner, owner_id, mark)
) WITHOUT ROWID;
INSERT INTO origin_mark (owner, owner_id, mark)
  SELECT DISTINCT 'study', se.study, 'ae:' || substr(c.source, 8, instr(c.source, '@') - 8)
  FROM copy c JOIN instance i ON i.id = c.instance JOIN series se ON se.id = i.series
  WHERE c.source LIKE 'cstore:%@%';
INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES ('origin_mark', 'origin_mark', '4000000 2000000 3 1');
ANALYZE sqlite_schema;
