//! What every store must do, whatever keeps its bytes. `stores.rs` runs it on each.

use std::collections::HashSet;

use bytes::Bytes;
use futures::StreamExt;
use futures::TryStreamExt;
use futures::future::join_all;
use lastra::blobs::error::BlobError;
use lastra::blobs::key::BlobKey;
use lastra::blobs::key::BlobKind;
use lastra::blobs::store::Blobs;
use lastra::blobs::store::Listed;

const MIB: usize = 1024 * 1024;

/// Runs everything on an empty store. `many`: blobs enough for the listing to need pages.
pub async fn all(blobs: &Blobs, many: usize) {
    blobs.ping().await.unwrap();
    blobs.check_room().await.unwrap();
    nothing_is_listed_at_first(blobs).await;
    bytes_of_any_length_come_back(blobs).await;
    ranges_come_back_in_the_order_asked(blobs).await;
    what_is_not_there_is_an_error(blobs).await;
    given_up_blobs_leave_nothing(blobs).await;
    concurrent_writers_do_not_meet(blobs).await;
    every_blob_is_listed_once_and_deleted_for_good(blobs, many).await;
    assert_eq!((blobs.stats().reads_in_flight, blobs.stats().writes_in_flight), (0, 0));
}

/// Bytes that differ at every place, and with every seed.
pub fn pattern(bytes: usize, seed: u64) -> Bytes {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let words = (0..bytes.div_ceil(8)).flat_map(|_| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()
    });
    words.take(bytes).collect()
}

/// Writes `bytes` in pieces of sizes that fit nothing.
pub async fn write_in_odd_pieces(blobs: &Blobs, bytes: &Bytes) -> String {
    let mut writer = blobs.begin(BlobKind::Instance);
    let mut left = bytes.clone();
    for size in [1, 0, 16_381, 128, 700_001, 65_536, 2 * MIB + 3].into_iter().cycle() {
        writer.write(left.split_to(size.min(left.len()))).await.unwrap();
        if left.is_empty() {
            break;
        }
    }
    let key = writer.key().to_owned();
    assert_eq!(writer.finish().await.unwrap(), length(bytes));
    key
}

/// All that is listed.
pub async fn listed(blobs: &Blobs) -> Vec<Listed> {
    blobs.list().try_collect().await.unwrap()
}

fn length(bytes: &Bytes) -> u64 {
    u64::try_from(bytes.len()).unwrap()
}

async fn nothing_is_listed_at_first(blobs: &Blobs) {
    assert_eq!(listed(blobs).await, []);
}

async fn bytes_of_any_length_come_back(blobs: &Blobs) {
    for size in [0, 1, MIB, 5 * MIB - 1, 5 * MIB, 5 * MIB + 1, 20 * MIB] {
        let before = blobs.stats();
        let sent = pattern(size, 1);
        let key = write_in_odd_pieces(blobs, &sent).await;
        let all = 0..length(&sent);
        assert!(blobs.read(&key, all.clone()).await.unwrap() == sent, "{size} bytes read");

        let pieces: Vec<Bytes> = blobs.stream(&key, all).try_collect().await.unwrap();
        assert!(pieces.iter().all(|piece| piece.len() <= MIB), "{size} bytes: pieces are bounded");
        assert!(pieces.concat() == sent, "{size} bytes streamed");

        let counts = blobs.stats();
        assert_eq!(counts.writes - before.writes, 1);
        assert_eq!(counts.written_bytes - before.written_bytes, length(&sent));
        assert_eq!(counts.reads - before.reads, 2);
        assert_eq!(counts.read_bytes - before.read_bytes, 2 * length(&sent));
        blobs.delete(&key).await.unwrap();
    }
    let key = blobs.put(BlobKind::Derived, pattern(1000, 2)).await.unwrap();
    assert_eq!(BlobKey::parse(&key).unwrap().kind(), BlobKind::Derived);
    assert_eq!(blobs.read(&key, 0..1000).await.unwrap(), pattern(1000, 2));
    blobs.delete(&key).await.unwrap();
}

async fn ranges_come_back_in_the_order_asked(blobs: &Blobs) {
    let sent = pattern(6 * MIB, 3);
    let key = write_in_odd_pieces(blobs, &sent).await;
    let end = sent.len();
    let asked = [3 * MIB..3 * MIB + 9, 10..20, 20..1000, 5..30, 7..7, end - 1..end, 1_100..1_101];
    let ranges: Vec<_> = asked
        .iter()
        .map(|range| u64::try_from(range.start).unwrap()..u64::try_from(range.end).unwrap())
        .collect();
    let before = blobs.stats();
    let answers = blobs.read_ranges(&key, &ranges).await.unwrap();
    assert_eq!(answers.len(), asked.len());
    for (answer, range) in answers.iter().zip(asked) {
        assert!(*answer == sent[range.clone()], "{range:?}");
    }
    let counts = blobs.stats();
    assert_eq!(counts.reads - before.reads, 3, "one request near the start, one each far off");
    assert_eq!(counts.read_bytes - before.read_bytes, 9 + (1_101 - 5) + 1);
    assert!(blobs.read_ranges(&key, &[]).await.unwrap().is_empty());

    let tail: Vec<Bytes> =
        blobs.stream(&key, 5_000_000..length(&sent)).try_collect().await.unwrap();
    assert!(tail.concat() == sent[5_000_000..]);
    blobs.delete(&key).await.unwrap();
}

async fn what_is_not_there_is_an_error(blobs: &Blobs) {
    let key = blobs.put(BlobKind::Instance, pattern(100, 4)).await.unwrap();
    for range in [90..101, 100..101, 0..5_000_000_000, 500..600, 101..101] {
        let read = blobs.read(&key, range.clone()).await;
        let Err(BlobError::Short { key: named, end }) = read else { panic!("{range:?}: {read:?}") };
        assert_eq!((named, end), (key.clone(), range.end));
        assert!(blobs.read_ranges(&key, &[0..1, range.clone()]).await.is_err() || range.is_empty());
        let streamed: Vec<_> = blobs.stream(&key, range.clone()).collect().await;
        assert!(matches!(streamed[..], [Err(BlobError::Short { .. })]), "{range:?}: {streamed:?}");
    }
    assert_eq!(blobs.read(&key, 100..100).await.unwrap(), "");

    blobs.delete(&key).await.unwrap();
    blobs.delete(&key).await.unwrap();
    for gone in [&key, "../../etc/passwd", ""] {
        for range in [0..1, 0..0] {
            let read = blobs.read(gone, range.clone()).await;
            assert!(matches!(read, Err(BlobError::Missing(named)) if named == gone), "{gone}");
            let streamed: Vec<_> = blobs.stream(gone, range).collect().await;
            assert!(matches!(streamed[..], [Err(BlobError::Missing(_))]), "{gone}: {streamed:?}");
        }
        assert!(blobs.read_ranges(gone, &[0..0]).await.is_err());
        blobs.delete(gone).await.unwrap();
    }
}

async fn given_up_blobs_leave_nothing(blobs: &Blobs) {
    for size in [0, 1000, 11 * MIB] {
        let mut aborted = blobs.begin(BlobKind::Instance);
        aborted.write(pattern(size, 5)).await.unwrap();
        aborted.abort().await;
        assert_eq!(listed(blobs).await, [], "{size} bytes aborted");

        let mut dropped = blobs.begin(BlobKind::Instance);
        dropped.write(pattern(size, 6)).await.unwrap();
        drop(dropped);
        while !listed(blobs).await.is_empty() {
            tokio::task::yield_now().await;
        }
    }
}

async fn concurrent_writers_do_not_meet(blobs: &Blobs) {
    let writers = (0..64_u64).map(|seed| async move {
        let size = if seed % 16 == 0 { 6 * MIB } else { 3000 };
        let sent = pattern(size, 100 + seed);
        let key = write_in_odd_pieces(blobs, &sent).await;
        assert!(blobs.read(&key, 0..length(&sent)).await.unwrap() == sent);
        key
    });
    let keys = join_all(writers).await;
    assert_eq!(keys.iter().collect::<HashSet<_>>().len(), 64);
    join_all(keys.iter().map(|key| blobs.delete(key))).await;
    assert_eq!(listed(blobs).await, []);
}

async fn every_blob_is_listed_once_and_deleted_for_good(blobs: &Blobs, many: usize) {
    let mut keys = HashSet::new();
    for seed in 0..many {
        let kind = if seed % 10 == 0 { BlobKind::Derived } else { BlobKind::Instance };
        keys.insert(blobs.put(kind, pattern(10 + seed % 7, 7)).await.unwrap());
    }
    assert_eq!(keys.len(), many);
    let listed_now = listed(blobs).await;
    assert_eq!(listed_now.len(), many);
    assert_eq!(listed_now.iter().map(|blob| blob.key.clone()).collect::<HashSet<_>>(), keys);
    assert!(listed_now.iter().all(|blob| (10..17).contains(&blob.bytes)));
    let year_2020_us = 1_577_836_800_000_000;
    assert!(listed_now.iter().all(|blob| blob.modified_us > year_2020_us));
    for key in &keys {
        blobs.delete(key).await.unwrap();
    }
    assert_eq!(listed(blobs).await, []);
}
