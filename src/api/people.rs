//! `/people` and `/merges`: who somebody is, what they have, who else they may be.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::response::Response;
use serde::Deserialize;
use serde_json::Value;
use serde_json::json;

use crate::api::asked::Numbered;
use crate::api::asked::Said;
use crate::api::asked::answer;
use crate::api::asked::by;
use crate::api::asked::limit;
use crate::api::asked::made;
use crate::api::asked::reason;
use crate::api::door::Desk;
use crate::api::error::problem;
use crate::fascicolo::told;
use crate::http::problem::Problem;
use crate::http::query_string::QueryString;

/// Two people are one.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Merging {
    absorbed: i64,
    reason: String,
    by: Option<String>,
}

/// Who undoes something.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Undoing {
    /// Who.
    pub by: Option<String>,
}

/// Where a page of a timeline begins: the day and the row the one before ended at.
#[derive(Debug)]
pub struct After(Option<(String, i64)>, u32);

impl<S: Send + Sync> FromRequestParts<S> for After {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let query = QueryString::from_request_parts(parts, state).await?;
        let after = match query.one("after")? {
            None => None,
            Some(text) => Some(place(text).ok_or_else(|| {
                Problem::bad_parameter("after", "use what the page before has as `next`")
            })?),
        };
        Ok(Self(after, limit(&query)?))
    }
}

fn place(text: &str) -> Option<(String, i64)> {
    let (day, row) = text.split_once('-')?;
    let is_day = day.len() <= 8 && day.bytes().all(|byte| byte.is_ascii_digit());
    Some((day.to_owned(), row.parse().ok()?)).filter(|_| is_day)
}

/// `GET /people?identifier=`: the person an identifier, or `ISSUER|IDENTIFIER`, is of.
pub async fn find(desk: Desk, query: QueryString) -> Result<Response, Problem> {
    let asked = query.one("identifier")?.unwrap_or_default();
    if asked.is_empty() || asked.starts_with('#') {
        return Err(Problem::bad_parameter("identifier", "write IDENTIFIER or ISSUER|IDENTIFIER"));
    }
    let found = desk.fascicolo.find(&desk.permit, asked).await.map_err(problem)?;
    Ok(answer(desk.told(found.id).await?))
}

/// `GET /people/{person}`: who they are, what was said of them since when, and who was found to be
/// one with them.
pub async fn person(desk: Desk, Numbered(person): Numbered) -> Result<Response, Problem> {
    Ok(answer(desk.told(person).await?))
}

/// `GET /people/{person}/fascicolo`: their episodes, newest first, images and reports as one entry.
pub async fn fascicolo(
    desk: Desk,
    Numbered(person): Numbered,
    After(after, limit): After,
) -> Result<Response, Problem> {
    let found = desk.fascicolo.timeline(&desk.permit, person, after, limit).await;
    let found = found.map_err(problem)?;
    let mut told = told::timeline(&found);
    told["next"] = found.next.map(|(day, row)| format!("{day}-{row}")).into();
    Ok(answer(told))
}

/// `GET /people/{person}/alike`: others they may be, likeliest first, with the reasons.
pub async fn alike(desk: Desk, Numbered(person): Numbered) -> Result<Response, Problem> {
    let found = desk.fascicolo.alike(&desk.permit, person).await.map_err(problem)?;
    Ok(answer(json!({ "people": found.iter().map(told::candidate).collect::<Vec<Value>>() })))
}

/// `POST /people/{person}/merges`: another person is this one.
pub async fn merge(
    desk: Desk,
    Numbered(survivor): Numbered,
    Said(merging): Said<Merging>,
) -> Result<Response, Problem> {
    let (by, reason) = (by(merging.by.as_deref())?, reason(&merging.reason)?);
    let absorbed = merging.absorbed;
    let merge = desk.fascicolo.merge(&desk.permit, survivor, absorbed, reason, by).await;
    let merge = merge.map_err(problem)?;
    Ok(made(json!({ "merge": merge, "person": survivor, "absorbed": absorbed })))
}

/// `POST /merges/{merge}/undo`: they are two again, with exactly what each had.
pub async fn unmerge(
    desk: Desk,
    Numbered(merge): Numbered,
    Said(undoing): Said<Undoing>,
) -> Result<Response, Problem> {
    let by = by(undoing.by.as_deref())?;
    desk.fascicolo.unmerge(&desk.permit, merge, by).await.map_err(problem)?;
    Ok(answer(json!({ "unmerged": merge })))
}

impl Desk {
    async fn told(&self, person: i64) -> Result<Value, Problem> {
        let found = self.fascicolo.person(&self.permit, person).await.map_err(problem)?;
        let said = self.fascicolo.demographics(&self.permit, found.id).await.map_err(problem)?;
        let merges = self.fascicolo.merges(&self.permit, found.id).await.map_err(problem)?;
        let mut told = told::person(&found);
        told["history"] = said.iter().map(told::said).collect();
        told["merges"] = merges.iter().map(told::merge).collect();
        Ok(told)
    }
}

#[cfg(test)]
mod tests {
    use super::place;

    #[test]
    fn pages_begin_where_the_one_before_ended() {
        assert_eq!(place("20260302-17"), Some(("20260302".to_owned(), 17)));
        assert_eq!(place("-17"), Some((String::new(), 17)));
        for wrong in ["", "17", "x-17", "20260302-", "20260302-x", "202603021-1"] {
            assert_eq!(place(wrong), None, "{wrong}");
        }
    }
}
