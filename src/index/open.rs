//! Opening an index by its address.

use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::index::error::IndexError;
use crate::index::port::SharedIndex;
use crate::index::postgres;
use crate::index::sqlite;

/// Where rows are kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// `sqlite`: a file in the data folder. `sqlite:///path/of/file`. `postgres://…`.
    pub url: String,
    /// Connections: for reading on SQLite, in all on PostgreSQL.
    pub connections: u32,
    /// Seconds a search may look through rows that no index of the database narrows; past them it
    /// is refused as too broad.
    pub search_within_s: u32,
}

impl Default for Settings {
    fn default() -> Self {
        Self { url: "sqlite".to_owned(), connections: 8, search_within_s: 10 }
    }
}

/// Opens the index, making its tables where they are missing.
pub async fn open(settings: &Settings, data: &Path) -> Result<SharedIndex, IndexError> {
    let (url, connections) = (settings.url.as_str(), settings.connections.max(1));
    let within = Duration::from_secs(settings.search_within_s.max(1).into());
    if url.starts_with("postgres://") || url.starts_with("postgresql://") {
        return Ok(Arc::new(postgres::dialect::open(url, connections, within).await?));
    }
    let path = match url.strip_prefix("sqlite://") {
        Some(path) => PathBuf::from(path),
        None if url == "sqlite" => data.join("index.sqlite"),
        None => {
            let wanted = "index.url: use sqlite, sqlite:///path or postgres://…".to_owned();
            return Err(IndexError::Unavailable(wanted));
        }
    };
    Ok(Arc::new(sqlite::dialect::open(&path, connections, within).await?))
}
