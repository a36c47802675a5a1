//! Searches: `GET /fhir/{type}` and `POST /fhir/{type}/_search` (FHIR R4 §3.1.0.11).

use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};

use crate::fascicolo::error::FascicoloError;
use crate::fhir::asked::{Asked, Total};
use crate::fhir::bundle::{Answer, body};
use crate::fhir::cursor::Cursor;
use crate::fhir::door::{Consultation, Door};
use crate::fhir::fixed::{is_connection, issues};
use crate::fhir::include::Rows;
use crate::fhir::kind::Kind;
use crate::fhir::negotiate::{is_strict, takes_json};
use crate::fhir::outcome::Refusal;
use crate::fhir::provenance::provenance;
use crate::fhir::recording::{InBody, Shown};
use crate::fhir::report::in_force;
use crate::fhir::resource::Resource;
use crate::fhir::tokens::{Token, id_in, values};
use crate::fhir::values::assigner_in;
use crate::http::base::Base;
use crate::http::caller::Caller;
use crate::http::problem::Problem;
use crate::http::query_string::QueryString;
use crate::index::pages::{Counted, Page, Place};
use crate::model::ids;
use crate::people::identifier::Identifier;

/// Up to how many answers are counted when nobody asks for more.
const COUNTED: u32 = 10_000;

/// `GET /fhir/{type}`
pub async fn search(
    State(door): State<Door>,
    caller: Caller,
    base: Result<Base, Problem>,
    Path(kind): Path<String>,
    query: Result<QueryString, Problem>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    answer(&door, &caller, &base?, &kind, &query?, &headers).await
}

/// `POST /fhir/{type}/_search`: parameters in the body, and perhaps some in the address.
pub async fn search_by_post(
    State(door): State<Door>,
    caller: Caller,
    base: Result<Base, Problem>,
    Path(kind): Path<String>,
    query: Result<QueryString, Problem>,
    headers: HeaderMap,
    form: Result<String, axum::extract::rejection::StringRejection>,
) -> Response {
    let asked = InBody(form.as_ref().map(|form| form.trim().to_owned()).unwrap_or_default());
    let answer = by_form(&door, &caller, base, &kind, query, &headers, form).await;
    let mut answer = answer.into_response();
    answer.extensions_mut().insert(asked);
    answer
}

async fn by_form(
    door: &Door,
    caller: &Caller,
    base: Result<Base, Problem>,
    kind: &str,
    query: Result<QueryString, Problem>,
    headers: &HeaderMap,
    form: Result<String, axum::extract::rejection::StringRejection>,
) -> Result<Response, Refusal> {
    let media = headers.get("content-type").and_then(|value| value.to_str().ok());
    let media = media.unwrap_or_default().split(';').next().unwrap_or_default().trim();
    if !media.is_empty() && !media.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
        let says = "send parameters as application/x-www-form-urlencoded";
        return Err(Refusal::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "not-supported", says));
    }
    let form =
        form.map_err(|refused| Refusal::new(refused.status(), "invalid", refused.body_text()))?;
    let query = query?.and(QueryString::parse(form.trim())?);
    answer(door, caller, &base?, kind, &query, headers).await
}

async fn answer(
    door: &Door,
    caller: &Caller,
    base: &Base,
    kind: &str,
    query: &QueryString,
    headers: &HeaderMap,
) -> Result<Response, Refusal> {
    let kind = Kind::parse(kind).filter(|kind| kind.is_searched()).ok_or_else(no_such_type)?;
    takes_json(headers, query)?;
    let asked = Asked::parse(kind, query, is_strict(headers))?;
    let consultation = door.consult(caller, base)?;
    let answer = consultation.search(&asked).await?;
    let repeated = consultation.discreet(&asked).await?;
    let bundle = answer.bundle(&consultation.base, kind.name(), &repeated);
    let shown = Shown::of(answer.matches.iter().chain(&answer.included.resources));
    let shown = shown.and(named(kind, &repeated));
    Ok(shown.on(body(&bundle, query.all("_pretty").any(|pretty| pretty == "true"))))
}

/// Rows of the people a question names by their ids: they are concerned, whatever was found.
fn named(kind: Kind, repeated: &[(String, String)]) -> Vec<i64> {
    let names_people = |name: &str| match name.split(':').next().unwrap_or_default() {
        "patient" | "subject" => true,
        "_id" => kind == Kind::Patient,
        "entity" => kind == Kind::AuditEvent,
        _ => false,
    };
    let named = repeated.iter().filter(|(name, _)| names_people(name));
    let ids = named.flat_map(|(_, value)| values(value).unwrap_or_default());
    ids.filter_map(|id| id_in(&id, Kind::Patient).and_then(ids::person)).collect()
}

/// 404 for a type that is not served.
pub fn no_such_type() -> Refusal {
    let says = "no such type of resource is served or searched here; see /fhir/metadata";
    Refusal::new(StatusCode::NOT_FOUND, "not-supported", says)
}

/// A page cut to its length, and where the next begins.
pub fn cut<T>(
    mut found: Vec<T>,
    count: u32,
    place: impl Fn(&T) -> Place,
) -> (Vec<T>, Option<Place>) {
    let count = usize::try_from(count).unwrap_or(usize::MAX);
    if found.len() <= count {
        return (found, None);
    }
    found.truncate(count);
    let next = found.last().map(place);
    (found, next)
}

impl Asked {
    /// Up to how many answers are counted; a total of so many is not told.
    pub fn at_most(&self) -> Option<u32> {
        match self.total {
            Total::None => None,
            Total::Bounded => Some(COUNTED + 1),
            Total::Exact => Some(u32::MAX),
        }
    }

    /// The page asked for, and one row more, which tells whether there is another.
    pub fn page(&self) -> Page {
        Page {
            sort: self.sort,
            descending: self.descending,
            after: self.cursor.after.clone(),
            limit: self.count.saturating_add(1),
        }
    }
}

impl Consultation {
    async fn search(&self, asked: &Asked) -> Result<Answer, Refusal> {
        let mut answer = match asked.kind {
            Kind::Patient => self.search_people(asked).await?,
            Kind::ImagingStudy => self.search_studies(asked).await?,
            Kind::DiagnosticReport => self.search_reports(asked).await?,
            Kind::DocumentReference => self.search_document_references(asked).await?,
            Kind::Provenance => self.search_links(asked).await?,
            Kind::Subscription => self.search_subscriptions(asked).await?,
            Kind::AuditEvent => self.search_accesses(asked).await?,
            Kind::Endpoint | Kind::Organization | Kind::Binary | Kind::Bundle => {
                self.search_fixed(asked)?
            }
        };
        answer.ignored.clone_from(&asked.ignored);
        Ok(answer)
    }

    async fn search_people(&self, asked: &Asked) -> Result<Answer, Refusal> {
        let rules = self.person_rules(asked).await?;
        let total = self.total(asked, Counted::People(&rules)).await?;
        if asked.count == 0 {
            return Ok(Answer { total, ..Answer::default() });
        }
        let found = self.fascicolo.people_page(&self.permit, &rules, &asked.page()).await?;
        let (found, next) = cut(found, asked.count, crate::index::pages::PersonFound::place);
        let matches = found.iter().map(|found| self.patient(found)).collect();
        self.answer(asked, matches, next, total, &Rows::default()).await
    }

    async fn search_studies(&self, asked: &Asked) -> Result<Answer, Refusal> {
        let rules = self.study_rules(asked).await?;
        let total = self.total(asked, Counted::Studies(&rules)).await?;
        if asked.count == 0 {
            return Ok(Answer { total, ..Answer::default() });
        }
        let found = self.fascicolo.studies_page(&self.permit, &rules, &asked.page()).await?;
        let (found, next) = cut(found, asked.count, crate::index::pages::StudyFound::place);
        let rows = Rows {
            people: found.iter().map(|study| study.person).collect(),
            studies: found.iter().map(|study| study.row).collect(),
            ..Rows::default()
        };
        let matches = self.imaging_studies(&found).await?;
        self.answer(asked, matches, next, total, &rows).await
    }

    async fn search_reports(&self, asked: &Asked) -> Result<Answer, Refusal> {
        let mut rules = self.document_rules(asked).await?;
        rules.extend(in_force());
        let total = self.total(asked, Counted::Documents(&rules)).await?;
        if asked.count == 0 {
            return Ok(Answer { total, ..Answer::default() });
        }
        let found = self.fascicolo.documents_page(&self.permit, &rules, &asked.page()).await?;
        let (found, next) = cut(found, asked.count, crate::index::pages::DocumentFound::place);
        let rows = Rows {
            people: found.iter().filter_map(|found| found.document.person).collect(),
            documents: found.iter().map(|found| found.document.id).collect(),
            ..Rows::default()
        };
        let matches = self.reports(&found).await?;
        self.answer(asked, matches, next, total, &rows).await
    }

    async fn search_links(&self, asked: &Asked) -> Result<Answer, Refusal> {
        let rules = self.link_rules(asked).await?;
        let total = self.total(asked, Counted::Links(&rules)).await?;
        if asked.count == 0 {
            return Ok(Answer { total, ..Answer::default() });
        }
        let found = self.fascicolo.links_page(&self.permit, &rules, &asked.page()).await?;
        let place = |found: &crate::index::pages::LinkFound| Place {
            row: found.link.id,
            changed_us: found.link.made_us,
            ..Place::default()
        };
        let (found, next) = cut(found, asked.count, place);
        let rows = Rows {
            studies: found.iter().map(|found| found.link.study).collect(),
            documents: found.iter().map(|found| found.link.document).collect(),
            ..Rows::default()
        };
        let matches = found.iter().map(provenance).collect();
        self.answer(asked, matches, next, total, &rows).await
    }

    /// How many people, studies, reports or documents meet a search, counted up to a bound.
    pub async fn count(&self, asked: &Asked, at_most: u32) -> Result<u32, Refusal> {
        let (fascicolo, permit) = (&self.fascicolo, &self.permit);
        Ok(match asked.kind {
            Kind::Patient => {
                let rules = self.person_rules(asked).await?;
                fascicolo.count_page(permit, Counted::People(&rules), at_most).await?
            }
            Kind::ImagingStudy => {
                let rules = self.study_rules(asked).await?;
                fascicolo.count_page(permit, Counted::Studies(&rules), at_most).await?
            }
            Kind::DiagnosticReport => {
                let mut rules = self.document_rules(asked).await?;
                rules.extend(in_force());
                fascicolo.count_page(permit, Counted::Documents(&rules), at_most).await?
            }
            Kind::DocumentReference => self.count_document_references(asked, at_most).await?,
            _ => 0,
        })
    }

    /// What stands in no row: few, so that one page holds all.
    fn search_fixed(&self, asked: &Asked) -> Result<Answer, Refusal> {
        let endpoints = asked.kind == Kind::Endpoint;
        let mut all = if endpoints { self.endpoints() } else { self.organizations() };
        for (param, value) in &asked.wanted {
            let values = values(value).map_err(|says| Refusal::parameter(param.name, says))?;
            let tokens: Vec<Token> = values.iter().map(|value| Token::parse(value)).collect();
            all.retain(|resource| {
                tokens.iter().any(|token| match param.name {
                    "_id" => resource.id == token.code,
                    "status" => token.code == "active",
                    "connection-type" => is_connection(resource, token),
                    _ => issues(resource, token),
                })
            });
        }
        let total = u32::try_from(all.len()).ok();
        let matches = if asked.count == 0 { Vec::new() } else { all };
        Ok(Answer { matches, total, ..Answer::default() })
    }

    /// A page with what goes with it.
    pub async fn answer(
        &self,
        asked: &Asked,
        matches: Vec<Resource>,
        next: Option<Place>,
        total: Option<u32>,
        rows: &Rows,
    ) -> Result<Answer, Refusal> {
        let next = next.map(|place| Cursor::new(0, Some(place)));
        self.answer_with(asked, matches, next, total, rows).await
    }

    /// An answer with what goes with it.
    pub async fn answer_with(
        &self,
        asked: &Asked,
        matches: Vec<Resource>,
        next: Option<Cursor>,
        total: Option<u32>,
        rows: &Rows,
    ) -> Result<Answer, Refusal> {
        let included = self.included(rows, &asked.includes, &asked.rev_includes).await?;
        Ok(Answer { matches, included, total, next, ignored: Vec::new() })
    }

    /// How many there are, if and as far as that is asked.
    pub async fn total(
        &self,
        asked: &Asked,
        counted: Counted<'_>,
    ) -> Result<Option<u32>, FascicoloError> {
        let Some(at_most) = asked.at_most() else { return Ok(None) };
        let count = self.fascicolo.count_page(&self.permit, counted, at_most).await?;
        Ok((count < at_most).then_some(count))
    }

    /// The parameters as links repeat them: a person stands there by their id. Links are kept in
    /// histories and logs, which identifiers sent in a body would stay out of.
    async fn discreet(&self, asked: &Asked) -> Result<Vec<(String, String)>, FascicoloError> {
        let mut repeated = Vec::with_capacity(asked.repeated.len());
        for (name, value) in &asked.repeated {
            let person = match (asked.kind, name.as_str()) {
                (Kind::Patient, "identifier") => Some("_id"),
                (_, name) if name.ends_with(".identifier") => Some("patient"),
                _ => None,
            };
            let row = match person {
                Some(_) => self.identified_one(value).await?,
                None => None,
            };
            match (person, row) {
                (Some(name), Some(row)) => repeated.push((name.to_owned(), ids::of_person(row))),
                _ => repeated.push((name.clone(), value.clone())),
            }
        }
        Ok(repeated)
    }

    async fn identified_one(&self, value: &str) -> Result<Option<i64>, FascicoloError> {
        let token = Token::parse(value);
        let Some(system) = token.system.filter(|_| !token.code.contains(',')) else {
            return Ok(None);
        };
        let issuer = self.fascicolo.issuer_of(&assigner_in(&system));
        match Identifier::read(&token.code, &issuer) {
            Some(identifier) => self.fascicolo.person_of(&self.permit, &identifier).await,
            None => Ok(None),
        }
    }
}
