//! `GET /reports`: reports and other documents by the words they hold, for clinicians.

use axum::extract::State;
use axum::response::Response;
use serde_json::Value;
use serde_json::json;

use crate::api::asked::answer;
use crate::api::asked::limit_up_to;
use crate::api::door::Door;
use crate::api::error::problem;
use crate::fascicolo::error::FascicoloError;
use crate::fascicolo::search::NO_WORDS;
use crate::fascicolo::search::asked;
use crate::http::base::Base;
use crate::http::caller::Caller;
use crate::http::problem::Problem;
use crate::http::query_string::QueryString;
use crate::model::document::Document;
use crate::model::ids;

/// The most documents of an answer.
const LARGEST_LIMIT: u32 = 200;
/// The most bytes of what is searched.
const MOST_BYTES: usize = 1000;

/// Documents that hold all of `words` (`opac*` is any that begins so), newest service first, at most
/// `limit`; of `person` (an identifier, or `ISSUER|IDENTIFIER`) only where one is named.
pub async fn reports(
    State(door): State<Door>,
    caller: Caller,
    base: Base,
    query: QueryString,
) -> Result<Response, Problem> {
    let permit = caller.may_consult()?;
    let words = query.one("words")?.unwrap_or_default();
    if words.len() > MOST_BYTES {
        return Err(Problem::bad_parameter("words", "longer than 1000 bytes"));
    }
    if asked(words).is_empty() {
        return Err(Problem::bad_parameter("words", NO_WORDS));
    }
    let limit = limit_up_to(&query, LARGEST_LIMIT)?;
    let person = match query.one("person")? {
        None => None,
        Some(person) => match door.fascicolo.find(&permit, person).await {
            Ok(person) => Some(person.id),
            // Of somebody nothing is known of, nothing is written here.
            Err(FascicoloError::Unknown(_)) => return Ok(answered(&[], &base, limit)),
            Err(error) => return Err(problem(error)),
        },
    };
    let found = door.fascicolo.search(&permit, words, person, limit.saturating_add(1)).await;
    Ok(answered(&found.map_err(problem)?, &base, limit))
}

fn answered(found: &[Document], base: &Base, limit: u32) -> Response {
    let most = usize::try_from(limit).unwrap_or(usize::MAX);
    let reports: Vec<Value> = found.iter().take(most).map(|one| written(one, base)).collect();
    answer(json!({ "reports": reports, "more": found.len() > most }))
}

/// A document with where it can be read; one that is nobody's yet is in no fascicolo.
fn written(document: &Document, base: &Base) -> Value {
    let id = ids::of_document(&document.sha256);
    json!({
        "id": id,
        "title": document.title,
        "date": document.service_date,
        "kind": document.kind.as_str(),
        "type": document.type_code,
        "version": document.version,
        "in_force": document.superseded_by.is_none(),
        "person": document.person.map(|row| format!("Patient/{}", ids::of_person(row))),
        "url": document.person.map(|_| format!("{}/fhir/DocumentReference/{id}", base.0)),
    })
}
