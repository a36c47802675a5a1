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
        "SURFACE SCAN" => &[CONTENT_DATE, CONTENT_TIME],
        "STEREOMETRIC" | "PLAN" => &[],
        "REGISTRATION" | "FIDUCIAL" | "VALUE MAP" | "SURFACE" | "TRACT" | "MEASUREMENT"
        | "ANNOTATION" => &[NUMBER, CONTENT_DATE, CONTENT_TIME, LABEL, DESCRIPTION, CREATOR],
        "SPECTROSCOPY" => &[
            (0x0008_0008, VR::CS),
            NUMBER,
            CONTENT_DATE,
            CONTENT_TIME,
            (0x0028_0008, VR::IS),
            (0x0028_0010, VR::US),
            (0x0028_0011, VR::US),
            (0x0028_9001, VR::UL),
            (0x0028_9002, VR::UL),
        ],
        "ASSESSMENT" => &[(0x0008_0012, VR::DA), (0x0008_0013, VR::TM), NUMBER],
        "RADIOTHERAPY" => {
            &[NUMBER, DESCRIPTION, CREATOR, (0x3010_0033, VR::SH), (0x3010_0034, VR::LO)]
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
    // RT Beams Delivery Instruction, its Supplement 74 (Frozen Draft), RT Brachy Application Setup
    // Delivery Instruction (PS3.3 §F.5.40).
    const PLANS: [&str; 3] =
        ["1.2.840.10008.5.1.4.34.7", "1.2.840.10008.5.1.4.34.1", "1.2.840.10008.5.1.4.34.10"];
    if PLANS.contains(&sop_class) {
        return "PLAN";
    }
    let rest = sop_class.strip_prefix("1.2.840.10008.5.1.4.1.1.").unwrap_or_default();
    match rest {
        "4.2" => "SPECTROSCOPY",
        "68.1" | "68.2" => "SURFACE SCAN",
        "77.1.5.3" => "STEREOMETRIC",
        // Spectacle prescription, macular grid: reports though numbered among measurements.
        "78.6" | "79.1" => "SR DOCUMENT",
        "78.1" | "78.2" | "78.3" | "78.4" | "78.5" | "78.7" | "78.8" | "80.1" => "MEASUREMENT",
        "90.1" => "ASSESSMENT",
        "91.1" => "ANNOTATION",
        "131" => "PRESENTATION",
        // Second-generation radiotherapy, but for its images.
        "481.10" | "481.11" | "481.12" | "481.13" | "481.14" | "481.15" | "481.16" | "481.17"
        | "481.18" | "481.19" | "481.20" | "481.21" | "481.22" | "481.25" => "RADIOTHERAPY",
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

#[cfg(test)]
mod tests {
    use super::{keys_of, record_type};

    #[test]
    fn every_kind_of_object_has_the_record_its_service_object_pair_names() {
        for (class, expected) in [
            ("2", "IMAGE"),
            ("4.2", "SPECTROSCOPY"),
            ("9.1.1", "WAVEFORM"),
            ("11.1", "PRESENTATION"),
            ("131", "PRESENTATION"),
            ("66", "RAW DATA"),
            ("66.5", "SURFACE"),
            ("68.2", "SURFACE SCAN"),
            ("77.1.5.3", "STEREOMETRIC"),
            ("78.5", "MEASUREMENT"),
            ("78.6", "SR DOCUMENT"),
            ("80.1", "MEASUREMENT"),
            ("88.33", "SR DOCUMENT"),
            ("88.59", "KEY OBJECT DOC"),
            ("90.1", "ASSESSMENT"),
            ("91.1", "ANNOTATION"),
            ("481.1", "IMAGE"),
            ("481.5", "RT PLAN"),
            ("481.10", "RADIOTHERAPY"),
            ("481.23", "IMAGE"),
        ] {
            let class = format!("1.2.840.10008.5.1.4.1.1.{class}");
            assert_eq!(record_type(&class, true), expected, "{class}");
        }
        assert_eq!(record_type("1.2.840.10008.5.1.4.34.7", false), "PLAN");
        assert_eq!(record_type("1.2.840.99999.1", false), "PRIVATE");
    }

    #[test]
    fn the_keys_of_a_record_are_each_there_once() {
        for kind in ["PRESENTATION", "SPECTROSCOPY", "ASSESSMENT", "RADIOTHERAPY", "MEASUREMENT"] {
            let mut tags: Vec<u32> = keys_of(kind).iter().map(|(tag, _)| *tag).collect();
            let count = tags.len();
            tags.sort_unstable();
            tags.dedup();
            assert_eq!(tags.len(), count, "{kind}");
        }
    }
}
