//! `/queue`: what waits for a decision, with candidates ranked and the reasons; a decision in one call.

use axum::response::Response;
use serde::Deserialize;
use serde_json::Value;
use serde_json::json;

use crate::api::asked::Numbered;
use crate::api::asked::Said;
use crate::api::asked::answer;
use crate::api::asked::by;
use crate::api::asked::limit;
use crate::api::door::Desk;
use crate::api::error::problem;
use crate::fascicolo::decide::Decision;
use crate::fascicolo::told;
use crate::http::problem::Problem;
use crate::http::query_string::QueryString;

/// What somebody decides.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Deciding {
    decision: Kind,
    study: Option<String>,
    person: Option<i64>,
    by: Option<String>,
}

/// The decisions there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Kind {
    /// The document belongs to `study`.
    Link,
    /// It is `person`'s.
    Assign,
    /// It is nobody's.
    AssignToNobody,
    /// It waits no longer.
    Dismiss,
}

/// `GET /queue`: what waits, oldest first, after item `after`.
pub async fn queue(desk: Desk, query: QueryString) -> Result<Response, Problem> {
    let after = match query.one("after")? {
        None => 0,
        Some(after) => {
            after.parse().map_err(|_| Problem::bad_parameter("after", "not a whole number"))?
        }
    };
    let limit = limit(&query)?;
    let found = desk.fascicolo.queue(&desk.permit, after, limit).await.map_err(problem)?;
    let full = u32::try_from(found.len()).is_ok_and(|length| length == limit);
    let next = found.last().filter(|_| full).map(|case| case.item.id);
    let items: Vec<Value> = found.iter().map(told::case).collect();
    Ok(answer(json!({ "items": items, "next": next })))
}

/// `POST /queue/{item}`: does what somebody decided.
pub async fn decide(
    desk: Desk,
    Numbered(item): Numbered,
    Said(deciding): Said<Deciding>,
) -> Result<Response, Problem> {
    let by = by(deciding.by.as_deref())?;
    let decision = deciding.read()?;
    desk.fascicolo.decide(&desk.permit, item, &decision, by).await.map_err(problem)?;
    Ok(answer(json!({ "decided": item })))
}

impl Deciding {
    fn read(&self) -> Result<Decision, Problem> {
        let wrong = |says: &str| Err(Problem::bad_parameter("decision", says));
        match (self.decision, &self.study, self.person) {
            (Kind::Link, Some(study), None) => Ok(Decision::Link { study: study.clone() }),
            (Kind::Assign, None, Some(person)) => Ok(Decision::Assign(Some(person))),
            (Kind::AssignToNobody, None, None) => Ok(Decision::Assign(None)),
            (Kind::Dismiss, None, None) => Ok(Decision::Dismiss),
            (Kind::Link, ..) => wrong("link takes study, and nothing else"),
            (Kind::Assign, ..) => wrong("assign takes person, and nothing else"),
            (Kind::AssignToNobody | Kind::Dismiss, ..) => wrong("takes neither study nor person"),
        }
    }
}
