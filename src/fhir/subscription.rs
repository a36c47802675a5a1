//! Subscriptions as resources (FHIR R4 §2.45): made, found, ended.

use axum::extract::{Path, State};
use axum::http::header::{ALLOW, LOCATION};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::json;

use crate::fascicolo::error::FascicoloError;
use crate::fhir::asked::Asked;
use crate::fhir::bundle::{Answer, body};
use crate::fhir::delivery::is_json;
use crate::fhir::door::{Consultation, Door};
use crate::fhir::kind::Kind;
use crate::fhir::negotiate::takes_json;
use crate::fhir::outcome::Refusal;
use crate::fhir::recording::Shown;
use crate::fhir::resource::Resource;
use crate::fhir::subscribing::{NewSubscription, criteria, read};
use crate::fhir::tokens::{Token, values};
use crate::fhir::values::instant;
use crate::http::base::Base;
use crate::http::caching::ETag;
use crate::http::caller::Caller;
use crate::http::problem::Problem;
use crate::http::query_string::QueryString;
use crate::model::subscription::State as Standing;
use crate::model::subscription::Subscription;

/// `POST /fhir/{type}`: of all types only subscriptions are made so.
pub async fn create(
    State(door): State<Door>,
    caller: Caller,
    base: Result<Base, Problem>,
    Path(kind): Path<String>,
    query: Result<QueryString, Problem>,
    headers: HeaderMap,
    sent: Result<axum::body::Bytes, axum::extract::rejection::BytesRejection>,
) -> Result<Response, Refusal> {
    if let Some(refused) = not_made(&kind) {
        return Ok(refused);
    }
    takes_json(&headers, &query?)?;
    is_json(&headers)?;
    let sent =
        sent.map_err(|refused| Refusal::new(refused.status(), "invalid", refused.body_text()))?;
    let new = read(&sent, &door.settings)?.by(&caller);
    let consultation = door.consult(&caller, &base?)?;
    consultation.try_criteria(&new.criteria).await?;
    let made = consultation.subscribe(new).await?;
    Ok(Shown::nobody().made(made.kind, &made.id).on(created(&consultation, &made)))
}

/// `DELETE /fhir/{type}/{id}`
pub async fn delete(
    State(door): State<Door>,
    caller: Caller,
    base: Result<Base, Problem>,
    Path((kind, id)): Path<(String, String)>,
) -> Result<Response, Refusal> {
    if let Some(refused) = not_made(&kind) {
        return Ok(refused);
    }
    let consultation = door.consult(&caller, &base?)?;
    consultation.fascicolo.unsubscribe(&consultation.permit, &id).await?;
    Ok(Shown::nobody().on(StatusCode::NO_CONTENT.into_response()))
}

/// 405 for what is read only.
fn not_made(kind: &str) -> Option<Response> {
    if Kind::parse(kind).is_some_and(Kind::is_made) {
        return None;
    }
    let says = "only a Subscription is made and deleted so; see /fhir/metadata";
    let refusal = Refusal::new(StatusCode::METHOD_NOT_ALLOWED, "not-supported", says);
    let mut response = refusal.into_response();
    response.headers_mut().insert(ALLOW, HeaderValue::from_static("GET,HEAD"));
    Some(response)
}

fn created(consultation: &Consultation, made: &Resource) -> Response {
    let mut response = body(&made.written(), false);
    *response.status_mut() = StatusCode::CREATED;
    ETag::weak(made.version()).write(response.headers_mut());
    let place = format!("{}/{}", consultation.base, made.path());
    if let Ok(place) = HeaderValue::try_from(place) {
        response.headers_mut().insert(LOCATION, place);
    }
    response
}

impl Consultation {
    /// Searches once by a criteria, so that one that can never be met is refused and not kept.
    async fn try_criteria(&self, text: &str) -> Result<(), Refusal> {
        self.count(&criteria(text)?, 1).await.map(drop).map_err(|refused| match refused.status {
            StatusCode::BAD_REQUEST => Refusal::element("Subscription.criteria", refused.says),
            _ => refused,
        })
    }

    async fn subscribe(&self, new: NewSubscription) -> Result<Resource, FascicoloError> {
        let subscription = Subscription {
            id: uuid::Uuid::now_v7().to_string(),
            state: Standing::Active,
            criteria: new.criteria,
            endpoint: new.endpoint,
            headers: new.headers,
            reason: new.reason,
            end_us: new.end_us,
            error: String::new(),
            changed_us: self.fascicolo.now_us(),
            made_by: new.made_by,
        };
        self.fascicolo.subscribe(&self.permit, &subscription).await?;
        Ok(resource(&subscription))
    }

    /// One subscription.
    pub async fn subscription(&self, id: &str) -> Result<Option<Resource>, FascicoloError> {
        let found = self.fascicolo.subscriptions(&self.permit, Some(id)).await?;
        Ok(found.first().map(resource))
    }

    /// Subscriptions that meet all that is asked: few, so that one page holds them.
    pub async fn search_subscriptions(&self, asked: &Asked) -> Result<Answer, Refusal> {
        let mut found = self.fascicolo.subscriptions(&self.permit, None).await?;
        for (param, value) in &asked.wanted {
            let values = values(value).map_err(|says| Refusal::parameter(param.name, says))?;
            found.retain(|own| values.iter().any(|value| meets(own, param.name, value)));
        }
        let total = u32::try_from(found.len()).ok();
        let matches =
            if asked.count == 0 { Vec::new() } else { found.iter().map(resource).collect() };
        Ok(Answer { matches, total, ..Answer::default() })
    }
}

fn meets(own: &Subscription, name: &str, value: &str) -> bool {
    let code = Token::parse(value).code;
    match name {
        "_id" => own.id == value,
        "status" => own.state.as_str() == code,
        "type" => code == REST_HOOK,
        "url" => own.endpoint == value,
        // A string begins so, whatever the case (FHIR R4 §3.1.1.4.11).
        "criteria" => own.criteria.to_lowercase().starts_with(&value.to_lowercase()),
        _ => false,
    }
}

/// The one way subscribers are told.
pub const REST_HOOK: &str = "rest-hook";

/// A subscription as a resource. Header lines stay out of it: they hold the subscriber's secrets.
fn resource(own: &Subscription) -> Resource {
    let body = json!({
        "status": own.state.as_str(),
        "end": if own.end_us > 0 { instant(own.end_us) } else { String::new() },
        "reason": own.reason,
        "criteria": own.criteria,
        "error": own.error,
        "channel": { "type": REST_HOOK, "endpoint": own.endpoint },
    });
    Resource::new(Kind::Subscription, None, own.id.clone(), own.changed_us, body)
}
