//! An object store that fails when told to: half-way through a read, or at a write.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering;

use async_trait::async_trait;
use bytes::Bytes;
use futures::StreamExt;
use futures::stream;
use futures::stream::BoxStream;
use object_store::CopyOptions;
use object_store::GetOptions;
use object_store::GetResult;
use object_store::GetResultPayload;
use object_store::ListResult;
use object_store::MultipartUpload;
use object_store::ObjectMeta;
use object_store::ObjectStore;
use object_store::PutMultipartOptions;
use object_store::PutOptions;
use object_store::PutPayload;
use object_store::PutResult;
use object_store::Result;
use object_store::UploadPart;
use object_store::path::Path;
use tokio::sync::watch;

/// What goes wrong, shared between a test and its store; as made, nothing does.
#[derive(Debug)]
pub struct Faults {
    /// Reads fail when they come to this byte of a blob.
    fail_at: AtomicU64,
    /// Reads end, as if all were well, before this byte of a blob.
    end_at: AtomicU64,
    /// Every put and part fails.
    fail_puts: AtomicBool,
    /// Requests for bytes so far.
    gets: AtomicU64,
    /// Multipart uploads ended by an abort.
    aborts: AtomicU64,
    /// While true, gets and parts wait.
    held: watch::Sender<bool>,
}

impl Faults {
    fn new() -> Self {
        Self {
            fail_at: AtomicU64::new(u64::MAX),
            end_at: AtomicU64::new(u64::MAX),
            fail_puts: AtomicBool::new(false),
            gets: AtomicU64::new(0),
            aborts: AtomicU64::new(0),
            held: watch::Sender::new(false),
        }
    }

    /// From now on reads fail when they come to byte `at` of a blob.
    pub fn fail_reads_at(&self, at: u64) {
        self.fail_at.store(at, Ordering::SeqCst);
    }

    /// From now on reads end quietly before byte `at` of a blob.
    pub fn end_reads_at(&self, at: u64) {
        self.end_at.store(at, Ordering::SeqCst);
    }

    /// From now on every put and part fails, or no longer does.
    pub fn fail_puts(&self, fail: bool) {
        self.fail_puts.store(fail, Ordering::SeqCst);
    }

    /// Makes gets and parts wait, or lets them go on.
    pub fn hold(&self, hold: bool) {
        self.held.send_replace(hold);
    }

    /// Requests for bytes so far.
    pub fn gets(&self) -> u64 {
        self.gets.load(Ordering::SeqCst)
    }

    /// Multipart uploads aborted so far.
    pub fn aborts(&self) -> u64 {
        self.aborts.load(Ordering::SeqCst)
    }

    async fn wait(&self) {
        let _ = self.held.subscribe().wait_for(|held| !held).await;
    }

    fn check_put(&self) -> Result<()> {
        if self.fail_puts.load(Ordering::SeqCst) { Err(broken("put")) } else { Ok(()) }
    }
}

/// The store: another one's behaviour, and the faults.
#[derive(Debug)]
pub struct FaultyStore {
    inner: Arc<dyn ObjectStore>,
    faults: Arc<Faults>,
}

impl FaultyStore {
    /// Wraps `inner`; the faults begin when the test sets them.
    pub fn over(inner: Arc<dyn ObjectStore>) -> (Arc<Self>, Arc<Faults>) {
        let faults = Arc::new(Faults::new());
        (Arc::new(Self { inner, faults: Arc::clone(&faults) }), faults)
    }
}

impl fmt::Display for FaultyStore {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "faulty {}", self.inner)
    }
}

fn broken(what: &str) -> object_store::Error {
    object_store::Error::Generic { store: "faulty", source: format!("{what} broke").into() }
}

/// `bytes`, until a fault's place in the blob is reached.
fn with_faults(
    bytes: BoxStream<'static, Result<Bytes>>,
    range: &Range<u64>,
    faults: &Faults,
) -> BoxStream<'static, Result<Bytes>> {
    let fail_at = faults.fail_at.load(Ordering::SeqCst);
    let end_at = faults.end_at.load(Ordering::SeqCst);
    let stop = fail_at.min(end_at);
    if stop >= range.end {
        return bytes;
    }
    let good = usize::try_from(stop.saturating_sub(range.start)).unwrap();
    let kept = bytes
        .scan(good, |left, piece| {
            let piece = piece.map(|mut piece| piece.split_to(piece.len().min(*left)));
            let length = piece.as_ref().map_or(0, Bytes::len);
            *left -= length;
            std::future::ready((length > 0 || piece.is_err()).then_some(piece))
        })
        .boxed();
    if fail_at <= end_at {
        kept.chain(stream::once(async { Err(broken("read")) })).boxed()
    } else {
        kept
    }
}

#[async_trait]
impl ObjectStore for FaultyStore {
    async fn put_opts(&self, at: &Path, payload: PutPayload, how: PutOptions) -> Result<PutResult> {
        self.faults.wait().await;
        self.faults.check_put()?;
        self.inner.put_opts(at, payload, how).await
    }

    async fn put_multipart_opts(
        &self,
        at: &Path,
        how: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        let inner = self.inner.put_multipart_opts(at, how).await?;
        Ok(Box::new(FaultyUpload { inner, faults: Arc::clone(&self.faults) }))
    }

    async fn get_opts(&self, at: &Path, how: GetOptions) -> Result<GetResult> {
        if how.head {
            return self.inner.get_opts(at, how).await;
        }
        self.faults.gets.fetch_add(1, Ordering::SeqCst);
        self.faults.wait().await;
        let got = self.inner.get_opts(at, how).await?;
        let (meta, range) = (got.meta.clone(), got.range.clone());
        let attributes = got.attributes.clone();
        let extensions = got.extensions.clone();
        let stream = with_faults(got.into_stream(), &range, &self.faults);
        let payload = GetResultPayload::Stream(stream);
        Ok(GetResult { payload, meta, range, attributes, extensions })
    }

    fn delete_stream(
        &self,
        keys: BoxStream<'static, Result<Path>>,
    ) -> BoxStream<'static, Result<Path>> {
        self.inner.delete_stream(keys)
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        self.inner.list(prefix)
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        self.inner.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, how: CopyOptions) -> Result<()> {
        self.inner.copy_opts(from, to, how).await
    }
}

#[derive(Debug)]
struct FaultyUpload {
    inner: Box<dyn MultipartUpload>,
    faults: Arc<Faults>,
}

#[async_trait]
impl MultipartUpload for FaultyUpload {
    fn put_part(&mut self, data: PutPayload) -> UploadPart {
        let (part, faults) = (self.inner.put_part(data), Arc::clone(&self.faults));
        Box::pin(async move {
            faults.wait().await;
            faults.check_put()?;
            part.await
        })
    }

    async fn complete(&mut self) -> Result<PutResult> {
        self.faults.check_put()?;
        self.inner.complete().await
    }

    async fn abort(&mut self) -> Result<()> {
        self.faults.aborts.fetch_add(1, Ordering::SeqCst);
        self.inner.abort().await
    }
}
