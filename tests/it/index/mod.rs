//! One conformance suite, run on SQLite and on PostgreSQL.

mod accesses;
mod binning;
mod committing;
mod fascicolo;
#[expect(clippy::print_stdout, reason = "its result is what it prints")]
mod fuzzy_speed;
mod happenings;
mod jobs;
mod matching;
mod names;
mod objects;
mod opening;
mod outbox;
mod outcomes;
mod pages;
#[expect(clippy::print_stdout, reason = "its result is what it prints")]
mod pages_speed;
mod population;
mod properties;
mod queue;
mod rejecting;
mod rows;
mod searching;
#[expect(clippy::print_stdout, reason = "its result is what it prints")]
mod speed;
mod storing;
mod subscribing;
mod texts;
mod together;

use std::path::Path;

use lastra::index::open::Settings;
use lastra::index::open::open;
use lastra::index::port::SharedIndex;

use crate::support::postgres;

/// A kind of database, and one of it.
pub enum Database {
    Sqlite(tempfile::TempDir),
    Postgres(String),
}

impl Database {
    pub fn sqlite() -> Self {
        Self::Sqlite(tempfile::tempdir().unwrap())
    }

    pub fn postgres() -> Self {
        Self::Postgres(postgres::fresh_database())
    }

    /// Opens it; opening it again gives another node over the same rows.
    pub async fn open(&self) -> SharedIndex {
        match self {
            Self::Sqlite(folder) => open(&Settings::default(), folder.path()).await.unwrap(),
            Self::Postgres(url) => {
                let settings = Settings { url: url.clone(), ..Settings::default() };
                open(&settings, Path::new("/nowhere")).await.unwrap()
            }
        }
    }
}

/// Runs each function of the suite on both databases.
macro_rules! on_both {
    ($($name:ident),+ $(,)?) => {
        mod sqlite {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $name() {
                super::$name(crate::index::Database::sqlite()).await;
            })+
        }
        mod postgres {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $name() {
                super::$name(crate::index::Database::postgres()).await;
            })+
        }
    };
}
pub(crate) use on_both;

/// Makes of each function `async fn(&Kept)` a test on either database.
macro_rules! on_every_index {
    ($($test:ident),+ $(,)?) => {
        mod sqlite {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
            async fn $test() {
                super::$test(&crate::index::objects::Kept::in_sqlite().await).await;
            })+
        }
        mod postgres {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
            async fn $test() {
                super::$test(&crate::index::objects::Kept::in_postgres().await).await;
            })+
        }
    };
}
pub(crate) use on_every_index;
