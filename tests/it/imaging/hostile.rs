//! Frames that were tampered with: an error or a picture, never a panic, never more memory than
//! the frame's size allows.

use lastra::imaging::decode::{Detail, decode};
use lastra::imaging::render::{StoredFrame, draw};
use proptest::prelude::*;
use proptest::sample::Index;

use super::object::{Object, open, pydicom_data};

/// One real frame for each codec.
const FRAMES: [&str; 12] = [
    "SC_rgb_jpeg_gdcm.dcm",
    "SC_rgb_jpeg_dcmtk.dcm",
    "SC_rgb_small_odd_jpeg.dcm",
    "JPGExtended.dcm",
    "JPEG2000.dcm",
    "MR_small_jp2klossless.dcm",
    "MR_small_jpeg_ls_lossless.dcm",
    "SC_rgb_jls_lossy_line.dcm",
    "MR_small_RLE.dcm",
    "SC_rgb_rle_32bit.dcm",
    "CT_small.dcm",
    "SC_ybr_full_422_uncompressed.dcm",
];

fn objects() -> Vec<Object> {
    let folder = pydicom_data().join("test_files");
    FRAMES.iter().map(|name| open(&folder.join(name)).unwrap()).collect()
}

/// Decodes and draws; whatever comes of it, it comes.
fn attempt(object: &Object, bytes: Vec<u8>) {
    let frame = StoredFrame { bytes: bytes.into(), ..object.frame(0) };
    if let Ok(decoded) = decode(&object.attributes, &frame, Detail::Full) {
        let pixels = u64::from(decoded.width) * u64::from(decoded.height);
        assert!(pixels <= object.attributes.pixels() * 4);
    }
    let _ = draw(&object.attributes, &frame, Some((50, 50)), None);
}

#[test]
fn frames_cut_short_anywhere_are_survived_and_most_are_refused() {
    for (object, name) in objects().iter().zip(FRAMES) {
        let whole = object.frame(0).bytes;
        let step = (whole.len() / 60).max(1);
        for end in (0..whole.len()).step_by(step) {
            attempt(object, whole[..end].to_vec());
        }
        let frame = StoredFrame { bytes: whole.slice(..whole.len() / 2), ..object.frame(0) };
        let half = decode(&object.attributes, &frame, Detail::Full);
        assert!(half.is_err(), "half of {name} passes for all of it");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn frames_with_bytes_changed_are_survived(
        which in 0..FRAMES.len(),
        changes in proptest::collection::vec((any::<Index>(), any::<u8>()), 1..6),
    ) {
        thread_local!(static OBJECTS: Vec<Object> = objects());
        OBJECTS.with(|objects| {
            let mut bytes = objects[which].frame(0).bytes.to_vec();
            for (place, byte) in changes {
                // Headers are where the harm is: half of the changes go there.
                let length = if byte & 1 == 0 { bytes.len().min(100) } else { bytes.len() };
                bytes[place.index(length)] = byte;
            }
            attempt(&objects[which], bytes);
        });
    }
}
