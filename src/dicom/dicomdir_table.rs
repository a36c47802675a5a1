//! Which directory record an object gets, and what it says (PS3.3 §F.4, §F.5).

use dicom_core::VR;

/// Attributes: tag, value representation.
type Keys = &'static [(u32, VR)];

/// PS3.3 §F.5.1
pub const PATIENT: Keys = &[(0x0010_0010, VR::PN), (0x0010_0020, VR::LO)];
/// PS3.3 §F.5.2
pub const STUDY: Keys = &[
    (0x0008_0020, VR::DA),
    (0x0008_0030, VR::TM),
    (0x0008_0050, VR::SH),
    (0x0008_1030, VR::LO),
    (0x0020_000D, VR::UI),
    (0x0020_0010, VR::SH),
];
/// PS3.3 §F.5.3
pub const SERIES: Keys =
    &[(0x0008_0060, VR::CS), (0x0008_103E, VR::LO), (0x0020_000E, VR::UI), (0x0020_0011, VR::IS)];

const NUMBER: (u32, VR) = (0x0020_0013, VR::IS);
const CONTENT_DATE: (u32, VR) = (0x0008_0023, VR::DA);
const CONTENT_TIME: (u32, VR) = (0x0008_0033, VR::TM);
const LABEL: (u32, VR) = (0x0070_0080, VR::CS);
const DESCRIPTION: (u32, VR) = (0x0070_0081, VR::LO);
const CREATOR: (u32, VR) = (0x0070_0084, VR::PN);

/// What a record of this type says beside its concept name (PS3.3 §F.5.4 and following).
pub fn keys_of(record_type: &str) -> Keys {
    match record_type {
        "PRESENTATION" => {
            &[NUMBER, LABEL, DESCRIPTION, (0x0070_0082, VR::DA), (0x0070_0083, VR::TM), CREATOR]
        }
        "SR DOCUMENT" => {
            &[NUMBER, CONTENT_DATE, CONTENT_TIME, (0x0040_A491, VR::CS), (0x0040_A493, VR::CS)]
        }
        "ENCAP DOC" => {
            &[NUMBER, CONTENT_DATE, CONTENT_TIME, (0x0042_0010, VR::ST), (0x0042_0012, VR::LO)]
        }
        "KEY OBJECT DOC" | "WAVEFORM" | "RAW DATA" => &[NUMBER, CONTENT_DATE, CONTENT_TIME],
        "REGISTRATION" | "FIDUCIAL" | "VALUE MAP" | "SURFACE" | "TRACT" => {
            &[NUMBER, CONTENT_DATE, CONTENT_TIME, LABEL, DESCRIPTION, CREATOR]
        }
        "RT DOSE" => &[NUMBER, (0x3004_000A, VR::CS)],
        "RT STRUCTURE SET" => {
            &[NUMBER, (0x3006_0002, VR::SH), (0x3006_0008, VR::DA), (0x3006_0009, VR::TM)]
        }
        "RT PLAN" => &[NUMBER, (0x300A_0002, VR::SH), (0x300A_0006, VR::DA), (0x300A_0007, VR::TM)],
        "RT TREAT RECORD" => &[NUMBER, (0x3008_0250, VR::DA), (0x3008_0251, VR::TM)],
        _ => &[NUMBER],
    }
}

/// The record type of a SOP class (PS3.3 Table F.4-1); what has pixels is an image, what has none
/// and no type of its own is private.
pub fn record_type(sop_class: &str, pixels: bool) -> &'static str {
    let rest = sop_class.strip_prefix("1.2.840.10008.5.1.4.1.1.").unwrap_or_default();
    match rest {
        "88.59" => "KEY OBJECT DOC",
        "66" => "RAW DATA",
        "66.1" | "66.3" => "REGISTRATION",
        "66.2" => "FIDUCIAL",
        "66.5" => "SURFACE",
        "66.6" => "TRACT",
        "67" => "VALUE MAP",
        "481.2" => "RT DOSE",
        "481.3" => "RT STRUCTURE SET",
        "481.5" | "481.8" => "RT PLAN",
        "481.4" | "481.6" | "481.7" | "481.9" => "RT TREAT RECORD",
        _ if rest.starts_with("88.") => "SR DOCUMENT",
        _ if rest.starts_with("11.") => "PRESENTATION",
        _ if rest.starts_with("104.") => "ENCAP DOC",
        _ if rest.starts_with("9.") => "WAVEFORM",
        _ if pixels => "IMAGE",
        _ => "PRIVATE",
    }
}
