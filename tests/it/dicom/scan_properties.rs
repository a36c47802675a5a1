//! What holds of every scan: it tells what was written, whatever the cut, and always ends.

use std::io::Write;

use flate2::Compression;
use flate2::write::DeflateEncoder;
use lastra::dicom::syntax::Encoding;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};

use super::scan_events::{events, scan, scan_cut};
use super::scan_writer::{LIMITS, data_sets, write};

const PLAIN: [Encoding; 3] =
    [Encoding::ImplicitLittle, Encoding::ExplicitLittle, Encoding::ExplicitBig];

fn encodings() -> impl Strategy<Value = Encoding> {
    select(PLAIN.to_vec())
}

fn deflate(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { ..ProptestConfig::default() })]

    #[test]
    fn a_scan_tells_what_was_written(nodes in data_sets(), encoding in encodings()) {
        let (bytes, expected) = write(&nodes, encoding);
        prop_assert_eq!(events(&bytes, encoding, LIMITS), expected);
    }

    #[test]
    fn deflating_changes_nothing(nodes in data_sets(), cuts in vec(any::<usize>(), 0..6)) {
        let (bytes, expected) = write(&nodes, Encoding::ExplicitLittle);
        let deflated = deflate(&bytes);
        let (events, result) =
            scan_cut(&deflated, &cuts, Encoding::DeflatedExplicitLittle, LIMITS);
        prop_assert_eq!(result, Ok(bytes.len() as u64));
        prop_assert_eq!(events, expected);
    }

    #[test]
    fn any_cut_tells_the_same(
        nodes in data_sets(),
        encoding in encodings(),
        cuts in vec(any::<usize>(), 1..20),
    ) {
        let (bytes, expected) = write(&nodes, encoding);
        let (events, result) = scan_cut(&bytes, &cuts, encoding, LIMITS);
        prop_assert_eq!(result, Ok(bytes.len() as u64));
        prop_assert_eq!(events, expected);
    }

    #[test]
    fn byte_by_byte_tells_the_same(nodes in data_sets(), encoding in encodings()) {
        let (bytes, expected) = write(&nodes, encoding);
        let cuts: Vec<usize> = (0..bytes.len()).collect();
        let (events, result) = scan_cut(&bytes, &cuts, encoding, LIMITS);
        prop_assert_eq!(result, Ok(bytes.len() as u64));
        prop_assert_eq!(events, expected);
    }

    #[test]
    fn damage_ends_the_same_way_whatever_the_cut(
        nodes in data_sets(),
        encoding in encodings(),
        damage in vec((any::<Index>(), any::<u8>()), 0..4),
        kept in any::<Index>(),
        cuts in vec(any::<usize>(), 1..20),
    ) {
        let (mut bytes, _) = write(&nodes, encoding);
        for (place, byte) in damage {
            if !bytes.is_empty() {
                let place = place.index(bytes.len());
                bytes[place] = byte;
            }
        }
        bytes.truncate(kept.index(bytes.len() + 1));
        let whole = scan(&bytes, encoding, LIMITS);
        prop_assert_eq!(scan_cut(&bytes, &cuts, encoding, LIMITS), whole);
    }

    #[test]
    fn damaged_deflate_streams_end(
        nodes in data_sets(),
        place in any::<Index>(),
        byte in any::<u8>(),
        kept in any::<Index>(),
    ) {
        let (bytes, _) = write(&nodes, Encoding::ExplicitLittle);
        let mut deflated = deflate(&bytes);
        let place = place.index(deflated.len());
        deflated[place] = byte;
        deflated.truncate(kept.index(deflated.len() + 1));
        let _ = scan(&deflated, Encoding::DeflatedExplicitLittle, LIMITS);
    }

    #[test]
    fn noise_ends(bytes in vec(any::<u8>(), 0..400), encoding in encodings()) {
        let cuts: Vec<usize> = (0..bytes.len()).collect();
        let whole = scan(&bytes, encoding, LIMITS);
        prop_assert_eq!(scan_cut(&bytes, &cuts, encoding, LIMITS), whole);
    }

    #[test]
    fn zeros_after_the_data_set_are_padding(
        nodes in data_sets(),
        encoding in encodings(),
        zeros in 0_usize..40,
    ) {
        let (mut bytes, expected) = write(&nodes, encoding);
        bytes.resize(bytes.len() + zeros, 0);
        prop_assert_eq!(events(&bytes, encoding, LIMITS), expected);
    }
}
