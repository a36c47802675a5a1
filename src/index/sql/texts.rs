//! Words of documents, by each database's own index of words; what series show.

use async_trait::async_trait;
use sqlx::QueryBuilder;

use crate::index::error::IndexError;
use crate::index::texts::SeriesShown;
use crate::index::texts::TextRows;
use crate::index::texts::Word;
use crate::model::document::Document;

use super::adapter::Adapter;
use super::dialect::COUNT_WORDS;
use super::dialect::COUNT_WORDS_END;
use super::dialect::Db;
use super::dialect::EACH_HAS_WORDS;
use super::dialect::HAS_WORDS;
use super::dialect::HAS_WORDS_END;
use super::dialect::PUT_WORDS;
use super::dialect::begin;
use super::dialect::failed;
use super::dialect::within;
use super::dialect::within_anew;
use super::dialect::words_query;
use super::documents;
use super::records::get;
use super::rows::clean;

/// Series of one person looked at.
const MOST_SERIES: i64 = 20_000;

/// Documents that hold a word, from which on it is common.
const COMMON: i64 = 5_000;

/// Writes that the document `d` holds these words: each document is asked, or those that do are listed.
pub(super) fn push_words(sql: &mut QueryBuilder<Db>, words: &[Word], each: bool) {
    sql.push(if each { EACH_HAS_WORDS } else { HAS_WORDS });
    sql.push_bind(words_query(words)).push(HAS_WORDS_END);
}

/// Whether so many documents hold these words that the newest of them are found by looking from the
/// newest document on.
pub(super) async fn are_common(adapter: &Adapter, words: &[Word]) -> Result<bool, IndexError> {
    let mut sql = QueryBuilder::<Db>::new(COUNT_WORDS);
    sql.push_bind(words_query(words)).push(COUNT_WORDS_END).push_bind(COMMON);
    sql.push(") AS counted");
    let rows = within_anew(&adapter.read, sql, adapter.search_within).await?;
    let count: i64 = rows.first().map(|row| get(row, 0)).transpose()?.unwrap_or_default();
    Ok(count >= COMMON)
}

#[async_trait]
impl TextRows for Adapter {
    async fn put_words(&self, document: i64, words: &str) -> Result<(), IndexError> {
        let mut tx = begin(&self.write).await?;
        sqlx::query(PUT_WORDS)
            .bind(document)
            .bind(clean(words).into_owned())
            .execute(&mut *tx)
            .await
            .map_err(failed)?;
        tx.commit().await.map_err(failed)
    }

    async fn documents_with(
        &self,
        words: &[Word],
        person: Option<i64>,
        limit: u32,
    ) -> Result<Vec<Document>, IndexError> {
        if words.is_empty() {
            return Ok(Vec::new());
        }
        let each = person.is_some() || are_common(self, words).await?;
        let mut sql = QueryBuilder::<Db>::new(documents::COLUMNS);
        sql.push(documents::FROM).push("WHERE ");
        push_words(&mut sql, words, each);
        if let Some(person) = person {
            sql.push(" AND p.root = (SELECT root FROM person WHERE id = ").push_bind(person);
            sql.push(")");
        }
        sql.push(" ORDER BY d.service_date DESC, d.id DESC LIMIT CAST(")
            .push_bind(i64::from(limit))
            .push(" AS BIGINT)");
        // A word that is everywhere is everywhere to be sorted.
        let rows = within(&self.read, sql, Some(self.search_within)).await?;
        rows.iter().map(documents::document).collect()
    }

    async fn shown_of(&self, person: i64, from: &str) -> Result<Vec<SeriesShown>, IndexError> {
        let rows: Vec<(i64, String, String)> = sqlx::query_as(
            "SELECT DISTINCT st.id, se.modality, se.body_part
             FROM person n JOIN person o ON o.root = n.root JOIN person_study ps ON ps.person = o.id
               JOIN study st ON st.id = ps.study JOIN series se ON se.study = st.id
             WHERE n.id = $1 AND st.date >= $2 ORDER BY st.id, se.modality, se.body_part LIMIT CAST($3 AS BIGINT)",
        )
        .bind(person)
        .bind(clean(from).into_owned())
        .bind(MOST_SERIES)
        .fetch_all(&self.read)
        .await
        .map_err(failed)?;
        let shown = |(study, modality, body_part)| SeriesShown { study, modality, body_part };
        Ok(rows.into_iter().map(shown).collect())
    }
}
