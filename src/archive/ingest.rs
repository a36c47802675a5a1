//! Storing: one pass over the bytes, then blob durable, then one index transaction, then the answer.

use bytes::Bytes;

use crate::access::permit::Permit;
use crate::archive::archive::Archive;
use crate::archive::error::ArchiveError;
use crate::dicom::uid::Uid;
use crate::model::path::InstancePath;
use crate::model::study::Outcome;

/// What the sender says of an object before its bytes come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Envelope {
    /// Transfer syntax of the data set bytes: the presentation context's, or the file's own.
    pub transfer_syntax: Uid,
    /// Affected SOP Class UID of the command (0000,0002); `None` where there is no command.
    pub sop_class: Option<Uid>,
    /// Affected SOP Instance UID of the command (0000,1000).
    pub sop_instance: Option<Uid>,
    /// AE title of the sender, where there is one (goes to (0002,0016)).
    pub ae_title: Option<String>,
    /// Where it comes from, for provenance: `cstore:CT1@10.0.0.7`, `import:folder`; no patient data.
    pub source: String,
    /// Preamble and meta header as they came with a file, kept byte for byte; `None`: written anew.
    pub prefix: Option<Bytes>,
}

/// What became of a received object, once it is durable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// Stored, here already, or kept beside.
    pub outcome: Outcome,
    /// Its address.
    pub path: InstancePath,
    /// Its SOP Class UID.
    pub sop_class: Uid,
    /// SHA-256 of the data set.
    pub data_set_sha256: [u8; 32],
    /// Bytes of the data set.
    pub data_set_bytes: u64,
}

/// An object on its way in. Dropped before [`Receiving::finish`], it leaves no trace.
#[derive(Debug)]
pub struct Receiving {}

impl Archive {
    /// Begins to receive an object.
    pub fn receive(&self, permit: &Permit, envelope: Envelope) -> Result<Receiving, ArchiveError> {
        todo!("{permit:?} {envelope:?}")
    }

    /// Whether the stores have room for more; `Err(NoRoom)` when they do not.
    pub async fn check_room(&self) -> Result<(), ArchiveError> {
        todo!()
    }
}

impl Receiving {
    /// Takes the next bytes of the data set, in whatever pieces; waits while the store is behind.
    /// After an error the object is lost: drop it, and tell the sender.
    pub async fn write(&mut self, bytes: Bytes) -> Result<(), ArchiveError> {
        todo!("{bytes:?}")
    }

    /// All bytes are here: makes them durable and found. Only after `Ok` may success be answered.
    pub async fn finish(self) -> Result<Receipt, ArchiveError> {
        todo!()
    }
}
