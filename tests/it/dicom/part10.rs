//! Part 10 prefixes: whatever stands before a data set, in any pieces.

use lastra::dicom::part10::{MetaFields, Part10Error, Part10Reader, Prefix, Step, write_prefix};
use lastra::dicom::syntax;
use lastra::dicom::uid::Uid;
use proptest::collection::vec;
use proptest::prelude::*;

use crate::support::tools::run_python;

/// (0008,0005) and (0008,0016), the way most data sets begin.
const EXPLICIT: &[u8] = b"\x08\0\x05\0CS\x0a\0ISO_IR 100\x08\0\x16\0UI\x04\x001.2\0";
const IMPLICIT: &[u8] = b"\x08\0\x05\0\x0a\0\0\0ISO_IR 100\x08\0\x16\0\x04\0\0\x001.2\0";
const BIG: &[u8] = b"\0\x08\0\x05CS\0\x0aISO_IR 100\0\x08\0\x16UI\0\x041.2\0";

fn uid(text: &str) -> Uid {
    Uid::parse(text).unwrap()
}

fn written(syntax: &str) -> Vec<u8> {
    write_prefix(&MetaFields {
        sop_class: &uid("1.2.840.10008.5.1.4.1.1.2"),
        sop_instance: &uid("1.2.3.4"),
        transfer_syntax: &uid(syntax),
        source_ae: Some("SCANNER"),
    })
}

/// Reads `file` in pieces of `size`: its prefix, and all bytes after that.
fn read(file: &[u8], size: usize) -> Result<(Prefix, Vec<u8>), Part10Error> {
    let mut reader = Part10Reader::default();
    let mut taken = 0;
    for piece in file.chunks(size.max(1)) {
        match reader.push(piece)? {
            Step::More => taken += piece.len(),
            Step::DataSet { prefix, head, used } => {
                let data_set = [&head, &file[taken + used..]].concat();
                return Ok((prefix, data_set));
            }
        }
    }
    reader.finish()
}

#[test]
fn what_is_written_is_read() {
    for syntax in [syntax::IMPLICIT_LITTLE, syntax::DEFLATED, "1.2.840.10008.1.2.4.90"] {
        let prefix = written(syntax);
        let file = [&prefix, EXPLICIT].concat();
        let (read, data_set) = read(&file, 100).unwrap();
        assert_eq!((read.bytes, data_set.as_slice()), (prefix, EXPLICIT));
        assert!(read.well_formed);
        assert_eq!(read.transfer_syntax, uid(syntax));
        assert_eq!(read.media_sop_class, Some(uid("1.2.840.10008.5.1.4.1.1.2")));
        assert_eq!(read.media_sop_instance, Some(uid("1.2.3.4")));
    }
}

#[test]
fn others_read_what_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.dcm");
    std::fs::write(&path, [&written(syntax::EXPLICIT_LITTLE), EXPLICIT].concat()).unwrap();
    let told = run_python(
        "import sys, pydicom
d = pydicom.dcmread(sys.argv[1]); m = d.file_meta
pydicom.config.settings.reading_validation_mode = pydicom.config.RAISE
pydicom.dataset.validate_file_meta(m)
print(m.TransferSyntaxUID, m.MediaStorageSOPInstanceUID, m.ImplementationClassUID.is_valid,
      m.ImplementationVersionName, m.SourceApplicationEntityTitle, d.SOPClassUID)",
        &[path.to_str().unwrap()],
    );
    assert_eq!(told.trim(), "1.2.840.10008.1.2.1 1.2.3.4 True LASTRA_0_1_0 SCANNER 1.2");
}

#[test]
fn a_file_is_read_whatever_stands_before_its_data_set() {
    let whole = written(syntax::EXPLICIT_BIG);
    let without_preamble = whole[128..].to_vec();
    let without_magic = [&whole[..128], &whole[132..]].concat();
    let meta_only = whole[132..].to_vec();
    let without_length = [&whole[..132], &whole[144..]].concat();
    let mut wrong_length = whole.clone();
    wrong_length[140] += 4;
    for prefix in [without_preamble, without_magic, meta_only, without_length, wrong_length] {
        let (read, data_set) = read(&[&prefix, BIG].concat(), 1).unwrap();
        assert_eq!((&read.bytes, data_set.as_slice()), (&prefix, BIG));
        assert_eq!(read.transfer_syntax.as_str(), syntax::EXPLICIT_BIG);
        assert!(!read.well_formed);
    }
}

#[test]
fn a_meta_header_in_implicit_vr_is_read() {
    let meta = b"\x02\0\x10\0\x14\0\0\x001.2.840.10008.1.2.1\0";
    let prefix = [&[0; 128][..], b"DICM", meta].concat();
    let (read, data_set) = read(&[&prefix, EXPLICIT].concat(), 1000).unwrap();
    assert_eq!((&read.bytes, data_set.as_slice()), (&prefix, EXPLICIT));
    assert_eq!(read.transfer_syntax.as_str(), syntax::EXPLICIT_LITTLE);
}

#[test]
fn a_missing_transfer_syntax_is_told_by_the_data_set() {
    for (data_set, syntax) in [
        (EXPLICIT, syntax::EXPLICIT_LITTLE),
        (IMPLICIT, syntax::IMPLICIT_LITTLE),
        (BIG, syntax::EXPLICIT_BIG),
    ] {
        let magic = [&[0; 128][..], b"DICM"].concat();
        for prefix in [&[][..], &magic, b"DICM"] {
            for size in [1, 7, 1000] {
                let (read, rest) = read(&[prefix, data_set].concat(), size).unwrap();
                assert_eq!((read.bytes.as_slice(), rest.as_slice()), (prefix, data_set));
                assert_eq!(read.transfer_syntax.as_str(), syntax);
                assert!(!read.well_formed);
            }
        }
    }
}

#[test]
fn a_deflated_data_set_may_begin_like_a_meta_header() {
    let prefix = written(syntax::DEFLATED);
    let (read, data_set) = read(&[&prefix, &b"\x02\0\x16\0AE\xff\xff"[..]].concat(), 3).unwrap();
    assert_eq!(read.bytes, prefix);
    assert_eq!(data_set, b"\x02\0\x16\0AE\xff\xff");
}

#[test]
fn what_is_no_file_is_refused() {
    for bytes in [
        &b""[..],
        b"This is the readme of a disc with images on it, and not an image itself.",
        b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR",
        b"PK\x03\x04\x14\0\0\0\x08\0",
        &[0; 400],
        b"\x08\0\x05\0\x0a\0\0\0ISO_IR 100\x01\0\0\0",
    ] {
        assert_eq!(read(bytes, 5).unwrap_err(), Part10Error::NotDicom, "{bytes:?}");
    }
}

#[test]
fn a_meta_header_without_end_is_refused() {
    let magic = [&[0; 128][..], b"DICM"].concat();
    let long = [&magic, &b"\x02\0\x02\x01OB\0\0\xff\xff\xff\x7f"[..]].concat();
    assert_eq!(read(&long, 50), Err(Part10Error::TooLong(65_536)));
    let endless = [&magic, &b"\x02\0\x16\0AE\0\0".repeat(10_000)[..]].concat();
    assert_eq!(read(&endless, 5000), Err(Part10Error::TooLong(65_536)));
    let undefined = [&magic, &b"\x02\0\x02\x01OB\0\0\xff\xff\xff\xff"[..]].concat();
    assert!(matches!(read(&undefined, 50), Err(Part10Error::Undefined(_))));
    let cut = &written(syntax::EXPLICIT_LITTLE)[..170];
    assert_eq!(read(cut, 50), Err(Part10Error::Truncated));
}

proptest! {
    #[test]
    fn any_cut_reads_the_same(
        damage in vec((0_usize..300, any::<u8>()), 0..4),
        start in prop::sample::select(vec![0_usize, 128, 132]),
        data_set in prop::sample::select(vec![EXPLICIT, IMPLICIT, BIG, &[]]),
        size in 1_usize..200,
    ) {
        let mut file = [&written(syntax::EXPLICIT_LITTLE)[start..], data_set].concat();
        for (place, byte) in damage {
            if let Some(at) = file.get_mut(place) {
                *at = byte;
            }
        }
        let whole = read(&file, usize::MAX);
        if let Ok((prefix, data_set)) = &whole {
            prop_assert_eq!(&[&prefix.bytes[..], data_set].concat(), &file);
        }
        prop_assert_eq!(read(&file, size), whole);
    }

    #[test]
    fn noise_ends(bytes in vec(any::<u8>(), 0..400), size in 1_usize..20) {
        prop_assert_eq!(read(&bytes, size), read(&bytes, usize::MAX));
    }
}
