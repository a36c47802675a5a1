//! People, episodes, documents, links and what waits as JSON: the same words at the command line and
//! over HTTP. Times are µs since 1970 (`…_us`), days `YYYYMMDD`.

use serde_json::Value;
use serde_json::json;

use crate::fascicolo::queue::Case;
use crate::fascicolo::queue::PersonCandidate;
use crate::fascicolo::timeline::Episode;
use crate::fascicolo::timeline::Timeline;
use crate::model::document::Document;
use crate::model::ids;
use crate::model::link::Link;
use crate::model::link::StudyBrief;
use crate::model::person::Demographics;
use crate::model::person::Merge;
use crate::model::person::Person;

/// A person with what they are known by.
pub fn person(person: &Person) -> Value {
    let identifiers: Vec<Value> = person
        .identifiers
        .iter()
        .map(|known| {
            let id = &known.identifier;
            json!({ "kind": id.kind.as_str(), "assigner": id.assigner, "value": id.value,
                "trust": id.trust.as_str(), "origin": known.origin })
        })
        .collect();
    json!({ "person": person.id, "rows": person.rows, "name": person.name,
        "birth_date": person.birth_date, "sex": person.sex, "identifiers": identifiers })
}

/// What was said of a person's name and birth.
pub fn said(said: &Demographics) -> Value {
    json!({ "row": said.person, "origin": said.origin, "name": said.name,
        "birth_date": said.birth_date, "sex": said.sex, "from_us": said.from_us })
}

/// Two people who were found to be one.
pub fn merge(merge: &Merge) -> Value {
    json!({ "merge": merge.id, "survivor": merge.survivor, "absorbed": merge.absorbed,
        "reason": merge.reason, "by": merge.actor, "at_us": merge.at_us,
        "undone_us": merge.undone_us })
}

/// A person with a page of what they have.
pub fn timeline(timeline: &Timeline) -> Value {
    let mut told = person(&timeline.person);
    told["episodes"] = timeline.episodes.iter().map(episode).collect();
    told
}

fn episode(episode: &Episode) -> Value {
    let documents: Vec<Value> = episode.documents.iter().map(document).collect();
    json!({ "date": episode.date, "images": episode.images.as_str(),
        "study": episode.study.as_ref().map(study), "documents": documents,
        "older_versions": episode.replaced })
}

fn study(study: &StudyBrief) -> Value {
    json!({ "uid": study.uid, "date": study.date, "description": study.description,
        "accession": study.accession, "modalities": study.modalities,
        "instances": study.instances, "person": study.person })
}

/// A document.
pub fn document(document: &Document) -> Value {
    json!({ "document": document.id, "person": document.person, "kind": document.kind.as_str(),
        "title": document.title, "type": document.type_code, "version": document.version,
        "superseded_by": document.superseded_by, "service_date": document.service_date,
        "bytes": document.blob_bytes, "sha256": ids::of_document(&document.sha256),
        "findings": document.findings })
}

/// A link with what it rests on.
pub fn link(link: &Link) -> Value {
    let evidence: Value = serde_json::from_str(&link.evidence).unwrap_or(Value::Null);
    let undone = link.undone.as_ref().map(|(at, by)| json!({ "at_us": at, "by": by }));
    json!({ "link": link.id, "document": link.document, "study": link.study_uid,
        "method": link.method.as_str(), "evidence": evidence, "by": link.actor,
        "made_us": link.made_us, "undone": undone })
}

/// A person something, or somebody, may be.
pub fn candidate(person: &PersonCandidate) -> Value {
    json!({ "person": person.person, "score": person.score, "reasons": person.reasons })
}

/// What waits, with what it may belong to.
pub fn case(case: &Case) -> Value {
    let facts: Value = serde_json::from_str(&case.item.facts).unwrap_or(Value::Null);
    let people: Vec<Value> = case.people.iter().map(candidate).collect();
    let studies: Vec<Value> = case
        .studies
        .iter()
        .map(|s| json!({ "study": study(&s.study), "score": s.score, "reasons": s.reasons }))
        .collect();
    json!({ "item": case.item.id, "kind": case.item.kind.as_str(), "opened_us": case.item.opened_us,
        "document": case.document.as_ref().map(document),
        "study": case.study.as_ref().map(study), "facts": facts, "people": people,
        "studies": studies })
}
