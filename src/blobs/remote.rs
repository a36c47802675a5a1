//! Stores behind `object_store`: S3, and memory for tests and demonstrations.

use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use futures::StreamExt;
use futures::stream;
use futures::stream::BoxStream;
use object_store::GetOptions;
use object_store::GetRange;
use object_store::ObjectStore;
use object_store::ObjectStoreExt;
use object_store::PutPayload;
use object_store::path::Path;

use crate::blobs::error::BlobError;
use crate::blobs::key::BlobKey;
use crate::blobs::stats::InFlight;
use crate::blobs::stats::Stats;
use crate::blobs::store::Listed;
use crate::blobs::threads::Threads;
use crate::blobs::upload::put_mode;

/// An object store and how to use it.
#[derive(Debug)]
pub(crate) struct Remote {
    pub(crate) store: Arc<dyn ObjectStore>,
    pub(crate) stats: Arc<Stats>,
    pub(crate) part_bytes: usize,
    pub(crate) parts_in_flight: usize,
    /// Places for parts on their way, of all writers together.
    pub(crate) parts: Threads,
    /// Whether the store can refuse to overwrite.
    pub(crate) conditional_put: bool,
    /// What no error text may show.
    pub(crate) secrets: Vec<String>,
}

impl Remote {
    /// A store's error in our words.
    pub(crate) fn error(&self, key: &str, error: &object_store::Error) -> BlobError {
        BlobError::of_store(key, error, &self.secrets)
    }

    /// Puts a whole blob with one request.
    pub(crate) async fn put(&self, key: &BlobKey, payload: PutPayload) -> Result<(), BlobError> {
        let mode = put_mode(self.conditional_put);
        let put = self.store.put_opts(&path(key), payload, mode.into()).await;
        put.map(drop).map_err(|error| self.error(key.as_str(), &error))
    }

    /// Reads a range whole. Memory: what the store has of it.
    pub(crate) async fn read(
        self: Arc<Self>,
        key: BlobKey,
        range: Range<u64>,
    ) -> Result<Bytes, BlobError> {
        let length = usize::try_from(range.end.saturating_sub(range.start)).unwrap_or(usize::MAX);
        let mut pieces = self.stream(key, range);
        let first = pieces.next().await.transpose()?.unwrap_or_default();
        let Some(second) = pieces.next().await.transpose()? else { return Ok(first) };
        // The store has said that it has all of it before it sent the first piece.
        let mut all = Vec::with_capacity(length);
        all.extend_from_slice(&first);
        all.extend_from_slice(&second);
        while let Some(piece) = pieces.next().await.transpose()? {
            all.extend_from_slice(&piece);
        }
        Ok(all.into())
    }

    /// Streams a range as it comes over the network, in pieces of at most [`PIECE`] bytes.
    pub(crate) fn stream(
        self: Arc<Self>,
        key: BlobKey,
        range: Range<u64>,
    ) -> BoxStream<'static, Result<Bytes, BlobError>> {
        let in_flight = self.stats.read_begins();
        let reader = Reader {
            remote: self,
            key,
            range,
            body: None,
            left: Bytes::new(),
            _in_flight: in_flight,
        };
        stream::try_unfold(reader, Reader::step).boxed()
    }

    /// Removes a blob, if it is there.
    pub(crate) async fn delete(&self, key: &BlobKey) -> Result<(), BlobError> {
        match self.store.delete(&path(key)).await {
            Ok(()) => Ok(()),
            Err(error) => match self.error(key.as_str(), &error) {
                BlobError::Missing(_) => Ok(()),
                error => Err(error),
            },
        }
    }

    /// All blobs; whatever is no blob of ours is passed over.
    pub(crate) fn list(self: Arc<Self>) -> BoxStream<'static, Result<Listed, BlobError>> {
        let listed = self.store.list(None);
        listed
            .filter_map(move |object| {
                let listed = match object {
                    Ok(object) => BlobKey::parse(object.location.as_ref()).map(|key| {
                        Ok(Listed {
                            key: key.as_str().to_owned(),
                            bytes: object.size,
                            modified_us: object.last_modified.timestamp_micros(),
                        })
                    }),
                    Err(error) => Some(Err(self.error("listing", &error))),
                };
                std::future::ready(listed)
            })
            .boxed()
    }

    /// Asks for an object that is not there: "not found" shows that the store answers us.
    pub(crate) async fn ping(&self) -> Result<(), BlobError> {
        match self.store.get_opts(&Path::from("ping"), GetOptions::default()).await {
            Ok(_) => Ok(()),
            Err(error) => match self.error("ping", &error) {
                BlobError::Missing(_) => Ok(()),
                error => Err(error),
            },
        }
    }

    /// The blob's length.
    async fn length(&self, key: &BlobKey) -> Result<u64, BlobError> {
        let head = self.store.head(&path(key)).await;
        head.map(|facts| facts.size).map_err(|error| self.error(key.as_str(), &error))
    }

    /// Stores answer a range that begins past the end in words of their own: ask for the length
    /// before calling it their failure.
    async fn explain(&self, key: &BlobKey, end: u64, error: &object_store::Error) -> BlobError {
        match self.error(key.as_str(), error) {
            BlobError::Unavailable(text) => match self.length(key).await {
                Ok(length) if length < end => short(key, end),
                _ => BlobError::Unavailable(text),
            },
            error => error,
        }
    }
}

/// A stream's place in its blob.
struct Reader {
    remote: Arc<Remote>,
    key: BlobKey,
    /// What is still to come.
    range: Range<u64>,
    body: Option<BoxStream<'static, object_store::Result<Bytes>>>,
    /// The rest of a piece larger than asked for.
    left: Bytes,
    _in_flight: InFlight,
}

impl Reader {
    async fn step(mut self) -> Result<Option<(Bytes, Self)>, BlobError> {
        let end = self.range.end.max(self.range.start);
        if self.body.is_none() {
            if self.range.is_empty() {
                // Stores refuse empty ranges; still, a blob that is not there must show.
                let length = self.remote.length(&self.key).await?;
                return if length < end { Err(short(&self.key, end)) } else { Ok(None) };
            }
            self.open(end).await?;
        }
        while self.left.is_empty() {
            if self.range.is_empty() {
                return Ok(None);
            }
            let next = match &mut self.body {
                Some(body) => body.next().await,
                None => None,
            };
            self.left = match next {
                Some(Ok(bytes)) => bytes,
                Some(Err(error)) => {
                    return Err(self.remote.error(self.key.as_str(), &error));
                }
                None => return Err(short(&self.key, end)),
            };
        }
        let piece = self.left.split_to(self.left.len().min(PIECE));
        let length = u64::try_from(piece.len()).unwrap_or(u64::MAX);
        let wanted = self.range.end.saturating_sub(self.range.start);
        if length > wanted {
            return Err(BlobError::Unavailable(format!(
                "{}: the store sent more than was asked for",
                self.key.as_str()
            )));
        }
        self.range.start = self.range.start.saturating_add(length);
        self.remote.stats.bytes_read(piece.len());
        Ok(Some((piece, self)))
    }

    async fn open(&mut self, end: u64) -> Result<(), BlobError> {
        let range = Some(GetRange::Bounded(self.range.clone()));
        let options = GetOptions { range, ..GetOptions::default() };
        let at = path(&self.key);
        match self.remote.store.get_opts(&at, options).await {
            Ok(answer) if answer.range == self.range => {
                self.body = Some(answer.into_stream());
                Ok(())
            }
            Ok(_shorter) => Err(short(&self.key, end)),
            Err(error) => Err(self.remote.explain(&self.key, end, &error).await),
        }
    }
}

/// The key as a store's path.
pub(crate) fn path(key: &BlobKey) -> Path {
    Path::from(key.as_str())
}

fn short(key: &BlobKey, end: u64) -> BlobError {
    BlobError::Short { key: key.as_str().to_owned(), end }
}

/// Bytes a piece of a stream, at most.
const PIECE: usize = 1024 * 1024;
