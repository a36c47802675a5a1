//! What belongs together: a document and a study that share a number. By Study Instance UID, else by
//! accession number and issuer, else by order number; never by person and date.
//!
//! Every link says what it rests on, and can be undone and made again. What somebody undid is not
//! made again by itself. A document and a study of two people are never linked: that waits as a
//! conflict.

use serde_json::json;

use crate::access::permit::Permit;
use crate::dicom::person_name::fold;
use crate::fascicolo::error::FascicoloError;
use crate::fascicolo::fascicolo::Fascicolo;
use crate::fascicolo::fascicolo::may;
use crate::fascicolo::recognise::NRE;
use crate::index::fascicolo::DocumentsOf;
use crate::index::fascicolo::Linked;
use crate::index::fascicolo::LinksOf;
use crate::index::fascicolo::StudiesOf;
use crate::model::document::Document;
use crate::model::document::Reference;
use crate::model::document::ReferenceKind;
use crate::model::link::ItemKind;
use crate::model::link::Link;
use crate::model::link::Method;
use crate::model::link::NewLink;
use crate::model::link::StudyBrief;
use crate::model::link::Waiting;
use crate::people::candidate::Profile;
use crate::people::candidate::Reason;
use crate::people::candidate::compare;

/// Who makes links that nobody asked for.
pub const ITSELF: &str = "lastra";
/// Documents looked at again when a study arrives.
const MOST_DOCUMENTS: usize = 200;

/// A number of a document, and by which kind of evidence it came: an order's other numbers are
/// evidence by the order.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Named {
    reference: Reference,
    by: ReferenceKind,
}

/// A study that shares a number with a document.
#[derive(Debug, Clone)]
struct Match {
    study: StudyBrief,
    named: Named,
    /// Whether both sides name the same issuer, or the number needs none.
    issuer_agrees: bool,
}

/// What to do with a match.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Link,
    Conflict,
    Nothing,
}

impl Fascicolo {
    /// Looks for what a study belongs to, once its numbers are known.
    pub(in crate::fascicolo) async fn link_study(&self, study: i64) -> Result<(), FascicoloError> {
        let index = &self.inner.index;
        let own = index.references(Waiting::Study(study)).await?;
        let mut numbers: Vec<Reference> = own.clone();
        for order in index.orders_sharing(&own).await? {
            numbers.extend(order_numbers(&order));
        }
        let mut documents: Vec<i64> =
            index.documents_sharing(&numbers).await?.into_iter().map(|shared| shared.id).collect();
        documents.sort_unstable();
        documents.dedup();
        for document in documents.into_iter().take(MOST_DOCUMENTS) {
            self.link_document(document).await?;
        }
        Ok(())
    }

    /// Looks for the studies a document belongs to; what is found does not depend on what came first.
    pub(in crate::fascicolo) async fn link_document(&self, id: i64) -> Result<(), FascicoloError> {
        let (index, now) = (&self.inner.index, self.now_us());
        let Some(document) = index.documents(DocumentsOf::Id(id), 1).await?.pop() else {
            return Ok(());
        };
        let waiting = Waiting::Document(id);
        let named = self.named(id).await?;
        let (mut linked, mut conflicts) = (false, Vec::new());
        for kind in ReferenceKind::ALL {
            let matches = self.matches(&named, kind).await?;
            let alone = matches.len() == 1;
            for found in &matches {
                match verdict(&document, found, alone) {
                    Verdict::Nothing => {}
                    Verdict::Conflict => conflicts.push(found.clone()),
                    Verdict::Link => {
                        linked |= self.make_link(&document, found).await?;
                    }
                }
            }
            if linked || !conflicts.is_empty() {
                // A weaker number does not overrule a stronger one.
                break;
            }
        }
        let active = index.links(LinksOf::Document(id)).await?;
        linked |= active.iter().any(|link| link.undone.is_none());
        if linked {
            index.close_item(ItemKind::Unlinked, waiting, "linked", "", now).await?;
            index.close_item(ItemKind::PersonConflict, waiting, "linked", "", now).await?;
        } else if conflicts.is_empty() {
            index.open_item(ItemKind::Unlinked, waiting, "{}", now).await?;
        } else {
            let facts: Vec<_> = conflicts.iter().map(conflict).collect();
            let facts = json!({ "person": document.person, "studies": facts }).to_string();
            index.open_item(ItemKind::PersonConflict, waiting, &facts, now).await?;
            index.close_item(ItemKind::Unlinked, waiting, "conflict", "", now).await?;
        }
        Ok(())
    }

    /// Links a document and a study because somebody says so.
    pub async fn link_by_hand(
        &self,
        permit: &Permit,
        document: i64,
        study_uid: &str,
        actor: &str,
    ) -> Result<i64, FascicoloError> {
        may(permit)?;
        let (index, now) = (&self.inner.index, self.now_us());
        let found = index.documents(DocumentsOf::Id(document), 1).await?.pop();
        let found = found.ok_or(FascicoloError::Unknown("this document"))?;
        let studies = index.studies(&StudiesOf::Uid(study_uid.to_owned()), 2).await?;
        let study = match studies.as_slice() {
            [] => return Err(FascicoloError::Unknown("this study")),
            [study] => study,
            several => several
                .iter()
                .find(|study| study.person.is_some() && study.person == found.person)
                .ok_or(FascicoloError::Refused("the study is kept under several patients"))?,
        };
        if let (Some(one), Some(other)) = (found.person, study.person)
            && one != other
        {
            return Err(FascicoloError::Refused(
                "document and study are of two people: merge them, or assign one, first",
            ));
        }
        let new = NewLink {
            document,
            study: study.id,
            method: Method::Manual,
            evidence: json!({ "study": study_uid }).to_string(),
            actor: actor.to_owned(),
        };
        let (Linked::Made(id) | Linked::Known(id) | Linked::Undone(id)) =
            index.link(&new, true, now).await?;
        let waiting = Waiting::Document(document);
        for kind in [ItemKind::Unlinked, ItemKind::PersonConflict] {
            index.close_item(kind, waiting, "linked", actor, now).await?;
        }
        tracing::info!(link = id, "document and study linked by hand");
        Ok(id)
    }

    /// Undoes a link; it is not made again by itself.
    pub async fn unlink(
        &self,
        permit: &Permit,
        link: i64,
        actor: &str,
    ) -> Result<(), FascicoloError> {
        may(permit)?;
        if !self.inner.index.unlink(link, actor, self.now_us()).await? {
            return Err(FascicoloError::Unknown("this link, or it is undone already"));
        }
        if let Some(link) = self.inner.index.links(LinksOf::Id(link)).await?.pop() {
            self.link_document(link.document).await?;
        }
        tracing::info!(link, "link undone");
        Ok(())
    }

    /// Links of a document or study, undone ones too.
    pub async fn links(&self, permit: &Permit, of: LinksOf) -> Result<Vec<Link>, FascicoloError> {
        may(permit)?;
        Ok(self.inner.index.links(of).await?)
    }

    /// A document's numbers, and those its orders add.
    async fn named(&self, document: i64) -> Result<Vec<Named>, FascicoloError> {
        let own = self.inner.index.references(Waiting::Document(document)).await?;
        let orders = self.inner.index.orders_sharing(&own).await?;
        let mut named: Vec<Named> =
            own.into_iter().map(|reference| Named { by: reference.kind, reference }).collect();
        for order in &orders {
            for reference in order_numbers(order) {
                if !named.iter().any(|known| known.reference == reference) {
                    named.push(Named { reference, by: ReferenceKind::Order });
                }
            }
        }
        Ok(named)
    }

    /// Studies that share a number of that evidence, each once, those whose issuer agrees first.
    async fn matches(
        &self,
        named: &[Named],
        by: ReferenceKind,
    ) -> Result<Vec<Match>, FascicoloError> {
        let index = &self.inner.index;
        let wanted: Vec<&Named> = named.iter().filter(|named| named.by == by).collect();
        let references: Vec<Reference> =
            wanted.iter().map(|named| named.reference.clone()).collect();
        let mut matches: Vec<Match> = Vec::new();
        for shared in index.studies_sharing(&references).await? {
            let pairs = wanted.iter().filter(|named| {
                named.reference.kind == shared.reference.kind
                    && named.reference.value == shared.reference.value
            });
            let best = pairs
                .filter_map(|named| {
                    let (ours, theirs) = (&named.reference.assigner, &shared.reference.assigner);
                    let agrees = ours == theirs && !ours.is_empty()
                        || named.reference.kind == ReferenceKind::Study;
                    // Two issuers give the same number to two things.
                    let possible = agrees || ours.is_empty() || theirs.is_empty();
                    possible.then_some((agrees, *named))
                })
                .max_by_key(|(agrees, _)| *agrees);
            let Some((issuer_agrees, named)) = best else { continue };
            if let Some(known) = matches.iter_mut().find(|found| found.study.id == shared.id) {
                known.issuer_agrees |= issuer_agrees;
                continue;
            }
            if let Some(study) = index.studies(&StudiesOf::Row(shared.id), 1).await?.pop() {
                matches.push(Match { study, named: named.clone(), issuer_agrees });
            }
        }
        if matches.iter().any(|found| found.issuer_agrees) {
            matches.retain(|found| found.issuer_agrees);
        }
        Ok(matches)
    }

    /// Makes a link of a match; false when somebody undid it before.
    async fn make_link(&self, document: &Document, found: &Match) -> Result<bool, FascicoloError> {
        let reference = &found.named.reference;
        let evidence = json!({
            "kind": reference.kind.as_str(), "value": reference.value, "issuer": reference.assigner,
            "issuer_agrees": found.issuer_agrees, "by": found.named.by.as_str(),
        });
        let new = NewLink {
            document: document.id,
            study: found.study.id,
            method: Method::Reference(found.named.by),
            evidence: evidence.to_string(),
            actor: ITSELF.to_owned(),
        };
        let linked = self.inner.index.link(&new, false, self.now_us()).await?;
        Ok(!matches!(linked, Linked::Undone(_)))
    }
}

/// The other numbers of an order, as documents and studies may have them.
fn order_numbers(order: &crate::model::order::ImagingOrder) -> Vec<Reference> {
    let reference = |kind, value: &str, assigner: &str| Reference {
        kind,
        assigner: assigner.to_owned(),
        value: value.to_owned(),
    };
    [
        reference(ReferenceKind::Study, &order.study_uid, ""),
        reference(ReferenceKind::Accession, &order.accession.0, &order.accession.1),
        reference(ReferenceKind::Order, &order.placer.0, &order.placer.1),
        reference(ReferenceKind::Order, &order.filler.0, &order.filler.1),
        reference(ReferenceKind::Order, &order.nre, NRE),
    ]
    .into_iter()
    .filter(|reference| !reference.value.is_empty())
    .collect()
}

/// What to do with a match; `alone` when no other study shares the number.
fn verdict(document: &Document, found: &Match, alone: bool) -> Verdict {
    let study = &found.study;
    match (document.person, study.person) {
        (Some(one), Some(other)) if one == other => {
            if found.issuer_agrees || alone {
                Verdict::Link
            } else {
                Verdict::Nothing
            }
        }
        // A number whose issuer nobody names may be another hospital's: no conflict, no link.
        _ if !found.issuer_agrees => Verdict::Nothing,
        (Some(_), Some(_)) => Verdict::Conflict,
        _ if contradicts(document, study) => Verdict::Conflict,
        // A UID under several patients: whose is meant nobody can tell.
        _ if !alone => Verdict::Conflict,
        _ => Verdict::Link,
    }
}

/// Whether name and date of birth both speak against one person.
fn contradicts(document: &Document, study: &StudyBrief) -> bool {
    let profile = |name: String, birth_date: &str, sex: &str| Profile {
        name,
        birth_date: birth_date.to_owned(),
        sex: sex.to_owned(),
        identifiers: Vec::new(),
    };
    let ours = profile(fold(&document.name), &document.birth_date, &document.sex);
    let theirs = profile(study.name.clone(), &study.birth_date, &study.sex);
    let reasons = compare(&ours, &theirs).reasons;
    reasons.contains(&Reason::OtherName) && reasons.contains(&Reason::OtherBirthDate)
}

fn conflict(found: &Match) -> serde_json::Value {
    json!({
        "study": found.study.uid, "person": found.study.person,
        "by": found.named.by.as_str(), "value": found.named.reference.value,
    })
}

#[cfg(test)]
mod tests {
    use super::{Match, Named, Verdict, verdict};
    use crate::model::document::Document;
    use crate::model::document::DocumentKind;
    use crate::model::document::Reference;
    use crate::model::document::ReferenceKind;
    use crate::model::link::StudyBrief;

    fn document(person: Option<i64>, name: &str, birth_date: &str) -> Document {
        Document {
            id: 1,
            person,
            kind: DocumentKind::Cda,
            media_type: String::new(),
            sha256: [0; 32],
            blob_key: String::new(),
            blob_bytes: 0,
            document_id: String::new(),
            set_id: String::new(),
            version: 1,
            superseded_by: None,
            type_code: String::new(),
            title: String::new(),
            effective: String::new(),
            service_date: String::new(),
            findings: String::new(),
            name: name.to_owned(),
            birth_date: birth_date.to_owned(),
            sex: String::new(),
            received_us: 0,
        }
    }

    fn found(person: Option<i64>, issuer_agrees: bool) -> Match {
        let reference = Reference {
            kind: ReferenceKind::Accession,
            assigner: String::new(),
            value: "1".to_owned(),
        };
        Match {
            study: StudyBrief {
                id: 1,
                uid: "1.2".to_owned(),
                person,
                date: String::new(),
                description: String::new(),
                accession: String::new(),
                modalities: String::new(),
                instances: 1,
                name: "ROSSI^MARIO".to_owned(),
                birth_date: "19790211".to_owned(),
                sex: String::new(),
            },
            named: Named { reference, by: ReferenceKind::Accession },
            issuer_agrees,
        }
    }

    #[test]
    fn requirements_8_and_10_a_shared_number_links_conflicts_or_says_nothing() {
        let (mario, other) = (("Rossi^Mario", "19790211"), ("Bianchi^Anna", "19500101"));
        for (person, said, study, issuer_agrees, alone, expected) in [
            (Some(1), mario, Some(1), true, true, Verdict::Link),
            (Some(1), mario, Some(1), true, false, Verdict::Link),
            (Some(1), mario, Some(1), false, true, Verdict::Link),
            (Some(1), mario, Some(1), false, false, Verdict::Nothing),
            (Some(1), mario, Some(2), true, true, Verdict::Conflict),
            (Some(1), mario, Some(2), false, true, Verdict::Nothing),
            (None, mario, Some(2), true, true, Verdict::Link),
            (Some(1), mario, None, true, true, Verdict::Link),
            (None, mario, None, false, true, Verdict::Nothing),
            (None, other, Some(2), true, true, Verdict::Conflict),
            (Some(1), mario, None, true, false, Verdict::Conflict),
        ] {
            let (name, birth_date) = said;
            let document = document(person, name, birth_date);
            let said = verdict(&document, &found(study, issuer_agrees), alone);
            assert_eq!(said, expected, "{person:?} {name} {study:?} {issuer_agrees} {alone}");
        }
    }
}
