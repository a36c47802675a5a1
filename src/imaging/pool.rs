//! The bounded pool all pixel work runs on.

use std::panic::AssertUnwindSafe;
use std::panic::catch_unwind;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use tokio::sync::Semaphore;
use tokio::sync::oneshot;

use crate::imaging::error::ImagingError;

/// How much pixel work runs at once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Threads that decode and draw; 0 means as many as there are cores.
    pub threads: u32,
    /// Bytes that pixel work may take at once; more waits.
    pub max_bytes: u64,
}

impl Default for Settings {
    fn default() -> Self {
        Self { threads: 0, max_bytes: 512 * 1024 * 1024 }
    }
}

/// A rayon pool of its own with a bound on the bytes in flight; cheap to clone.
#[derive(Debug, Clone)]
pub struct Pool {
    threads: Arc<rayon::ThreadPool>,
    admission: Arc<Semaphore>,
    max_kib: u32,
}

impl Pool {
    /// A pool as the settings say.
    pub fn open(settings: &Settings) -> Result<Self, ImagingError> {
        let cores = std::thread::available_parallelism().map_or(2, std::num::NonZero::get);
        let threads = if settings.threads == 0 { cores } else { settings.threads as usize };
        Self::new(threads, settings.max_bytes)
    }

    /// A pool of `threads` threads that admits work of `max_bytes` at once.
    pub fn new(threads: usize, max_bytes: u64) -> Result<Self, ImagingError> {
        let threads = rayon::ThreadPoolBuilder::new()
            .num_threads(threads.max(1))
            .thread_name(|n| format!("imaging-{n}"))
            .build()
            .map_err(|error| ImagingError::Unsupported(format!("no imaging threads: {error}")))?;
        let max_kib = u32::try_from(max_bytes / 1024).unwrap_or(u32::MAX).clamp(1, MOST_KIB);
        let admission = Arc::new(Semaphore::new(max_kib as usize));
        Ok(Self { threads: Arc::new(threads), admission, max_kib })
    }

    /// Runs `work` on the pool once `bytes` are admitted; a dropped future drops work not begun. A
    /// codec that panics fails its own request and nothing else.
    pub async fn run<T, F>(&self, bytes: u64, work: F) -> Result<T, ImagingError>
    where
        T: Send + 'static,
        F: FnOnce() -> Result<T, ImagingError> + Send + 'static,
    {
        let kib = u32::try_from(bytes.div_ceil(1024).max(1)).unwrap_or(u32::MAX);
        if kib > self.max_kib {
            return Err(ImagingError::TooLarge { bytes });
        }
        let admitted = Arc::clone(&self.admission).acquire_many_owned(kib).await;
        let admitted = admitted.map_err(|_| ImagingError::Stopped)?;
        let (answer, answered) = oneshot::channel();
        self.threads.spawn(move || {
            // Whoever asked may have gone while this waited for a thread.
            if answer.is_closed() {
                return;
            }
            let done = catch_unwind(AssertUnwindSafe(work))
                .unwrap_or_else(|_| Err(ImagingError::Damaged("the codec gave up".to_owned())));
            drop(admitted);
            let _ = answer.send(done);
        });
        answered.await.map_err(|_| ImagingError::Stopped)?
    }
}

/// What a semaphore can count.
const MOST_KIB: u32 = 1 << 28;

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::{ImagingError, Pool};

    #[tokio::test]
    async fn work_over_the_bound_waits_and_what_never_fits_is_refused() {
        let pool = Pool::new(4, 10 * 1024).unwrap();
        let (under_way, most) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
        let runs = (0..20).map(|_| {
            let (under_way, most) = (Arc::clone(&under_way), Arc::clone(&most));
            pool.run(5 * 1024, move || {
                most.fetch_max(under_way.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                std::thread::yield_now();
                under_way.fetch_sub(1, Ordering::SeqCst);
                Ok(())
            })
        });
        for done in futures::future::join_all(runs).await {
            done.unwrap();
        }
        assert!(most.load(Ordering::SeqCst) <= 2);
        let refused = pool.run(11 * 1024, || Ok(())).await;
        assert_eq!(refused, Err(ImagingError::TooLarge { bytes: 11 * 1024 }));
    }

    #[tokio::test]
    async fn a_panic_fails_its_own_request_only() {
        let pool = Pool::new(1, 1024).unwrap();
        let failed = pool.run(1, || -> Result<(), ImagingError> { panic!("codec") }).await;
        assert!(matches!(failed, Err(ImagingError::Damaged(_))));
        assert_eq!(pool.run(1, || Ok(7)).await, Ok(7));
    }
}
