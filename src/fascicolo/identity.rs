//! Whose a study is, and by which numbers documents may name it: read from a series' first header, as a
//! durable job once the series is quiet.

use futures::TryStreamExt;
use serde_json::json;

use crate::access::actor::Actor;
use crate::access::actor::Purpose;
use crate::access::permit::Permit;
use crate::access::permit::Subject;
use crate::dicom::identity::Identity;
use crate::dicom::identity::IdentityCollector;
use crate::dicom::identity::Numbered;
use crate::dicom::syntax::Encoding;
use crate::fascicolo::error::FascicoloError;
use crate::fascicolo::fascicolo::Fascicolo;
use crate::index::fascicolo::StudiesOf;
use crate::index::port::Located;
use crate::model::document::Reference;
use crate::model::document::ReferenceKind;
use crate::model::job::Job;
use crate::model::link::ItemKind;
use crate::model::link::StudyBrief;
use crate::model::link::Waiting;
use crate::model::person::Attached;
use crate::model::person::Origin;
use crate::model::person::Sighted;
use crate::model::person::Sighting;
use crate::people::identifier::Identifier;
use crate::people::identifier::assigner_of;

/// Documents of one series taken: more than any real series of reports.
const MOST_DOCUMENTS: usize = 1000;

impl Fascicolo {
    /// Does a job of a series: whose its study is, which documents belong to it, and the documents
    /// it holds itself. Done twice it leaves the same.
    pub async fn do_job(&self, job: &Job) -> Result<(), FascicoloError> {
        let Some(id) = job.subject.parse::<i64>().ok() else { return Ok(()) };
        let Some(series) = self.inner.index.series(id).await? else { return Ok(()) };
        let Some(study) = self.inner.index.studies(&StudiesOf::Series(id), 1).await?.pop() else {
            return Ok(());
        };
        let access = self.inner.archive.access();
        let subject = Subject::Study(series.scope.study.clone());
        let permit = access.permit(&Actor::System, Purpose::Operation, subject)?;
        let mut instances = self.inner.archive.instances(&permit, &series.scope).await?;
        let Some(first) = instances.try_next().await? else { return Ok(()) };
        let identity = self.identity(&permit, &first).await?;
        let references = self.inner.issuers.references(&study_references(&study, &identity));
        self.inner.index.add_study_references(study.id, &references).await?;
        let numbers = identity.patient_ids.iter().chain(&identity.accessions);
        let assigners = numbers.map(|number| assigner_of(number.assigner()));
        self.mark_study(study.id, id, assigners).await?;
        self.identify_study(&study, &identity).await?;
        self.inner.index.study_changed(study.id, self.now_us()).await?;
        if is_document(&first.sop_class) || is_report(&first.sop_class) {
            self.take_instance(&permit, &study, &first, &identity).await?;
            let mut taken = 1_usize;
            while let Some(next) = instances.try_next().await?
                && taken < MOST_DOCUMENTS
            {
                let identity = self.identity(&permit, &next).await?;
                self.take_instance(&permit, &study, &next, &identity).await?;
                taken = taken.saturating_add(1);
            }
        }
        self.link_study(study.id).await
    }

    /// Takes the document an instance holds or the report it is; what is neither is passed over.
    async fn take_instance(
        &self,
        permit: &Permit,
        study: &StudyBrief,
        located: &Located,
        identity: &Identity,
    ) -> Result<(), FascicoloError> {
        if is_document(&located.sop_class) {
            return self.take_encapsulated(permit, study, located, identity).await;
        }
        if !is_report(&located.sop_class) {
            return Ok(());
        }
        self.take_structured(permit, study, located, identity).await
    }

    /// What an instance's header says of who and which.
    async fn identity(
        &self,
        permit: &Permit,
        located: &Located,
    ) -> Result<Identity, FascicoloError> {
        let make = |encoding| IdentityCollector::new(encoding == Encoding::ExplicitBig);
        Ok(self.inner.archive.visit_header(permit, located, make).await?.finish())
    }

    async fn identify_study(
        &self,
        study: &StudyBrief,
        identity: &Identity,
    ) -> Result<(), FascicoloError> {
        let sighting = Sighting {
            subject: Sighted::Study(study.id),
            identifiers: self.inner.issuers.identifiers(&identifiers(&identity.patient_ids)),
            name: identity.name.clone(),
            birth_date: identity.birth_date.clone(),
            sex: identity.sex.clone(),
            origin: Origin::Dicom,
        };
        self.identify(&sighting, Waiting::Study(study.id)).await.map(drop)
    }

    /// Gives something to the person it is of, or lets it wait with the reason.
    pub(in crate::fascicolo) async fn identify(
        &self,
        sighting: &Sighting,
        waiting: Waiting,
    ) -> Result<Attached, FascicoloError> {
        let (index, now) = (&self.inner.index, self.now_us());
        let attached = index.attach(sighting, now).await?;
        match &attached {
            Attached::Person(_) => {
                for kind in [ItemKind::Unverified, ItemKind::IdentityConflict] {
                    index.close_item(kind, waiting, "identified", "", now).await?;
                }
            }
            Attached::Nobody => {
                let facts = json!({ "identifiers": listed(&sighting.identifiers) }).to_string();
                index.open_item(ItemKind::Unverified, waiting, &facts, now).await?;
            }
            Attached::Conflict(people) => {
                let ids = listed(&sighting.identifiers);
                let facts = json!({ "people": people, "identifiers": ids }).to_string();
                index.open_item(ItemKind::IdentityConflict, waiting, &facts, now).await?;
            }
        }
        Ok(attached)
    }
}

/// Identifiers as they are listed in an item's facts.
fn listed(identifiers: &[Identifier]) -> Vec<serde_json::Value> {
    let one = |id: &Identifier| {
        json!({ "kind": id.kind.as_str(), "assigner": id.assigner, "value": id.value,
            "trust": id.trust.as_str() })
    };
    identifiers.iter().map(one).collect()
}

/// The identifiers of a header.
pub(in crate::fascicolo) fn identifiers(ids: &[Numbered]) -> Vec<Identifier> {
    ids.iter().filter_map(|id| Identifier::read(&id.value, id.assigner())).collect()
}

/// The numbers documents may name a study by.
fn study_references(study: &StudyBrief, identity: &Identity) -> Vec<Reference> {
    let numbered = |kind, id: &Numbered| Reference {
        kind,
        assigner: assigner_of(id.assigner()),
        value: id.value.clone(),
    };
    let uid =
        Reference { kind: ReferenceKind::Study, assigner: String::new(), value: study.uid.clone() };
    let accessions = identity.accessions.iter().map(|id| numbered(ReferenceKind::Accession, id));
    let orders = [&identity.placer, &identity.filler];
    let orders = orders.into_iter().map(|id| numbered(ReferenceKind::Order, id));
    [uid]
        .into_iter()
        .chain(accessions)
        .chain(orders)
        .filter(|reference| !reference.value.is_empty())
        .collect()
}

/// Encapsulated PDF and CDA Storage (PS3.4 Table B.5-1).
fn is_document(sop_class: &str) -> bool {
    matches!(sop_class, "1.2.840.10008.5.1.4.1.1.104.1" | "1.2.840.10008.5.1.4.1.1.104.2")
}

/// Structured reports people write and read: Basic Text, Enhanced, Comprehensive and Comprehensive 3D SR
/// Storage (PS3.4 Table B.5-1).
fn is_report(sop_class: &str) -> bool {
    let class = sop_class.strip_prefix("1.2.840.10008.5.1.4.1.1.88.");
    matches!(class, Some("11" | "22" | "33" | "34"))
}
