//! The attributes a search can match and how their values are written (PS3.18 Table 10.6.1-5,
//! PS3.4 §C.2.2.2).

use dicom_core::dictionary::{DataDictionary, DataDictionaryEntry};
use dicom_core::{Tag, VR};
use dicom_dictionary_std::StandardDataDictionary;

use crate::dicom::native::parse_tag;
use crate::index::query::Key;

/// How the values of a key are written and matched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// UIDs, a list of them.
    Uid,
    /// Dates and ranges of them.
    Date,
    /// Times and ranges of them.
    Time,
    /// Whole numbers.
    Number,
    /// Codes, a list of them, with wildcards.
    Code,
    /// Text with wildcards.
    Text,
    /// Person names with wildcards.
    Name,
}

/// Timezone Offset From UTC: not matched, it says how dates and times are meant (PS3.18 §8.3.4.1.1).
pub const TIMEZONE: Tag = Tag(0x0008, 0x0201);

/// Request Attributes Sequence.
const REQUEST_ATTRIBUTES: Tag = Tag(0x0040, 0x0275);

/// Reads an attribute's name: keywords or tags of eight hexadecimal digits, of a sequence path
/// joined by dots. `None` when any part is neither, so that the parameter is no attribute.
pub fn path(name: &str) -> Option<Vec<Tag>> {
    name.split('.').take(16).map(tag).collect()
}

fn tag(name: &str) -> Option<Tag> {
    parse_tag(name).or_else(|| StandardDataDictionary.by_name(name).map(DataDictionaryEntry::tag))
}

/// The key an attribute path names, if the index can match it. A leaf of Request Attributes
/// Sequence may stand by itself.
pub fn key(path: &[Tag]) -> Option<(Key, Kind)> {
    let leaf = match path {
        [leaf] | [REQUEST_ATTRIBUTES, leaf @ Tag(0x0040, 0x0009 | 0x1001)] => *leaf,
        _ => return None,
    };
    Some(match (leaf.group(), leaf.element()) {
        (0x0010, 0x0020) => (Key::PatientId, Kind::Text),
        (0x0010, 0x0021) => (Key::IssuerOfPatientId, Kind::Text),
        (0x0010, 0x0010) => (Key::PatientName, Kind::Name),
        (0x0010, 0x0030) => (Key::PatientBirthDate, Kind::Date),
        (0x0010, 0x0040) => (Key::PatientSex, Kind::Code),
        (0x0020, 0x000D) => (Key::StudyInstanceUid, Kind::Uid),
        (0x0008, 0x0020) => (Key::StudyDate, Kind::Date),
        (0x0008, 0x0030) => (Key::StudyTime, Kind::Time),
        (0x0008, 0x0050) => (Key::AccessionNumber, Kind::Text),
        (0x0008, 0x0090) => (Key::ReferringPhysicianName, Kind::Name),
        (0x0020, 0x0010) => (Key::StudyId, Kind::Text),
        (0x0008, 0x1030) => (Key::StudyDescription, Kind::Text),
        (0x0008, 0x0061) => (Key::ModalitiesInStudy, Kind::Code),
        (0x0020, 0x000E) => (Key::SeriesInstanceUid, Kind::Uid),
        (0x0008, 0x0060) => (Key::Modality, Kind::Code),
        (0x0020, 0x0011) => (Key::SeriesNumber, Kind::Number),
        (0x0008, 0x103E) => (Key::SeriesDescription, Kind::Text),
        (0x0018, 0x0015) => (Key::BodyPartExamined, Kind::Code),
        (0x0040, 0x0244) => (Key::PerformedDate, Kind::Date),
        (0x0040, 0x0245) => (Key::PerformedTime, Kind::Time),
        (0x0040, 0x0009) => (Key::ScheduledStepId, Kind::Text),
        (0x0040, 0x1001) => (Key::RequestedProcedureId, Kind::Text),
        (0x0008, 0x0018) => (Key::SopInstanceUid, Kind::Uid),
        (0x0008, 0x0016) => (Key::SopClassUid, Kind::Uid),
        (0x0020, 0x0013) => (Key::InstanceNumber, Kind::Number),
        _ => return None,
    })
}

/// How the values of a declared attribute are written, by its value representation.
pub fn kind_of(vr: VR) -> Kind {
    match vr {
        VR::UI => Kind::Uid,
        VR::DA => Kind::Date,
        VR::TM => Kind::Time,
        VR::IS | VR::US | VR::SS | VR::UL | VR::SL => Kind::Number,
        VR::CS => Kind::Code,
        VR::PN => Kind::Name,
        _ => Kind::Text,
    }
}

/// A tag as one number, which sorts as answers are sorted.
pub fn number(tag: Tag) -> u32 {
    (u32::from(tag.group()) << 16) | u32::from(tag.element())
}

#[cfg(test)]
mod tests {
    use dicom_core::Tag;
    use proptest::prelude::*;

    use super::{Kind, key, path};
    use crate::index::query::Key;

    #[test]
    fn attributes_go_by_keyword_and_tag() {
        for (name, expected) in [
            ("PatientName", Some(vec![Tag(0x0010, 0x0010)])),
            ("00100010", Some(vec![Tag(0x0010, 0x0010)])),
            ("0020000d", Some(vec![Tag(0x0020, 0x000D)])),
            ("0020000D", Some(vec![Tag(0x0020, 0x000D)])),
            ("00091001", Some(vec![Tag(0x0009, 0x1001)])),
            (
                "RequestAttributesSequence.00400009",
                Some(vec![Tag(0x0040, 0x0275), Tag(0x0040, 0x0009)]),
            ),
            ("patientname", None),
            ("0010001", None),
            ("0010001G", None),
            ("00100010.", None),
            ("", None),
            ("limit", None),
        ] {
            assert_eq!(path(name), expected, "{name}");
        }
    }

    #[test]
    fn request_attributes_go_by_path_and_by_leaf() {
        for name in [
            "RequestAttributesSequence.ScheduledProcedureStepID",
            "00400275.00400009",
            "00400275.ScheduledProcedureStepID",
            "ScheduledProcedureStepID",
        ] {
            assert_eq!(
                key(&path(name).unwrap()),
                Some((Key::ScheduledStepId, Kind::Text)),
                "{name}"
            );
        }
        let elsewhere = path("ReferencedStudySequence.00400009").unwrap();
        assert_eq!(key(&elsewhere), None);
    }

    proptest! {
        #[test]
        fn no_name_panics(name in ".*") {
            path(&name);
        }

        #[test]
        fn every_tag_is_read_back(group: u16, element: u16) {
            let name = format!("{group:04x}{element:04X}");
            prop_assert_eq!(path(&name), Some(vec![Tag(group, element)]));
        }
    }
}
