//! Opening a store by its address: a folder, `memory:`, or `s3://bucket/prefix`.

use std::fmt;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;

use object_store::ObjectStore;
use object_store::memory::InMemory;
use serde::{Deserialize, Serialize, Serializer};

use crate::blobs::disk::Disk;
use crate::blobs::error::BlobError;
use crate::blobs::remote::Remote;
use crate::blobs::s3;
use crate::blobs::stats::Stats;
use crate::blobs::store::Blobs;
use crate::blobs::store::Place;
use crate::blobs::threads::Threads;

/// Where blobs are kept, and how much memory and room writing them may take.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Where. Empty: the default folder. A folder's path. `memory:` keeps blobs in memory until
    /// the process ends. `s3://bucket/prefix`, with after a `?` any of `endpoint=http://…`,
    /// `region=…`, `allow_http=true`, `virtual_hosted=true` (bucket in the host name) and
    /// `conditional_put=false` (for a store that cannot refuse to overwrite an object); what is
    /// not said there is taken from the environment's `AWS_…`.
    pub url: String,
    /// S3: the access key; empty: from the environment, or from the machine's role.
    pub access_key_id: Secret,
    /// S3: the secret that goes with it.
    pub secret_access_key: Secret,
    /// S3: the token that goes with keys for a session.
    pub session_token: Secret,
    /// Local disk: bytes always left free. With less, storing is refused. Default 1 GiB.
    pub reserve_bytes: u64,
    /// Local disk: bytes gathered in memory before a file is begun or grows; smaller blobs are
    /// written in one go, which is fastest. A writer holds at most four times as much, half of it
    /// on its way to the disk. Default 1 MiB.
    pub inline_bytes: usize,
    /// S3: bytes a part of a multipart upload, at least 5 MiB; smaller blobs are put with one
    /// request. Default 8 MiB.
    pub part_bytes: usize,
    /// S3: parts of one blob on their way at a time; all writers together have four times as many.
    /// Default 4.
    pub parts_in_flight: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            url: String::new(),
            access_key_id: Secret::default(),
            secret_access_key: Secret::default(),
            session_token: Secret::default(),
            reserve_bytes: 1024 * MIB,
            inline_bytes: 1024 * 1024,
            part_bytes: 8 * 1024 * 1024,
            parts_in_flight: 4,
        }
    }
}

/// Text that is not shown.
#[derive(Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    /// Keeps `text` from being shown.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text, to be handed on and not written anywhere.
    pub(crate) fn reveal(&self) -> &str {
        &self.0
    }
}

impl Serialize for Secret {
    /// Written as it may be shown: whether it is set.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(if self.0.is_empty() { "" } else { "***" })
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(if self.0.is_empty() { "unset" } else { "***" })
    }
}

/// Opens the store that `settings` name; a local folder is made when it is not there, `default_dir`
/// if none is named. S3 is not asked yet: [`Blobs::ping`] does. Touches the disk: for the start.
pub fn open(settings: &Settings, default_dir: &Path) -> Result<Blobs, BlobError> {
    check(settings)?;
    let url = settings.url.trim();
    if url == "memory:" {
        return Blobs::over(Arc::new(InMemory::new()), settings);
    }
    if url.starts_with("s3://") {
        let s3 = s3::build(settings)?;
        return Ok(over(s3.store, settings, s3.conditional_put, s3.secrets));
    }
    if url.contains("://") {
        return Err(BlobError::Unavailable(format!(
            "no store answers to addresses that begin with {:?}",
            url.split("://").next().unwrap_or_default()
        )));
    }
    let root = if url.is_empty() { default_dir.to_path_buf() } else { PathBuf::from(url) };
    let stats = Arc::new(Stats::default());
    let disk =
        Disk::open(root.clone(), settings.reserve_bytes, settings.inline_bytes, Arc::clone(&stats))
            .map_err(|error| BlobError::Unavailable(format!("{}: {error}", root.display())))?;
    Ok(Blobs::new(Place::Disk(Arc::new(disk)), stats))
}

impl Blobs {
    /// A store over any object store: memory, or one that fails or counts in a test.
    pub fn over(store: Arc<dyn ObjectStore>, settings: &Settings) -> Result<Self, BlobError> {
        check(settings)?;
        Ok(over(store, settings, true, Vec::new()))
    }
}

fn over(
    store: Arc<dyn ObjectStore>,
    settings: &Settings,
    conditional_put: bool,
    secrets: Vec<String>,
) -> Blobs {
    let stats = Arc::new(Stats::default());
    let remote = Remote {
        store,
        stats: Arc::clone(&stats),
        part_bytes: settings.part_bytes,
        parts_in_flight: settings.parts_in_flight,
        parts: Threads::new(settings.parts_in_flight.saturating_mul(4)),
        conditional_put,
        secrets,
    };
    Blobs::new(Place::Remote(Arc::new(remote)), stats)
}

fn check(settings: &Settings) -> Result<(), BlobError> {
    let least_part = 5 * 1024 * 1024;
    let wrong = if settings.part_bytes < least_part {
        "part_bytes is below 5 MiB"
    } else if !(1..=64).contains(&settings.parts_in_flight) {
        "parts_in_flight is not between 1 and 64"
    } else if !(4096..=64 * 1024 * 1024).contains(&settings.inline_bytes) {
        "inline_bytes is not between 4 KiB and 64 MiB"
    } else {
        return Ok(());
    };
    Err(BlobError::Unavailable(wrong.to_owned()))
}

const MIB: u64 = 1024 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_show_no_secret_and_know_their_keys() {
        let settings: Settings =
            toml::from_str("url = 'memory:'\nsecret_access_key = 'hush'\naccess_key_id = 'AK'")
                .unwrap();
        let shown = format!("{settings:?}");
        assert!(!shown.contains("hush") && !shown.contains("AK"), "{shown}");
        assert!(toml::from_str::<Settings>("adress = 'memory:'").is_err());
        assert_eq!(toml::from_str::<Settings>("").unwrap(), Settings::default());
    }

    #[test]
    fn what_cannot_work_is_refused_at_the_start() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("file"), "").unwrap();
        let file = folder.path().join("file").display().to_string();
        for settings in [
            Settings { part_bytes: 1024, ..Settings::default() },
            Settings { parts_in_flight: 0, ..Settings::default() },
            Settings { inline_bytes: 0, ..Settings::default() },
            Settings { url: "gs://bucket".into(), ..Settings::default() },
            Settings { url: file, ..Settings::default() },
        ] {
            assert!(open(&settings, folder.path()).is_err(), "{settings:?}");
        }
    }
}
