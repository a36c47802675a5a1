//! STOW-RS: a metadata document on its way in, DICOM JSON or the Native DICOM Model
//! (PS3.18 §10.5.1.4).
//!
//! Documents are held in memory whole, which is bounded for each and for all requests together.

use std::sync::{Arc, LazyLock};

use bytes::BytesMut;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::archive::archive::Archive;
use crate::dicom::json_read::JsonReader;
use crate::dicom::limits::Limits;
use crate::dicom::write::{DataSet, DataSetWriter};
use crate::dicom::xml_read;
use crate::dicomweb::media::{DICOM_JSON, DICOM_XML, JSON};
use crate::dicomweb::stow_answer::{Failure, MALFORMED, OUT_OF_RESOURCES, TOO_LARGE};
use crate::dicomweb::stow_intake::MAX_PARTS;

/// The longest document.
const MAX_BYTES: usize = 64 * 1024 * 1024;
/// Bytes of documents held at once, of all requests, in permits of a KiB.
const HELD_KIB: usize = 256 * 1024;
static HELD: LazyLock<Arc<Semaphore>> = LazyLock::new(|| Arc::new(Semaphore::new(HELD_KIB)));
/// Documents up to here are read on the async thread: under half a millisecond.
const INLINE_BYTES: usize = 64 * 1024;

/// A document that comes in.
#[derive(Debug)]
pub struct Metadata {
    form: Form,
    bytes: BytesMut,
    held: Option<OwnedSemaphorePermit>,
    failure: Option<Failure>,
}

#[derive(Debug, Clone, Copy)]
enum Form {
    Json,
    Xml,
}

/// What a document says: instances, and why there are no more, if that is no end.
pub type Read = (Vec<DataSet>, Option<Failure>);

impl Metadata {
    /// A document of that media type; `None` when it is none of metadata.
    pub fn begin(media: &str) -> Option<Self> {
        let form = match media {
            DICOM_JSON | JSON => Form::Json,
            DICOM_XML => Form::Xml,
            _ => return None,
        };
        Some(Self { form, bytes: BytesMut::new(), held: None, failure: None })
    }

    /// Takes the next bytes. Once it has failed the rest is passed over.
    pub fn write(&mut self, bytes: &[u8]) {
        if self.failure.is_some() {
            return;
        }
        let length = self.bytes.len().saturating_add(bytes.len());
        if length > MAX_BYTES {
            let comment = format!("a metadata document may have {MAX_BYTES} bytes");
            return self.fail(TOO_LARGE, comment);
        }
        let have = self.held.as_ref().map_or(0, OwnedSemaphorePermit::num_permits);
        let more = u32::try_from(length.div_ceil(1024).saturating_sub(have)).unwrap_or(u32::MAX);
        match (Arc::clone(&HELD).try_acquire_many_owned(more), &mut self.held) {
            (Ok(permit), Some(held)) => held.merge(permit),
            (Ok(permit), held) => *held = Some(permit),
            (Err(_), _) => {
                return self.fail(OUT_OF_RESOURCES, "too much metadata at once; try again".into());
            }
        }
        self.bytes.extend_from_slice(bytes);
    }

    fn fail(&mut self, reason: u16, comment: String) {
        self.bytes = BytesMut::new();
        self.held = None;
        self.failure = Some(Failure { reason, comment });
    }

    /// The document is whole: reads it.
    pub async fn finish(self, archive: &Archive) -> Read {
        let Self { form, bytes, held, failure } = self;
        if failure.is_some() {
            return (Vec::new(), failure);
        }
        let length = bytes.len();
        let read = move || {
            let _held = held;
            match form {
                Form::Json => read_json(&bytes),
                Form::Xml => read_xml(&bytes),
            }
        };
        if length <= INLINE_BYTES {
            return read();
        }
        // What is made of it takes a few times its length.
        let cost = u64::try_from(length).unwrap_or(u64::MAX).saturating_mul(4);
        archive
            .compute(cost, read)
            .await
            .unwrap_or_else(|error| (Vec::new(), Some(Failure::of(&error))))
    }
}

fn read_json(bytes: &[u8]) -> Read {
    let mut data_sets = Vec::new();
    let malformed = |comment: String| Some(Failure { reason: MALFORMED, comment });
    let mut reader = match JsonReader::new(bytes, Limits::DEFAULT) {
        Ok(reader) => reader,
        Err(error) => return (data_sets, malformed(error.to_string())),
    };
    loop {
        if data_sets.len() > MAX_PARTS {
            let comment = format!("a request may have {MAX_PARTS} instances");
            return (data_sets, Some(Failure { reason: TOO_LARGE, comment }));
        }
        let mut writer = DataSetWriter::default();
        match reader.object(&mut writer) {
            Ok(true) => data_sets.push(writer.finish()),
            Ok(false) => return (data_sets, None),
            Err(error) => return (data_sets, malformed(error.to_string())),
        }
    }
}

fn read_xml(bytes: &[u8]) -> Read {
    let mut writer = DataSetWriter::default();
    match xml_read::read(bytes, Limits::DEFAULT, &mut writer) {
        Ok(()) => (vec![writer.finish()], None),
        Err(error) => (Vec::new(), Some(Failure { reason: MALFORMED, comment: error.to_string() })),
    }
}
