//! Opening: settings, tables made once, tables of a newer version refused.

use lastra::index::error::IndexError;
use lastra::index::open::Settings;
use lastra::index::open::open;
use lastra::model::study::Outcome;
use sqlx::Connection;

use super::objects::Kept;
use super::objects::again;
use super::objects::object;
use super::objects::store;
use crate::support::postgres;

#[tokio::test]
async fn rows_survive_closing_and_the_log_is_folded_in() {
    let kept = Kept::in_sqlite().await;
    let sent = object("1.1", "1.1.1", "1.1.1.1");
    store(&*kept.index, std::slice::from_ref(&sent)).await;
    kept.index.close().await;
    let log = kept.folder.path().join("index.sqlite-wal");
    assert!(std::fs::metadata(log).map_or(0, |log| log.len()) == 0);
    let opened = kept.another_node().await;
    assert_eq!(store(&*opened, &[again(&sent)]).await, [Outcome::AlreadyHere]);
}

#[tokio::test]
async fn a_path_may_name_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("elsewhere.db");
    let url = format!("sqlite://{}", path.display());
    let settings = Settings { url, ..Settings::default() };
    open(&settings, std::path::Path::new("/nonexistent")).await.unwrap().close().await;
    assert!(path.exists());
}

#[tokio::test]
async fn what_is_no_index_is_refused_with_what_to_write() {
    let folder = tempfile::tempdir().unwrap();
    for url in ["mysql://x", "", "SQLITE"] {
        let settings = Settings { url: url.to_owned(), ..Settings::default() };
        let error = open(&settings, folder.path()).await.unwrap_err();
        assert!(error.to_string().contains("sqlite:///path"), "{error}");
    }
    assert!(toml::from_str::<Settings>("ulr = 'sqlite'").is_err());
}

#[tokio::test]
async fn a_newer_schema_is_refused_in_sqlite() {
    let kept = Kept::in_sqlite().await;
    kept.index.close().await;
    let url = format!("sqlite://{}", kept.folder.path().join("index.sqlite").display());
    let mut connection = sqlx::SqliteConnection::connect(&url).await.unwrap();
    let newer =
        "INSERT INTO _sqlx_migrations VALUES (9000, 'newer', CURRENT_TIMESTAMP, 1, x'00', 1)";
    sqlx::query(newer).execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
    assert_newer(open(&kept.settings, kept.folder.path()).await.unwrap_err());
}

#[tokio::test]
async fn a_newer_schema_is_refused_in_postgres() {
    let kept = Kept::in_postgres().await;
    let mut connection = sqlx::PgConnection::connect(&kept.settings.url).await.unwrap();
    let newer = r"INSERT INTO _sqlx_migrations VALUES (9000, 'newer', now(), true, '\x00', 1)";
    sqlx::query(newer).execute(&mut connection).await.unwrap();
    assert_newer(open(&kept.settings, kept.folder.path()).await.unwrap_err());
}

fn assert_newer(error: IndexError) {
    let IndexError::Inconsistent(reason) = error else { panic!("{error}") };
    assert!(reason.contains("newer version") && reason.contains("9000"), "{reason}");
}

#[tokio::test]
async fn many_nodes_may_make_the_tables_at_once() {
    let url = postgres::fresh_database();
    let settings = Settings { url, connections: 2, ..Settings::default() };
    let folder = tempfile::tempdir().unwrap();
    let opened = (0..4).map(|_| open(&settings, folder.path()));
    for opened in futures::future::join_all(opened).await {
        opened.unwrap().ping().await.unwrap();
    }
}

#[tokio::test]
async fn errors_hold_no_patient_data() {
    for kept in [Kept::in_sqlite().await, Kept::in_postgres().await] {
        let sent = object("1.1", "1.1.1", "1.1.1.1");
        store(&*kept.index, std::slice::from_ref(&sent)).await;
        // A blob key used twice breaks a constraint.
        let mut other = object("1.1", "1.1.1", "1.1.1.2");
        other.copy.blob_key = sent.copy.blob_key;
        let error = kept.index.store(&[other], &[], 0).await.unwrap_err();
        assert!(matches!(error, IndexError::Inconsistent(_)), "{error}");
        let text = format!("{error} {error:?}");
        for value in ["P1", "ROSSI", "1.1.1", "blob-"] {
            assert!(!text.contains(value), "{text}");
        }
        // Nothing of the failed transaction stayed.
        assert_eq!(kept.index.totals().await.unwrap().instances, 1);
    }
}
