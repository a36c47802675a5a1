//! Objects to enter, and indexes to enter them into.

use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering;

use lastra::dicom::uid::Uid;
use lastra::index::open;
use lastra::index::port::Index;
use lastra::index::port::SharedIndex;
use lastra::model::study::CopyFacts;
use lastra::model::study::InstanceFacts;
use lastra::model::study::NewInstance;
use lastra::model::study::Outcome;
use lastra::model::study::PatientFacts;
use lastra::model::study::SeriesFacts;
use lastra::model::study::StudyFacts;
use lastra::people::patient_id::PatientId;
use tempfile::TempDir;

use crate::support::postgres;

/// An index for one test, and its folder.
pub(super) struct Kept {
    pub(super) index: SharedIndex,
    pub(super) settings: open::Settings,
    pub(super) folder: TempDir,
}

impl Kept {
    /// In an SQLite file.
    pub(super) async fn in_sqlite() -> Self {
        Self::open(open::Settings::default()).await
    }

    /// In a PostgreSQL database.
    pub(super) async fn in_postgres() -> Self {
        let url = postgres::fresh_database();
        Self::open(open::Settings { url, ..open::Settings::default() }).await
    }

    async fn open(settings: open::Settings) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let index = open::open(&settings, folder.path()).await.unwrap();
        Self { index, settings, folder }
    }

    /// The same rows through connections of another node.
    pub(super) async fn another_node(&self) -> SharedIndex {
        open::open(&self.settings, self.folder.path()).await.unwrap()
    }
}

/// When everything here happens.
pub(super) const NOW: i64 = 1_767_225_600_000_000;

pub(super) fn uid(text: &str) -> Uid {
    Uid::parse(text).unwrap()
}

pub(super) fn patient(issuer: &str, value: &str) -> PatientId {
    PatientId { issuer: issuer.to_owned(), value: value.to_owned() }
}

/// An object of patient `P1`; the bytes are unlike all others'.
pub(super) fn object(study: &str, series: &str, instance: &str) -> NewInstance {
    static NUMBER: AtomicU64 = AtomicU64::new(1);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let mut hash = [0; 32];
    hash[..8].copy_from_slice(&number.to_le_bytes());
    NewInstance {
        patient: PatientFacts {
            id: patient("", "P1"),
            name: "ROSSI^MARIA".to_owned(),
            birth_date: "19700101".to_owned(),
            sex: "F".to_owned(),
            attributes: r#"{"00100020":{"vr":"LO","Value":["P1"]}}"#.to_owned(),
        },
        study: StudyFacts {
            uid: uid(study),
            date: "20260102".to_owned(),
            time: "101500".to_owned(),
            accession_number: "A1".to_owned(),
            referring_physician: "VERDI^ANNA".to_owned(),
            id: "S1".to_owned(),
            description: "CT CHEST".to_owned(),
            attributes: format!(r#"{{"0020000D":{{"vr":"UI","Value":["{study}"]}}}}"#),
        },
        series: SeriesFacts {
            uid: uid(series),
            modality: "CT".to_owned(),
            number: "1".to_owned(),
            description: "AXIAL".to_owned(),
            body_part: "CHEST".to_owned(),
            performed_date: "20260102".to_owned(),
            performed_time: "102000".to_owned(),
            requests: Vec::new(),
            attributes: format!(r#"{{"0020000E":{{"vr":"UI","Value":["{series}"]}}}}"#),
        },
        instance: InstanceFacts {
            sop_class: uid("1.2.840.10008.5.1.4.1.1.2"),
            uid: uid(instance),
            number: "1".to_owned(),
            frames: 1,
            timezone: String::new(),
            attributes: format!(r#"{{"00080018":{{"vr":"UI","Value":["{instance}"]}}}}"#),
        },
        copy: CopyFacts {
            blob_key: format!("blob-{number}"),
            blob_bytes: 1000,
            data_set_sha256: hash,
            transfer_syntax: "1.2.840.10008.1.2.1".to_owned(),
            source: "CT1".to_owned(),
            received_us: NOW,
            layout: vec![1, 2, 3],
        },
        extended: Vec::new(),
        rejects: None,
    }
}

/// The object with changes.
pub(super) fn with(mut object: NewInstance, change: impl FnOnce(&mut NewInstance)) -> NewInstance {
    change(&mut object);
    object
}

/// The same object sent once more: same bytes, a blob of its own.
pub(super) fn again(object: &NewInstance) -> NewInstance {
    let other = self::object("1", "1", "1");
    with(object.clone(), |object| object.copy.blob_key = other.copy.blob_key)
}

/// The same UIDs with other bytes.
pub(super) fn altered(object: &NewInstance) -> NewInstance {
    let other = self::object("1", "1", "1");
    with(object.clone(), |object| {
        object.copy.data_set_sha256 = other.copy.data_set_sha256;
        object.copy.blob_key = other.copy.blob_key;
    })
}

/// Enters objects without jobs.
pub(super) async fn store(index: &dyn Index, objects: &[NewInstance]) -> Vec<Outcome> {
    index.store(objects, &[], NOW).await.unwrap()
}
