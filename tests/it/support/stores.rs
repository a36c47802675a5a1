//! Where an archive under test keeps its rows and bytes: every promise holds on both kinds of stores.

use std::path::PathBuf;
use std::sync::Arc;

use crate::support::postgres;
use crate::support::s3;
use crate::support::s3::InProcessS3;
use crate::support::server::Server;

/// The two kinds of stores.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stores {
    /// SQLite and the local disk.
    Embedded,
    /// PostgreSQL and S3.
    Scaled,
}

impl Stores {
    /// An archive on empty stores of this kind.
    pub fn server(self) -> Server {
        self.server_with(&[])
    }

    /// The same, its process with more environment.
    pub fn server_with(self, environment: &[(&str, &str)]) -> Server {
        let scaled = (self == Self::Scaled).then(|| Arc::new(Scaled::new()));
        Server::start_on(scaled, environment)
    }
}

/// Stores that several nodes share: a PostgreSQL database and an S3 bucket, gone when dropped.
pub struct Scaled {
    pub index: String,
    pub config: PathBuf,
    pub s3: InProcessS3,
    _folder: tempfile::TempDir,
}

impl Scaled {
    /// A fresh database of the one PostgreSQL, and a fresh bucket.
    pub fn new() -> Self {
        let s3 = InProcessS3::start();
        let folder = tempfile::tempdir().unwrap();
        let config = folder.path().join("lastra.toml");
        std::fs::write(&config, s3::config(s3.address())).unwrap();
        Self { index: postgres::fresh_database(), config, s3, _folder: folder }
    }
}

/// One body, two tests: each function named, which takes the [`Stores`] to run on, becomes
/// `embedded::name` and `scaled::name`.
#[macro_export]
macro_rules! on_both_stores {
    ($($name:ident),* $(,)?) => {
        mod embedded {
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $name() {
                    super::$name($crate::support::stores::Stores::Embedded).await;
                }
            )*
        }
        mod scaled {
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $name() {
                    super::$name($crate::support::stores::Stores::Scaled).await;
                }
            )*
        }
    };
}
