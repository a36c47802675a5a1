//! Media types of stored pixels, by transfer syntax (PS3.18 Tables 8.7.3-4 and 8.7.3-5).

use crate::dicom::syntax::{DEFLATED, EXPLICIT_LITTLE, IMPLICIT_LITTLE};

/// Bytes without further meaning.
pub const OCTETS: &str = "application/octet-stream";
/// A Part 10 file.
pub const DICOM: &str = "application/dicom";
/// A zip archive of Part 10 files.
pub const ZIP: &str = "application/zip";
/// DICOM JSON.
pub const DICOM_JSON: &str = "application/dicom+json";
/// The Native DICOM Model (PS3.19 §A.1).
pub const DICOM_XML: &str = "application/dicom+xml";
/// What many clients call DICOM JSON.
pub const JSON: &str = "application/json";

/// The media type of a frame stored in transfer syntax `uid`; native pixels and syntaxes without
/// a media type of their own are octets.
pub fn of_frame(uid: &str) -> &'static str {
    let Some(rest) = uid.strip_prefix("1.2.840.10008.1.2.") else { return OCTETS };
    match rest {
        "4.50" | "4.51" | "4.53" | "4.55" | "4.57" | "4.70" => "image/jpeg",
        "4.80" | "4.81" => "image/jls",
        "4.90" | "4.91" => "image/jp2",
        "4.92" | "4.93" => "image/jpx",
        "4.201" | "4.202" | "4.203" => "image/jphc",
        "4.110" | "4.111" | "4.112" => "image/jxl",
        "5" => "image/dicom-rle",
        "4.100" | "4.100.1" | "4.101" | "4.101.1" => "video/mpeg",
        "4.102" | "4.102.1" | "4.103" | "4.103.1" | "4.104" | "4.104.1" | "4.105" | "4.105.1"
        | "4.106" | "4.106.1" => "video/mp4",
        "4.107" | "4.108" => "video/H265",
        _ => OCTETS,
    }
}

/// The transfer syntax given of a compressed media type when none is named (PS3.18 Table 8.7.3-5).
pub fn default_syntax(media: &str) -> Option<&'static str> {
    Some(match media {
        "image/jpeg" => "1.2.840.10008.1.2.4.70",
        "image/dicom-rle" => "1.2.840.10008.1.2.5",
        "image/jls" => "1.2.840.10008.1.2.4.80",
        "image/jp2" => "1.2.840.10008.1.2.4.90",
        "image/jpx" => "1.2.840.10008.1.2.4.92",
        "image/jphc" => "1.2.840.10008.1.2.4.201",
        "image/jxl" => "1.2.840.10008.1.2.4.110",
        "video/mpeg" => "1.2.840.10008.1.2.4.101",
        "video/mp4" => "1.2.840.10008.1.2.4.102",
        "video/H265" => "1.2.840.10008.1.2.4.107",
        _ => return None,
    })
}

/// Whether pixels in the syntax may have lost something before they came: then what is stored is
/// what its media type means here, whatever the default (PS3.18 §8.7.3.4).
pub fn may_be_lossy(uid: &str) -> bool {
    let more = uid.strip_prefix("1.2.840.10008.1.2.4.").unwrap_or_default();
    matches!(more, "50" | "51" | "53" | "55" | "81" | "91" | "93" | "203" | "111" | "112")
}

/// The transfer syntax to state of a frame's bytes: native little endian pixels are the same bytes
/// whether the data set around them was implicit, explicit or deflated.
pub fn stated_syntax(uid: &str) -> &str {
    match uid {
        IMPLICIT_LITTLE | DEFLATED => EXPLICIT_LITTLE,
        _ => uid,
    }
}

#[cfg(test)]
mod tests {
    use super::{OCTETS, of_frame, stated_syntax};

    #[test]
    fn each_syntax_has_its_media_type() {
        for (uid, media) in [
            ("1.2.840.10008.1.2", OCTETS),
            ("1.2.840.10008.1.2.1", OCTETS),
            ("1.2.840.10008.1.2.2", OCTETS),
            ("1.2.840.10008.1.2.5", "image/dicom-rle"),
            ("1.2.840.10008.1.2.4.50", "image/jpeg"),
            ("1.2.840.10008.1.2.4.70", "image/jpeg"),
            ("1.2.840.10008.1.2.4.81", "image/jls"),
            ("1.2.840.10008.1.2.4.90", "image/jp2"),
            ("1.2.840.10008.1.2.4.202", "image/jphc"),
            ("1.2.840.10008.1.2.4.103", "video/mp4"),
            ("1.2.3.4", OCTETS),
        ] {
            assert_eq!(of_frame(uid), media, "{uid}");
        }
        assert_eq!(stated_syntax("1.2.840.10008.1.2"), "1.2.840.10008.1.2.1");
        assert_eq!(stated_syntax("1.2.840.10008.1.2.5"), "1.2.840.10008.1.2.5");
    }
}
