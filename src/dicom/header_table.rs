//! Which attributes the index keeps for which level: a table, nothing else.
//!
//! What search must return (PS3.18 §10.6.3.3), and what lists, viewers and
//! administrators ask for beside that, by the level that holds it (PS3.3 §C.7, PS3.4 §C.6).

use dicom_core::Tag;
use dicom_dictionary_std::tags;

/// A set of levels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Levels(u8);

impl Levels {
    pub(crate) const NONE: Self = Self(0);
    pub(crate) const PATIENT: Self = Self(1);
    pub(crate) const STUDY: Self = Self(2);
    pub(crate) const SERIES: Self = Self(4);
    pub(crate) const INSTANCE: Self = Self(8);
    pub(crate) const ALL: Self = Self(15);
    const FROM_STUDY: Self = Self(2 | 4 | 8);

    /// Whether `level` is among them.
    pub(crate) fn hold(self, level: Self) -> bool {
        self.0 & level.0 != 0
    }
}

/// The levels that keep `tag`.
pub(crate) fn levels_of(tag: Tag) -> Levels {
    match TABLE.binary_search_by_key(&tag, |(tag, _)| *tag) {
        Ok(at) => TABLE.get(at).map_or(Levels::NONE, |(_, levels)| *levels),
        Err(_) => Levels::NONE,
    }
}

/// Tags ascending.
const TABLE: &[(Tag, Levels)] = &[
    (tags::IMAGE_TYPE, Levels::INSTANCE),
    (tags::INSTANCE_CREATION_DATE, Levels::INSTANCE),
    (tags::INSTANCE_CREATION_TIME, Levels::INSTANCE),
    (tags::SOP_CLASS_UID, Levels::INSTANCE),
    (tags::SOP_INSTANCE_UID, Levels::INSTANCE),
    (tags::STUDY_DATE, Levels::STUDY),
    (tags::SERIES_DATE, Levels::SERIES),
    (tags::ACQUISITION_DATE, Levels::INSTANCE),
    (tags::CONTENT_DATE, Levels::INSTANCE),
    (tags::ACQUISITION_DATE_TIME, Levels::INSTANCE),
    (tags::STUDY_TIME, Levels::STUDY),
    (tags::SERIES_TIME, Levels::SERIES),
    (tags::ACQUISITION_TIME, Levels::INSTANCE),
    (tags::CONTENT_TIME, Levels::INSTANCE),
    (tags::ACCESSION_NUMBER, Levels::STUDY),
    (tags::ISSUER_OF_ACCESSION_NUMBER_SEQUENCE, Levels::STUDY),
    (tags::MODALITY, Levels::SERIES),
    (tags::CONVERSION_TYPE, Levels::SERIES),
    (tags::PRESENTATION_INTENT_TYPE, Levels::SERIES),
    (tags::MANUFACTURER, Levels::SERIES),
    (tags::INSTITUTION_NAME, Levels::SERIES),
    (tags::REFERRING_PHYSICIAN_NAME, Levels::STUDY),
    (tags::TIMEZONE_OFFSET_FROM_UTC, Levels::FROM_STUDY),
    (tags::STATION_NAME, Levels::SERIES),
    (tags::STUDY_DESCRIPTION, Levels::STUDY),
    (tags::PROCEDURE_CODE_SEQUENCE, Levels::STUDY),
    (tags::SERIES_DESCRIPTION, Levels::SERIES),
    (tags::SERIES_DESCRIPTION_CODE_SEQUENCE, Levels::SERIES),
    (tags::INSTITUTIONAL_DEPARTMENT_NAME, Levels::SERIES),
    (tags::PHYSICIANS_OF_RECORD, Levels::STUDY),
    (tags::PERFORMING_PHYSICIAN_NAME, Levels::SERIES),
    (tags::NAME_OF_PHYSICIANS_READING_STUDY, Levels::STUDY),
    (tags::OPERATORS_NAME, Levels::SERIES),
    (tags::ADMITTING_DIAGNOSES_DESCRIPTION, Levels::STUDY),
    (tags::MANUFACTURER_MODEL_NAME, Levels::SERIES),
    (tags::REFERENCED_PERFORMED_PROCEDURE_STEP_SEQUENCE, Levels::SERIES),
    (tags::PATIENT_NAME, Levels::PATIENT),
    (tags::PATIENT_ID, Levels::PATIENT),
    (tags::ISSUER_OF_PATIENT_ID, Levels::PATIENT),
    (tags::TYPE_OF_PATIENT_ID, Levels::PATIENT),
    (tags::ISSUER_OF_PATIENT_ID_QUALIFIERS_SEQUENCE, Levels::PATIENT),
    (tags::PATIENT_BIRTH_DATE, Levels::PATIENT),
    (tags::PATIENT_BIRTH_TIME, Levels::PATIENT),
    (tags::PATIENT_SEX, Levels::PATIENT),
    (OTHER_PATIENT_IDS, Levels::PATIENT),
    (tags::OTHER_PATIENT_NAMES, Levels::PATIENT),
    (tags::OTHER_PATIENT_I_DS_SEQUENCE, Levels::PATIENT),
    (tags::PATIENT_AGE, Levels::STUDY),
    (tags::PATIENT_SIZE, Levels::STUDY),
    (tags::PATIENT_WEIGHT, Levels::STUDY),
    (ETHNIC_GROUP, Levels::PATIENT),
    (tags::OCCUPATION, Levels::STUDY),
    (tags::ADDITIONAL_PATIENT_HISTORY, Levels::STUDY),
    (tags::PATIENT_SPECIES_DESCRIPTION, Levels::PATIENT),
    (tags::PATIENT_SEX_NEUTERED, Levels::STUDY),
    (tags::PATIENT_BREED_DESCRIPTION, Levels::PATIENT),
    (tags::RESPONSIBLE_PERSON, Levels::PATIENT),
    (tags::RESPONSIBLE_PERSON_ROLE, Levels::PATIENT),
    (tags::RESPONSIBLE_ORGANIZATION, Levels::PATIENT),
    (tags::PATIENT_COMMENTS, Levels::PATIENT),
    (tags::PATIENT_IDENTITY_REMOVED, Levels::PATIENT),
    (tags::BODY_PART_EXAMINED, Levels::SERIES),
    (tags::SLICE_THICKNESS, Levels::INSTANCE),
    (tags::DEVICE_SERIAL_NUMBER, Levels::SERIES),
    (tags::SOFTWARE_VERSIONS, Levels::SERIES),
    (tags::PROTOCOL_NAME, Levels::SERIES),
    (tags::PATIENT_POSITION, Levels::SERIES),
    (tags::VIEW_POSITION, Levels::INSTANCE),
    (tags::STUDY_INSTANCE_UID, Levels::STUDY),
    (tags::SERIES_INSTANCE_UID, Levels::SERIES),
    (tags::STUDY_ID, Levels::STUDY),
    (tags::SERIES_NUMBER, Levels::SERIES),
    (tags::ACQUISITION_NUMBER, Levels::INSTANCE),
    (tags::INSTANCE_NUMBER, Levels::INSTANCE),
    (tags::IMAGE_POSITION_PATIENT, Levels::INSTANCE),
    (tags::IMAGE_ORIENTATION_PATIENT, Levels::INSTANCE),
    (tags::FRAME_OF_REFERENCE_UID, Levels::SERIES),
    (tags::LATERALITY, Levels::SERIES),
    (tags::IMAGE_LATERALITY, Levels::INSTANCE),
    (tags::SLICE_LOCATION, Levels::INSTANCE),
    (tags::IMAGE_COMMENTS, Levels::INSTANCE),
    (tags::SAMPLES_PER_PIXEL, Levels::INSTANCE),
    (tags::PHOTOMETRIC_INTERPRETATION, Levels::INSTANCE),
    (tags::NUMBER_OF_FRAMES, Levels::INSTANCE),
    (tags::ROWS, Levels::INSTANCE),
    (tags::COLUMNS, Levels::INSTANCE),
    (tags::PIXEL_SPACING, Levels::INSTANCE),
    (tags::BITS_ALLOCATED, Levels::INSTANCE),
    (tags::BITS_STORED, Levels::INSTANCE),
    (tags::HIGH_BIT, Levels::INSTANCE),
    (tags::PIXEL_REPRESENTATION, Levels::INSTANCE),
    (tags::WINDOW_CENTER, Levels::INSTANCE),
    (tags::WINDOW_WIDTH, Levels::INSTANCE),
    (tags::RESCALE_INTERCEPT, Levels::INSTANCE),
    (tags::RESCALE_SLOPE, Levels::INSTANCE),
    (tags::LOSSY_IMAGE_COMPRESSION, Levels::INSTANCE),
    (tags::REQUESTING_PHYSICIAN, Levels::STUDY),
    (tags::REQUESTING_SERVICE, Levels::STUDY),
    (tags::REQUESTED_PROCEDURE_DESCRIPTION, Levels::STUDY),
    (tags::ADMISSION_ID, Levels::STUDY),
    (tags::PERFORMED_PROCEDURE_STEP_START_DATE, Levels::SERIES),
    (tags::PERFORMED_PROCEDURE_STEP_START_TIME, Levels::SERIES),
    (tags::PERFORMED_PROCEDURE_STEP_ID, Levels::SERIES),
    (tags::PERFORMED_PROCEDURE_STEP_DESCRIPTION, Levels::SERIES),
    (tags::REQUEST_ATTRIBUTES_SEQUENCE, Levels::SERIES),
    (tags::OBSERVATION_DATE_TIME, Levels::INSTANCE),
    (tags::CONCEPT_NAME_CODE_SEQUENCE, Levels::INSTANCE),
    (tags::COMPLETION_FLAG, Levels::INSTANCE),
    (tags::VERIFICATION_FLAG, Levels::INSTANCE),
    (tags::DOCUMENT_TITLE, Levels::INSTANCE),
    (tags::MIME_TYPE_OF_ENCAPSULATED_DOCUMENT, Levels::INSTANCE),
    (tags::CONTENT_LABEL, Levels::INSTANCE),
    (tags::CONTENT_DESCRIPTION, Levels::INSTANCE),
    (tags::PRESENTATION_CREATION_DATE, Levels::INSTANCE),
    (tags::PRESENTATION_CREATION_TIME, Levels::INSTANCE),
    (tags::CONTENT_CREATOR_NAME, Levels::INSTANCE),
    (tags::STRUCTURE_SET_LABEL, Levels::INSTANCE),
    (tags::RT_PLAN_LABEL, Levels::INSTANCE),
];

/// Retired, and still what most objects have.
const OTHER_PATIENT_IDS: Tag = Tag(0x0010, 0x1000);
/// Retired in favour of a sequence of codes.
const ETHNIC_GROUP: Tag = Tag(0x0010, 0x2160);

#[cfg(test)]
mod tests {
    use super::{Levels, TABLE, levels_of};
    use dicom_core::Tag;
    use dicom_dictionary_std::tags;

    #[test]
    fn the_table_is_in_order_so_that_it_can_be_searched() {
        assert!(TABLE.is_sorted_by(|(a, _), (b, _)| a < b));
    }

    #[test]
    fn what_search_must_return_is_kept_at_its_level() {
        for (tag, level) in [
            (tags::STUDY_DATE, Levels::STUDY),
            (tags::PATIENT_SEX, Levels::PATIENT),
            (tags::REQUEST_ATTRIBUTES_SEQUENCE, Levels::SERIES),
            (tags::TIMEZONE_OFFSET_FROM_UTC, Levels::STUDY),
            (tags::TIMEZONE_OFFSET_FROM_UTC, Levels::SERIES),
            (tags::TIMEZONE_OFFSET_FROM_UTC, Levels::INSTANCE),
            (tags::NUMBER_OF_FRAMES, Levels::INSTANCE),
        ] {
            assert!(levels_of(tag).hold(level), "{tag}");
        }
        assert!(!levels_of(tags::STUDY_DATE).hold(Levels::SERIES));
        assert_eq!(levels_of(Tag(0x0009, 0x0010)), Levels::NONE);
    }
}
