//! A DICOM object in a file: its meta header read, its data set still to come piece by piece.

use std::collections::VecDeque;
use std::io;

use bytes::Bytes;
use futures::stream;
use tokio::io::AsyncRead;
use tokio_util::io::StreamReader;

use crate::cli::sources;
use crate::cli::sources::Item;
use crate::cli::sources::Pieces;
use crate::dicom::header::HeaderCollector;
use crate::dicom::limits::Limits;
use crate::dicom::part10::Part10Error;
use crate::dicom::part10::Part10Reader;
use crate::dicom::part10::Step;
use crate::dicom::scan::ScanError;
use crate::dicom::scan::Scanner;
use crate::dicom::syntax::Encoding;
use crate::dicom::uid::Uid;

/// SOP class of a DICOMDIR (PS3.4 §I.4, Media Storage Directory Storage): an index of files, no instance.
const MEDIA_STORAGE_DIRECTORY: &str = "1.2.840.10008.1.3.10";

/// An opened object.
#[derive(Debug)]
pub struct Object {
    /// Transfer syntax, from the meta header or told from the data set.
    pub transfer_syntax: Uid,
    /// SOP Class UID of the data set, where the file has no usable meta header.
    pub sop_class: Option<Uid>,
    /// SOP Instance UID of the data set, likewise.
    pub sop_instance: Option<Uid>,
    /// Preamble and meta header to keep byte for byte; `None` when the file has none that is whole.
    pub prefix: Option<Bytes>,
    /// Bytes before the data set.
    before: usize,
    first: VecDeque<Bytes>,
    rest: Pieces,
}

/// Why a file cannot be imported or sent.
#[derive(Debug, thiserror::Error)]
pub enum ObjectError {
    /// It is something else.
    #[error("not DICOM: {0}")]
    NotDicom(String),
    /// What comes before its data set cannot be read.
    #[error("{0}")]
    Prefix(#[from] Part10Error),
    /// It cannot be read.
    #[error("cannot be read: {0}")]
    Io(#[from] io::Error),
    /// Its data set is damaged.
    #[error("data set refused: {0}")]
    Damaged(#[from] ScanError),
}

impl Object {
    /// Reads a file's meta header. A file without one is scanned once for its identifiers first.
    pub async fn open(item: &Item) -> Result<Self, ObjectError> {
        let mut pieces = sources::read(item);
        let mut reader = Part10Reader::default();
        let (prefix, head, first) = loop {
            let Some(piece) = pieces.recv().await else {
                let (prefix, head) = reader.finish()?;
                break (prefix, head, Bytes::new());
            };
            let mut piece = piece?;
            if let Step::DataSet { prefix, head, used } = reader.push(&piece)? {
                break (prefix, head, piece.split_off(used.min(piece.len())));
            }
        };
        if prefix.media_sop_class.as_ref().is_some_and(|c| c.as_str() == MEDIA_STORAGE_DIRECTORY) {
            return Err(ObjectError::NotDicom("a DICOMDIR lists files, it is none".to_owned()));
        }
        let mut object = Self {
            transfer_syntax: prefix.transfer_syntax,
            sop_class: prefix.media_sop_class,
            sop_instance: prefix.media_sop_instance,
            before: prefix.bytes.len(),
            prefix: prefix.well_formed.then(|| prefix.bytes.into()),
            first: VecDeque::from([head.into(), first]),
            rest: pieces,
        };
        if object.prefix.is_none() {
            object.read_identifiers(item).await?;
        }
        Ok(object)
    }

    /// The next bytes of the data set.
    pub async fn next(&mut self) -> Result<Option<Bytes>, ObjectError> {
        while let Some(first) = self.first.pop_front() {
            if !first.is_empty() {
                return Ok(Some(first));
            }
        }
        Ok(self.rest.recv().await.transpose()?)
    }

    /// The data set as a byte stream.
    pub fn into_reader(self) -> impl AsyncRead + Unpin {
        let pieces = stream::try_unfold(self, |mut object| async move {
            let piece = object.next().await.map_err(io::Error::other)?;
            Ok::<_, io::Error>(piece.map(|piece| (piece, object)))
        });
        StreamReader::new(Box::pin(pieces))
    }

    /// Reads the whole data set once for SOP class and instance, and opens the file again.
    async fn read_identifiers(&mut self, item: &Item) -> Result<(), ObjectError> {
        let encoding = Encoding::of(self.transfer_syntax.as_str());
        let mut scanner = Scanner::new(encoding, Limits::DEFAULT);
        let mut collector = HeaderCollector::new(encoding);
        while let Some(piece) = self.next().await? {
            scanner.push(&piece, &mut collector)?;
        }
        scanner.finish(&mut collector)?;
        let header = collector.finish();
        if header.sop_class.is_none() && header.study_uid.is_none() {
            return Err(ObjectError::NotDicom(
                "no SOP Class UID, no Study Instance UID".to_owned(),
            ));
        }
        (self.sop_class, self.sop_instance) = (header.sop_class, header.sop_instance);
        self.reopen(item).await
    }

    /// Opens the file again, at its data set.
    async fn reopen(&mut self, item: &Item) -> Result<(), ObjectError> {
        self.rest = sources::read(item);
        let mut before = self.before;
        while before > 0 {
            let Some(piece) = self.rest.recv().await else { break };
            let mut piece = piece?;
            let left_out = before.min(piece.len());
            before -= left_out;
            self.first = VecDeque::from([piece.split_off(left_out)]);
        }
        Ok(())
    }
}

/// A Part 10 file in memory, read as far as an association needs.
#[derive(Debug, Clone)]
pub struct InMemory<'a> {
    /// SOP Class UID.
    pub sop_class: String,
    /// SOP Instance UID.
    pub sop_instance: String,
    /// Transfer syntax.
    pub transfer_syntax: String,
    /// The data set.
    pub data_set: &'a [u8],
}

/// Reads the meta header of a well-formed Part 10 file.
pub fn describe_bytes(file: &[u8]) -> Result<InMemory<'_>, ObjectError> {
    let not_dicom = |what: &str| ObjectError::NotDicom(what.to_owned());
    let mut reader = Part10Reader::default();
    let prefix = match reader.push(file)? {
        Step::DataSet { prefix, .. } => prefix,
        Step::More => reader.finish()?.0,
    };
    let text = |uid: Option<Uid>| uid.map(|uid| uid.as_str().to_owned());
    Ok(InMemory {
        sop_class: text(prefix.media_sop_class).ok_or_else(|| not_dicom("no SOP class"))?,
        sop_instance: text(prefix.media_sop_instance).ok_or_else(|| not_dicom("no instance"))?,
        transfer_syntax: prefix.transfer_syntax.as_str().to_owned(),
        data_set: file.get(prefix.bytes.len()..).unwrap_or_default(),
    })
}
