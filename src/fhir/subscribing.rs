//! A Subscription read as it is sent (FHIR R4 §2.45.4): bounded, and every refusal names its element.

use axum::http::StatusCode;
use axum::http::{HeaderName, HeaderValue};
use serde::Deserialize;

use crate::fhir::asked::Asked;
use crate::fhir::kind::Kind;
use crate::fhir::outcome::Refusal;
use crate::fhir::settings::Settings;
use crate::fhir::subscription::REST_HOOK;
use crate::fhir::transaction::Few;
use crate::http::caller::Caller;
use crate::http::query_string::QueryString;

/// The most letters of a text, and header lines.
const MOST_LETTERS: usize = 2000;
const MOST_HEADERS: usize = 8;

/// What is to be kept of one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewSubscription {
    /// What is looked for.
    pub criteria: String,
    /// Where the subscriber is told.
    pub endpoint: String,
    /// Header lines that go with what is told.
    pub headers: Vec<String>,
    /// Why.
    pub reason: String,
    /// Until when, µs since 1970; 0: no end.
    pub end_us: i64,
    /// Who makes it.
    pub made_by: String,
}

impl NewSubscription {
    /// Made by this caller.
    #[must_use]
    pub fn by(self, caller: &Caller) -> Self {
        let address = caller.address().map(|address| address.ip().to_canonical().to_string());
        Self { made_by: address.unwrap_or_default(), ..self }
    }
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct SubscriptionIn {
    #[serde(default)]
    resource_type: String,
    #[serde(default)]
    status: String,
    #[serde(default)]
    end: String,
    #[serde(default)]
    reason: String,
    #[serde(default)]
    criteria: String,
    #[serde(default)]
    channel: ChannelIn,
}

#[derive(Debug, Default, Deserialize)]
struct ChannelIn {
    #[serde(default, rename = "type")]
    kind: String,
    #[serde(default)]
    endpoint: String,
    #[serde(default)]
    payload: String,
    #[serde(default)]
    header: Few<String, MOST_HEADERS>,
}

/// Reads one.
pub fn read(bytes: &[u8], settings: &Settings) -> Result<NewSubscription, Refusal> {
    let sent: SubscriptionIn = serde_json::from_slice(bytes).map_err(|_| {
        let says = "it cannot be read as a Subscription in JSON";
        Refusal::new(StatusCode::BAD_REQUEST, "structure", says)
    })?;
    if sent.resource_type != Kind::Subscription.name() {
        return Err(Refusal::element("resourceType", "Subscription is taken here"));
    }
    let at = |name: &str, says: &str| Err(Refusal::element(format!("Subscription.{name}"), says));
    if !matches!(sent.status.as_str(), "requested" | "active") {
        return at("status", "send it as requested; whoever is told no more deletes it");
    }
    for (name, text) in [
        ("reason", &sent.reason),
        ("criteria", &sent.criteria),
        ("channel.endpoint", &sent.channel.endpoint),
    ] {
        if text.trim().is_empty() || text.len() > MOST_LETTERS {
            return at(name, &format!("say it, in at most {MOST_LETTERS} bytes"));
        }
    }
    if sent.channel.kind != REST_HOOK {
        return at("channel.type", "only rest-hook is served");
    }
    if !sent.channel.payload.is_empty() {
        let says = "leave it out: subscribers are told that there is something new, and read it here; \
                    nothing of a person leaves with the notice";
        return at("channel.payload", says);
    }
    let endpoint = reqwest::Url::parse(&sent.channel.endpoint);
    if !endpoint.is_ok_and(|endpoint| settings.allows(&endpoint)) {
        return at("channel.endpoint", "it is below none of the addresses in fhir.subscribers");
    }
    for line in &sent.channel.header.0 {
        if header(line).is_none() {
            return at(
                "channel.header",
                "write Name: value; Host and Content fields are not taken",
            );
        }
    }
    criteria(&sent.criteria)?;
    let end = if sent.end.is_empty() { Ok(0) } else { micros(&sent.end) };
    let Ok(end_us) = end else { return at("end", "write an instant with its time zone") };
    Ok(NewSubscription {
        criteria: sent.criteria,
        endpoint: sent.channel.endpoint,
        headers: sent.channel.header.0,
        reason: sent.reason,
        end_us,
        made_by: String::new(),
    })
}

fn micros(text: &str) -> Result<i64, jiff::Error> {
    Ok(text.parse::<jiff::Timestamp>()?.as_microsecond())
}

/// What a criteria searches; everything in it must be in the tables.
pub fn criteria(text: &str) -> Result<Asked, Refusal> {
    let at = |says: String| Refusal::element("Subscription.criteria", says);
    let (kind, query) = text.split_once('?').unwrap_or((text, ""));
    let kind = Kind::parse(kind).filter(|kind| kind.is_followed()).ok_or_else(|| {
        let kinds = Kind::ALL.into_iter().filter(|kind| kind.is_followed()).map(Kind::name);
        at(format!("one of {}, perhaps with ?parameters", kinds.collect::<Vec<_>>().join(", ")))
    })?;
    let query = QueryString::parse(query).map_err(|problem| at(problem.detail))?;
    if query.iter().any(|(name, _)| name.starts_with('_') && name != "_id") {
        return Err(at(
            "of the parameters of all resources only _id means something here".to_owned()
        ));
    }
    let strict = true;
    Asked::parse(kind, &query, strict).map_err(|refused| at(refused.says))
}

/// A header line as HTTP has it; those that say what the request is are our own.
pub fn header(line: &str) -> Option<(HeaderName, HeaderValue)> {
    let (name, value) = line.split_once(':').filter(|_| line.len() <= MOST_LETTERS)?;
    let name = HeaderName::try_from(name.trim()).ok()?;
    let own = ["host", "connection", "transfer-encoding", "expect", "upgrade", "te", "trailer"];
    if own.contains(&name.as_str()) || name.as_str().starts_with("content-") {
        return None;
    }
    let mut value = HeaderValue::try_from(value.trim()).ok()?;
    value.set_sensitive(true);
    Some((name, value))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::{criteria, header, read};
    use crate::fhir::settings::Settings;

    fn settings() -> Settings {
        Settings { subscribers: vec!["https://ris.example/".to_owned()] }
    }

    #[test]
    fn what_cannot_be_served_is_refused_with_its_element() {
        let good = json!({
            "resourceType": "Subscription", "status": "requested", "reason": "new reports",
            "end": "2027-01-01T00:00:00Z", "criteria": "DiagnosticReport?code=68604-8",
            "channel": {
                "type": "rest-hook", "endpoint": "https://ris.example/hook",
                "header": ["Authorization: Bearer abc"],
            },
        });
        let read = |value: &serde_json::Value| read(value.to_string().as_bytes(), &settings());
        let kept = read(&good).unwrap();
        assert_eq!((kept.end_us, kept.headers.len()), (1_798_761_600_000_000, 1));
        for (place, value, name) in [
            ("/resourceType", json!("Patient"), "resourceType"),
            ("/status", json!("off"), "Subscription.status"),
            ("/end", json!("2027"), "Subscription.end"),
            ("/reason", json!(""), "Subscription.reason"),
            ("/criteria", json!("Observation?code=1"), "Subscription.criteria"),
            ("/criteria", json!("Patient?colour=red"), "Subscription.criteria"),
            ("/criteria", json!("Patient?_count=3"), "Subscription.criteria"),
            ("/criteria", json!("x".repeat(2001)), "Subscription.criteria"),
            ("/channel/type", json!("email"), "Subscription.channel.type"),
            ("/channel/payload", json!("application/fhir+json"), "Subscription.channel.payload"),
            ("/channel/endpoint", json!("https://other.example/"), "Subscription.channel.endpoint"),
            ("/channel/endpoint", json!("ris.example"), "Subscription.channel.endpoint"),
            ("/channel/header", json!(["Host: other"]), "Subscription.channel.header"),
            ("/channel/header", json!(["no colon"]), "Subscription.channel.header"),
        ] {
            let mut bad = good.clone();
            if bad.pointer(place).is_none() {
                bad["channel"]["payload"] = value.clone();
            } else {
                *bad.pointer_mut(place).unwrap() = value.clone();
            }
            let refused = read(&bad).unwrap_err();
            assert_eq!(refused.about.as_deref(), Some(name), "{value}");
            assert_eq!(refused.status.as_u16(), 422);
        }
        let mut many = good.clone();
        many["channel"]["header"] = json!(vec!["A: b"; 9]);
        assert_eq!(read(&many).unwrap_err().status.as_u16(), 400);
    }

    proptest! {
        #[test]
        fn nothing_panics(text in ".{0,80}") {
            let _ = (read(text.as_bytes(), &settings()), criteria(&text), header(&text));
        }
    }
}
