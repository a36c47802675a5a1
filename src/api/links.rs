//! `/links`: which document belongs to which study, what that rests on, and undoing it.

use axum::response::Response;
use serde::Deserialize;
use serde_json::Value;
use serde_json::json;

use crate::api::asked::Numbered;
use crate::api::asked::Said;
use crate::api::asked::answer;
use crate::api::asked::by;
use crate::api::asked::made;
use crate::api::door::Desk;
use crate::api::error::problem;
use crate::api::people::Undoing;
use crate::fascicolo::error::FascicoloError;
use crate::fascicolo::told;
use crate::http::problem::Problem;
use crate::http::query_string::QueryString;
use crate::index::fascicolo::LinksOf;

/// A document belongs to a study.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Linking {
    document: i64,
    study: String,
    by: Option<String>,
}

/// `GET /links?document=|study=|person=`: links, undone ones too, with their evidence.
pub async fn links(desk: Desk, query: QueryString) -> Result<Response, Problem> {
    let named = [query.one("document")?, query.one("study")?, query.one("person")?];
    let of = match named {
        [Some(document), None, None] => LinksOf::Document(number("document", document)?),
        [None, Some(study), None] => {
            let row = desk.fascicolo.study_named(&desk.permit, study).await;
            LinksOf::Study(row.map_err(problem)?)
        }
        [None, None, Some(person)] => LinksOf::Person(number("person", person)?),
        _ => return Err(Problem::bad_request("name one of document, study and person")),
    };
    let found = desk.fascicolo.links(&desk.permit, of).await.map_err(problem)?;
    Ok(answer(json!({ "links": found.iter().map(told::link).collect::<Vec<Value>>() })))
}

/// `POST /links`: links a document and a study; again what was undone.
pub async fn link(desk: Desk, Said(linking): Said<Linking>) -> Result<Response, Problem> {
    let by = by(linking.by.as_deref())?;
    let (document, study) = (linking.document, linking.study.as_str());
    let link = desk.fascicolo.link_by_hand(&desk.permit, document, study, by).await;
    Ok(made(desk.link_told(link.map_err(problem)?).await?))
}

/// `POST /links/{link}/undo`: it is not made again by itself.
pub async fn unlink(
    desk: Desk,
    Numbered(link): Numbered,
    Said(undoing): Said<Undoing>,
) -> Result<Response, Problem> {
    let by = by(undoing.by.as_deref())?;
    desk.fascicolo.unlink(&desk.permit, link, by).await.map_err(problem)?;
    Ok(answer(desk.link_told(link).await?))
}

impl Desk {
    async fn link_told(&self, link: i64) -> Result<Value, Problem> {
        let found = self.fascicolo.links(&self.permit, LinksOf::Id(link)).await;
        let found = found.map_err(problem)?.pop();
        let gone = || problem(FascicoloError::Unknown("this link"));
        Ok(told::link(&found.ok_or_else(gone)?))
    }
}

fn number(name: &str, text: &str) -> Result<i64, Problem> {
    text.parse().map_err(|_| Problem::bad_parameter(name, "not a whole number"))
}
