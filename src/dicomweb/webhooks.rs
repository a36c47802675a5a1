//! Signed webhooks: the change feed brought to whoever asked for it in the configuration, as
//! `archive/follow` brings it. A delivery counts when it is answered with 2xx.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use axum::http::HeaderValue;
use axum::http::header::CONTENT_TYPE;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::access::permit::Permit;
use crate::archive::archive::Archive;
use crate::archive::error::ArchiveError;
use crate::archive::follow::Receiver;
use crate::clock::SharedClock;
use crate::dicomweb::address::Urls;
use crate::dicomweb::changes::written;
use crate::http::base::Base;
use crate::http::openapi::hex;
use crate::model::event::Event;
use crate::model::job::JobKind;

/// Time a receiver has to answer.
const ANSWER_WITHIN: Duration = Duration::from_secs(30);

/// A receiver of changes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Webhook {
    /// Its name: how far it has been served is kept under it.
    pub name: String,
    /// Where changes are posted to.
    pub url: String,
    /// What deliveries are signed with: HMAC-SHA256, at least 16 characters.
    pub secret: String,
    /// Kinds of change it wants; empty: all.
    #[serde(default)]
    pub kinds: Vec<String>,
}

/// A webhook that cannot be served as it stands.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("webhook {name}: {reason}")]
pub struct BadWebhook {
    name: String,
    reason: String,
}

/// Serves all webhooks.
#[derive(Debug, Clone)]
pub struct Webhooks {
    hooks: Arc<Vec<Webhook>>,
    archive: Archive,
    urls: Urls,
    clock: SharedClock,
    client: reqwest::Client,
}

impl Webhooks {
    /// Checks the settings; `base` is the archive's public address, without a slash at its end.
    pub fn new(
        hooks: Vec<Webhook>,
        archive: Archive,
        base: &str,
        clock: SharedClock,
    ) -> Result<Self, BadWebhook> {
        for (number, hook) in hooks.iter().enumerate() {
            let earlier = hooks.iter().take(number);
            check(hook, earlier.map(|other| other.name.as_str()))?;
        }
        // An error means that another is installed already, which serves as well.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = reqwest::Client::builder()
            .timeout(ANSWER_WITHIN)
            .redirect(reqwest::redirect::Policy::none())
            .user_agent(concat!("lastra/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|error| BadWebhook { name: "client".to_owned(), reason: error.to_string() })?;
        let urls = Urls::new(&Base(base.to_owned()));
        Ok(Self { hooks: Arc::new(hooks), archive, urls, clock, client })
    }

    /// Begins with each; one that is queued or under way is looked at soon.
    pub async fn start(&self) -> Result<(), ArchiveError> {
        for hook in self.hooks.iter() {
            self.archive.follow(JobKind::Webhook, &hook.name).await?;
        }
        Ok(())
    }

    /// One job: serves the webhook `name`. One that the configuration no longer names is let go.
    pub async fn look(&self, name: &str) -> Result<(), ArchiveError> {
        let Some(hook) = self.hooks.iter().find(|hook| hook.name == name) else { return Ok(()) };
        self.archive.serve(JobKind::Webhook, name, &Bound { hook, hooks: self }).await
    }
}

/// One of them.
struct Bound<'a> {
    hook: &'a Webhook,
    hooks: &'a Webhooks,
}

#[async_trait]
impl Receiver for Bound<'_> {
    /// Posts the changes a webhook wants of a page; nothing is posted when it wants none.
    async fn receive(&self, _: &Permit, changes: &[Event]) -> Result<(), String> {
        let hook = self.hook;
        let wanted = changes.iter().filter(|event| {
            hook.kinds.is_empty() || hook.kinds.iter().any(|kind| kind == event.kind.as_str())
        });
        let changes: Vec<_> = wanted.map(|event| written(event, &self.hooks.urls)).collect();
        if changes.is_empty() {
            return Ok(());
        }
        let body = json!({ "webhook": hook.name, "changes": changes }).to_string();
        let seconds = self.hooks.clock.now_us() / 1_000_000;
        let request = self
            .hooks
            .client
            .post(&hook.url)
            .header(CONTENT_TYPE, HeaderValue::from_static("application/json"))
            .header(SIGNATURE, signature(&hook.secret, seconds, &body))
            .body(body);
        let answer = request.send().await.map_err(|error| error.without_url().to_string())?;
        let status = answer.status();
        metrics::counter!("lastra_webhook_deliveries_total", "accepted" => if status.is_success() { "yes" } else { "no" })
            .increment(1);
        if status.is_success() { Ok(()) } else { Err(format!("answered {}", status.as_u16())) }
    }
}

/// The field that holds a delivery's signature: `t=<seconds since 1970>,v1=<hex>`.
pub const SIGNATURE: &str = "lastra-signature";

/// HMAC-SHA256 by the secret over the time, a point, and the body: a receiver computes the same,
/// and refuses times long past.
pub fn signature(secret: &str, seconds: i64, body: &str) -> String {
    let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, secret.as_bytes());
    let tag = ring::hmac::sign(&key, format!("{seconds}.{body}").as_bytes());
    format!("t={seconds},v1={}", hex(tag.as_ref()))
}

fn check<'a>(hook: &Webhook, mut earlier: impl Iterator<Item = &'a str>) -> Result<(), BadWebhook> {
    let bad = |reason: &str| BadWebhook { name: hook.name.clone(), reason: reason.to_owned() };
    let named = (1..=64).contains(&hook.name.len())
        && hook.name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte));
    if !named {
        return Err(bad("name: use up to 64 letters, digits, -, _ or ."));
    }
    if earlier.any(|name| name == hook.name) {
        return Err(bad("name: another webhook has it already"));
    }
    let url = reqwest::Url::parse(&hook.url).map_err(|_| bad("url: not an address"))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(bad("url: use http:// or https://"));
    }
    if hook.secret.len() < 16 {
        return Err(bad("secret: use at least 16 characters"));
    }
    for kind in &hook.kinds {
        if crate::model::event::EventKind::parse(kind).is_none() {
            return Err(bad(&format!("kinds: there is no kind {kind}")));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{Webhook, check, signature};

    fn hook() -> Webhook {
        Webhook {
            name: "ris".into(),
            url: "https://ris.example/hook".into(),
            secret: "0123456789abcdef".into(),
            kinds: vec!["instance-stored".into()],
        }
    }

    #[test]
    fn a_signature_is_hmac_sha256_over_time_and_body() {
        // printf '1767225600.{}' | openssl dgst -sha256 -hmac 0123456789abcdef
        let expected =
            "t=1767225600,v1=99902517b3069f78750aa0520b0493482454c2d30a579c7acc839f3363ca1b88";
        assert_eq!(signature("0123456789abcdef", 1_767_225_600, "{}"), expected);
    }

    #[test]
    fn what_cannot_be_served_is_refused_with_its_field() {
        assert_eq!(check(&hook(), ["other"].into_iter()), Ok(()));
        for (bad, field) in [
            (Webhook { name: String::new(), ..hook() }, "name"),
            (Webhook { name: "a b".into(), ..hook() }, "name"),
            (Webhook { url: "ris.example".into(), ..hook() }, "url"),
            (Webhook { url: "ftp://ris.example".into(), ..hook() }, "url"),
            (Webhook { secret: "short".into(), ..hook() }, "secret"),
            (Webhook { kinds: vec!["everything".into()], ..hook() }, "kinds"),
        ] {
            let error = check(&bad, [].into_iter()).unwrap_err();
            assert!(error.reason.starts_with(field), "{error}");
        }
        assert!(check(&hook(), ["ris"].into_iter()).is_err());
    }
}
