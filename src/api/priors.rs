//! `GET /priors`: was an examination done already? For ordering systems, before they order it.

use axum::extract::State;
use axum::response::Response;

use crate::access::permit::Permit;
use crate::api::asked::answer;
use crate::api::door::Door;
use crate::api::error::problem;
use crate::fascicolo::error::FascicoloError;
use crate::fascicolo::priors::Asked;
use crate::fascicolo::priors::Priors;
use crate::http::caller::Caller;
use crate::http::problem::Problem;
use crate::http::query_string::QueryString;

/// Days back an examination counts unless the client says otherwise.
const DAYS: u16 = 90;

/// The answer, by `person` (an identifier, or `ISSUER|IDENTIFIER`) or `order` (a number, or
/// `ISSUER|NUMBER`), `modality` and `bodypart` (the order's own unless given) and `days`.
pub async fn priors(
    State(door): State<Door>,
    caller: Caller,
    query: QueryString,
) -> Result<Response, Problem> {
    let permit = caller.may_follow()?;
    let (person, mut asked) = of_whom(&door, &permit, &query).await?;
    if let Some(modality) = query.one("modality")? {
        modality.clone_into(&mut asked.modality);
    }
    if asked.modality.is_empty() {
        return Err(Problem::bad_parameter("modality", "missing, and no order names one"));
    }
    if let Some(part) = query.one("bodypart")? {
        part.clone_into(&mut asked.body_part);
    }
    asked.within_days = match query.one("days")? {
        None => DAYS,
        Some(days) => days.parse().map_err(|_| Problem::bad_parameter("days", "not a number"))?,
    };
    let found = match person {
        Some(person) => door.fascicolo.priors(&permit, person, &asked).await.map_err(problem)?,
        // Of somebody nothing is known of, nothing was done here.
        None => Priors::default(),
    };
    Ok(answer(found))
}

async fn of_whom(
    door: &Door,
    permit: &Permit,
    query: &QueryString,
) -> Result<(Option<i64>, Asked), Problem> {
    let fascicolo = &door.fascicolo;
    if let Some(order) = query.one("order")? {
        let found = fascicolo.asked_by_order(permit, order).await;
        return found.map(|(person, asked)| (Some(person), asked)).map_err(problem);
    }
    let person = query.one("person")?;
    let person = person.ok_or_else(|| Problem::bad_request("name a person or an order"))?;
    match fascicolo.find(permit, person).await {
        Ok(person) => Ok((Some(person.id), Asked::default())),
        Err(FascicoloError::Unknown(_)) => Ok((None, Asked::default())),
        Err(error) => Err(problem(error)),
    }
}
