//! How fast the local disk's path is; run by hand, on the disk to be measured:
//! `cargo test --test it blobs::speed -- --ignored --nocapture`.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::time::Duration;
use std::time::Instant;

use bytes::Bytes;
use futures::StreamExt;
use futures::future::join_all;
use lastra::blobs::key::BlobKind;
use lastra::blobs::open::Settings;
use lastra::blobs::open::open;
use lastra::blobs::store::Blobs;

use crate::blobs::conformance::pattern;

const CT: usize = 525_772;

/// Writes `count` blobs from `clients` tasks in pieces of `piece`; returns blobs a second and keys.
async fn write(
    blobs: &Blobs,
    clients: usize,
    count: usize,
    bytes: Bytes,
    piece: usize,
) -> (f64, Vec<String>) {
    let begin = Instant::now();
    let tasks = (0..clients).map(|_| {
        let (blobs, bytes) = (blobs.clone(), bytes.clone());
        tokio::spawn(async move {
            let mut keys = Vec::new();
            for _ in 0..count / clients {
                let mut writer = blobs.begin(BlobKind::Instance);
                let mut left = bytes.clone();
                while !left.is_empty() {
                    writer.write(left.split_to(piece.min(left.len()))).await.unwrap();
                }
                keys.push(writer.key().to_owned());
                writer.finish().await.unwrap();
            }
            keys
        })
    });
    let keys: Vec<String> = join_all(tasks).await.into_iter().flat_map(Result::unwrap).collect();
    (rate(keys.len(), begin.elapsed()), keys)
}

#[expect(clippy::cast_precision_loss, reason = "a rate to be read by people")]
fn rate(count: usize, elapsed: Duration) -> f64 {
    count as f64 / elapsed.as_secs_f64()
}

async fn stream_all(blobs: &Blobs, keys: &[String], clients: usize) -> f64 {
    let begin = Instant::now();
    let tasks = keys.chunks(keys.len() / clients).map(|keys| {
        let (blobs, keys) = (blobs.clone(), keys.to_vec());
        tokio::spawn(async move {
            for key in keys {
                let mut pieces = blobs.stream(&key, 0..525_772);
                while let Some(piece) = pieces.next().await {
                    piece.unwrap();
                }
            }
        })
    });
    join_all(tasks).await.into_iter().for_each(Result::unwrap);
    rate(keys.len() * CT, begin.elapsed()) / 1e6
}

async fn read_frames(blobs: &Blobs, keys: &[String]) -> Duration {
    let mut times = Vec::new();
    for key in keys {
        let begin = Instant::now();
        let frame = blobs.read(key, 1000..1000 + 524_288).await.unwrap();
        times.push(begin.elapsed());
        assert_eq!(frame.len(), 524_288);
    }
    times.sort_unstable();
    times[times.len() / 2]
}

/// What the disk itself does: one thread, one folder, each file and its folder synced.
fn write_plainly(folder: &Path, count: usize, bytes: &[u8]) -> f64 {
    let begin = Instant::now();
    for number in 0..count {
        let path = folder.join(number.to_string());
        let mut file = File::create_new(&path).unwrap();
        file.write_all(bytes).unwrap();
        file.sync_data().unwrap();
        File::open(folder).unwrap().sync_all().unwrap();
    }
    rate(count, begin.elapsed())
}

/// Best and median of many short rounds, the ways taking turns: other work comes and goes.
/// Nothing is deleted before the end: a disk mounted with `discard` pays for that at the next sync.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "takes a minute, and says something only on a quiet machine"]
async fn blobs_a_second() {
    let beside = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let folder = tempfile::tempdir_in(beside).unwrap(); // the disk, not a RAM file system
    let stores = [256, 1024].map(|kib| {
        let settings = Settings { inline_bytes: kib * 1024, ..Settings::default() };
        (kib, open(&settings, &folder.path().join(kib.to_string())).unwrap())
    });
    let mut rates: BTreeMap<(usize, usize, usize), Vec<f64>> = BTreeMap::new();
    for round in 0..8 {
        for (size, clients, count) in [
            (CT, 1, 40),
            (CT, 4, 60),
            (CT, 16, 64),
            (2048, 1, 100),
            (2048, 4, 400),
            (2048, 16, 800),
        ] {
            let bytes = pattern(size, 1);
            if clients == 1 {
                let plain = folder.path().join(format!("plain-{round}-{size}"));
                std::fs::create_dir(&plain).unwrap();
                let rate = write_plainly(&plain, count, &bytes);
                rates.entry((size, clients, 0)).or_default().push(rate);
            }
            for (kib, blobs) in &stores {
                let (rate, _) = write(blobs, clients, count, bytes.clone(), 65_536).await;
                rates.entry((size, clients, *kib)).or_default().push(rate);
            }
        }
    }
    for ((size, clients, kib), mut rates) in rates {
        rates.sort_unstable_by(f64::total_cmp);
        let (median, best) = (rates[rates.len() / 2], rates[rates.len() - 1]);
        let way = if kib == 0 { "plain files".into() } else { format!("gathering {kib} KiB") };
        println!("{size:7} B x{clients:2} {way:20}: best {best:6.0} median {median:6.0} a second");
    }
}

/// Warm reads.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "says something only on a quiet machine"]
async fn bytes_read_a_second() {
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let blobs = open(&Settings::default(), folder.path()).unwrap();
    let (_, keys) = write(&blobs, 4, 500, pattern(CT, 1), 65_536).await;
    for _ in 0..3 {
        println!("512 KiB frame, median: {:?}", read_frames(&blobs, &keys).await);
        for clients in [1, 4] {
            let rate = stream_all(&blobs, &keys, clients).await;
            println!("500 blobs streamed by {clients}: {rate:.0} MB/s");
        }
    }
}
