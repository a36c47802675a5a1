//! What a client is given for what it asks.

use super::{Form, Given, file, frames, takes_stored};
use crate::dicomweb::accept::Accept;
use crate::imaging::transcode::Target;

const EXPLICIT: &str = "1.2.840.10008.1.2.1";
const IMPLICIT: &str = "1.2.840.10008.1.2";
const BIG: &str = "1.2.840.10008.1.2.2";
const DEFLATED: &str = "1.2.840.10008.1.2.1.99";
const JPEG: &str = "1.2.840.10008.1.2.4.50";
const LOSSLESS: &str = "1.2.840.10008.1.2.4.70";
const JPEG_LS: &str = "1.2.840.10008.1.2.4.80";
const JPEG_2000: &str = "1.2.840.10008.1.2.4.90";
const HTJ2K: &str = "1.2.840.10008.1.2.4.201";
const VIDEO: &str = "1.2.840.10008.1.2.4.103";
const RLE: &str = "1.2.840.10008.1.2.5";

fn accept(header: &str) -> Accept {
    Accept::new([header].into_iter(), std::iter::empty())
}

/// Media type, parts, transfer syntax, and whether it is as stored.
type Told<'a> = Option<(&'a str, bool, &'a str, bool)>;

fn told(form: Option<Form<'_>>) -> Told<'_> {
    form.map(|form| {
        (form.media, form.multipart, form.syntax.unwrap_or(""), form.given == Given::Stored)
    })
}

const OCTETS: &str = "application/octet-stream";

#[test]
fn frames_are_given_as_the_tables_of_the_standard_say() {
    for (stored, header, expected) in [
        // Nothing named: Explicit VR Little Endian, whatever is stored.
        (EXPLICIT, "*/*", Some((OCTETS, false, EXPLICIT, true))),
        (IMPLICIT, "", Some((OCTETS, false, EXPLICIT, true))),
        (DEFLATED, "*/*", Some((OCTETS, false, EXPLICIT, true))),
        (BIG, "*/*", Some((OCTETS, false, EXPLICIT, false))),
        (JPEG_LS, "*/*", Some((OCTETS, false, EXPLICIT, false))),
        (JPEG, OCTETS, Some((OCTETS, false, EXPLICIT, false))),
        (
            JPEG_LS,
            r#"multipart/related; type="application/octet-stream""#,
            Some((OCTETS, true, EXPLICIT, false)),
        ),
        // Any: as stored, under its own name unless octets are asked for.
        (JPEG_LS, "*/*; transfer-syntax=*", Some(("image/jls", false, JPEG_LS, true))),
        (
            JPEG_LS,
            "multipart/related; type=application/octet-stream; transfer-syntax=*",
            Some((OCTETS, true, JPEG_LS, true)),
        ),
        (BIG, "*/*; transfer-syntax=*", Some((OCTETS, false, EXPLICIT, false))),
        // A media type means its default syntax.
        (EXPLICIT, "image/jpeg", Some(("image/jpeg", false, LOSSLESS, false))),
        (EXPLICIT, "image/jls", Some(("image/jls", false, JPEG_LS, false))),
        (EXPLICIT, "image/jp2", Some(("image/jp2", false, JPEG_2000, false))),
        (EXPLICIT, "image/jphc", Some(("image/jphc", false, HTJ2K, false))),
        (EXPLICIT, "image/x-dicom-rle", Some(("image/dicom-rle", false, RLE, false))),
        (LOSSLESS, "image/jpeg", Some(("image/jpeg", false, LOSSLESS, true))),
        (JPEG, "image/jpeg", Some(("image/jpeg", false, JPEG, true))),
        (JPEG_2000, "image/*", Some(("image/jp2", false, JPEG_2000, true))),
        // One named.
        (
            JPEG,
            "image/jpeg; transfer-syntax=1.2.840.10008.1.2.4.70",
            Some(("image/jpeg", false, LOSSLESS, false)),
        ),
        (LOSSLESS, "image/jpeg; transfer-syntax=1.2.840.10008.1.2.4.50", None),
        (
            EXPLICIT,
            "application/octet-stream; transfer-syntax=1.2.840.10008.1.2.4.80",
            Some((OCTETS, false, JPEG_LS, false)),
        ),
        (EXPLICIT, "*/*; transfer-syntax=1.2.840.10008.1.2", None),
        // Weights.
        (
            JPEG_LS,
            "image/jls;q=0.5, application/octet-stream;q=0.6",
            Some((OCTETS, false, EXPLICIT, false)),
        ),
        (JPEG_LS, "image/jls;q=0, image/*;q=0.1", Some(("image/jpeg", false, LOSSLESS, false))),
        // What has no frames here is given as stored or not at all.
        (VIDEO, "*/*", Some(("video/mp4", false, VIDEO, true))),
        (VIDEO, "*/*; transfer-syntax=1.2.840.10008.1.2.1", None),
        (VIDEO, "image/jpeg", None),
        ("1.2.3.4", "*/*", Some((OCTETS, false, "1.2.3.4", true))),
        (EXPLICIT, "text/html", None),
    ] {
        assert_eq!(told(frames(&accept(header), stored, true)), expected, "{stored} {header}");
    }
}

#[test]
fn several_frames_need_parts() {
    let of = |header| told(frames(&accept(header), EXPLICIT, false));
    assert_eq!(of("*/*"), Some((OCTETS, true, EXPLICIT, true)));
    assert_eq!(of(OCTETS), None);
}

#[test]
fn files_are_given_as_the_tables_of_the_standard_say() {
    const DICOM: &str = "application/dicom";
    for (stored, pixels, header, expected) in [
        (EXPLICIT, true, "*/*", Some((DICOM, true, EXPLICIT, true))),
        (EXPLICIT, true, DICOM, Some((DICOM, false, EXPLICIT, true))),
        (JPEG_LS, true, DICOM, Some((DICOM, false, EXPLICIT, false))),
        (
            JPEG_LS,
            true,
            "application/dicom; transfer-syntax=*",
            Some((DICOM, false, JPEG_LS, true)),
        ),
        // Implicit VR and big endian never, not even where any is taken.
        (
            IMPLICIT,
            true,
            "application/dicom; transfer-syntax=*",
            Some((DICOM, false, EXPLICIT, false)),
        ),
        (BIG, true, "application/dicom; transfer-syntax=*", Some((DICOM, false, EXPLICIT, false))),
        (IMPLICIT, true, "application/dicom; transfer-syntax=1.2.840.10008.1.2", None),
        // ... but the very file, by its bytes.
        (IMPLICIT, true, OCTETS, Some((OCTETS, false, "", true))),
        (EXPLICIT, true, r#"multipart/related; type="application/octet-stream""#, None),
        (DEFLATED, true, DICOM, Some((DICOM, false, EXPLICIT, false))),
        (
            DEFLATED,
            true,
            "application/dicom; transfer-syntax=*",
            Some((DICOM, false, DEFLATED, true)),
        ),
        (
            EXPLICIT,
            true,
            "application/dicom; transfer-syntax=1.2.840.10008.1.2.4.201",
            Some((DICOM, false, HTJ2K, false)),
        ),
        (EXPLICIT, true, "application/dicom; transfer-syntax=1.2.840.10008.1.2.4.50", None),
        // No image: one form, whatever is asked.
        (
            EXPLICIT,
            false,
            "application/dicom; transfer-syntax=1.2.840.10008.1.2.4.201",
            Some((DICOM, false, "", true)),
        ),
        (IMPLICIT, false, DICOM, Some((DICOM, false, "", false))),
        (VIDEO, true, "*/*", Some((DICOM, true, VIDEO, true))),
        (VIDEO, true, "application/dicom; transfer-syntax=1.2.840.10008.1.2.1", None),
    ] {
        let form = file(&accept(header), stored, pixels, true);
        assert_eq!(told(form), expected, "{stored} {header}");
    }
}

#[test]
fn what_cannot_be_re_encoded_is_given_as_stored_to_those_who_named_nothing() {
    let takes =
        |header: &str, syntax| takes_stored(&accept(header), "application/dicom", syntax, true);
    assert!(takes("*/*", JPEG_LS));
    assert!(takes(r#"multipart/related; type="application/dicom""#, JPEG_LS));
    assert!(!takes(
        r#"multipart/related; type="application/dicom"; transfer-syntax=1.2.840.10008.1.2.1"#,
        JPEG_LS
    ));
    assert!(!takes("*/*", IMPLICIT));
}

#[test]
fn one_of_equals_is_the_one_that_needs_no_work() {
    let header = "application/dicom; transfer-syntax=1.2.840.10008.1.2.1, \
                  application/dicom; transfer-syntax=1.2.840.10008.1.2.4.80";
    let form = file(&accept(header), JPEG_LS, true, true).unwrap();
    assert_eq!(form.given, Given::Stored);
    let form = file(&accept(header), LOSSLESS, true, true).unwrap();
    assert_eq!(form.given, Given::As(Target::Native));
}
