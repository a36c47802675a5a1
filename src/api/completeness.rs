//! `GET /completeness`: how complete what each organisation feeds is.

use axum::extract::State;
use axum::response::Response;

use crate::api::asked::answer;
use crate::api::door::Door;
use crate::api::error::problem;
use crate::http::caller::Caller;
use crate::http::problem::Problem;
use crate::http::query_string::QueryString;

/// The figures of all organisations, of services `from` a day `to` a day (`YYYYMMDD`).
pub async fn completeness(
    State(door): State<Door>,
    caller: Caller,
    query: QueryString,
) -> Result<Response, Problem> {
    let (from, to) = (day(&query, "from")?, day(&query, "to")?);
    let permit = caller.may_follow()?;
    let figures = door.fascicolo.completeness(&permit, from, to).await.map_err(problem)?;
    Ok(answer(figures))
}

fn day<'a>(query: &'a QueryString, name: &'static str) -> Result<&'a str, Problem> {
    let text = query.one(name)?.unwrap_or_default();
    let is_day = text.len() == 8 && text.bytes().all(|byte| byte.is_ascii_digit());
    if text.is_empty() || is_day {
        return Ok(text);
    }
    Err(Problem::bad_parameter(name, "write a day as YYYYMMDD"))
}
