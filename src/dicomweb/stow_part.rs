//! STOW-RS: one part of a request on its way into the archive.

use bytes::Bytes;

use crate::access::permit::Permit;
use crate::archive::archive::Archive;
use crate::archive::error::ArchiveError;
use crate::archive::ingest::{Envelope, Receiving};
use crate::dicom::part10::{Part10Error, Part10Reader, Prefix, Step};
use crate::dicom::uid::Uid;
use crate::dicomweb::stow_answer::{CANNOT_UNDERSTAND, Ended, Failure, Names};

/// What all parts of a request share.
#[derive(Debug, Clone)]
pub struct Target {
    /// The archive.
    pub archive: Archive,
    /// Proof that the caller may store.
    pub permit: Permit,
    /// The study addressed, if one was.
    pub study: Option<Uid>,
    /// Where the request comes from, for provenance.
    pub source: String,
}

/// A part that comes in. Once it has failed the rest of it is passed over.
#[derive(Debug)]
pub struct Part {
    state: State,
    /// What the meta header calls it.
    names: Names,
}

#[derive(Debug)]
enum State {
    Prefix(Part10Reader),
    Receiving(Box<Receiving>),
    Failed(Failure),
}

impl Part {
    /// Begins a part that may be a DICOM file.
    pub fn begin() -> Self {
        Self { state: State::Prefix(Part10Reader::default()), names: Names::default() }
    }

    /// Begins a part that is passed over, for this reason.
    pub fn refused(failure: Failure) -> Self {
        Self { state: State::Failed(failure), names: Names::default() }
    }

    /// Takes the next bytes of the part.
    pub async fn write(&mut self, target: &Target, bytes: Bytes) {
        let written = match &mut self.state {
            State::Prefix(reader) => match reader.push(&bytes) {
                Ok(Step::More) => return,
                Ok(Step::DataSet { prefix, head, used }) => {
                    self.names = Names::of(&prefix);
                    let rest = bytes.slice(used.min(bytes.len())..);
                    self.receive(target, prefix, [head.into(), rest]).await
                }
                Err(error) => Err(unreadable(&error)),
            },
            State::Receiving(receiving) => {
                receiving.write(bytes).await.map_err(|error| Failure::of(&error))
            }
            State::Failed(_) => return,
        };
        self.keep(written);
    }

    /// All bytes are here. What is left to wait for is the stores, so that the next part can be
    /// read meanwhile.
    pub async fn finish(mut self, target: &Target) -> Ended {
        if let State::Prefix(reader) = &mut self.state {
            let received = match std::mem::take(reader).finish() {
                Ok((prefix, data_set)) => {
                    self.names = Names::of(&prefix);
                    self.receive(target, prefix, [data_set.into(), Bytes::new()]).await
                }
                Err(error) => Err(unreadable(&error)),
            };
            self.keep(received);
        }
        let Self { state, names } = self;
        match state {
            State::Receiving(receiving) => match receiving.finish().await {
                Ok(receipt) => Ended::Stored { receipt, left_out: Vec::new() },
                Err(error) => Ended::Failed(names, Failure::of(&error)),
            },
            State::Failed(failure) => Ended::Failed(names, failure),
            // Not reached: a prefix ends in one of the others.
            State::Prefix(_) => Ended::Failed(names, unreadable(&Part10Error::Truncated)),
        }
    }

    /// Begins to store what follows a prefix.
    async fn receive(
        &mut self,
        target: &Target,
        prefix: Prefix,
        first: [Bytes; 2],
    ) -> Result<(), Failure> {
        let envelope = Envelope {
            transfer_syntax: prefix.transfer_syntax,
            // A file's own meta header is kept as it is, and does not bind the data set.
            sop_class: prefix.media_sop_class.filter(|_| !prefix.well_formed),
            sop_instance: prefix.media_sop_instance.filter(|_| !prefix.well_formed),
            ae_title: None,
            source: target.source.clone(),
            prefix: prefix.well_formed.then(|| prefix.bytes.into()),
        };
        let receiving = target
            .archive
            .receive(&target.permit, envelope)
            .map_err(|error| Failure::of(&error))?;
        let mut receiving = match &target.study {
            Some(study) => receiving.of_study(study.clone()),
            None => receiving,
        };
        for bytes in first.into_iter().filter(|bytes| !bytes.is_empty()) {
            receiving.write(bytes).await.map_err(|error| Failure::of(&error))?;
        }
        self.state = State::Receiving(Box::new(receiving));
        Ok(())
    }

    fn keep(&mut self, result: Result<(), Failure>) {
        if let Err(failure) = result {
            self.state = State::Failed(failure);
        }
    }
}

fn unreadable(error: &Part10Error) -> Failure {
    Failure { reason: CANNOT_UNDERSTAND, comment: error.to_string() }
}

impl Failure {
    /// An archive's error in the words of a store response, which has room for few.
    pub fn of(error: &ArchiveError) -> Self {
        let comment = match error {
            ArchiveError::Unidentified(text) | ArchiveError::Mismatch(text) => text.clone(),
            ArchiveError::Malformed(error) => error.to_string(),
            error => error.to_string(),
        };
        Self { reason: crate::dicomweb::stow_answer::reason(error), comment }
    }
}
