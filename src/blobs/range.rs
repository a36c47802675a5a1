//! Ranged reads: neighbours merged, identical reads shared.

use std::collections::HashMap;
use std::future::Future;
use std::ops::Range;
use std::sync::Mutex;
use std::sync::PoisonError;

use bytes::Bytes;
use futures::FutureExt;
use futures::future::BoxFuture;
use futures::future::Shared;
use futures::future::WeakShared;

use crate::blobs::error::BlobError;

/// The requests that bring all of `ranges`: in order, none overlapping, neighbours at most
/// [`GAP`] bytes apart joined as long as the whole stays within [`MERGED_MOST`].
pub(crate) fn merge(ranges: &[Range<u64>]) -> Vec<Range<u64>> {
    let mut sorted: Vec<Range<u64>> =
        ranges.iter().filter(|range| !range.is_empty()).cloned().collect();
    sorted.sort_unstable_by_key(|range| (range.start, range.end));
    let mut merged: Vec<Range<u64>> = Vec::with_capacity(sorted.len());
    for range in sorted {
        match merged.last_mut() {
            Some(last) if range.end <= last.end => {}
            Some(last)
                if range.start < last.end
                    || (range.start <= last.end.saturating_add(GAP)
                        && range.end.saturating_sub(last.start) <= MERGED_MOST) =>
            {
                last.end = range.end;
            }
            _ => merged.push(range),
        }
    }
    merged
}

/// The part of `merged` answers that `range` asked for; `None` when they do not hold it.
pub(crate) fn cut(merged: &[(Range<u64>, Bytes)], range: &Range<u64>) -> Option<Bytes> {
    if range.is_empty() {
        return Some(Bytes::new());
    }
    let after = merged.partition_point(|(held, _)| held.start <= range.start);
    let (held, bytes) = merged.get(after.checked_sub(1)?)?;
    let start = usize::try_from(range.start.checked_sub(held.start)?).ok()?;
    let end = usize::try_from(range.end.checked_sub(held.start)?).ok()?;
    (end <= bytes.len()).then(|| bytes.slice(start..end))
}

/// A fetch that any number of readers wait for; it goes on as long as one of them does.
type Fetch = BoxFuture<'static, Result<Bytes, BlobError>>;
/// Which bytes a fetch brings.
type Wanted = (String, Range<u64>);

/// Reads under way, so that identical ones share a fetch. At most [`SHARED_MOST`] entries; reads
/// beyond that are not shared. Holds no bytes: a finished fetch is forgotten, not cached.
#[derive(Debug, Default)]
pub(crate) struct Flights {
    under_way: Mutex<HashMap<Wanted, WeakShared<Fetch>>>,
}

impl Flights {
    /// Joins the fetch under way for `wanted`, or begins the one that `fetch` makes.
    pub(crate) async fn share<F>(
        &self,
        wanted: Wanted,
        fetch: impl FnOnce() -> F,
    ) -> Result<Bytes, BlobError>
    where
        F: Future<Output = Result<Bytes, BlobError>> + Send + 'static,
    {
        let flight = self.join(&wanted, fetch);
        // Declared before the wait, hence dropped after it, however the wait ends.
        let _seat = Seat { flights: self, wanted };
        flight.await
    }

    fn join<F>(&self, wanted: &Wanted, fetch: impl FnOnce() -> F) -> Shared<Fetch>
    where
        F: Future<Output = Result<Bytes, BlobError>> + Send + 'static,
    {
        let mut under_way = self.under_way.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(flight) = under_way.get(wanted).and_then(WeakShared::upgrade) {
            return flight;
        }
        let flight = fetch().boxed().shared();
        if under_way.len() < SHARED_MOST
            && let Some(weak) = flight.downgrade()
        {
            under_way.insert(wanted.clone(), weak);
        }
        flight
    }
}

/// A reader's place in a flight; the last to leave, or the first after landing, clears the entry.
struct Seat<'a> {
    flights: &'a Flights,
    wanted: Wanted,
}

impl Drop for Seat<'_> {
    fn drop(&mut self) {
        let mut under_way = self.flights.under_way.lock().unwrap_or_else(PoisonError::into_inner);
        let flight = under_way.get(&self.wanted).map(WeakShared::upgrade);
        if let Some(flight) = &flight
            && flight.as_ref().is_none_or(|flight| flight.peek().is_some())
        {
            under_way.remove(&self.wanted);
        }
        drop(under_way);
        drop(flight); // perhaps the last holder of a fetch: outside the lock
    }
}

/// Neighbours this close are cheaper to read with what lies between than one by one.
const GAP: u64 = 64 * 1024;
/// Most bytes of one joined request: a slice of an answer keeps all of it in memory.
const MERGED_MOST: u64 = 16 * 1024 * 1024;
/// Most fetches that can be shared at a time.
const SHARED_MOST: usize = 4096;

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::AtomicUsize;
    use std::sync::atomic::Ordering;

    use proptest::prelude::*;
    use tokio::sync::oneshot;

    use super::*;

    #[test]
    fn neighbours_merge_and_strangers_do_not() {
        for (ranges, expected) in [
            (vec![], vec![]),
            (vec![5..5], vec![]),
            (vec![0..10, 10..20], vec![0..20]),
            (vec![100..110, 0..10], vec![0..110]),
            (vec![0..10, 10 + GAP..10 + GAP + 1], vec![0..11 + GAP]),
            (vec![0..10, 11 + GAP..12 + GAP], vec![0..10, 11 + GAP..12 + GAP]),
            (vec![0..100, 20..30], vec![0..100]),
            (
                vec![0..MERGED_MOST, MERGED_MOST..MERGED_MOST + 1],
                vec![0..MERGED_MOST, MERGED_MOST..MERGED_MOST + 1],
            ),
            (vec![u64::MAX - 1..u64::MAX, 0..1], vec![0..1, u64::MAX - 1..u64::MAX]),
        ] {
            assert_eq!(merge(&ranges), expected, "{ranges:?}");
        }
    }

    proptest! {
        #[test]
        fn every_range_is_cut_from_what_the_merged_requests_bring(
            ranges in proptest::collection::vec((0..300_000_u64, 0..90_000_u64), 0..12),
        ) {
            let blob: Vec<u8> = (0..400_000_u32).map(|at| at.to_le_bytes()[0] ^ at.to_le_bytes()[1]).collect();
            let part = |range: &Range<u64>| {
                Bytes::copy_from_slice(&blob[usize::try_from(range.start).unwrap()..usize::try_from(range.end).unwrap()])
            };
            let ranges: Vec<Range<u64>> = ranges.iter().map(|(at, length)| *at..at + length).collect();
            let merged: Vec<_> = merge(&ranges).into_iter().map(|range| (range.clone(), part(&range))).collect();
            for pair in merged.windows(2) {
                prop_assert!(pair[0].0.end <= pair[1].0.start);
            }
            for range in &ranges {
                prop_assert_eq!(cut(&merged, range), Some(part(range)));
            }
        }
    }

    fn wanted() -> Wanted {
        ("k".to_owned(), 0..4)
    }

    #[tokio::test]
    async fn identical_reads_share_a_fetch_even_when_the_first_reader_leaves() {
        let (flights, fetches) = (Arc::new(Flights::default()), Arc::new(AtomicUsize::new(0)));
        let (answer, answered) = oneshot::channel::<Bytes>();
        let counted = Arc::clone(&fetches);
        let mut first = Box::pin(flights.share(wanted(), move || async move {
            counted.fetch_add(1, Ordering::Relaxed);
            Ok(answered.await.unwrap())
        }));
        assert!(futures::poll!(&mut first).is_pending());
        let mut others: Vec<_> = (0..3)
            .map(|_| Box::pin(flights.share(wanted(), || async { panic!("fetched twice") })))
            .collect();
        for other in &mut others {
            assert!(futures::poll!(other).is_pending());
        }
        drop(first);
        answer.send(Bytes::from_static(b"data")).unwrap();
        for other in others {
            assert_eq!(other.await.unwrap(), "data");
        }
        assert_eq!(fetches.load(Ordering::Relaxed), 1);
        assert!(flights.under_way.lock().unwrap().is_empty());
    }

    #[tokio::test]
    async fn abandoned_and_failed_fetches_are_begun_anew() {
        let flights = Flights::default();
        let mut abandoned =
            Box::pin(flights.share(wanted(), std::future::pending::<Result<Bytes, BlobError>>));
        assert!(futures::poll!(&mut abandoned).is_pending());
        drop(abandoned);
        assert!(flights.under_way.lock().unwrap().is_empty());

        let failed = flights.share(wanted(), || async { Err(BlobError::NoRoom) }).await;
        assert!(failed.is_err());
        let again = flights.share(wanted(), || async { Ok(Bytes::from_static(b"data")) }).await;
        assert_eq!(again.unwrap(), "data");
    }
}
