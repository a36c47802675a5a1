//! A study's manifest, made of the index whenever it is asked for: what the study holds now, whose it is,
//! where each series is fetched. As soon as the study changes its manifest is another one.
//!
//! Lists need of it what its instances do not say, and its name ([`Outline`]): of the instances a digest is
//! kept, which is another one when a series' revision is.

use std::collections::BTreeMap;

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
use crate::fascicolo::fascicolo::may;
use crate::fascicolo::manifest_name::{derived_uid, digest, key_of, named};
use crate::index::fascicolo::StudiesOf;
use crate::index::pages::InstanceFound;
use crate::index::pages::Page;
use crate::index::pages::PersonRule;
use crate::index::pages::SeriesFound;
use crate::index::pages::StudyFound;
use crate::index::query::Level;
use crate::index::query::Query;
use crate::model::document::Reference;
use crate::model::document::ReferenceKind;
use crate::model::link::Waiting;
use crate::model::path::Scope;
use crate::model::person::Person;
use crate::people::patient_id::PatientId;

/// The most instances a manifest lists.
const MOST_INSTANCES: u32 = 1_000_000;
/// What an instance takes while manifests are made of it, about.
const INSTANCE_BYTES: u64 = 512;
/// The most memory that is asked for at a time.
const MOST_WEIGHT: u64 = 64 * 1024 * 1024;
/// Instances that are worked on where one is: some hundred microseconds.
const FEW_INSTANCES: usize = 1000;

/// How URLs of this archive are written.
pub trait Addresses {
    /// Where DICOMweb begins.
    fn root(&self) -> String;
    /// A series.
    fn series(&self, study: &Uid, series: &Uid) -> String;
}

/// A manifest before its instances are read; only who may read its study is given one.
#[derive(Debug, Clone)]
pub struct Outline {
    /// Row of its study.
    pub study: i64,
    /// When the study's objects last changed, µs since 1970.
    pub changed_us: i64,
    /// What it says; its series are without their instances, and it has no name yet.
    pub manifest: Manifest,
    /// Rows of its series, in their order.
    series: Vec<i64>,
    /// What its instances are kept by.
    key: String,
}

/// What a manifest is written of, beside what lies below the study.
struct Head {
    row: i64,
    uid: String,
    patient_id: PatientId,
    /// Attributes, DICOM JSON.
    patient: String,
    study: String,
    person: Option<i64>,
}

/// Rows of several studies that manifests are made of.
#[derive(Default)]
struct Rows {
    series: Vec<SeriesFound>,
    references: Vec<(i64, Reference)>,
    people: Vec<Person>,
    keepers: BTreeMap<i64, Keeper>,
}

impl Fascicolo {
    /// The manifest of a study as it begins.
    pub async fn manifest_outline(
        &self,
        permit: &Permit,
        scope: &Scope,
        addresses: &(dyn Addresses + Sync),
    ) -> Result<Outline, FascicoloError> {
        let unknown = FascicoloError::Unknown("this study");
        let archive = &self.inner.archive;
        let series = archive.series_states(permit, scope).await?;
        let first = series.first().ok_or(unknown.clone())?;
        let of = StudiesOf::Series(first.id);
        let brief = self.inner.index.studies(&of, 1).await?.pop().ok_or(unknown.clone())?;
        let query = Query {
            level: Level::Study,
            study: Some(scope.study.clone()),
            series: None,
            patient: first.scope.patient.clone(),
            matches: Vec::new(),
            order: Vec::new(),
            limit: 1,
            offset: 0,
        };
        let found = archive.search(permit, &query).await?.pop().ok_or(unknown.clone())?;
        let head = Head {
            row: brief.id,
            uid: brief.uid,
            patient_id: found.patient_id,
            patient: found.patient,
            study: found.study,
            person: brief.person,
        };
        self.outlined(&[head], addresses).await?.pop().ok_or(unknown)
    }

    /// The manifests of studies as they begin; of one that is gone meanwhile there is none.
    pub async fn manifest_outlines(
        &self,
        permit: &Permit,
        found: &[StudyFound],
        addresses: &(dyn Addresses + Sync),
    ) -> Result<Vec<Outline>, FascicoloError> {
        may(permit)?;
        let head = |study: &StudyFound| Head {
            row: study.row,
            uid: study.uid.clone(),
            patient_id: study.patient.clone(),
            patient: study.patient_attributes.clone(),
            study: study.attributes.clone(),
            person: Some(study.person),
        };
        let heads: Vec<Head> = found.iter().map(head).collect();
        self.outlined(&heads, addresses).await
    }

    /// Gives a manifest its name. The instances are read unless they were since they last changed.
    pub async fn name_manifest(&self, outline: &mut Outline) -> Result<(), FascicoloError> {
        let content = if let Some(content) = self.inner.manifests.get(&outline.key) {
            content
        } else {
            let instances = self.instances_below(outline).await?;
            metrics::counter!("lastra_manifest_digests_total").increment(1);
            let many = instances.len();
            let content = self.off_thread(many, move || digest(&instances)).await?;
            self.keep(outline, content);
            content
        };
        outline.name(&content);
        Ok(())
    }

    /// A manifest whole, by its name.
    pub async fn whole_manifest(&self, mut outline: Outline) -> Result<Manifest, FascicoloError> {
        let instances = self.instances_below(&outline).await?;
        if instances.len() >= usize::try_from(MOST_INSTANCES).unwrap_or(usize::MAX) {
            return Err(FascicoloError::Refused(
                "the study has more objects than a manifest lists",
            ));
        }
        let many = instances.len();
        let filled = move || {
            let content = digest(&instances);
            outline.name(&content);
            outline.fill(instances);
            (outline, content)
        };
        let (outline, content) = self.off_thread(many, filled).await?;
        self.keep(&outline, content);
        Ok(outline.manifest)
    }

    /// Work on so many instances: few take less time here than a place on the pool is waited for.
    async fn off_thread<T: Send + 'static>(
        &self,
        instances: usize,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, FascicoloError> {
        if instances <= FEW_INSTANCES {
            return Ok(work());
        }
        let weight = u64::try_from(instances).unwrap_or(u64::MAX).saturating_mul(INSTANCE_BYTES);
        self.compute(weight.min(MOST_WEIGHT), work).await
    }

    async fn instances_below(
        &self,
        outline: &Outline,
    ) -> Result<Vec<InstanceFound>, FascicoloError> {
        Ok(self.inner.index.instances_of_study(outline.study, MOST_INSTANCES).await?)
    }

    fn keep(&self, outline: &Outline, content: [u8; 32]) {
        self.inner.manifests.put(outline.key.clone(), content, 32);
    }

    async fn outlined(
        &self,
        heads: &[Head],
        addresses: &(dyn Addresses + Sync),
    ) -> Result<Vec<Outline>, FascicoloError> {
        let rows = self.rows_below(heads).await?;
        let outline = |head: &Head| {
            // Before the instances: a digest is never kept by what came after it.
            let first = rows.series.partition_point(|series| series.study < head.row);
            let own = rows.series.iter().skip(first).take_while(|series| series.study == head.row);
            let series: Vec<&SeriesFound> = own.filter(|series| series.instances > 0).collect();
            let changed_us = series.iter().map(|series| series.changed_us).max()?;
            let mut manifest = rows.begun(head);
            manifest.root_url = addresses.root();
            let parts = series
                .iter()
                .filter_map(|series| Some((series.row, part(head, series, addresses)?)));
            let (listed, parts) = parts.unzip();
            manifest.series = parts;
            manifest.location_uid = if self.inner.location_uid.is_empty() {
                derived_uid(&["location", &manifest.root_url])
            } else {
                self.inner.location_uid.clone()
            };
            let moment = jiff::Timestamp::from_microsecond(changed_us).unwrap_or_default();
            manifest.made = moment.strftime("%Y%m%d%H%M%S").to_string();
            let key = key_of(head.row, &series);
            Some(Outline { study: head.row, changed_us, manifest, series: listed, key })
        };
        Ok(heads.iter().filter_map(outline).collect())
    }

    async fn rows_below(&self, heads: &[Head]) -> Result<Rows, FascicoloError> {
        let index = &self.inner.index;
        let studies: Vec<i64> = heads.iter().map(|head| head.row).collect();
        if studies.is_empty() {
            return Ok(Rows::default());
        }
        let mut people: Vec<i64> = heads.iter().filter_map(|head| head.person).collect();
        people.sort_unstable();
        people.dedup();
        let waiting: Vec<Waiting> = studies.iter().map(|row| Waiting::Study(*row)).collect();
        let page =
            Page { limit: u32::try_from(people.len()).unwrap_or(u32::MAX), ..Page::default() };
        let people = if people.is_empty() {
            Vec::new()
        } else {
            index.people_page(&[PersonRule::Row(people)], &page).await?
        };
        Ok(Rows {
            series: index.series_of_studies(&studies).await?,
            references: index.references_of(&waiting).await?,
            people: people.into_iter().map(|found| found.person).collect(),
            keepers: self.keepers(&studies).await?,
        })
    }
}

impl Outline {
    /// Everything it says is in its name: another name as soon as anything is another.
    fn name(&mut self, content: &[u8; 32]) {
        self.manifest.uid.clear();
        let mut hash = Sha256::new();
        hash.update(content);
        hash.update(self.changed_us.to_le_bytes());
        hash.update(format!("{:?}", self.manifest));
        self.manifest.uid = named(self.study, &hash.finalize().into());
    }

    fn fill(&mut self, instances: Vec<InstanceFound>) {
        let mut of_series: BTreeMap<i64, Vec<ManifestInstance>> = BTreeMap::new();
        for found in instances {
            of_series.entry(found.series).or_default().push(ManifestInstance {
                uid: found.uid,
                sop_class: found.sop_class,
                number: found.number,
                frames: found.frames,
            });
        }
        for (series, row) in self.manifest.series.iter_mut().zip(&self.series) {
            series.instances = of_series.remove(row).unwrap_or_default();
        }
    }
}

impl Rows {
    /// What a manifest says of patient and study.
    fn begun(&self, head: &Head) -> Manifest {
        let (patient, study) = (Attributes::of(&head.patient), Attributes::of(&head.study));
        let mut id = Assigned {
            value: head.patient_id.value.clone(),
            assigner: head.patient_id.issuer.clone(),
        };
        let mut others = Vec::new();
        let person = self.people.iter().find(|person| Some(person.id) == head.person);
        if let Some(person) = person {
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
        let number = study.text("00080050");
        let own = || self.references.iter().filter(|(row, _)| *row == head.row);
        let of_kind = |kind: ReferenceKind, value: Option<&str>| {
            let mut found = own().map(|(_, reference)| reference).filter(|reference| {
                reference.kind == kind && value.is_none_or(|value| reference.value == value)
            });
            found.next().map(|reference| Assigned {
                value: reference.value.clone(),
                assigner: reference.assigner.clone(),
            })
        };
        let accession = of_kind(ReferenceKind::Accession, Some(&number));
        Manifest {
            series_uid: derived_uid(&["series", &head.uid, &id.assigner, &id.value]),
            organisation: self.keepers.get(&head.row).cloned().unwrap_or_default(),
            patient: ManifestPatient {
                issuer_name: patient.text("00100021"),
                id,
                others,
                name: patient.text("00100010"),
                birth_date: patient.text("00100030"),
                sex: patient.text("00100040"),
            },
            study_uid: head.uid.clone(),
            study_date: study.text("00080020"),
            study_time: study.text("00080030"),
            study_id: study.text("00200010"),
            description: study.text("00081030"),
            referring: study.text("00080090"),
            accession: accession.unwrap_or(Assigned { value: number, assigner: String::new() }),
            order: of_kind(ReferenceKind::Order, None).unwrap_or_default(),
            ..Manifest::default()
        }
    }
}

/// What a manifest says of a series, its instances left out.
fn part(
    head: &Head,
    series: &SeriesFound,
    addresses: &(dyn Addresses + Sync),
) -> Option<ManifestSeries> {
    let (study, uid) = (Uid::parse(&head.uid).ok()?, Uid::parse(&series.uid).ok()?);
    let attributes = Attributes::of(&series.attributes);
    Some(ManifestSeries {
        uid: series.uid.clone(),
        modality: attributes.text("00080060"),
        number: attributes.text("00200011"),
        description: attributes.text("0008103E"),
        body_part: attributes.text("00180015"),
        date: attributes.first(&["00080021", "00400244"]),
        time: attributes.first(&["00080031", "00400245"]),
        url: addresses.series(&study, &uid),
        instances: Vec::new(),
    })
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

#[cfg(test)]
mod tests {
    use super::Attributes;

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
