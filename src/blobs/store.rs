//! The blob store: what the rooms above may ask of bytes.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use futures::FutureExt;
use futures::StreamExt;
use futures::TryStreamExt;
use futures::stream;
use futures::stream::BoxStream;

use crate::blobs::disk::Disk;
use crate::blobs::disk_writer::DiskWriter;
use crate::blobs::error::BlobError;
use crate::blobs::key::BlobKey;
use crate::blobs::key::BlobKind;
use crate::blobs::key::KeyMaker;
use crate::blobs::range::Flights;
use crate::blobs::range::cut;
use crate::blobs::range::merge;
use crate::blobs::remote::Remote;
use crate::blobs::stats::Counts;
use crate::blobs::stats::Stats;
use crate::blobs::upload::Upload;
use crate::blobs::writer::BlobWriter;
use crate::blobs::writer::Way;

/// Blobs under immutable keys; cheap to clone.
#[derive(Clone)]
pub struct Blobs {
    inner: Arc<Inner>,
}

struct Inner {
    place: Place,
    keys: KeyMaker,
    flights: Flights,
    stats: Arc<Stats>,
}

/// Where the bytes lie.
#[derive(Debug, Clone)]
pub(crate) enum Place {
    Disk(Arc<Disk>),
    Remote(Arc<Remote>),
}

/// A blob as a listing shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// Key.
    pub key: String,
    /// Bytes.
    pub bytes: u64,
    /// Last written, µs since 1970.
    pub modified_us: i64,
}

impl Blobs {
    pub(crate) fn new(place: Place, stats: Arc<Stats>) -> Self {
        let (keys, flights) = (KeyMaker::default(), Flights::default());
        Self { inner: Arc::new(Inner { place, keys, flights, stats }) }
    }

    /// Begins a blob under a new key. Memory a writer, by the settings' names: on local disk at
    /// most four `inline_bytes`; elsewhere one part and `parts_in_flight` more on their way, all
    /// writers together four times `parts_in_flight`.
    pub fn begin(&self, kind: BlobKind) -> BlobWriter {
        let key = self.inner.keys.next(kind);
        let text = key.as_str().to_owned();
        let way = match &self.inner.place {
            Place::Disk(disk) => Way::Disk(DiskWriter::new(Arc::clone(disk), key)),
            Place::Remote(remote) => Way::Upload(Upload::new(Arc::clone(remote), key)),
        };
        BlobWriter::new(text, way, self.inner.stats.write_begins())
    }

    /// Writes a small blob durably; returns its key.
    pub async fn put(&self, kind: BlobKind, bytes: Bytes) -> Result<String, BlobError> {
        let mut writer = self.begin(kind);
        let key = writer.key().to_owned();
        writer.write(bytes).await?;
        writer.finish().await?;
        Ok(key)
    }

    /// Reads a range whole. Identical concurrent reads share one. Memory: the range.
    pub async fn read(&self, key: &str, range: Range<u64>) -> Result<Bytes, BlobError> {
        let parsed = parse(key)?;
        let place = self.inner.place.clone();
        let wanted = (key.to_owned(), range.clone());
        let fetch = move || match place {
            Place::Disk(disk) => disk.read(parsed, range).boxed(),
            Place::Remote(remote) => remote.read(parsed, range).boxed(),
        };
        self.inner.flights.share(wanted, fetch).await
    }

    /// Reads ranges, neighbours merged into one request; the answers in the order asked.
    /// Memory: the ranges and what lies in the small gaps between them.
    pub async fn read_ranges(
        &self,
        key: &str,
        ranges: &[Range<u64>],
    ) -> Result<Vec<Bytes>, BlobError> {
        let requests = merge(ranges);
        if requests.is_empty() {
            // Nothing but empty ranges: still, a blob that is not there must show.
            let end = ranges.iter().map(|range| range.end).max();
            if let Some(end) = end {
                self.read(key, end..end).await?;
            }
        }
        let merged: Vec<(Range<u64>, Bytes)> = stream::iter(requests)
            .map(|request| async move {
                let bytes = self.read(key, request.clone()).await?;
                Ok::<_, BlobError>((request, bytes))
            })
            .buffered(REQUESTS_AT_A_TIME)
            .try_collect()
            .await?;
        let short = |end| BlobError::Short { key: key.to_owned(), end };
        ranges.iter().map(|range| cut(&merged, range).ok_or_else(|| short(range.end))).collect()
    }

    /// Streams a range in pieces of at most 1 MiB, at most one of them read ahead; ends in an
    /// error, never short.
    pub fn stream(
        &self,
        key: &str,
        range: Range<u64>,
    ) -> BoxStream<'static, Result<Bytes, BlobError>> {
        let key = match parse(key) {
            Ok(key) => key,
            Err(error) => return stream::once(std::future::ready(Err(error))).boxed(),
        };
        match &self.inner.place {
            Place::Disk(disk) => Arc::clone(disk).stream(key, range),
            Place::Remote(remote) => Arc::clone(remote).stream(key, range),
        }
    }

    /// Removes a blob; removing one that is not there is no error.
    pub async fn delete(&self, key: &str) -> Result<(), BlobError> {
        let Some(key) = BlobKey::parse(key) else { return Ok(()) };
        match &self.inner.place {
            Place::Disk(disk) => {
                let removing = Arc::clone(disk);
                disk.writes.run(move || removing.remove(&key)).await
            }
            Place::Remote(remote) => remote.delete(&key).await,
        }
    }

    /// All blobs, in no order, page after page. Blobs being written on local disk are among them,
    /// with the time they last grew; what was written or removed meanwhile may be missing or not.
    pub fn list(&self) -> BoxStream<'static, Result<Listed, BlobError>> {
        match &self.inner.place {
            Place::Disk(disk) => list_disk(Arc::clone(disk)),
            Place::Remote(remote) => Arc::clone(remote).list(),
        }
    }

    /// `NoRoom` when less is free than the reserve set aside; asked at most once a second. Only
    /// the local disk can say.
    pub async fn check_room(&self) -> Result<(), BlobError> {
        let Place::Disk(disk) = &self.inner.place else { return Ok(()) };
        if let Some(answer) = disk.room.remembered() {
            return answer;
        }
        let asking = Arc::clone(disk);
        disk.reads.run(move || asking.room.check()).await
    }

    /// Whether the store answers.
    pub async fn ping(&self) -> Result<(), BlobError> {
        match &self.inner.place {
            Place::Disk(disk) => {
                let asking = Arc::clone(disk);
                disk.reads.run(move || asking.check_there(BlobKind::Instance)).await
            }
            Place::Remote(remote) => remote.ping().await,
        }
    }

    /// What the store did so far.
    pub fn stats(&self) -> Counts {
        self.inner.stats.counts()
    }
}

impl fmt::Debug for Blobs {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = match &self.inner.place {
            Place::Disk(disk) => disk.folders.root().display().to_string(),
            Place::Remote(remote) => remote.store.to_string(),
        };
        formatter.debug_tuple("Blobs").field(&place).finish()
    }
}

/// A key that no store of ours made names nothing.
fn parse(key: &str) -> Result<BlobKey, BlobError> {
    BlobKey::parse(key).ok_or_else(|| BlobError::Missing(key.to_owned()))
}

/// Folder after folder; memory: one folder's names at each of the three levels.
fn list_disk(disk: Arc<Disk>) -> BoxStream<'static, Result<Listed, BlobError>> {
    let (outer_disk, inner_disk) = (Arc::clone(&disk), Arc::clone(&disk));
    stream::iter(BlobKind::ALL)
        .then(move |kind| {
            folder_call(Arc::clone(&outer_disk), move |disk| disk.outer_folders(kind))
        })
        .map_ok(|folders| stream::iter(folders).map(Ok))
        .try_flatten()
        .and_then(move |outer| {
            folder_call(Arc::clone(&inner_disk), move |disk| disk.inner_folders(&outer))
        })
        .map_ok(|folders| stream::iter(folders).map(Ok))
        .try_flatten()
        .and_then(move |inner| folder_call(Arc::clone(&disk), move |disk| disk.list_folder(&inner)))
        .map_ok(|listed| stream::iter(listed).map(Ok))
        .try_flatten()
        .boxed()
}

async fn folder_call<T: Send + 'static>(
    disk: Arc<Disk>,
    call: impl FnOnce(&Disk) -> Result<T, BlobError> + Send + 'static,
) -> Result<T, BlobError> {
    disk.reads.clone().run(move || call(&disk)).await
}

/// Requests of one `read_ranges` under way at a time.
const REQUESTS_AT_A_TIME: usize = 4;
