//! The index's face for what documents say and what series show: words, and modalities with body parts.

use async_trait::async_trait;

use crate::index::error::IndexError;
use crate::model::document::Document;

/// A word that is searched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Word {
    /// Lower case letters without accents, and digits.
    pub text: String,
    /// Whether longer words that begin so are meant too.
    pub begins: bool,
}

/// A series, as another examination is compared with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeriesShown {
    /// Row of its study.
    pub study: i64,
    /// Modality.
    pub modality: String,
    /// Body Part Examined.
    pub body_part: String,
}

/// Words of documents and parts of studies.
#[async_trait]
pub trait TextRows: Send + Sync {
    /// Enters the words of a document; done again it changes nothing. `words` is as [`Word::text`], with
    /// a space between two.
    async fn put_words(&self, document: i64, words: &str) -> Result<(), IndexError>;

    /// Documents that hold all these words, newest service first, at most `limit`; of one person only
    /// where one is named.
    async fn documents_with(
        &self,
        words: &[Word],
        person: Option<i64>,
        limit: u32,
    ) -> Result<Vec<Document>, IndexError>;

    /// What the series of a person's studies show, of studies from a day on (`YYYYMMDD`).
    async fn shown_of(&self, person: i64, from: &str) -> Result<Vec<SeriesShown>, IndexError>;
}
