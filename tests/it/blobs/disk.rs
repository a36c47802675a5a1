//! What only the local disk does: syncs, room, files that others touch.

use std::path::Path;
use std::path::PathBuf;

use futures::StreamExt;
use futures::poll;
use lastra::blobs::error::BlobError;
use lastra::blobs::key::BlobKind;
use lastra::blobs::open::Settings;
use lastra::blobs::open::open;
use lastra::blobs::store::Blobs;

use crate::blobs::conformance::listed;
use crate::blobs::conformance::pattern;

const MIB: usize = 1024 * 1024;

fn at(folder: &Path) -> Blobs {
    open(&Settings::default(), folder).unwrap()
}

fn files_under(folder: &Path) -> Vec<PathBuf> {
    walkdir::WalkDir::new(folder)
        .into_iter()
        .map(Result::unwrap)
        .filter(|entry| entry.file_type().is_file())
        .map(walkdir::DirEntry::into_path)
        .collect()
}

#[tokio::test]
async fn success_means_file_and_folder_were_synced() {
    let folder = tempfile::tempdir().unwrap();
    let blobs = at(folder.path());
    blobs.put(BlobKind::Instance, pattern(10, 1)).await.unwrap(); // makes and syncs the folders
    for size in [0, 2048, 3 * MIB] {
        let before = blobs.stats().syncs;
        let mut writer = blobs.begin(BlobKind::Instance);
        writer.write(pattern(size, 2)).await.unwrap();
        writer.finish().await.unwrap();
        assert_eq!(blobs.stats().syncs - before, 2, "{size} bytes: the file and its folder");
    }
}

#[tokio::test]
async fn what_one_process_wrote_the_next_one_reads() {
    let folder = tempfile::tempdir().unwrap();
    let key = at(folder.path()).put(BlobKind::Instance, pattern(5000, 3)).await.unwrap();
    assert_eq!(std::fs::read(folder.path().join(&key)).unwrap(), pattern(5000, 3));
    assert_eq!(at(folder.path()).read(&key, 0..5000).await.unwrap(), pattern(5000, 3));
}

#[tokio::test]
async fn a_disk_filled_to_the_reserve_takes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let settings = Settings { reserve_bytes: u64::MAX, ..Settings::default() };
    let blobs = open(&settings, folder.path()).unwrap();
    assert!(matches!(blobs.check_room().await, Err(BlobError::NoRoom)));
    for size in [10, 3 * MIB] {
        let mut writer = blobs.begin(BlobKind::Instance);
        let _ = writer.write(pattern(size, 4)).await;
        assert!(matches!(writer.finish().await, Err(BlobError::NoRoom)));
    }
    assert_eq!(files_under(folder.path()), Vec::<PathBuf>::new());
}

#[tokio::test]
async fn a_write_cancelled_while_it_syncs_leaves_no_file() {
    let folder = tempfile::tempdir().unwrap();
    let blobs = at(folder.path());
    for size in [10, 3 * MIB] {
        let mut writer = blobs.begin(BlobKind::Instance);
        writer.write(pattern(size, 5)).await.unwrap();
        let mut finish = Box::pin(writer.finish());
        let _ = poll!(&mut finish);
        drop(finish);
    }
    while !files_under(folder.path()).is_empty() {
        tokio::task::yield_now().await;
    }
    assert_eq!(blobs.stats().writes, 0);
}

#[tokio::test]
async fn half_a_blob_after_a_crash_is_listed_for_the_sweep_and_strange_files_are_not() {
    let folder = tempfile::tempdir().unwrap();
    let blobs = at(folder.path());
    let mut writer = blobs.begin(BlobKind::Instance);
    writer.write(pattern(MIB, 6)).await.unwrap();
    let key = writer.key().to_owned();
    std::mem::forget(writer); // as a crash would
    std::fs::write(folder.path().join("index.sqlite"), "not a blob").unwrap();
    std::fs::write(folder.path().join("i/note.txt"), "not a blob").unwrap();
    while listed(&blobs).await.len() != 1 {
        tokio::task::yield_now().await; // the write goes on behind
    }
    assert_eq!(listed(&blobs).await[0].key, key);
    blobs.delete(&key).await.unwrap();
    assert_eq!(listed(&blobs).await, []);
}

#[tokio::test]
async fn a_file_cut_short_by_others_is_short_before_a_byte_goes_out() {
    let folder = tempfile::tempdir().unwrap();
    let blobs = at(folder.path());
    let key = blobs.put(BlobKind::Instance, pattern(2 * MIB, 7)).await.unwrap();
    let file = std::fs::OpenOptions::new().write(true).open(folder.path().join(&key)).unwrap();
    file.set_len(1_900_000).unwrap();
    let streamed: Vec<_> = blobs.stream(&key, 0..2_000_000).collect().await;
    assert!(matches!(streamed[..], [Err(BlobError::Short { end: 2_000_000, .. })]));
    assert!(blobs.read(&key, 0..1_900_000).await.is_ok());
}

#[tokio::test]
async fn what_is_not_in_memory_is_read_from_the_disk() {
    let folder = tempfile::tempdir().unwrap();
    let blobs = at(folder.path());
    let sent = pattern(5 * MIB + 7, 12);
    let key = blobs.put(BlobKind::Instance, sent.clone()).await.unwrap();
    let file = std::fs::File::open(folder.path().join(&key)).unwrap();
    let forget = || rustix::fs::fadvise(&file, 0, None, rustix::fs::Advice::DontNeed).unwrap();
    for range in [0..5_242_887, 1_000_000..1_100_000, 3..5_242_880] {
        let expected =
            &sent[usize::try_from(range.start).unwrap()..usize::try_from(range.end).unwrap()];
        forget();
        let pieces: Vec<_> = blobs.stream(&key, range.clone()).map(Result::unwrap).collect().await;
        assert!(pieces.concat() == expected, "{range:?} streamed");
        forget();
        assert!(blobs.read(&key, range.clone()).await.unwrap() == expected, "{range:?} read");
    }
}

#[tokio::test]
async fn folders_that_others_removed_are_made_again() {
    let folder = tempfile::tempdir().unwrap();
    let blobs = at(folder.path());
    blobs.put(BlobKind::Instance, pattern(10, 8)).await.unwrap();
    std::fs::remove_dir_all(folder.path().join("i")).unwrap();
    std::fs::create_dir(folder.path().join("i")).unwrap();
    let key = blobs.put(BlobKind::Instance, pattern(10, 9)).await.unwrap();
    assert_eq!(blobs.read(&key, 0..10).await.unwrap(), pattern(10, 9));
}

#[tokio::test]
async fn a_disk_that_is_not_mounted_has_not_lost_its_blobs() {
    let folder = tempfile::tempdir().unwrap();
    let blobs = at(&folder.path().join("blobs"));
    let key = blobs.put(BlobKind::Instance, pattern(10, 10)).await.unwrap();
    blobs.ping().await.unwrap();
    std::fs::rename(folder.path().join("blobs"), folder.path().join("elsewhere")).unwrap();
    let unavailable = |error: Option<BlobError>| matches!(error, Some(BlobError::Unavailable(_)));
    assert!(unavailable(blobs.read(&key, 0..10).await.err()));
    assert!(unavailable(blobs.stream(&key, 0..10).next().await.unwrap().err()));
    assert!(unavailable(blobs.put(BlobKind::Instance, pattern(10, 11)).await.err()));
    assert!(unavailable(blobs.list().next().await.unwrap().err()));
    assert!(unavailable(blobs.ping().await.err()));
}
