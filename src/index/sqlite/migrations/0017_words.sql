-- The words of documents, by document id; the text itself stands in `document`.
CREATE VIRTUAL TABLE document_words USING fts5(
  words, content = '', tokenize = "unicode61 remove_diacritics 2", prefix = '2 3 4'
);
INSERT INTO document_words (rowid, words) SELECT id, title || ' ' || text FROM document;
