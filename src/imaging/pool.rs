//! The bounded pool all pixel work runs on.
//!
//! Two bounds: the bytes that work under way may take, and how much admitted work may wait for a
//! thread. Whoever asks for more waits, first come first served, without holding anything; a
//! future that is dropped leaves the line, and work that has not begun by then is skipped.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use rayon::{ThreadPool, ThreadPoolBuilder};
use serde::{Deserialize, Serialize};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

use crate::imaging::error::ImagingError;

/// How much pixel work runs at once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Threads that decode and draw; 0: one for each processor.
    pub threads: usize,
    /// Bytes the work under way may take together. A picture that needs more is refused.
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
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    threads: ThreadPool,
    /// Permits of 1 KiB each.
    memory: Arc<Semaphore>,
    max_kib: u32,
    /// Work handed to the threads, begun or not.
    places: Arc<Semaphore>,
}

/// Work admitted for each thread: one runs, the others keep it from running dry.
const PLACES_A_THREAD: usize = 4;

impl Pool {
    /// A pool as the settings say.
    pub fn open(settings: &Settings) -> Result<Self, ImagingError> {
        let processors = || std::thread::available_parallelism().map_or(1, usize::from);
        let threads = if settings.threads == 0 { processors() } else { settings.threads };
        Self::new(threads, settings.max_bytes)
    }

    /// A pool of `threads` threads that admits work of `max_bytes` at once.
    pub fn new(threads: usize, max_bytes: u64) -> Result<Self, ImagingError> {
        let threads = threads.max(1);
        let pool = ThreadPoolBuilder::new()
            .num_threads(threads)
            .thread_name(|index| format!("imaging-{index}"))
            // Work catches its own panics; one that gets past is the pool's own trouble, and the
            // request behind it hears of it because its answer never comes.
            .panic_handler(|_| tracing::error!("imaging thread panicked"))
            .build()
            .map_err(|_| ImagingError::Stopped)?;
        let most = u64::try_from(Semaphore::MAX_PERMITS).unwrap_or(u64::MAX).min(u32::MAX.into());
        let max_kib = u32::try_from((max_bytes / 1024).clamp(1, most)).unwrap_or(u32::MAX);
        let permits = usize::try_from(max_kib).unwrap_or(Semaphore::MAX_PERMITS);
        Ok(Self {
            inner: Arc::new(Inner {
                threads: pool,
                memory: Arc::new(Semaphore::new(permits)),
                max_kib,
                places: Arc::new(Semaphore::new(threads.saturating_mul(PLACES_A_THREAD))),
            }),
        })
    }

    /// Runs `work` on the pool once `bytes` are admitted; a dropped future drops work not begun.
    pub async fn run<T, F>(&self, bytes: u64, work: F) -> Result<T, ImagingError>
    where
        T: Send + 'static,
        F: FnOnce() -> Result<T, ImagingError> + Send + 'static,
    {
        let kib = u32::try_from(bytes.div_ceil(1024).max(1)).ok();
        let kib = kib.filter(|kib| *kib <= self.inner.max_kib);
        let kib = kib.ok_or(ImagingError::TooLarge { bytes })?;
        let waiting = Gauge::raise("lastra_imaging_queue", 1.0);
        let stopped = |_| ImagingError::Stopped;
        // Memory first: in this order work that has its memory waits for nothing but threads.
        let memory =
            Arc::clone(&self.inner.memory).acquire_many_owned(kib).await.map_err(stopped)?;
        let place = Arc::clone(&self.inner.places).acquire_owned().await.map_err(stopped)?;
        let admitted = Admitted {
            _memory: memory,
            _place: place,
            _bytes: Gauge::raise("lastra_imaging_bytes", f64::from(kib) * 1024.0),
        };
        let (answer, answered) = oneshot::channel();
        // What a codec logs belongs to the request it works for.
        let span = tracing::Span::current();
        self.inner.threads.spawn(move || {
            let _entered = span.entered();
            drop(waiting);
            if answer.is_closed() {
                return;
            }
            let done = catch_unwind(AssertUnwindSafe(work));
            let done = done.unwrap_or_else(|_| Err(ImagingError::damaged("drawing it failed")));
            metrics::counter!("lastra_imaging_work_total").increment(1);
            // Given back before the answer: whoever hears it may ask for more at once.
            drop(admitted);
            // The future may be gone by now.
            let _ = answer.send(done);
        });
        answered.await.map_err(|_| ImagingError::Stopped)?
    }
}

/// What admitted work holds until it is done.
struct Admitted {
    _memory: OwnedSemaphorePermit,
    _place: OwnedSemaphorePermit,
    _bytes: Gauge,
}

/// A part of a gauge, given back when dropped.
struct Gauge {
    name: &'static str,
    part: f64,
}

impl Gauge {
    fn raise(name: &'static str, part: f64) -> Self {
        metrics::gauge!(name).increment(part);
        Self { name, part }
    }
}

impl Drop for Gauge {
    fn drop(&mut self) {
        metrics::gauge!(self.name).decrement(self.part);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::sync::{Arc, mpsc};

    use futures::poll;

    use super::{Pool, Settings};
    use crate::imaging::error::ImagingError;

    const MIB: u64 = 1024 * 1024;

    #[tokio::test]
    async fn work_runs_on_the_pools_own_threads() {
        let pool = Pool::new(2, MIB).unwrap();
        let name = pool.run(1, || Ok(std::thread::current().name().map(str::to_owned))).await;
        assert!(name.unwrap().unwrap().starts_with("imaging-"));
        // What a codec does with rayon stays there too.
        let threads = pool.run(1, || Ok(rayon::current_num_threads())).await;
        assert_eq!(threads, Ok(2));
    }

    #[tokio::test]
    async fn work_larger_than_the_bound_is_refused_and_the_largest_allowed_is_not() {
        let pool = Pool::new(1, MIB).unwrap();
        let refused = pool.run(MIB + 1, || Ok(())).await;
        assert_eq!(refused, Err(ImagingError::TooLarge { bytes: MIB + 1 }));
        assert_eq!(
            pool.run(u64::MAX, || Ok(())).await,
            Err(ImagingError::TooLarge { bytes: u64::MAX })
        );
        assert_eq!(pool.run(MIB, || Ok(7)).await, Ok(7));
    }

    #[tokio::test]
    async fn a_panic_is_that_requests_error_and_the_pool_goes_on() {
        let pool = Pool::new(1, MIB).unwrap();
        let panicked: Result<(), _> = pool.run(MIB, || panic!("codec")).await;
        assert!(matches!(panicked, Err(ImagingError::Damaged(_))));
        assert_eq!(pool.run(MIB, || Ok(1)).await, Ok(1), "its memory came back");
    }

    #[tokio::test]
    async fn no_more_bytes_are_admitted_than_the_bound() {
        let pool = Pool::new(4, 4 * MIB).unwrap();
        let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let runs = (0..40).map(|_| {
            let (now, most) = (Arc::clone(&now), Arc::clone(&most));
            pool.run(2 * MIB, move || {
                most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                std::thread::yield_now();
                now.fetch_sub(1, Ordering::SeqCst);
                Ok(())
            })
        });
        for done in futures::future::join_all(runs).await {
            done.unwrap();
        }
        assert!(most.load(Ordering::SeqCst) <= 2);
    }

    #[tokio::test]
    async fn work_whose_asker_is_gone_is_skipped() {
        let pool = Pool::new(1, MIB).unwrap();
        let (release, held) = mpsc::channel::<()>();
        let mut first = Box::pin(pool.run(1, move || Ok(held.recv().is_ok())));
        assert!(poll!(&mut first).is_pending());
        let ran = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&ran);
        let mut second = Box::pin(pool.run(1, move || Ok(count.fetch_add(1, Ordering::SeqCst))));
        assert!(poll!(&mut second).is_pending());
        drop(second);
        release.send(()).unwrap();
        assert_eq!(first.await, Ok(true));
        assert_eq!(pool.run(1, || Ok(())).await, Ok(()), "the one thread is past the second");
        assert_eq!(ran.load(Ordering::SeqCst), 0);
    }

    #[tokio::test]
    async fn waiting_work_is_not_handed_to_the_threads() {
        let pool = Pool::new(1, 100 * MIB).unwrap();
        let (release, held) = mpsc::channel::<()>();
        let mut first = Box::pin(pool.run(1, move || Ok(held.recv().is_ok())));
        assert!(poll!(&mut first).is_pending());
        let mut waiting: Vec<_> = (0..20).map(|_| Box::pin(pool.run(1, || Ok(())))).collect();
        for run in &mut waiting {
            assert!(poll!(run).is_pending());
        }
        assert_eq!(pool.inner.places.available_permits(), 0);
        release.send(()).unwrap();
        assert_eq!(first.await, Ok(true));
        for run in waiting {
            run.await.unwrap();
        }
    }

    #[test]
    fn settings_have_defaults_and_refuse_unknown_keys() {
        let settings: Settings = toml::from_str("threads = 3").unwrap();
        assert_eq!((settings.threads, settings.max_bytes), (3, Settings::default().max_bytes));
        assert!(toml::from_str::<Settings>("thread = 3").is_err());
        assert!(Pool::open(&settings).is_ok());
    }
}
