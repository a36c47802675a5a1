//! `GET /fhir/Patient/{id}/$everything`: what is in somebody's fascicolo, page by page.

use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::Response;

use crate::fhir::asked::{DEFAULT_COUNT, MOST_COUNT};
use crate::fhir::bundle::{Answer, body};
use crate::fhir::cursor::Cursor;
use crate::fhir::dates::micros;
use crate::fhir::door::{Consultation, Door};
use crate::fhir::kind::Kind;
use crate::fhir::listing::Wanted;
use crate::fhir::manifest_rules::of_all;
use crate::fhir::negotiate::{is_strict, takes_json};
use crate::fhir::outcome::Refusal;
use crate::fhir::provenance::provenance;
use crate::fhir::recording::Shown;
use crate::fhir::report::in_force;
use crate::fhir::resource::Resource;
use crate::fhir::search::cut;
use crate::fhir::tokens::values;
use crate::http::base::Base;
use crate::http::caller::Caller;
use crate::http::problem::Problem;
use crate::http::query_string::QueryString;
use crate::index::pages::{
    DocumentFound, DocumentRule, LinkFound, LinkRule, Micros, Page, Place, StudyFound, StudyRule,
};
use crate::model::ids;

/// What is listed, one behind the other.
const STAGES: [Kind; 6] = [
    Kind::Patient,
    Kind::Endpoint,
    Kind::ImagingStudy,
    Kind::DiagnosticReport,
    Kind::DocumentReference,
    Kind::Provenance,
];

/// What is asked of a fascicolo.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Everything {
    count: u32,
    kinds: Vec<Kind>,
    since: Option<Micros>,
    cursor: Cursor,
    ignored: Vec<String>,
    repeated: Vec<(String, String)>,
}

/// `GET /fhir/Patient/{id}/$everything`
pub async fn everything(
    State(door): State<Door>,
    caller: Caller,
    base: Result<Base, Problem>,
    Path(id): Path<String>,
    query: Result<QueryString, Problem>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let query = query?;
    takes_json(&headers, &query)?;
    let asked = Everything::parse(&query, is_strict(&headers))?;
    let consultation = door.consult(&caller, &base?)?;
    let person = ids::person(&id).ok_or_else(Refusal::not_found)?;
    let patient = consultation.person(person).await?.ok_or_else(Refusal::not_found)?;
    let answer = consultation.everything(person, patient, &asked).await?;
    let path = format!("Patient/{id}/$everything");
    let shown = Shown::of(&answer.matches).and([person]);
    Ok(shown.on(body(&answer.bundle(&consultation.base, &path, &asked.repeated), false)))
}

impl Everything {
    fn parse(query: &QueryString, strict: bool) -> Result<Self, Refusal> {
        let mut asked = Self {
            count: DEFAULT_COUNT,
            kinds: STAGES.to_vec(),
            since: None,
            cursor: Cursor::default(),
            ignored: Vec::new(),
            repeated: Vec::new(),
        };
        for (name, value) in query.iter() {
            let bad = |says: &str| Refusal::parameter(name, says);
            match name {
                "_count" => {
                    let count: u32 = value.parse().map_err(|_| bad("a whole number from 1 on"))?;
                    asked.count = count.clamp(1, MOST_COUNT);
                }
                "_type" => {
                    let names = values(value).map_err(bad)?;
                    asked.kinds.retain(|kind| names.iter().any(|name| name == kind.name()));
                }
                "_since" => asked.since = Some(micros(&format!("ge{value}")).map_err(bad)?),
                "_cursor" => {
                    asked.cursor = Cursor::parse(value).ok_or_else(|| bad("no cursor of ours"))?;
                    continue;
                }
                "_format" | "_pretty" => {}
                _ if strict => return Err(bad("$everything takes _count, _since and _type")),
                _ => {
                    asked.ignored.push(name.chars().filter(|c| !c.is_control()).take(64).collect());
                    continue;
                }
            }
            asked.repeated.push((name.to_owned(), value.to_owned()));
        }
        Ok(asked)
    }
}

impl Consultation {
    async fn everything(
        &self,
        person: i64,
        patient: Resource,
        asked: &Everything,
    ) -> Result<Answer, Refusal> {
        let mut answer = Answer { ignored: asked.ignored.clone(), ..Answer::default() };
        let mut cursor = asked.cursor.clone();
        while let Some(kind) = STAGES.get(usize::from(cursor.stage)).copied() {
            let taken = u32::try_from(answer.matches.len()).unwrap_or(u32::MAX);
            let room = asked.count.saturating_sub(taken);
            if room == 0 {
                answer.next = Some(cursor);
                return Ok(answer);
            }
            let next = if asked.kinds.contains(&kind) {
                let (found, next) =
                    self.stage(kind, person, &patient, asked, &cursor, room).await?;
                answer.matches.extend(found);
                next
            } else {
                None
            };
            cursor = next.unwrap_or(Cursor::new(cursor.stage.saturating_add(1), None));
        }
        Ok(answer)
    }

    async fn stage(
        &self,
        kind: Kind,
        person: i64,
        patient: &Resource,
        asked: &Everything,
        cursor: &Cursor,
        room: u32,
    ) -> Result<(Vec<Resource>, Option<Cursor>), Refusal> {
        let page =
            &Page { after: cursor.after.clone(), limit: room.saturating_add(1), ..Page::default() };
        let at = |place: Option<Place>| place.map(|at| Cursor::new(cursor.stage, Some(at)));
        let since = asked.since.into_iter().collect::<Vec<_>>();
        let people = vec![person];
        Ok(match kind {
            Kind::Patient => {
                let known = asked.since.and_then(|since| since.from);
                let is_new = known.is_none_or(|since| patient.changed_us >= since);
                (is_new.then(|| patient.clone()).into_iter().collect(), None)
            }
            Kind::Endpoint => (self.endpoints().into_iter().take(1).collect(), None),
            Kind::ImagingStudy => {
                let mut rules = vec![StudyRule::Person(people)];
                if !since.is_empty() {
                    rules.push(StudyRule::Changed(since));
                }
                let found = self.fascicolo.studies_page(&self.permit, &rules, page).await?;
                let (found, next) = cut(found, room, StudyFound::place);
                (self.imaging_studies(&found).await?, at(next))
            }
            Kind::DiagnosticReport => {
                let mut rules = vec![DocumentRule::Person(people)];
                if !since.is_empty() {
                    rules.push(DocumentRule::Changed(since));
                }
                rules.extend(in_force());
                let found = self.fascicolo.documents_page(&self.permit, &rules, page).await?;
                let (found, next) = cut(found, room, DocumentFound::place);
                (self.reports(&found).await?, at(next))
            }
            Kind::DocumentReference => {
                let mut documents = vec![DocumentRule::Person(people.clone())];
                let mut studies = vec![StudyRule::Person(people)];
                if !since.is_empty() {
                    documents.push(DocumentRule::Changed(since.clone()));
                    studies.push(StudyRule::Changed(since));
                }
                let wanted = Wanted { documents, manifests: of_all(&studies) };
                let order = Page::default();
                let (found, next) = self.list(&wanted, &order, cursor.clone(), room).await?;
                (self.listed(&found).await?, next)
            }
            _ => {
                let mut rules = vec![LinkRule::Person(people)];
                if !since.is_empty() {
                    rules.push(LinkRule::Made(since));
                }
                let found = self.fascicolo.links_page(&self.permit, &rules, page).await?;
                let place = |found: &LinkFound| Place { row: found.link.id, ..Place::default() };
                let (found, next) = cut(found, room, place);
                (found.iter().map(provenance).collect(), at(next))
            }
        })
    }
}
