//! Any bytes, any cut: a prefix is read the same or refused the same, and no byte is lost.
#![no_main]

use lastra::dicom::part10::{Part10Error, Part10Reader, Prefix, Step};
use libfuzzer_sys::fuzz_target;

fn read(file: &[u8], size: usize) -> Result<(Prefix, Vec<u8>), Part10Error> {
    let mut reader = Part10Reader::new(4096);
    let mut taken = 0;
    for piece in file.chunks(size) {
        match reader.push(piece)? {
            Step::More => taken += piece.len(),
            Step::DataSet { prefix, head, used } => {
                assert!(head.len() < 2048);
                return Ok((prefix, [&head, &file[taken + used..]].concat()));
            }
        }
    }
    reader.finish()
}

fuzz_target!(|input: &[u8]| {
    let Some((&size, file)) = input.split_first() else { return };
    let whole = read(file, usize::MAX);
    assert_eq!(read(file, usize::from(size).max(1)), whole);
    if let Ok((prefix, data_set)) = whole {
        assert_eq!([&prefix.bytes[..], &data_set].concat(), file);
    }
});
