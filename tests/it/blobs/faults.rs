//! Stores that fail half-way: an error, never a short answer.

use std::sync::Arc;

use bytes::Bytes;
use futures::StreamExt;
use futures::future::join_all;
use futures::poll;
use lastra::blobs::error::BlobError;
use lastra::blobs::key::BlobKind;
use lastra::blobs::open::Settings;
use lastra::blobs::store::Blobs;
use object_store::memory::InMemory;

use crate::blobs::conformance::listed;
use crate::blobs::conformance::pattern;
use crate::support::faulty_store::Faults;
use crate::support::faulty_store::FaultyStore;

const MIB: usize = 1024 * 1024;

fn faulty() -> (Blobs, Arc<Faults>) {
    let (store, faults) = FaultyStore::over(Arc::new(InMemory::new()));
    let settings = Settings { part_bytes: 5 * MIB, parts_in_flight: 2, ..Settings::default() };
    (Blobs::over(store, &settings).unwrap(), faults)
}

#[tokio::test]
async fn a_read_that_breaks_half_way_is_an_error() {
    let (blobs, faults) = faulty();
    let sent = pattern(3 * MIB, 1);
    let key = blobs.put(BlobKind::Instance, sent.clone()).await.unwrap();
    let end = u64::try_from(sent.len()).unwrap();
    for at in [0, 1, 1_500_000, end - 1] {
        faults.fail_reads_at(at);
        assert!(matches!(blobs.read(&key, 0..end).await, Err(BlobError::Unavailable(_))));
        assert!(blobs.read_ranges(&key, &[at..end]).await.is_err());

        let mut streamed = blobs.stream(&key, 0..end).collect::<Vec<_>>().await;
        let last = streamed.pop().unwrap();
        assert!(matches!(last, Err(BlobError::Unavailable(_))), "{last:?}");
        let good: Vec<Bytes> = streamed.into_iter().map(Result::unwrap).collect();
        assert!(good.concat() == sent[..usize::try_from(at).unwrap()], "up to byte {at}");
    }
    faults.fail_reads_at(u64::MAX);
    assert_eq!(blobs.read(&key, 0..end).await.unwrap(), sent);
}

#[tokio::test]
async fn a_read_that_ends_early_is_short() {
    let (blobs, faults) = faulty();
    let key = blobs.put(BlobKind::Instance, pattern(MIB, 2)).await.unwrap();
    for at in [0, 1000, 999_999] {
        faults.end_reads_at(at);
        let read = blobs.read(&key, 0..1_000_000).await;
        assert!(matches!(read, Err(BlobError::Short { end: 1_000_000, .. })), "{read:?}");
        let last = blobs.stream(&key, 0..1_000_000).collect::<Vec<_>>().await.pop().unwrap();
        assert!(matches!(last, Err(BlobError::Short { .. })), "{last:?}");
    }
}

#[tokio::test]
async fn identical_reads_share_one_request_and_survive_the_first_reader() {
    let (blobs, faults) = faulty();
    let key = blobs.put(BlobKind::Instance, pattern(5000, 3)).await.unwrap();
    faults.hold(true);
    let mut first = Box::pin(blobs.read(&key, 10..4000));
    assert!(poll!(&mut first).is_pending());
    let mut others: Vec<_> = (0..15).map(|_| Box::pin(blobs.read(&key, 10..4000))).collect();
    for other in &mut others {
        assert!(poll!(other).is_pending());
    }
    drop(first);
    faults.hold(false);
    for read in join_all(others).await {
        assert!(read.unwrap() == pattern(5000, 3)[10..4000]);
    }
    assert_eq!(faults.gets(), 1);
    assert_eq!((blobs.stats().reads, blobs.stats().read_bytes), (1, 3990));
}

#[tokio::test]
async fn a_failed_write_stores_nothing_and_says_so() {
    for size in [1000, 12 * MIB] {
        let (blobs, faults) = faulty();
        faults.fail_puts(true);
        let mut writer = blobs.begin(BlobKind::Instance);
        let written = writer.write(pattern(size, 4)).await;
        let finished = writer.finish().await;
        assert!(matches!(finished, Err(BlobError::Unavailable(_))), "{written:?} {finished:?}");
        faults.fail_puts(false);
        assert_eq!(listed(&blobs).await, []);
        while faults.aborts() < u64::from(size > 5 * MIB) {
            tokio::task::yield_now().await;
        }
    }
}

#[tokio::test]
async fn a_writer_waits_for_a_slow_store() {
    let (blobs, faults) = faulty();
    faults.hold(true);
    let mut writer = blobs.begin(BlobKind::Instance);
    let part = pattern(5 * MIB, 5);
    writer.write(part.clone()).await.unwrap();
    writer.write(part.clone()).await.unwrap();
    let mut third = Box::pin(writer.write(part.clone()));
    for _ in 0..10 {
        assert!(poll!(&mut third).is_pending(), "two parts are in flight, a third must wait");
        tokio::task::yield_now().await;
    }
    faults.hold(false);
    third.await.unwrap();
    let key = writer.key().to_owned();
    assert_eq!(writer.finish().await.unwrap(), 15 * 1024 * 1024);
    assert!(blobs.read(&key, 0..15 * 1024 * 1024).await.unwrap() == part.repeat(3));
}

#[tokio::test]
async fn a_dropped_upload_is_ended_in_the_store() {
    let (blobs, faults) = faulty();
    let mut writer = blobs.begin(BlobKind::Instance);
    writer.write(pattern(6 * MIB, 6)).await.unwrap();
    drop(writer);
    while faults.aborts() == 0 {
        tokio::task::yield_now().await;
    }
    assert_eq!(listed(&blobs).await, []);
}
