//! File calls off the async threads: a bounded number at a time.

use std::pin::Pin;
use std::sync::Arc;
use std::task::Context;
use std::task::Poll;

use tokio::runtime::Handle;
use tokio::sync::OwnedSemaphorePermit;
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;

use crate::blobs::error::BlobError;

/// Leave to run file calls on the runtime's blocking threads, so many at a time; more wait.
#[derive(Debug, Clone)]
pub(crate) struct Threads {
    places: Arc<Semaphore>,
}

impl Threads {
    /// At most `most` calls at a time.
    pub(crate) fn new(most: usize) -> Self {
        Self { places: Arc::new(Semaphore::new(most)) }
    }

    /// Waits for a place.
    pub(crate) async fn place(&self) -> Result<OwnedSemaphorePermit, BlobError> {
        let place = Arc::clone(&self.places).acquire_owned().await;
        place.map_err(|_closed| BlobError::Unavailable("shutting down".to_owned()))
    }

    /// Waits for a place and runs `work` there.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, BlobError> + Send + 'static,
    ) -> Result<T, BlobError> {
        Job::start(self.place().await?, work).await
    }
}

/// A file call under way. Dropped, it still runs to its end; its result is then dropped.
#[derive(Debug)]
pub(crate) struct Job<T>(JoinHandle<Result<T, BlobError>>);

impl<T: Send + 'static> Job<T> {
    /// Starts `work` in a place.
    #[expect(
        clippy::disallowed_methods,
        reason = "the one door to the blocking threads for files; the place bounds it"
    )]
    pub(crate) fn start(
        place: OwnedSemaphorePermit,
        work: impl FnOnce() -> Result<T, BlobError> + Send + 'static,
    ) -> Self {
        Self(tokio::task::spawn_blocking(move || {
            let result = work();
            drop(place);
            result
        }))
    }

    /// Whether awaiting it would not wait.
    pub(crate) fn is_finished(&self) -> bool {
        self.0.is_finished()
    }
}

impl<T> Future for Job<T> {
    type Output = Result<T, BlobError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.0).poll(context).map(|joined| {
            joined.unwrap_or_else(|_lost| {
                Err(BlobError::Unavailable("a file call was lost".to_owned()))
            })
        })
    }
}

/// Runs a short clean-up off the async threads, or here when there is no runtime (any more).
pub(crate) fn tidy_up(work: impl FnOnce() + Send + 'static) {
    match Handle::try_current() {
        Ok(runtime) => drop(runtime.spawn_blocking(work)),
        Err(_no_runtime) => work(),
    }
}
