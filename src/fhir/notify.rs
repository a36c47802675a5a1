//! Subscribers told (FHIR R4 §2.45.6): something that meets their criteria came or changed. What it is
//! they read here: the notice is empty. The change feed says when to look, as it does for webhooks.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use crate::access::permit::Permit;
use crate::archive::follow::Receiver;
use crate::fascicolo::error::FascicoloError;
use crate::fascicolo::fascicolo::Fascicolo;
use crate::fhir::door::{Consultation, ROOT};
use crate::fhir::kind::{ID, Kind};
use crate::fhir::manifest::Form;
use crate::fhir::outcome::Refusal;
use crate::fhir::settings::Settings;
use crate::fhir::subscribing::{criteria, header};
use crate::fhir::tokens::MOST_VALUES;
use crate::model::event::{Event, EventKind};
use crate::model::subscription::{State, Subscription};

/// Time a subscriber has to answer.
const ANSWER_WITHIN: Duration = Duration::from_secs(5);

/// Tells subscribers.
#[derive(Debug, Clone)]
pub struct Notifier {
    fascicolo: Fascicolo,
    settings: Arc<Settings>,
    client: reqwest::Client,
}

impl Notifier {
    /// A notifier.
    pub fn new(fascicolo: Fascicolo, settings: Settings) -> Result<Self, String> {
        for known in &settings.subscribers {
            let address = reqwest::Url::parse(known);
            if !address.is_ok_and(|address| address.origin().is_tuple()) {
                return Err(format!("fhir.subscribers: {known} is no http or https address"));
            }
        }
        // An error means that another is installed already, which serves as well.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = reqwest::Client::builder()
            .timeout(ANSWER_WITHIN)
            .redirect(reqwest::redirect::Policy::none())
            .user_agent(concat!("lastra/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|error| error.to_string())?;
        Ok(Self { fascicolo, settings: Arc::new(settings), client })
    }

    /// Goes on with the subscriptions that are there.
    pub async fn start(&self) -> Result<(), FascicoloError> {
        self.fascicolo.follow_subscriptions().await
    }

    /// One job: looks for what a subscriber is to be told.
    pub async fn look(&self, follower: &str) -> Result<(), FascicoloError> {
        let told = |subscription| Subscriber { subscription, notifier: self };
        self.fascicolo.serve_subscription(follower, told).await
    }
}

struct Subscriber<'a> {
    subscription: Subscription,
    notifier: &'a Notifier,
}

#[async_trait]
impl Receiver for Subscriber<'_> {
    async fn receive(&self, permit: &Permit, changes: &[Event]) -> Result<(), String> {
        let told = match self.is_met(permit, changes).await {
            Ok(true) => self.tell().await,
            Ok(false) => return Ok(()),
            // The archive's own trouble is not the subscriber's.
            Err(refused) => return Err(refused.says),
        };
        let (state, error) = match &told {
            Ok(()) => (State::Active, ""),
            Err(reason) => (State::Error, reason.as_str()),
        };
        let fascicolo = &self.notifier.fascicolo;
        let kept = fascicolo.set_subscription(permit, &self.subscription.id, state, error).await;
        kept.map_err(|error| error.to_string())?;
        told
    }
}

impl Subscriber<'_> {
    /// Whether anything that changed meets the criteria now.
    async fn is_met(&self, permit: &Permit, changes: &[Event]) -> Result<bool, Refusal> {
        let mut asked = criteria(&self.subscription.criteria)?;
        let ids = changed(asked.kind, changes);
        let consultation = Consultation {
            fascicolo: self.notifier.fascicolo.clone(),
            permit: permit.clone(),
            base: ROOT.to_owned(),
            dicomweb: String::new(),
        };
        for some in ids.chunks(MOST_VALUES) {
            asked.wanted.push((ID, some.join(",")));
            if consultation.count(&asked, 1).await? > 0 {
                return Ok(true);
            }
            asked.wanted.pop();
        }
        Ok(false)
    }

    async fn tell(&self) -> Result<(), String> {
        let endpoint = reqwest::Url::parse(&self.subscription.endpoint);
        let endpoint = endpoint.map_err(|_| "the endpoint is no address".to_owned())?;
        if !self.notifier.settings.allows(&endpoint) {
            return Err(
                "the endpoint is below none of the addresses in fhir.subscribers".to_owned()
            );
        }
        let mut request = self.notifier.client.post(endpoint).body("");
        for (name, value) in self.subscription.headers.iter().filter_map(|line| header(line)) {
            request = request.header(name, value);
        }
        let answer = request.send().await.map_err(|error| error.without_url().to_string())?;
        let status = answer.status();
        metrics::counter!("lastra_subscription_notices_total", "accepted" => if status.is_success() { "yes" } else { "no" })
            .increment(1);
        if status.is_success() { Ok(()) } else { Err(format!("answered {}", status.as_u16())) }
    }
}

/// Ids of a type among what changed, each once; with a study its manifests change.
fn changed(kind: Kind, changes: &[Event]) -> Vec<String> {
    let mut each = BTreeSet::new();
    for event in changes.iter().filter(|event| event.kind != EventKind::ConflictRaised) {
        let remade = matches!(event.kind, EventKind::StudyChanged | EventKind::FascicoloChanged);
        for (own, id) in event.concerns.iter().filter_map(|named| named.split_once('/')) {
            if own == kind.name() {
                each.insert(id.to_owned());
            } else if remade && kind == Kind::DocumentReference && own == Kind::ImagingStudy.name()
            {
                each.extend(Form::ALL.map(|form| form.id_of(id)));
            }
        }
    }
    each.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::changed;
    use crate::fhir::kind::Kind;
    use crate::model::event::{Event, EventKind};

    #[test]
    fn ids_of_what_changed_are_taken_once_and_by_their_type() {
        let event = |kind, concerns: &[&str]| Event {
            sequence: 1,
            at_us: 1,
            kind,
            object: None,
            concerns: concerns.iter().map(|id| (*id).to_owned()).collect(),
        };
        let changes = [
            event(EventKind::StudyLinked, &["Patient/a", "ImagingStudy/s", "DocumentReference/d"]),
            event(EventKind::PersonMerged, &["Patient/b", "Patient/a"]),
            event(EventKind::ConflictRaised, &["Patient/c"]),
        ];
        assert_eq!(changed(Kind::Patient, &changes), ["a", "b"]);
        assert_eq!(changed(Kind::ImagingStudy, &changes), ["s"]);
        assert_eq!(changed(Kind::DocumentReference, &changes), ["d"]);
        let more = [event(EventKind::StudyChanged, &["Patient/a", "ImagingStudy/s"])];
        assert_eq!(changed(Kind::DocumentReference, &more), ["fs", "ks"]);
        assert!(changed(Kind::Provenance, &changes).is_empty());
    }
}
