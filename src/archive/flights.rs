//! Work done once however many ask for it at the same time.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;

use bytes::Bytes;
use futures::FutureExt;
use futures::future::BoxFuture;
use futures::future::Shared;
use futures::future::WeakShared;

use crate::archive::error::ArchiveError;

type Answer<T> = Result<T, ArchiveError>;
type Flight<T> = WeakShared<BoxFuture<'static, Answer<T>>>;

/// Answers under way, by a name. An entry lives only while somebody waits for it, so the map is
/// bounded by the requests under way.
#[derive(Debug, Clone)]
pub(in crate::archive) struct Flights<T: Clone = Bytes> {
    under_way: Arc<Mutex<HashMap<String, Flight<T>>>>,
}

impl<T: Clone> Default for Flights<T> {
    fn default() -> Self {
        Self { under_way: Arc::default() }
    }
}

impl<T: Clone> Flights<T> {
    /// Joins the flight of that name, or begins it with `work`.
    pub(in crate::archive) async fn join(
        &self,
        name: &str,
        work: impl FnOnce() -> BoxFuture<'static, Answer<T>>,
    ) -> Answer<T> {
        let shared = self.join_or_begin(name, work);
        let answer = shared.await;
        self.forget_landed();
        answer
    }

    fn join_or_begin(
        &self,
        name: &str,
        work: impl FnOnce() -> BoxFuture<'static, Answer<T>>,
    ) -> Shared<BoxFuture<'static, Answer<T>>> {
        let mut flights = self.under_way.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(shared) = flights.get(name).and_then(WeakShared::upgrade) {
            return shared;
        }
        let shared = work().shared();
        if let Some(weak) = shared.downgrade() {
            flights.insert(name.to_owned(), weak);
        }
        shared
    }

    fn forget_landed(&self) {
        let mut flights = self.under_way.lock().unwrap_or_else(PoisonError::into_inner);
        flights.retain(|_, flight| flight.upgrade().is_some_and(|shared| shared.peek().is_none()));
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use tokio::sync::Notify;

    use super::{Arc, Bytes, Flights, FutureExt};

    #[tokio::test]
    async fn many_who_ask_at_once_share_one_work_and_the_next_begins_anew() {
        let (flights, works) = (Flights::<Bytes>::default(), AtomicU32::new(0));
        let landing = Arc::new(Notify::new());
        let ask = || {
            flights.join("thumbnail", || {
                works.fetch_add(1, Ordering::Relaxed);
                let landing = Arc::clone(&landing);
                async move {
                    landing.notified().await;
                    Ok(Bytes::from_static(b"picture"))
                }
                .boxed()
            })
        };
        let all = futures::future::join_all((0..20).map(|_| ask()));
        // The work ends only when all have asked.
        let (answers, ()) = futures::join!(all, async { landing.notify_one() });
        assert!(answers.iter().all(|answer| answer.as_deref().is_ok_and(|b| b == b"picture")));
        assert_eq!(works.load(Ordering::Relaxed), 1);

        landing.notify_one();
        ask().await.unwrap();
        assert_eq!(works.load(Ordering::Relaxed), 2);
    }
}
