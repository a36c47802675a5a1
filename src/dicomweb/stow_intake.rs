//! STOW-RS: everything one request brings, part by part, into the archive.
//!
//! A part is a DICOM file, which is stored as it streams in; a metadata document; or bulk data that
//! metadata before it refers to, which waits in the archive's spool until its instance is whole.
//! What a part is its `Content-Type` and `Content-Location` tell, not the request's `type`.

use std::collections::VecDeque;

use bytes::Bytes;
use futures::FutureExt;
use futures::future::BoxFuture;
use tokio::task::JoinHandle;

use crate::archive::error::ArchiveError;
use crate::archive::make::{BulkPart, Making};
use crate::archive::spool::Spooling;
use crate::dicomweb::content_type::ContentType;
use crate::dicomweb::media::{DICOM, OCTETS};
use crate::dicomweb::related::{Event, Head, Reader, RelatedError};
use crate::dicomweb::stow_answer::{
    CANNOT_UNDERSTAND, Ended, Failure, Names, PROCESSING_FAILURE, TOO_LARGE,
};
use crate::dicomweb::stow_body::Incoming;
use crate::dicomweb::stow_metadata::Metadata;
use crate::dicomweb::stow_part::{Part, Target};
use crate::dicomweb::stow_waiting::Waiting;
use crate::dicomweb::stow_zip::{self, Entry};
use crate::http::problem::Problem;

/// Instances being made durable while the next is read.
const FINISHING_MOST: usize = 8;
/// Most parts of one request; each is an entry of the answer.
pub const MAX_PARTS: usize = 100_000;

/// What one request brings.
#[derive(Debug)]
pub struct Intake {
    target: Target,
    finishing: VecDeque<JoinHandle<Ended>>,
    ended: Vec<Ended>,
    waiting: Waiting,
    parts: usize,
}

/// The part that comes in.
#[derive(Debug)]
enum Open {
    File(Part),
    Metadata(Metadata),
    Bulk(Bulk),
}

/// Bulk data that comes in.
#[derive(Debug)]
struct Bulk {
    uri: String,
    kind: ContentType,
    bytes: Result<Spooling, ArchiveError>,
}

impl Intake {
    /// Nothing yet.
    pub fn new(target: Target) -> Self {
        let waiting = Waiting::default();
        Self { target, finishing: VecDeque::new(), ended: Vec::new(), waiting, parts: 0 }
    }

    /// Takes a body that is one file.
    pub async fn single(&mut self, body: &mut Incoming) {
        let mut part = Part::begin();
        loop {
            match body.next().await {
                Ok(Some(bytes)) => part.write(&self.target, bytes).await,
                Ok(None) => return self.finish_part(part).await,
                Err(failure) => return self.fail(failure).await,
            }
        }
    }

    /// Takes a body that is one metadata document.
    pub async fn metadata(&mut self, mut metadata: Metadata, body: &mut Incoming) {
        loop {
            match body.next().await {
                Ok(Some(bytes)) => metadata.write(&bytes),
                Ok(None) => return self.finish_metadata(metadata).await,
                Err(failure) => return self.fail(failure).await,
            }
        }
    }

    /// Takes a body that is a zip file.
    pub async fn zip(&mut self, body: &mut Incoming) {
        let mut spooling = self.target.archive.spool();
        let spooled = loop {
            match body.next().await {
                Ok(Some(bytes)) => {
                    if let Err(error) = spooling.write(&bytes).await {
                        return self.fail(Failure::of(&error)).await;
                    }
                }
                Ok(None) => match spooling.finish().await {
                    Ok(spooled) => break spooled,
                    Err(error) => return self.fail(Failure::of(&error)).await,
                },
                Err(failure) => return self.fail(failure).await,
            }
        };
        let mut entries = stow_zip::open(&self.target.archive, &spooled);
        let mut part = None;
        while let Some(entry) = entries.recv().await {
            match (entry, &mut part) {
                (Entry::Begin, part) => *part = Some(Part::begin()),
                (Entry::Bytes(bytes), Some(part)) => part.write(&self.target, bytes).await,
                (Entry::Bytes(_), None) => {}
                (Entry::End, part) => {
                    if let Some(part) = part.take() {
                        self.finish_part(part).await;
                    }
                }
                (Entry::Broken(failure), _) => self.fail(failure).await,
            }
        }
    }

    /// Takes the parts of a multipart body. An error only when nothing in it could be a part; what
    /// goes wrong later is among the failures, and what came whole before stays stored.
    pub async fn multipart(&mut self, boundary: &str, body: &mut Incoming) -> Result<(), Problem> {
        let malformed = |error: RelatedError| Problem::bad_request(error.to_string());
        let mut reader = Reader::new(boundary).map_err(malformed)?;
        let mut open = None;
        let broken = loop {
            match reader.event() {
                Ok(Some(Event::Part(_))) if self.parts >= MAX_PARTS => {
                    let comment = format!("a request may have {MAX_PARTS} parts");
                    break Failure { reason: TOO_LARGE, comment };
                }
                Ok(Some(Event::Part(head))) => open = Some(self.begin(&head).await),
                Ok(Some(Event::Bytes(bytes))) => {
                    if let Some(open) = &mut open {
                        self.write(open, bytes).await;
                    }
                }
                Ok(Some(Event::PartEnd)) => {
                    if let Some(open) = open.take() {
                        self.finish(open).await;
                    }
                }
                Ok(Some(Event::End)) if self.parts == 0 => {
                    return Err(Problem::bad_request("the body has no parts"));
                }
                Ok(Some(Event::End)) => return Ok(()),
                Ok(None) => match body.next().await {
                    Ok(Some(bytes)) => reader.push(&bytes),
                    Ok(None) => break cut(RelatedError::Cut),
                    Err(failure) => break failure,
                },
                Err(error) => break cut(error),
            }
        };
        if self.parts == 0 {
            return Err(Problem::bad_request(broken.comment));
        }
        self.fail(broken).await;
        Ok(())
    }

    /// What became of everything, in about its order.
    pub async fn all(mut self) -> (Vec<Ended>, Target) {
        let rest = self.waiting.rest();
        self.make(rest).await;
        self.settle().await;
        (self.ended, self.target)
    }

    /// Begins a part.
    async fn begin(&mut self, head: &Head) -> Open {
        self.parts = self.parts.saturating_add(1);
        let kind = ContentType::parse(&head.content_type);
        let metadata = Metadata::begin(&kind.media);
        // A document that says no location is metadata; any other part may be what is waited for.
        let location = Some(&head.content_location);
        let location = location.filter(|at| !at.is_empty() || metadata.is_none());
        let uri = location.and_then(|location| self.waiting.uri_of(location));
        let whole = self.waiting.passed(uri.as_deref());
        self.make(whole).await;
        match (uri, metadata) {
            _ if kind.media == DICOM => Open::File(Part::begin()),
            (Some(uri), _) => {
                Open::Bulk(Bulk { uri, kind, bytes: Ok(self.target.archive.spool()) })
            }
            (None, Some(metadata)) => Open::Metadata(metadata),
            (None, None) => Open::File(self.file_or_nothing(&kind)),
        }
    }

    /// A part that nothing refers to: a DICOM file, where it may be one.
    fn file_or_nothing(&self, kind: &ContentType) -> Part {
        let comment = if self.waiting.has_begun() {
            "no metadata before it has its Content-Location".to_owned()
        } else if matches!(kind.media.as_str(), OCTETS | "") {
            return Part::begin();
        } else {
            format!("a part of type {} without metadata", kind.media)
        };
        Part::refused(Failure { reason: CANNOT_UNDERSTAND, comment })
    }

    async fn write(&self, open: &mut Open, bytes: Bytes) {
        match open {
            Open::File(part) => part.write(&self.target, bytes).await,
            Open::Metadata(metadata) => metadata.write(&bytes),
            Open::Bulk(bulk) => {
                if let Ok(spooling) = &mut bulk.bytes
                    && let Err(error) = spooling.write(&bytes).await
                {
                    bulk.bytes = Err(error);
                }
            }
        }
    }

    async fn finish(&mut self, open: Open) {
        match open {
            Open::File(part) => self.finish_part(part).await,
            Open::Metadata(metadata) => self.finish_metadata(metadata).await,
            Open::Bulk(bulk) => self.finish_bulk(bulk).await,
        }
    }

    async fn finish_part(&mut self, part: Part) {
        let target = self.target.clone();
        self.spawn(async move { part.finish(&target).await }.boxed()).await;
    }

    async fn finish_metadata(&mut self, metadata: Metadata) {
        let (data_sets, failure) = metadata.finish(&self.target.archive).await;
        for data_set in data_sets {
            self.parts = self.parts.saturating_add(1);
            let whole = self.waiting.add(data_set);
            self.make(whole).await;
        }
        if let Some(failure) = failure {
            self.fail(failure).await;
        }
    }

    async fn finish_bulk(&mut self, bulk: Bulk) {
        let Bulk { uri, kind, bytes } = bulk;
        let spooled = match bytes {
            Ok(spooling) => spooling.finish().await,
            Err(error) => Err(error),
        };
        let bytes = match spooled {
            Ok(bytes) => bytes,
            Err(error) => {
                let failure = Failure::of(&error);
                for making in self.waiting.give_up(&uri) {
                    let names = Names::of_metadata(&making.data_set);
                    self.end(Ended::Failed(names, failure.clone()));
                }
                return;
            }
        };
        let media = if kind.media.is_empty() { OCTETS.to_owned() } else { kind.media };
        let syntax = Some(kind.transfer_syntax).filter(|syntax| !syntax.is_empty());
        let part = BulkPart { media, transfer_syntax: syntax, bytes };
        let whole = self.waiting.give(&uri, &part);
        self.make(whole).await;
    }

    /// Makes instances, each beside the others.
    async fn make(&mut self, makings: impl IntoIterator<Item = Making>) {
        for making in makings {
            let target = self.target.clone();
            let work = async move {
                let Target { archive, permit, study, source } = target;
                let names = Names::of_metadata(&making.data_set);
                let left_out = making.data_set.discarded.iter().map(ToString::to_string).collect();
                match archive.make(&permit, making, study, source).await {
                    Ok(receipt) => Ended::Stored { receipt, left_out },
                    Err(error) => Ended::Failed(names, Failure::of(&error)),
                }
            };
            self.spawn(work.boxed()).await;
        }
    }

    /// Leaves an instance to the stores.
    async fn spawn(&mut self, work: BoxFuture<'static, Ended>) {
        if self.finishing.len() >= FINISHING_MOST {
            self.settle_one().await;
        }
        self.finishing.push_back(tokio::spawn(work));
    }

    /// Notes what went wrong and is no instance's own fault, behind what came before.
    async fn fail(&mut self, failure: Failure) {
        self.settle().await;
        self.ended.push(Ended::Failed(Names::default(), failure));
    }

    async fn settle_one(&mut self) {
        let Some(finishing) = self.finishing.pop_front() else { return };
        let ended = finishing.await.unwrap_or_else(|_lost| {
            let comment = "the archive failed".to_owned();
            let failure = Failure { reason: PROCESSING_FAILURE, comment };
            Ended::Failed(Names::default(), failure)
        });
        self.end(ended);
    }

    fn end(&mut self, ended: Ended) {
        let result = if matches!(ended, Ended::Stored { .. }) { "stored" } else { "refused" };
        metrics::counter!("lastra_store_instances_total", "via" => "stow", "result" => result)
            .increment(1);
        self.ended.push(ended);
    }

    async fn settle(&mut self) {
        while !self.finishing.is_empty() {
            self.settle_one().await;
        }
    }
}

fn cut(error: RelatedError) -> Failure {
    Failure { reason: CANNOT_UNDERSTAND, comment: error.to_string() }
}
