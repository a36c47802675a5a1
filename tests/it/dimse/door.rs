//! The real DICOM door over a real archive, in this process.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use lastra::archive::archive::Archive;
use lastra::clock::SystemClock;
use lastra::config::Settings;
use lastra::dimse::client::Scu;
use lastra::dimse::client::ScuError;
use lastra::dimse::listener::Listener;
use lastra::dimse::listener::Settings as DoorSettings;
use lastra::server::app::Rooms;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::support::objects::CT_IMAGE;
use crate::support::objects::EXPLICIT_LITTLE;
use crate::support::objects::Object;

/// An open door; its folder goes with it.
pub struct Door {
    pub address: SocketAddr,
    pub archive: Archive,
    pub stop: CancellationToken,
    pub running: JoinHandle<()>,
    folder: tempfile::TempDir,
}

impl Door {
    pub async fn open() -> Self {
        Self::open_with(|_| {}).await
    }

    /// A door with other settings than the defaults.
    pub async fn open_with(change: impl FnOnce(&mut DoorSettings)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let settings = Settings { data: folder.path().to_owned(), ..Settings::default() };
        let clock: lastra::clock::SharedClock = Arc::new(SystemClock);
        let archive = Rooms::open(&settings, &clock).await.unwrap().archive;
        let mut settings =
            DoorSettings { address: "127.0.0.1:0".to_owned(), ..DoorSettings::default() };
        change(&mut settings);
        let (listener, address) = Listener::bind(&settings).await.unwrap();
        let stop = CancellationToken::new();
        let running = tokio::spawn(listener.run(archive.clone(), stop.clone()));
        Self { address, archive, stop, running, folder }
    }

    pub async fn associate(&self, contexts: &[(&str, &str)]) -> Result<Scu, ScuError> {
        let contexts: Vec<_> =
            contexts.iter().map(|(class, ts)| ((*class).to_owned(), (*ts).to_owned())).collect();
        Scu::connect(&self.address.to_string(), "CT1", "LASTRA", &contexts).await
    }

    /// An association for CT images in Explicit VR Little Endian.
    pub async fn scu(&self) -> Scu {
        self.associate(&[(CT_IMAGE, EXPLICIT_LITTLE)]).await.unwrap()
    }

    pub async fn instances(&self) -> u64 {
        self.archive.totals().await.unwrap().instances
    }

    /// Files in the blob store, finished or not.
    pub fn blob_files(&self) -> Vec<PathBuf> {
        walkdir::WalkDir::new(self.folder.path().join("blobs"))
            .into_iter()
            .map(Result::unwrap)
            .filter(|entry| entry.file_type().is_file())
            .map(walkdir::DirEntry::into_path)
            .collect()
    }
}

/// Stores an object; status and comment.
pub async fn store(scu: &mut Scu, object: &Object) -> (u16, String) {
    let data_set = object.data_set();
    let (class, instance) = (&object.sop_class, &object.sop_instance);
    let status = scu.store(class, instance, EXPLICIT_LITTLE, &mut &data_set[..]).await.unwrap();
    (status.code, status.comment.unwrap_or_default())
}
