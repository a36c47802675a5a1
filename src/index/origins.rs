//! The index's face for organisations: by which marks studies and documents are whose, and how complete
//! what each feeds is.

use async_trait::async_trait;

use crate::index::error::IndexError;
use crate::model::link::Waiting;
use crate::model::organisation::Figures;
use crate::model::organisation::Marked;

/// Rows of where studies and documents come from, durable when a call returns `Ok`.
#[async_trait]
pub trait OriginRows: Send + Sync {
    /// Adds marks of a study or document.
    async fn add_marks(&self, of: Waiting, marks: &[String]) -> Result<(), IndexError>;

    /// The marks of several; all of them studies, or all documents.
    async fn marks(&self, of: &[Waiting]) -> Result<Vec<(i64, String)>, IndexError>;

    /// What brought the instances of a series, or of the series an instance is in.
    async fn sources_of_series(&self, series: i64) -> Result<Vec<String>, IndexError>;

    /// How complete the studies and reports of somebody are, of dates between two (both among them;
    /// empty: no bound).
    async fn figures(&self, whose: &Marked, from: &str, to: &str) -> Result<Figures, IndexError>;
}
