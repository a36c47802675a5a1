//! What a study holds and where each series is fetched, as IHE MADO ("Manifest-based Access to DICOM
//! Objects") has it; written as a DICOM object by [`super::manifest_kos`], as a FHIR document by
//! [`super::manifest_fhir`]. Both say the same, because both are written from this.

/// A study's manifest.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Manifest {
    /// Its own identifier, SOP Instance UID of one encoding and document identifier of the other: another
    /// one as soon as the study changes.
    pub uid: String,
    /// The series manifests of this study are in.
    pub series_uid: String,
    /// When the study last changed, `YYYYMMDDHHMMSS` UTC.
    pub made: String,
    /// Whose archive this is: OID.
    pub location_uid: String,
    /// Where DICOMweb begins.
    pub root_url: String,
    /// Who keeps the study.
    pub organisation: Keeper,
    /// The patient.
    pub patient: ManifestPatient,
    /// Study Instance UID.
    pub study_uid: String,
    /// Study Date.
    pub study_date: String,
    /// Study Time.
    pub study_time: String,
    /// Study ID.
    pub study_id: String,
    /// Study Description.
    pub description: String,
    /// Referring Physician's Name.
    pub referring: String,
    /// Accession Number and who assigned it.
    pub accession: Assigned,
    /// Placer's order number and who assigned it.
    pub order: Assigned,
    /// Its series, in order.
    pub series: Vec<ManifestSeries>,
}

/// An organisation.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Keeper {
    /// Its name.
    pub name: String,
    /// Its OID.
    pub oid: String,
}

/// A number and who assigned it: an OID, a name, or nothing.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Assigned {
    /// The number.
    pub value: String,
    /// Who assigned it.
    pub assigner: String,
}

impl Assigned {
    /// Whether who assigned it is named by an OID.
    pub fn by_oid(&self) -> bool {
        is_oid(&self.assigner)
    }
}

/// Whether a text is an OID (PS3.5 §9.1).
pub fn is_oid(text: &str) -> bool {
    text.contains('.')
        && text.len() <= 64
        && text
            .split('.')
            .all(|arc| !arc.is_empty() && arc.bytes().all(|byte| byte.is_ascii_digit()))
}

/// The patient of a manifest.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ManifestPatient {
    /// Patient ID as the study has it, and who assigned it.
    pub id: Assigned,
    /// Who assigned it by name, where the study names them so.
    pub issuer_name: String,
    /// Other identifiers that identify the person.
    pub others: Vec<Assigned>,
    /// Patient's Name as DICOM writes it.
    pub name: String,
    /// Patient's Birth Date.
    pub birth_date: String,
    /// Patient's Sex.
    pub sex: String,
}

/// A series of a manifest.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ManifestSeries {
    /// Series Instance UID.
    pub uid: String,
    /// Modality.
    pub modality: String,
    /// Series Number.
    pub number: String,
    /// Series Description.
    pub description: String,
    /// Body Part Examined.
    pub body_part: String,
    /// Series Date.
    pub date: String,
    /// Series Time.
    pub time: String,
    /// Where it is fetched by WADO-RS.
    pub url: String,
    /// Its instances, in order.
    pub instances: Vec<ManifestInstance>,
}

/// An instance of a manifest.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ManifestInstance {
    /// SOP Instance UID.
    pub uid: String,
    /// SOP Class UID.
    pub sop_class: String,
    /// Instance Number.
    pub number: String,
    /// Frames; 0 when it is no image.
    pub frames: u32,
}

impl Manifest {
    /// The modalities of the series, each once, in their order.
    pub fn modalities(&self) -> Vec<&str> {
        let mut found: Vec<&str> = Vec::new();
        for series in &self.series {
            if !series.modality.is_empty() && !found.contains(&series.modality.as_str()) {
                found.push(&series.modality);
            }
        }
        found
    }

    /// The region all series with a known one agree on.
    pub fn region(&self) -> Option<Region> {
        let mut known = self.series.iter().filter_map(|series| region(&series.body_part));
        let first = known.next()?;
        known.all(|other| other == first).then_some(first)
    }

    /// Its instances.
    pub fn instances(&self) -> usize {
        self.series.iter().map(|series| series.instances.len()).sum()
    }
}

/// A body part as SNOMED CT codes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Region {
    /// The code.
    pub code: &'static str,
    /// Its meaning.
    pub meaning: &'static str,
}

/// The region of a Body Part Examined (PS3.16 Table L-1); `None` for what is not in the table.
pub fn region(body_part: &str) -> Option<Region> {
    let found = REGIONS.iter().find(|(term, _, _)| *term == body_part)?;
    Some(Region { code: found.1, meaning: found.2 })
}

/// The Body Parts Examined that a SNOMED CT code is of.
pub fn body_parts(code: &str) -> impl Iterator<Item = &'static str> {
    REGIONS.iter().filter(move |(_, own, _)| *own == code).map(|(term, _, _)| *term)
}

/// Terms of PS3.16 Table L-1.
const REGIONS: &[(&str, &str, &str)] = &[
    ("ABDOMEN", "818981001", "Abdomen"),
    ("ANKLE", "70258002", "Ankle joint"),
    ("BRAIN", "12738006", "Brain"),
    ("BREAST", "76752008", "Breast"),
    ("CHEST", "51185008", "Chest"),
    ("CSPINE", "122494005", "Cervical spine"),
    ("FOOT", "56459004", "Foot"),
    ("HAND", "85562004", "Hand"),
    ("HEAD", "69536005", "Head"),
    ("HEART", "80891009", "Heart"),
    ("KIDNEY", "64033007", "Kidney"),
    ("KNEE", "72696002", "Knee"),
    ("LIVER", "10200004", "Liver"),
    ("LSPINE", "122496007", "Lumbar spine"),
    ("NECK", "45048000", "Neck"),
    ("PELVIS", "816092008", "Pelvis"),
    ("SHOULDER", "16982005", "Shoulder"),
    ("TSPINE", "122495006", "Thoracic spine"),
    ("WHOLEBODY", "38266002", "Entire body"),
];

#[cfg(test)]
mod tests {
    use super::{Manifest, ManifestSeries, is_oid, region};

    #[test]
    fn a_study_has_a_region_when_its_series_agree() {
        let series = |body_part: &str| ManifestSeries {
            body_part: body_part.to_owned(),
            ..ManifestSeries::default()
        };
        let of = |parts: &[&str]| Manifest {
            series: parts.iter().map(|part| series(part)).collect(),
            ..Manifest::default()
        };
        assert_eq!(of(&["CHEST", "", "CHEST"]).region(), region("CHEST"));
        assert_eq!(of(&["CHEST", "HEAD"]).region(), None);
        assert_eq!(of(&["TORACE"]).region(), None);
        assert_eq!(super::body_parts("51185008").collect::<Vec<_>>(), ["CHEST"]);
        assert!(is_oid("2.25.1") && !is_oid("OSPEDALE") && !is_oid("2..1") && !is_oid("225"));
    }
}
