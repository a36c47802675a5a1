//! A study's manifest, made of the index whenever it is asked for: what the study holds now, whose it is,
//! where each series is fetched. As soon as the study changes its manifest is another one.

use std::collections::BTreeMap;

use futures::TryStreamExt;
use serde_json::Value;
use sha2::Digest;
use sha2::Sha256;

use crate::access::permit::Permit;
use crate::dicom::uid::Uid;
use crate::documents::manifest::Assigned;
use crate::documents::manifest::Keeper;
use crate::documents::manifest::Manifest;
use crate::documents::manifest::ManifestInstance;
use crate::documents::manifest::ManifestPatient;
use crate::documents::manifest::ManifestSeries;
use crate::fascicolo::error::FascicoloError;
use crate::fascicolo::fascicolo::Fascicolo;
use crate::index::fascicolo::StudiesOf;
use crate::index::query::Found;
use crate::index::query::Level;
use crate::index::query::Query;
use crate::model::document::ReferenceKind;
use crate::model::link::Waiting;
use crate::model::path::Scope;

/// Series of one study listed.
const MOST_SERIES: u32 = 10_000;

/// How URLs of this archive are written.
pub trait Addresses {
    /// Where DICOMweb begins.
    fn root(&self) -> String;
    /// A series.
    fn series(&self, study: &Uid, series: &Uid) -> String;
}

impl Fascicolo {
    /// The manifest of a study.
    pub async fn manifest(
        &self,
        permit: &Permit,
        scope: &Scope,
        addresses: &(dyn Addresses + Sync),
    ) -> Result<Manifest, FascicoloError> {
        let archive = &self.inner.archive;
        let mut of_series: BTreeMap<String, Vec<ManifestInstance>> = BTreeMap::new();
        let mut instances = archive.instances(permit, scope).await?;
        let mut changed_us = 0;
        let mut content = Sha256::new();
        while let Some(located) = instances.try_next().await? {
            changed_us = changed_us.max(located.received_us);
            content.update(located.path.instance.as_str());
            content.update(located.id.to_le_bytes());
            of_series.entry(located.path.series.as_str().to_owned()).or_default().push(
                ManifestInstance {
                    uid: located.path.instance.as_str().to_owned(),
                    sop_class: located.sop_class,
                    number: located.number,
                    frames: located.frames,
                },
            );
        }
        let query = Query {
            level: Level::Series,
            study: Some(scope.study.clone()),
            series: None,
            patient: scope.patient.clone(),
            matches: Vec::new(),
            order: Vec::new(),
            limit: MOST_SERIES,
            offset: 0,
        };
        let found = archive.search(permit, &query).await?;
        let first = found.first().ok_or(FascicoloError::Unknown("this study"))?;
        let mut manifest = self.head(scope, first).await?;
        manifest.root_url = addresses.root();
        for series in &found {
            let Some(part) = &series.series else { continue };
            let attributes = Attributes::of(&part.attributes);
            manifest.series.push(ManifestSeries {
                uid: part.uid.as_str().to_owned(),
                modality: attributes.text("00080060"),
                number: attributes.text("00200011"),
                description: attributes.text("0008103E"),
                body_part: attributes.text("00180015"),
                date: attributes.first(&["00080021", "00400244"]),
                time: attributes.first(&["00080031", "00400245"]),
                url: addresses.series(&scope.study, &part.uid),
                instances: of_series.remove(part.uid.as_str()).unwrap_or_default(),
            });
        }
        manifest.series.retain(|series| !series.instances.is_empty());
        manifest.location_uid = if self.inner.location_uid.is_empty() {
            derived_uid(&["location", &manifest.root_url])
        } else {
            self.inner.location_uid.clone()
        };
        let patient = &manifest.patient.id;
        let own = [&manifest.study_uid, &patient.assigner, &patient.value].map(String::as_str);
        manifest.series_uid = derived_uid(&["series", own[0], own[1], own[2]]);
        // Everything it says is in its name: another name as soon as anything is another.
        content.update(format!("{manifest:?}"));
        let content = content.finalize();
        manifest.uid = uid_of(&content);
        let moment = jiff::Timestamp::from_microsecond(changed_us).unwrap_or_default();
        manifest.made = moment.strftime("%Y%m%d%H%M%S").to_string();
        Ok(manifest)
    }

    /// What a manifest says of patient and study.
    async fn head(&self, scope: &Scope, found: &Found) -> Result<Manifest, FascicoloError> {
        let index = &self.inner.index;
        let (patient, study) = (Attributes::of(&found.patient), Attributes::of(&found.study));
        let uid = scope.study.as_str().to_owned();
        let mut id = Assigned {
            value: found.patient_id.value.clone(),
            assigner: found.patient_id.issuer.clone(),
        };
        let briefs = index.studies(&StudiesOf::Uid(uid.clone()), 64).await?;
        // Of several patients' studies the one whose patient it is has the same birth date and name.
        let birth_date = patient.text("00100030");
        let brief = match briefs.as_slice() {
            [only] => Some(only),
            several => several.iter().find(|brief| {
                brief.birth_date == birth_date && brief.accession == study.text("00080050")
            }),
        };
        let (mut others, mut references) = (Vec::new(), Vec::new());
        let mut organisation = Keeper::default();
        if let Some(brief) = brief {
            organisation = self.keeper(brief.id).await?;
            references = index.references(Waiting::Study(brief.id)).await?;
            if let Some(person) = brief.person
                && let Some(person) = index.person(person).await?
            {
                let known = || person.identifiers.iter().map(|known| &known.identifier);
                // The study may name its issuer by name, the person by the OID it is kept under.
                let own = known().find(|known| known.value == id.value && known.identifies());
                id.assigner = own.map_or(id.assigner, |own| own.assigner.clone());
                let known = known().filter(|known| known.identifies() && known.value != id.value);
                others.extend(known.map(|known| Assigned {
                    value: known.value.clone(),
                    assigner: known.assigner.clone(),
                }));
            }
        }
        let number = study.text("00080050");
        let of_kind = |kind: ReferenceKind, value: Option<&str>| {
            let mut found = references.iter().filter(|reference| {
                reference.kind == kind && value.is_none_or(|value| reference.value == value)
            });
            found.next().map(|reference| Assigned {
                value: reference.value.clone(),
                assigner: reference.assigner.clone(),
            })
        };
        let accession = of_kind(ReferenceKind::Accession, Some(&number));
        Ok(Manifest {
            organisation,
            patient: ManifestPatient {
                issuer_name: patient.text("00100021"),
                id,
                others,
                name: patient.text("00100010"),
                birth_date,
                sex: patient.text("00100040"),
            },
            study_uid: uid,
            study_date: study.text("00080020"),
            study_time: study.text("00080030"),
            study_id: study.text("00200010"),
            description: study.text("00081030"),
            referring: study.text("00080090"),
            accession: accession.unwrap_or(Assigned { value: number, assigner: String::new() }),
            order: of_kind(ReferenceKind::Order, None).unwrap_or_default(),
            ..Manifest::default()
        })
    }
}

/// Attributes in DICOM JSON (PS3.18 §F.2).
struct Attributes(Value);

impl Attributes {
    fn of(text: &str) -> Self {
        Self(serde_json::from_str(text).unwrap_or_default())
    }

    /// The first value of an attribute as text; of a name its alphabetic group.
    fn text(&self, tag: &str) -> String {
        match &self.0[tag]["Value"][0] {
            Value::String(text) => text.clone(),
            Value::Number(number) => number.to_string(),
            Value::Object(name) => {
                name.get("Alphabetic").and_then(Value::as_str).unwrap_or_default().to_owned()
            }
            _ => String::new(),
        }
    }

    /// The first attribute that has a value.
    fn first(&self, tags: &[&str]) -> String {
        tags.iter().map(|tag| self.text(tag)).find(|text| !text.is_empty()).unwrap_or_default()
    }
}

/// A UID made of texts: the same of the same ones (PS3.5 §B.2).
fn derived_uid(texts: &[&str]) -> String {
    let mut hash = Sha256::new();
    for text in texts {
        hash.update(text);
        hash.update([0]);
    }
    uid_of(&hash.finalize())
}

fn uid_of(hash: &[u8]) -> String {
    let bytes = hash.first_chunk::<16>().copied().unwrap_or_default();
    format!("2.25.{}", uuid::Builder::from_custom_bytes(bytes).into_uuid().as_u128())
}

#[cfg(test)]
mod tests {
    use super::{Attributes, derived_uid};

    #[test]
    fn uids_are_made_of_what_they_name_and_valid() {
        let uid = derived_uid(&["a", "b"]);
        assert_eq!(uid, derived_uid(&["a", "b"]));
        assert_ne!(uid, derived_uid(&["ab", ""]));
        assert!(uid.starts_with("2.25.") && uid.len() <= 64, "{uid}");
    }

    #[test]
    fn attributes_are_read_whatever_their_kind() {
        let attributes = Attributes::of(
            "{\"00100010\":{\"vr\":\"PN\",\"Value\":[{\"Alphabetic\":\"A^B\"}]},\
              \"00200011\":{\"vr\":\"IS\",\"Value\":[7]},\"00080060\":{\"vr\":\"CS\",\"Value\":[\"CT\"]}}",
        );
        assert_eq!(attributes.text("00100010"), "A^B");
        assert_eq!(attributes.first(&["00080021", "00200011"]), "7");
        assert_eq!(attributes.text("00080060") + &attributes.text("00000000"), "CT");
        assert_eq!(Attributes::of("no json").text("00080060"), "");
    }
}
