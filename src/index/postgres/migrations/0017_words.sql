-- The words of documents, by document id; the text itself stands in `document`.
CREATE TABLE document_words (
  document BIGINT PRIMARY KEY REFERENCES document (id),
  words TSVECTOR NOT NULL
);
CREATE INDEX document_words_all ON document_words USING gin (words);
INSERT INTO document_words (document, words)
  SELECT id, to_tsvector('simple', translate(lower(title || ' ' || text), 'àèéìòùáíóúâêîôûäëïöüçñ',
    'aeeiouaiouaeiouaeioucn')) FROM document;
