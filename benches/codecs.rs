//! Lastra's half of `codecs.py`: decoding, drawing and re-encoding the frames of its files, in
//! process. `codecs FOLDER SECONDS WORKS` prints a line of JSON for each file, work and number of
//! threads: the median frames a second of at least three goes that take so many seconds (one of what is very slow).
#![allow(missing_docs, clippy::unwrap_used, clippy::print_stdout)]

mod frames;

use std::path::Path;
use std::time::{Duration, Instant};

use frames::frames;
use lastra::imaging::decode::{Detail, decode};
use lastra::imaging::render::{Dressing, RenderRequest, StoredFrame, render};
use lastra::imaging::thumbnail::thumbnail;
use lastra::imaging::transcode::{Target, transcode};
use rayon::{ThreadPool, ThreadPoolBuilder};

fn main() {
    let arguments: Vec<String> =
        std::env::args().skip(1).filter(|a| !a.starts_with("--")).collect();
    let [folder, seconds, works] = arguments.as_slice() else {
        println!("codecs FOLDER SECONDS WORKS: benches/codecs.py runs it");
        return;
    };
    let least = Duration::from_secs_f64(seconds.parse().unwrap());
    let works: Vec<&str> = works.split(',').collect();
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let pools = [1, cores].map(|n| ThreadPoolBuilder::new().num_threads(n).build().unwrap());
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut paths: Vec<_> =
        entries.filter(|path| path.extension().is_some_and(|end| end == "dcm")).collect();
    paths.sort();
    for path in paths {
        for pool in &pools {
            file(&path, pool, least, &works);
        }
    }
}

/// Every work on the frames of a file.
fn file(path: &Path, pool: &ThreadPool, least: Duration, works: &[&str]) {
    let (attributes, frames) = frames(path.to_str().unwrap());
    let name = path.file_name().unwrap().to_str().unwrap();
    let tell = |work: &str, rate: f64| {
        let threads = pool.current_num_threads();
        let told =
            serde_json::json!({"file": name, "work": work, "threads": threads, "rate": rate});
        println!("{told}");
    };
    let wanted = |work: &str| works.contains(&work);
    if frames.iter().any(|frame| frame.transfer_syntax == Target::Native.uid()) {
        for target in Target::ALL
            .into_iter()
            .filter(|target| *target != Target::Native && wanted("transcode"))
        {
            let encode = |frame: &StoredFrame| drop(transcode(&attributes, frame, target).unwrap());
            tell(target.uid(), rate(pool, &frames, least, encode));
        }
    }
    let (request, dressing) = (RenderRequest::default(), Dressing::default());
    if wanted("decode") {
        let work = |frame: &StoredFrame| drop(decode(&attributes, frame, Detail::Full).unwrap());
        tell("decode", rate(pool, &frames, least, work));
    }
    if wanted("render") {
        let work =
            |frame: &StoredFrame| drop(render(&attributes, frame, &request, &dressing).unwrap());
        tell("render", rate(pool, &frames, least, work));
    }
    if wanted("thumbnail") {
        let work = |frame: &StoredFrame| drop(thumbnail(&attributes, frame).unwrap());
        tell("thumbnail", rate(pool, &frames, least, work));
    }
}

/// Frames a second: each go takes every frame once for each thread.
#[expect(clippy::cast_precision_loss, reason = "some dozens of frames")]
fn rate(
    pool: &ThreadPool,
    frames: &[StoredFrame],
    least: Duration,
    work: impl Fn(&StoredFrame) + Sync,
) -> f64 {
    let (begun, count) = (Instant::now(), frames.len() * pool.current_num_threads());
    let mut goes = Vec::new();
    while goes.is_empty() || begun.elapsed() < (if goes.len() < 3 { least * 10 } else { least }) {
        let start = Instant::now();
        pool.scope(|scope| {
            for frame in frames.iter().cycle().take(count) {
                scope.spawn(|_| work(frame));
            }
        });
        goes.push(count as f64 / start.elapsed().as_secs_f64());
    }
    goes.sort_by(f64::total_cmp);
    goes[goes.len() / 2]
}
