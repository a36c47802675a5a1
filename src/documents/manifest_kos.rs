//! A manifest as a Key Object Selection Document (PS3.3 §A.35.4): every instance under its series with
//! where it is fetched, and, as MADO adds, an image library (PS3.16 TID 1600) that describes them.
//!
//! Concepts that DICOM has not numbered yet bear the temporary codes of IHE's profile.

use dicom_core::Tag;
use dicom_core::VR;
use dicom_dictionary_std::tags;

use crate::dicom::key_objects::KEY_OBJECT_SELECTION;
use crate::dicom::native::Native;
use crate::dicom::part10::MetaFields;
use crate::dicom::part10::write_prefix;
use crate::dicom::uid::Uid;
use crate::dicom::write::DataSetWriter;
use crate::dicom::write::Piece;
use crate::documents::manifest::Assigned;
use crate::documents::manifest::Manifest;
use crate::documents::manifest::ManifestInstance;
use crate::documents::manifest::ManifestSeries;
use crate::documents::manifest::is_oid;
use crate::documents::manifest::region;

/// Which kind of manifest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Profile {
    /// IHE MADO: with its description.
    Mado,
    /// IHE XDS-I.b: the instances alone.
    XdsI,
}

/// A manifest's Part 10 file; `None` for UIDs no file can be named by.
pub fn file(manifest: &Manifest, profile: Profile) -> Option<Vec<u8>> {
    let uid = |text: &str| Uid::parse(text).ok();
    let meta = MetaFields {
        sop_class: &uid(KEY_OBJECT_SELECTION)?,
        sop_instance: &uid(&manifest.uid)?,
        transfer_syntax: &uid(EXPLICIT_LITTLE)?,
        source_ae: None,
    };
    let mut file = write_prefix(&meta);
    let mut out = Out(DataSetWriter::default());
    patient(&mut out, manifest);
    study(&mut out, manifest);
    evidence(&mut out, manifest);
    content(&mut out, manifest, profile);
    for piece in out.0.finish().pieces() {
        if let Piece::Bytes(bytes) = piece {
            file.extend_from_slice(&bytes);
        }
    }
    Some(file)
}

fn patient(out: &mut Out, manifest: &Manifest) {
    let patient = &manifest.patient;
    out.text(tags::PATIENT_NAME, VR::PN, &patient.name);
    identified(out, &patient.id);
    if !patient.issuer_name.is_empty() {
        out.text(tags::ISSUER_OF_PATIENT_ID, VR::LO, &patient.issuer_name);
    }
    out.text(tags::PATIENT_BIRTH_DATE, VR::DA, &patient.birth_date);
    out.text(tags::PATIENT_SEX, VR::CS, &patient.sex);
    if !patient.others.is_empty() {
        out.sequence(tags::OTHER_PATIENT_I_DS_SEQUENCE, |out| {
            for other in &patient.others {
                out.item(|out| {
                    identified(out, other);
                    out.text(tags::TYPE_OF_PATIENT_ID, VR::CS, "TEXT");
                });
            }
        });
    }
}

/// Patient ID with who assigned it (PS3.3 Table 10-18).
fn identified(out: &mut Out, id: &Assigned) {
    out.text(tags::PATIENT_ID, VR::LO, &id.value);
    if id.by_oid() {
        out.sequence(tags::ISSUER_OF_PATIENT_ID_QUALIFIERS_SEQUENCE, |out| {
            out.item(|out| universal(out, &id.assigner));
        });
    } else if !id.assigner.is_empty() {
        out.text(tags::ISSUER_OF_PATIENT_ID, VR::LO, &id.assigner);
    }
}

fn universal(out: &mut Out, oid: &str) {
    out.text(tags::UNIVERSAL_ENTITY_ID, VR::UT, oid);
    out.text(tags::UNIVERSAL_ENTITY_ID_TYPE, VR::CS, "ISO");
}

/// Who assigned a number (PS3.3 Table 10-17).
fn issuer(out: &mut Out, tag: Tag, number: &Assigned) {
    if number.value.is_empty() || number.assigner.is_empty() {
        return;
    }
    out.sequence(tag, |out| {
        out.item(|out| {
            if is_oid(&number.assigner) {
                universal(out, &number.assigner);
            } else {
                out.text(tags::LOCAL_NAMESPACE_ENTITY_ID, VR::UT, &number.assigner);
            }
        });
    });
}

fn study(out: &mut Out, manifest: &Manifest) {
    let (date, time) = manifest.made.split_at_checked(8).unwrap_or_default();
    for (tag, vr, text) in [
        (tags::SOP_CLASS_UID, VR::UI, KEY_OBJECT_SELECTION),
        (tags::SOP_INSTANCE_UID, VR::UI, manifest.uid.as_str()),
        (tags::STUDY_DATE, VR::DA, &manifest.study_date),
        (tags::STUDY_TIME, VR::TM, &manifest.study_time),
        (tags::CONTENT_DATE, VR::DA, date),
        (tags::CONTENT_TIME, VR::TM, time),
        (tags::TIMEZONE_OFFSET_FROM_UTC, VR::SH, "+0000"),
        (tags::ACCESSION_NUMBER, VR::SH, &manifest.accession.value),
        (tags::MODALITY, VR::CS, "KO"),
        (tags::MANUFACTURER, VR::LO, "Lastra"),
        (tags::REFERRING_PHYSICIAN_NAME, VR::PN, &manifest.referring),
        (tags::SERIES_DESCRIPTION, VR::LO, "Manifest"),
        (tags::STUDY_INSTANCE_UID, VR::UI, &manifest.study_uid),
        (tags::SERIES_INSTANCE_UID, VR::UI, &manifest.series_uid),
        (tags::STUDY_ID, VR::SH, &manifest.study_id),
        (tags::SERIES_NUMBER, VR::IS, "1"),
        (tags::INSTANCE_NUMBER, VR::IS, "1"),
    ] {
        out.text(tag, vr, text);
    }
    for (tag, text) in [
        (tags::STUDY_DESCRIPTION, &manifest.description),
        (tags::INSTITUTION_NAME, &manifest.organisation.name),
    ] {
        if !text.is_empty() {
            out.text(tag, VR::LO, text);
        }
    }
    issuer(out, tags::ISSUER_OF_ACCESSION_NUMBER_SEQUENCE, &manifest.accession);
    out.sequence(tags::REFERENCED_PERFORMED_PROCEDURE_STEP_SEQUENCE, |_| {});
    let (accession, order) = (&manifest.accession, &manifest.order);
    if accession.value.is_empty() && order.value.is_empty() {
        return;
    }
    out.sequence(tags::REFERENCED_REQUEST_SEQUENCE, |out| {
        out.item(|out| {
            out.text(tags::STUDY_INSTANCE_UID, VR::UI, &manifest.study_uid);
            out.sequence(tags::REFERENCED_STUDY_SEQUENCE, |_| {});
            out.text(tags::ACCESSION_NUMBER, VR::SH, &accession.value);
            issuer(out, tags::ISSUER_OF_ACCESSION_NUMBER_SEQUENCE, accession);
            out.text(tags::PLACER_ORDER_NUMBER_IMAGING_SERVICE_REQUEST, VR::LO, &order.value);
            issuer(out, tags::ORDER_PLACER_IDENTIFIER_SEQUENCE, order);
            out.text(tags::FILLER_ORDER_NUMBER_IMAGING_SERVICE_REQUEST, VR::LO, "");
            out.text(tags::REQUESTED_PROCEDURE_ID, VR::SH, "");
            out.text(tags::REQUESTED_PROCEDURE_DESCRIPTION, VR::LO, "");
            out.sequence(tags::REQUESTED_PROCEDURE_CODE_SEQUENCE, |_| {});
        });
    });
}

/// Current Requested Procedure Evidence (PS3.3 §C.17.2): each series with where it is fetched.
fn evidence(out: &mut Out, manifest: &Manifest) {
    out.sequence(tags::CURRENT_REQUESTED_PROCEDURE_EVIDENCE_SEQUENCE, |out| {
        out.item(|out| {
            out.text(tags::STUDY_INSTANCE_UID, VR::UI, &manifest.study_uid);
            out.sequence(tags::REFERENCED_SERIES_SEQUENCE, |out| {
                for series in &manifest.series {
                    out.item(|out| {
                        out.text(tags::SERIES_INSTANCE_UID, VR::UI, &series.uid);
                        out.text(tags::RETRIEVE_URL, VR::UR, &series.url);
                        out.text(tags::RETRIEVE_LOCATION_UID, VR::UI, &manifest.location_uid);
                        out.sequence(tags::REFERENCED_SOP_SEQUENCE, |out| {
                            for instance in &series.instances {
                                out.item(|out| referenced(out, instance));
                            }
                        });
                    });
                }
            });
        });
    });
}

fn referenced(out: &mut Out, instance: &ManifestInstance) {
    out.text(tags::REFERENCED_SOP_CLASS_UID, VR::UI, &instance.sop_class);
    out.text(tags::REFERENCED_SOP_INSTANCE_UID, VR::UI, &instance.uid);
}

fn content(out: &mut Out, manifest: &Manifest, profile: Profile) {
    out.text(tags::VALUE_TYPE, VR::CS, "CONTAINER");
    let title = match profile {
        Profile::Mado => MANIFEST_WITH_DESCRIPTION,
        Profile::XdsI => MANIFEST,
    };
    code(out, tags::CONCEPT_NAME_CODE_SEQUENCE, title);
    out.text(tags::CONTINUITY_OF_CONTENT, VR::CS, "SEPARATE");
    out.sequence(tags::CONTENT_TEMPLATE_SEQUENCE, |out| {
        out.item(|out| {
            out.text(tags::MAPPING_RESOURCE, VR::CS, "DCMR");
            out.text(tags::TEMPLATE_IDENTIFIER, VR::CS, "2010");
        });
    });
    out.sequence(tags::CONTENT_SEQUENCE, |out| {
        if profile == Profile::Mado {
            out.item(|out| library(out, manifest));
        }
        for instance in manifest.series.iter().flat_map(|series| &series.instances) {
            out.item(|out| {
                content_item(out, CONTAINS, value_type(instance), None);
                out.sequence(tags::REFERENCED_SOP_SEQUENCE, |out| {
                    out.item(|out| referenced(out, instance));
                });
            });
        }
    });
}

/// PS3.16 TID 1600: an image library, a group a series.
fn library(out: &mut Out, manifest: &Manifest) {
    content_item(out, CONTAINS, "CONTAINER", Some(IMAGE_LIBRARY));
    out.text(tags::CONTINUITY_OF_CONTENT, VR::CS, "SEPARATE");
    out.sequence(tags::CONTENT_SEQUENCE, |out| {
        for modality in manifest.modalities() {
            coded(out, MODALITY, (modality, "DCM", modality));
        }
        if let Some(region) = manifest.region() {
            coded(out, TARGET_REGION, (region.code, "SCT", region.meaning));
        }
        number(out, NUMBER_OF_SERIES, manifest.series.len(), ("{series}", "UCUM", "series"));
        for series in &manifest.series {
            out.item(|out| group(out, series));
        }
    });
}

/// An image library group: its series' own facts (PS3.16 TID 1602), then its instances (TID 1601).
fn group(out: &mut Out, series: &ManifestSeries) {
    content_item(out, CONTAINS, "CONTAINER", Some(LIBRARY_GROUP));
    out.text(tags::CONTINUITY_OF_CONTENT, VR::CS, "SEPARATE");
    out.sequence(tags::CONTENT_SEQUENCE, |out| {
        if !series.modality.is_empty() {
            coded(out, MODALITY, (&series.modality, "DCM", &series.modality));
        }
        valued(out, "DATE", SERIES_DATE, (tags::DATE, VR::DA), &series.date);
        valued(out, "TIME", SERIES_TIME, (tags::TIME, VR::TM), &series.time);
        let text = (tags::TEXT_VALUE, VR::UT);
        valued(out, "TEXT", SERIES_DESCRIPTION, text, &series.description);
        valued(out, "TEXT", SERIES_NUMBER, text, &series.number);
        if let Some(region) = region(&series.body_part) {
            coded(out, TARGET_REGION, (region.code, "SCT", region.meaning));
        }
        valued(out, "UIDREF", SERIES_UID, (tags::UID, VR::UI), &series.uid);
        let instances = series.instances.len().to_string();
        valued(out, "TEXT", NUMBER_OF_INSTANCES, text, &instances);
        for instance in &series.instances {
            out.item(|out| entry(out, instance));
        }
    });
}

fn entry(out: &mut Out, instance: &ManifestInstance) {
    content_item(out, CONTAINS, value_type(instance), None);
    out.sequence(tags::REFERENCED_SOP_SEQUENCE, |out| out.item(|out| referenced(out, instance)));
    if instance.number.is_empty() && instance.frames < 2 {
        return;
    }
    out.sequence(tags::CONTENT_SEQUENCE, |out| {
        let text = (tags::TEXT_VALUE, VR::UT);
        valued(out, "TEXT", INSTANCE_NUMBER, text, &instance.number);
        if instance.frames > 1 {
            valued(out, "TEXT", NUMBER_OF_FRAMES, text, &instance.frames.to_string());
        }
    });
}

/// What has pixels is an image, all else a composite object.
fn value_type(instance: &ManifestInstance) -> &'static str {
    if instance.frames > 0 { "IMAGE" } else { "COMPOSITE" }
}

/// A content item's beginning (PS3.3 §C.17.3).
fn content_item(out: &mut Out, relation: &str, value_type: &str, name: Option<Code<'_>>) {
    out.text(tags::RELATIONSHIP_TYPE, VR::CS, relation);
    out.text(tags::VALUE_TYPE, VR::CS, value_type);
    if let Some(name) = name {
        code(out, tags::CONCEPT_NAME_CODE_SEQUENCE, name);
    }
}

fn coded(out: &mut Out, name: Code<'_>, value: Code<'_>) {
    out.item(|out| {
        content_item(out, HAS_CONTEXT, "CODE", Some(name));
        code(out, tags::CONCEPT_CODE_SEQUENCE, value);
    });
}

/// A content item of one value; none where there is no value.
fn valued(out: &mut Out, value_type: &str, name: Code<'_>, (tag, vr): (Tag, VR), value: &str) {
    if value.is_empty() {
        return;
    }
    out.item(|out| {
        content_item(out, HAS_CONTEXT, value_type, Some(name));
        out.text(tag, vr, value);
    });
}

fn number(out: &mut Out, name: Code<'_>, value: usize, unit: Code<'_>) {
    out.item(|out| {
        content_item(out, HAS_CONTEXT, "NUM", Some(name));
        out.sequence(tags::MEASURED_VALUE_SEQUENCE, |out| {
            out.item(|out| {
                out.text(tags::NUMERIC_VALUE, VR::DS, &value.to_string());
                code(out, tags::MEASUREMENT_UNITS_CODE_SEQUENCE, unit);
            });
        });
    });
}

fn code(out: &mut Out, tag: Tag, (value, scheme, meaning): Code<'_>) {
    out.sequence(tag, |out| {
        out.item(|out| {
            out.text(tags::CODE_VALUE, VR::SH, value);
            out.text(tags::CODING_SCHEME_DESIGNATOR, VR::SH, scheme);
            out.text(tags::CODE_MEANING, VR::LO, meaning);
        });
    });
}

/// A data set as it is written.
struct Out(DataSetWriter);

impl Out {
    fn text(&mut self, tag: Tag, vr: VR, text: &str) {
        self.0.begin(tag, vr);
        if !text.is_empty() {
            self.0.value(Some(text));
        }
        self.0.end();
    }

    fn sequence(&mut self, tag: Tag, items: impl FnOnce(&mut Self)) {
        self.0.begin_sequence(tag);
        items(self);
        self.0.end_sequence();
    }

    fn item(&mut self, elements: impl FnOnce(&mut Self)) {
        self.0.begin_item();
        elements(self);
        self.0.end_item();
    }
}

/// Value, scheme, meaning.
type Code<'a> = (&'a str, &'a str, &'a str);

const EXPLICIT_LITTLE: &str = "1.2.840.10008.1.2.1";

const CONTAINS: &str = "CONTAINS";
const HAS_CONTEXT: &str = "HAS ACQ CONTEXT";

const MANIFEST: Code<'_> = ("113030", "DCM", "Manifest");
const MANIFEST_WITH_DESCRIPTION: Code<'_> = ("MADOTEMP001", "99IHE", "Manifest with Description");
const IMAGE_LIBRARY: Code<'_> = ("111028", "DCM", "Image Library");
const LIBRARY_GROUP: Code<'_> = ("126200", "DCM", "Image Library Group");
const MODALITY: Code<'_> = ("121139", "DCM", "Modality");
const TARGET_REGION: Code<'_> = ("123014", "DCM", "Target Region");
const NUMBER_OF_SERIES: Code<'_> = ("MADOTEMP009", "99IHE", "Number of Study Related Series");
const SERIES_DATE: Code<'_> = ("MADOTEMP003", "99IHE", "Series Date");
const SERIES_TIME: Code<'_> = ("MADOTEMP004", "99IHE", "Series Time");
const SERIES_DESCRIPTION: Code<'_> = ("MADOTEMP002", "99IHE", "Series Description");
const SERIES_NUMBER: Code<'_> = ("113607", "DCM", "Series Number");
const SERIES_UID: Code<'_> = ("112002", "DCM", "Series Instance UID");
const NUMBER_OF_INSTANCES: Code<'_> =
    ("MADOTEMP007", "99IHE", "Number of Series Related Instances");
const INSTANCE_NUMBER: Code<'_> = ("113609", "DCM", "Instance Number");
const NUMBER_OF_FRAMES: Code<'_> = ("121140", "DCM", "Number of Frames");
