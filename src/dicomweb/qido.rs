//! QIDO-RS: searching for studies, series and instances (PS3.18 §10.6).

use axum::body::Body;
use axum::extract::FromRequestParts;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, WARNING};
use axum::http::request::Parts;
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};

use crate::access::permit::Permit;
use crate::dicomweb::accept::Accept;
use crate::dicomweb::address::{AskedPatient, Place, Urls};
use crate::dicomweb::door::Door;
use crate::dicomweb::media::{DICOM_JSON, DICOM_XML, JSON};
use crate::dicomweb::multipart::put;
use crate::dicomweb::offer::{Offer, choose};
use crate::dicomweb::qido_answer::{Answers, BadAttributes, Shape};
use crate::dicomweb::qido_params::{Search, parse_with};
use crate::dicomweb::wado::vary;
use crate::dicomweb::xml_answer::related_xml_of;
use crate::http::caching::PRIVATE;
use crate::http::caller::Caller;
use crate::http::problem::Problem;
use crate::http::query_string::QueryString;
use crate::index::query::{Found, Level, Query};
use crate::people::patient_id::PatientId;

/// Answers written before other tasks get their turn.
const ANSWERS_AT_A_TIME: usize = 64;

/// A request to search, decided: whoever holds one may search.
#[derive(Debug)]
pub struct Searching {
    door: Door,
    permit: Permit,
    place: Place,
    /// Whose study is meant where the path names one and the query a patient.
    patient: Option<PatientId>,
    /// The patient named has no such study.
    nothing: bool,
    search: Search,
    accept: Accept,
    urls: Urls,
}

impl FromRequestParts<Door> for Searching {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, door: &Door) -> Result<Self, Problem> {
        let place = Place::from_request_parts(parts, door).await?;
        let query = QueryString::from_request_parts(parts, door).await?;
        let urls = Urls::from_request_parts(parts, door).await?;
        let Ok(caller) = Caller::from_request_parts(parts, door).await;
        let permit = caller.may_search()?;
        let mut search = parse_with(&query, door.archive.attributes())?;
        if search.extended && !door.archive.attributes_are_complete().await? {
            search.warnings.push(
                "Objects of before are still being read for declared attributes: more may be found \
                 later."
                    .to_owned(),
            );
        }
        let accept = Accept::of(&parts.headers, &query);
        let asked = AskedPatient::of(&query);
        let (patient, nothing) = match &place.study {
            None => (None, false),
            Some(study) => match door.patient_of(&caller, study, &asked).await {
                Ok(patient) => (patient, false),
                Err(problem) if problem.status == StatusCode::NOT_FOUND => (None, true),
                Err(problem) => return Err(problem),
            },
        };
        let door = door.clone();
        Ok(Self { door, permit, place, patient, nothing, search, accept, urls })
    }
}

/// `GET /studies`
pub async fn search_studies(asked: Searching) -> Result<Response, Problem> {
    answer(asked, Level::Study).await
}

/// `GET /series`, `GET /studies/{study}/series`
pub async fn search_series(asked: Searching) -> Result<Response, Problem> {
    answer(asked, Level::Series).await
}

/// `GET /instances`, `GET /studies/{study}/instances`,
/// `GET /studies/{study}/series/{series}/instances`
pub async fn search_instances(asked: Searching) -> Result<Response, Problem> {
    answer(asked, Level::Instance).await
}

/// 200 with the answers, 204 without any; a warning when there are more (PS3.18 §8.3.4.4.1).
async fn answer(asked: Searching, level: Level) -> Result<Response, Problem> {
    let offers = [(DICOM_JSON, false), (JSON, false), (DICOM_XML, true), (DICOM_XML, false)]
        .map(|(media, multipart)| Offer { media, multipart, syntax: None });
    let chosen = choose(&asked.accept, &offers).and_then(|chosen| offers.get(chosen));
    let media = chosen.ok_or_else(not_acceptable)?.media;
    let most = asked.door.settings.max_results(level);
    let shown = asked.search.limit.unwrap_or(most).min(most);
    check_order(&asked.search, level)?;
    let (found, total) = find(&asked, level, shown).await?;
    let mut response = if found.is_empty() {
        StatusCode::NO_CONTENT.into_response()
    } else {
        let json = write(&asked, level, &found).await?;
        if media == DICOM_XML {
            related_xml_of(json).await?
        } else {
            let mut response = Body::from(json).into_response();
            put(&mut response, CONTENT_TYPE, media);
            response
        }
    };
    let remaining = total.remaining;
    if let Some((name, value)) = total.field() {
        response.headers_mut().insert(name, value);
    }
    if remaining > 0 {
        let text = format!("There are {remaining} additional results that can be requested");
        warn(&mut response, &asked.urls, &text);
    }
    for text in &asked.search.warnings {
        warn(&mut response, &asked.urls, text);
    }
    response.headers_mut().insert(CACHE_CONTROL, PRIVATE);
    Ok(vary(response))
}

fn not_acceptable() -> Problem {
    Problem::not_acceptable(
        "search results are given as application/dicom+json or multipart/related; \
         type=\"application/dicom+xml\"",
    )
}

/// Answers can be sorted by what they or the levels above them say.
fn check_order(search: &Search, level: Level) -> Result<(), Problem> {
    if search.order.iter().all(|by| by.key.level() <= level) {
        return Ok(());
    }
    Err(Problem::bad_parameter("orderby", "names an attribute below the level of the answers"))
}

/// How many answers there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Total {
    /// Behind those shown.
    remaining: u32,
    /// In all; `None` where nobody counted.
    all: Option<u32>,
    /// Whether there may be more: nothing is counted further than the settings say.
    at_least: bool,
}

impl Total {
    /// `X-Total-Count`, which the standard does not have; another name where counting ended early.
    fn field(self) -> Option<(HeaderName, HeaderValue)> {
        let name = if self.at_least { TOTAL_AT_LEAST } else { TOTAL };
        self.all.map(|all| (name, HeaderValue::from(all)))
    }
}

const TOTAL: HeaderName = HeaderName::from_static("x-total-count");
const TOTAL_AT_LEAST: HeaderName = HeaderName::from_static("x-total-count-at-least");

/// The answers to show, and how many there are; counted only when there are more, and no further
/// than the settings say. A limit of 0 only counts.
async fn find(asked: &Searching, level: Level, shown: u32) -> Result<(Vec<Found>, Total), Problem> {
    if asked.nothing {
        return Ok((Vec::new(), Total { remaining: 0, all: Some(0), at_least: false }));
    }
    let archive = &asked.door.archive;
    let mut query = Query {
        level,
        study: asked.place.study.clone(),
        series: asked.place.series.clone(),
        patient: asked.patient.clone(),
        matches: asked.search.matches.clone(),
        order: asked.search.order.clone(),
        limit: shown.saturating_add(1),
        offset: asked.search.offset,
    };
    let mut found = match shown {
        0 => Vec::new(),
        _ => archive.search(&asked.permit, &query).await?,
    };
    let rows = u32::try_from(found.len()).unwrap_or(u32::MAX);
    if shown > 0 && rows <= shown {
        // Of a page behind the end nobody knows by how much.
        let all = (rows > 0 || query.offset == 0).then(|| query.offset.saturating_add(rows));
        return Ok((found, Total { remaining: 0, all, at_least: false }));
    }
    let shown_rows = usize::try_from(shown).unwrap_or(usize::MAX);
    found.truncate(shown_rows);
    let seen = query.offset.saturating_add(shown);
    let at_most = seen.saturating_add(asked.door.settings.count_at_most);
    (query.limit, query.offset) = (at_most, 0);
    query.order.clear();
    let count = archive.count(&asked.permit, &query, at_most).await?;
    // Others may have gone since they were found.
    let count = if rows > shown { count.max(seen.saturating_add(1)) } else { count };
    let remaining = count.saturating_sub(seen);
    Ok((found, Total { remaining, all: Some(count), at_least: count >= at_most }))
}

async fn write(asked: &Searching, level: Level, found: &[Found]) -> Result<Vec<u8>, Problem> {
    let shape = Shape {
        level,
        with_study: level == Level::Study || asked.place.study.is_none(),
        with_series: level == Level::Series
            || (level == Level::Instance && asked.place.series.is_none()),
        fields: asked.search.fields.clone(),
        named_patient: asked.patient.is_some(),
    };
    let mut answers = Answers::new(&shape, &asked.urls, found);
    for some in found.chunks(ANSWERS_AT_A_TIME) {
        for found in some {
            answers.push(found).map_err(inconsistent)?;
        }
        tokio::task::yield_now().await;
    }
    Ok(answers.finish())
}

fn inconsistent(error: BadAttributes) -> Problem {
    tracing::error!(%error, "search result cannot be written");
    Problem::internal()
}

/// Adds `Warning: 299 <service>: <text>` in the form PS3.18 §8.3.4 gives; the service is the base
/// URI. A text that no header field can hold is left out.
pub fn warn(response: &mut Response, urls: &Urls, text: &str) {
    if let Ok(value) = HeaderValue::try_from(format!("299 {}: {text}", urls.root())) {
        response.headers_mut().append(WARNING, value);
    }
}
