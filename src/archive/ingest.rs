//! Storing: one pass over the bytes, then blob durable, then one index transaction, then the answer.
//!
//! A crash at any point leaves at worst a blob no row names, which the sweep removes; never a row
//! without its blob, never a success without both.

use bytes::Bytes;
use sha2::Digest;
use sha2::Sha256;

use crate::access::permit::Permit;
use crate::access::permit::Subject;
use crate::archive::archive::Archive;
use crate::archive::error::ArchiveError;
use crate::archive::facts;
use crate::archive::rejection;
use crate::blobs::key::BlobKind;
use crate::blobs::writer::BlobWriter;
use crate::dicom::observe::DataSetPlace;
use crate::dicom::observe::Observer;
use crate::dicom::part10::MetaFields;
use crate::dicom::part10::write_prefix;
use crate::dicom::scan::Scanner;
use crate::dicom::syntax::Encoding;
use crate::dicom::uid::Uid;
use crate::index::error::IndexError;
use crate::model::path::InstancePath;
use crate::model::study::CopyFacts;
use crate::model::study::Outcome;
use crate::steps::Step;
use crate::steps::come_to;

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
pub struct Receiving {
    archive: Archive,
    envelope: Envelope,
    /// The study it must be of, when the sender addressed one.
    study: Option<Uid>,
    writer: BlobWriter,
    scanner: Scanner,
    observer: Observer,
    hash: Sha256,
    /// Preamble and meta header, until they are written.
    prefix: Option<Bytes>,
    data_set_start: u64,
    data_set_bytes: u64,
}

impl Archive {
    /// Begins to receive an object.
    pub fn receive(&self, permit: &Permit, envelope: Envelope) -> Result<Receiving, ArchiveError> {
        if !matches!(permit.subject(), Subject::Storing | Subject::Archive) {
            return Err(ArchiveError::Denied);
        }
        let encoding = Encoding::of(envelope.transfer_syntax.as_str());
        let prefix = match &envelope.prefix {
            Some(prefix) => prefix.clone(),
            None => meta_header(&envelope)?,
        };
        Ok(Receiving {
            archive: self.clone(),
            writer: self.inner.blobs.begin(BlobKind::Instance),
            scanner: Scanner::new(encoding, self.inner.settings.limits()),
            observer: Observer::with_extended(encoding, self.attributes().set()),
            hash: Sha256::new(),
            data_set_start: prefix.len() as u64,
            data_set_bytes: 0,
            prefix: Some(prefix),
            envelope,
            study: None,
        })
    }

    /// Whether the stores have room for more; `Err(NoRoom)` when they do not.
    pub async fn check_room(&self) -> Result<(), ArchiveError> {
        Ok(self.inner.blobs.check_room().await?)
    }
}

impl Receiving {
    /// Only an object of this study will do; another is refused when it is finished.
    #[must_use]
    pub fn of_study(self, study: Uid) -> Self {
        Self { study: Some(study), ..self }
    }

    /// Takes the next bytes of the data set, in whatever pieces; waits while the store is behind.
    /// After an error the object is lost: drop it, and tell the sender.
    pub async fn write(&mut self, bytes: Bytes) -> Result<(), ArchiveError> {
        self.scanner.push(&bytes, &mut self.observer)?;
        if let Some(refusal) = self.observer.refusal() {
            return Err(refusal.clone().into());
        }
        self.hash.update(&bytes);
        self.data_set_bytes += bytes.len() as u64;
        if let Some(prefix) = self.prefix.take() {
            self.writer.write(prefix).await?;
        }
        Ok(self.writer.write(bytes).await?)
    }

    /// All bytes are here: makes them durable and found. Only after `Ok` may success be answered.
    pub async fn finish(mut self) -> Result<Receipt, ArchiveError> {
        let inflated_bytes = self.scanner.finish(&mut self.observer)?;
        let said = self.observer.take_said();
        let rejects =
            rejection::note(self.observer.take_selection(), &self.archive.inner.settings)?;
        let (header, parts) = self.observer.finish()?;
        let header = header.finish();
        let identity = facts::identity(&header, &self.envelope)?;
        if self.study.as_ref().is_some_and(|study| *study != identity.path.study) {
            let reason = "Study Instance UID (0020,000D) is not the study's it was sent to";
            return Err(ArchiveError::Mismatch(reason.to_owned()));
        }
        if let Some(prefix) = self.prefix.take() {
            self.writer.write(prefix).await?;
        }
        let encoding = Encoding::of(self.envelope.transfer_syntax.as_str());
        let place = DataSetPlace {
            start: self.data_set_start,
            bytes: self.data_set_bytes,
            deflated: encoding == Encoding::DeflatedExplicitLittle,
            inflated_bytes,
        };
        let layout = parts.layout(place, &header.pixels);
        let key = self.writer.key().to_owned();
        let copy = CopyFacts {
            blob_key: key.clone(),
            blob_bytes: self.data_set_start + self.data_set_bytes,
            data_set_sha256: self.hash.finalize().into(),
            transfer_syntax: self.envelope.transfer_syntax.as_str().to_owned(),
            source: self.envelope.source.clone(),
            received_us: self.archive.inner.clock.now_us(),
            layout: layout.to_bytes(),
        };
        let source = self.envelope.source;
        let receipt = Receipt {
            outcome: Outcome::Stored,
            path: identity.path.clone(),
            sop_class: identity.sop_class.clone(),
            data_set_sha256: copy.data_set_sha256,
            data_set_bytes: self.data_set_bytes,
        };
        let mut instance = facts::new_instance(header, identity, &layout, copy);
        let names = rejects.as_ref().map(|note| (note.reason.code(), note.instances.len()));
        instance.rejects = rejects;
        if let Some(said) = said {
            self.archive.attributes().extend(&mut instance, &said);
        }

        self.writer.finish().await?;
        come_to(Step::BlobDurable);
        let entered = self.archive.inner.committer.store(instance).await;
        if matches!(entered, Err(IndexError::NoRoom)) {
            // Certainly no row names it, and it takes the room that is wanting.
            let _ = self.archive.inner.blobs.delete(&key).await;
        }
        let outcome = entered?;
        come_to(Step::Committed);
        if let (Outcome::Stored | Outcome::KeptBeside, Some((code, instances))) = (outcome, names) {
            tracing::info!(source, code, instances, "rejection note in force");
        }
        if matches!(outcome, Outcome::AlreadyHere | Outcome::Refused(_)) {
            // The same bytes are here under another key, or may not be; this copy is named by no
            // row. If it cannot be deleted now, the sweep will.
            let _ = self.archive.inner.blobs.delete(&key).await;
            come_to(Step::CopyRemoved);
        }
        if let Outcome::Refused(reason) = outcome {
            return Err(ArchiveError::Rejected(reason));
        }
        Ok(Receipt { outcome, ..receipt })
    }
}

/// The meta header of an object that came without one, as over the network.
fn meta_header(envelope: &Envelope) -> Result<Bytes, ArchiveError> {
    let missing = |what: &str| ArchiveError::Unidentified(format!("{what} is missing"));
    let fields = MetaFields {
        sop_class: envelope.sop_class.as_ref().ok_or_else(|| missing("SOP Class UID"))?,
        sop_instance: envelope.sop_instance.as_ref().ok_or_else(|| missing("SOP Instance UID"))?,
        transfer_syntax: &envelope.transfer_syntax,
        source_ae: envelope.ae_title.as_deref(),
    };
    Ok(write_prefix(&fields).into())
}
