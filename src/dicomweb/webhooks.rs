//! Signed webhooks: the change feed brought to whoever asked for it in the configuration.
//!
//! Durable: how far each has been served is a row, and each look at the feed is a job of the queue,
//! on one node at a time. A delivery counts when it is answered with 2xx; else it is tried again,
//! later and later, from the same change on: every change comes at least once and in order.

use std::sync::Arc;
use std::time::Duration;

use axum::http::HeaderValue;
use axum::http::header::CONTENT_TYPE;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::access::actor::{Actor, Purpose};
use crate::access::permit::{Permit, Subject};
use crate::archive::archive::Archive;
use crate::archive::error::ArchiveError;
use crate::clock::SharedClock;
use crate::dicomweb::address::Urls;
use crate::dicomweb::changes::written;
use crate::dicomweb::openapi::hex;
use crate::http::base::Base;
use crate::model::event::Event;
use crate::model::event::Follower;

/// Changes of one delivery.
const PAGE: u32 = 100;

/// Deliveries of one job; then others get their turn.
const PAGES: u32 = 20;

/// Time between two looks at a feed nothing was found in.
const LOOK_US: i64 = 1_000_000;

/// The longest time until a failed delivery is tried again.
const LONGEST_PAUSE_US: i64 = 3600 * 1_000_000;

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

    /// Queues the first look for each; one that is queued or under way is looked at soon.
    pub async fn start(&self) -> Result<(), ArchiveError> {
        let permit = self.permit()?;
        for hook in self.hooks.iter() {
            self.archive.follower(&permit, &hook.name).await?;
            self.archive.follow_again(&hook.name, 0).await?;
        }
        Ok(())
    }

    /// One job: serves the webhook `name` and queues its next look. One that the configuration no
    /// longer names is let go.
    pub async fn look(&self, name: &str) -> Result<(), ArchiveError> {
        let Some(hook) = self.hooks.iter().find(|hook| hook.name == name) else { return Ok(()) };
        let permit = self.permit()?;
        let mut follower = self.archive.follower(&permit, name).await?;
        for _ in 0..PAGES {
            let events = self.archive.changes(&permit, follower.sequence, PAGE).await?;
            let Some(last) = events.last() else {
                return self.archive.follow_again(name, LOOK_US).await;
            };
            let sequence = last.sequence;
            if let Err(reason) = self.deliver(hook, &events).await {
                return self.failed(&permit, follower, &reason).await;
            }
            follower = Follower { sequence, failures: 0, ..follower };
            self.archive.put_follower(&permit, &follower).await?;
        }
        self.archive.follow_again(name, 0).await
    }

    fn permit(&self) -> Result<Permit, ArchiveError> {
        let access = self.archive.access();
        let permit = access.permit(&Actor::System, Purpose::Operation, Subject::Archive);
        permit.map_err(|_| ArchiveError::Denied)
    }

    /// Posts the changes a webhook wants of a page; nothing is posted when it wants none.
    async fn deliver(&self, hook: &Webhook, events: &[Event]) -> Result<(), String> {
        let wanted = events.iter().filter(|event| {
            hook.kinds.is_empty() || hook.kinds.iter().any(|kind| kind == event.kind.as_str())
        });
        let changes: Vec<_> = wanted.map(|event| written(event, &self.urls)).collect();
        if changes.is_empty() {
            return Ok(());
        }
        let body = json!({ "webhook": hook.name, "changes": changes }).to_string();
        let seconds = self.clock.now_us() / 1_000_000;
        let request = self
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

    /// Tries again after 2, 4, 8 … seconds, an hour at most, for as long as it takes.
    async fn failed(
        &self,
        permit: &Permit,
        mut follower: Follower,
        reason: &str,
    ) -> Result<(), ArchiveError> {
        follower.failures = follower.failures.saturating_add(1);
        tracing::warn!(
            webhook = follower.name,
            failures = follower.failures,
            reason,
            "webhook failed"
        );
        self.archive.put_follower(permit, &follower).await?;
        let pause_us = (1_i64 << follower.failures.min(20)) * 1_000_000;
        self.archive.follow_again(&follower.name, pause_us.min(LONGEST_PAUSE_US)).await
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
