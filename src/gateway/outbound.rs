//! The way of one entry of the outbox: validated, signed, sent, asked after, done.
//!
//! Each step is recorded before the next is taken, and a request that may publish is recorded before it
//! is sent. Where a crash or a lost answer leaves in doubt whether the gateway took it, the gateway is
//! asked, once the request is certainly over; only what it did not take is sent again. So each version is
//! published once.

use std::sync::Arc;
use std::time::Duration;

use axum::http::Method;
use sha2::Digest;
use sha2::Sha256;

use crate::access::actor::Actor;
use crate::access::actor::Purpose;
use crate::access::permit::Permit;
use crate::access::permit::Subject;
use crate::clock::SharedClock;
use crate::fascicolo::error::FascicoloError;
use crate::fascicolo::fascicolo::Fascicolo;
use crate::fascicolo::outbox::Place;
use crate::fascicolo::outbox::Shipment;
use crate::gateway::answer::Answer;
use crate::gateway::answer::Fate;
use crate::gateway::answer::Reason;
use crate::gateway::client::Client;
use crate::gateway::client::Request;
use crate::gateway::client::encoded;
use crate::gateway::request::Form;
use crate::gateway::request::metadata;
use crate::gateway::request::person;
use crate::gateway::request::plain;
use crate::gateway::request::publication;
use crate::gateway::request::validation;
use crate::gateway::settings::BadSettings;
use crate::gateway::settings::Settings;
use crate::gateway::sign::sign;
use crate::gateway::token::About;
use crate::model::outbox::Entry;
use crate::model::outbox::Operation;
use crate::model::outbox::Progress;
use crate::model::outbox::Stage;
use crate::steps::Step;
use crate::steps::come_to;

/// Entries queued at once when the server starts.
const PAGE: u32 = 500;
/// Steps of one job: no entry has more.
const MOST_STEPS: usize = 6;
/// A validated document the gateway says it never validated is validated again so many times.
const MOST_FORGOTTEN: u32 = 5;
/// The longest time between two tries.
const LONGEST_PAUSE_US: i64 = 3600 * 1_000_000;
const SECOND_US: i64 = 1_000_000;
const DAY_US: i64 = 24 * 3600 * SECOND_US;

/// The client side of the national gateway.
#[derive(Debug, Clone)]
pub struct Gateway {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    settings: Settings,
    client: Client,
    fascicolo: Fascicolo,
    clock: SharedClock,
}

/// What comes of one step.
struct Next {
    progress: Progress,
    /// When the next comes, from now; `None`: at once, or never where the stage is final.
    pause_us: Option<i64>,
}

impl Gateway {
    /// The gateway of the settings; `None` where they name none.
    pub fn open(
        settings: &Settings,
        fascicolo: Fascicolo,
        clock: SharedClock,
    ) -> Result<Option<Self>, BadSettings> {
        if settings.url.is_empty() {
            return Ok(None);
        }
        let client = Client::open(settings)?;
        let inner = Inner { settings: settings.clone(), client, fascicolo, clock };
        Ok(Some(Self { inner: Arc::new(inner) }))
    }

    /// Queues every entry that is not settled: also those whose jobs were set aside while the index or
    /// these settings were at fault.
    pub async fn start(&self) -> Result<(), FascicoloError> {
        let fascicolo = &self.inner.fascicolo;
        let permit = self.permit()?;
        for stage in Stage::ALL.into_iter().filter(|stage| !stage.is_final()) {
            let mut after = 0;
            loop {
                let page = fascicolo.outbox(&permit, Some(stage), after, PAGE).await?;
                let Some(last) = page.last() else { break };
                after = last.id;
                for entry in &page {
                    fascicolo.look_again(&permit, entry, 0).await?;
                }
            }
        }
        Ok(())
    }

    fn permit(&self) -> Result<Permit, FascicoloError> {
        let access = self.inner.fascicolo.access();
        Ok(access.permit(&Actor::System, Purpose::Operation, Subject::Archive)?)
    }

    /// One job: takes an entry as far as it goes now.
    pub async fn go_on(&self, subject: &str) -> Result<(), FascicoloError> {
        let Ok(id) = subject.parse::<i64>() else { return Ok(()) };
        let fascicolo = &self.inner.fascicolo;
        let permit = self.permit()?;
        for _ in 0..MOST_STEPS {
            let entry = match fascicolo.entry(&permit, id).await {
                Ok(entry) => entry,
                Err(FascicoloError::Unknown(_)) => return Ok(()),
                Err(error) => return Err(error),
            };
            if entry.progress.stage.is_final() {
                break;
            }
            let Some((entry, next)) = self.step(&permit, entry).await? else { break };
            if !self.record(&permit, &entry, &next).await? || next.pause_us.is_some() {
                break;
            }
        }
        for (stage, count) in fascicolo.outbox_counts(&permit).await? {
            #[expect(clippy::cast_precision_loss, reason = "a figure to look at")]
            metrics::gauge!("lastra_gateway_outbox", "stage" => stage.as_str()).set(count as f64);
        }
        Ok(())
    }

    /// One step, and the entry as it was when it was done; `None` when somebody else went on with it.
    async fn step(
        &self,
        permit: &Permit,
        entry: Entry,
    ) -> Result<Option<(Entry, Next)>, FascicoloError> {
        let next = match (entry.operation, entry.progress.stage) {
            (Operation::Publish, Stage::Waiting) => self.validate(permit, &entry).await,
            (Operation::Publish, Stage::Validated) => return self.publish(permit, entry).await,
            (Operation::Publish, Stage::Sending) => Ok(self.ask_whether_taken(&entry).await),
            (Operation::Publish, Stage::Sent) => Ok(self.ask_what_became(&entry).await),
            (_, Stage::Done | Stage::Refused | Stage::Aside) => return Ok(None),
            (Operation::Delete, _) => self.delete(permit, &entry).await,
            (Operation::Update, _) => self.update(permit, &entry).await,
        };
        match next {
            // It cannot be made into what is sent: somebody must look.
            Err(FascicoloError::Refused(reason)) => {
                let next = refused(&entry, &Reason::of(reason));
                Ok(Some((entry, next)))
            }
            next => Ok(Some((entry, next?))),
        }
    }

    async fn validate(&self, permit: &Permit, entry: &Entry) -> Result<Next, FascicoloError> {
        let fascicolo = &self.inner.fascicolo;
        // What was kept for an earlier try may be what was refused.
        let bare =
            Entry { progress: Progress { file: None, ..entry.progress.clone() }, ..entry.clone() };
        let shipment = fascicolo.shipment(permit, &bare).await?;
        let in_place_of = match fascicolo.place(permit, entry, &shipment.cda).await? {
            Place::Later => {
                let pause_us = Some(i64::from(self.inner.settings.poll_s) * SECOND_US);
                return Ok(Next { progress: entry.progress.clone(), pause_us });
            }
            Place::New => String::new(),
            Place::InPlaceOf(id) => id,
        };
        let action = if in_place_of.is_empty() { "CREATE" } else { "UPDATE" };
        let request = Request {
            name: "validation",
            method: Method::POST,
            path: "/documents/validation".to_owned(),
            about: Some(about(&shipment, action)?),
            form: Some(Form::new(&validation(), &shipment.pdf)),
        };
        let answer = self.inner.client.send(request, self.now_us()).await;
        Ok(match answer {
            Answer::Taken(taken) => {
                come_to(Step::GatewayValidated);
                let progress = Progress {
                    stage: Stage::Validated,
                    unique_id: shipment.cda.id.joined(),
                    in_place_of,
                    workflow: taken.workflow,
                    trace: taken.trace,
                    file: None,
                    failures: entry.progress.failures,
                    reason: String::new(),
                    warning: taken.warning,
                };
                Next { progress, pause_us: None }
            }
            Answer::Refused(reason) | Answer::NotValidated(reason) => refused(entry, &reason),
            // Validating twice harms nothing.
            Answer::Later(reason) | Answer::Lost(reason) | Answer::Unknown(reason) => {
                self.again(entry, Stage::Waiting, &reason)
            }
        })
    }

    async fn publish(
        &self,
        permit: &Permit,
        entry: Entry,
    ) -> Result<Option<(Entry, Next)>, FascicoloError> {
        let (settings, fascicolo) = (&self.inner.settings, &self.inner.fascicolo);
        let mut shipment = fascicolo.shipment(permit, &entry).await?;
        let mut file = entry.progress.file.clone();
        if file.is_none() {
            if !settings.sign_command.is_empty() {
                let within = Duration::from_secs(settings.timeout_s.into());
                let signed = sign(&settings.sign_command, shipment.pdf.clone(), within).await;
                match signed {
                    Ok(signed) => shipment.pdf = signed,
                    Err(error) => {
                        let reason = Reason::of(&error.to_string());
                        let next = self.again(&entry, Stage::Validated, &reason);
                        return Ok(Some((entry, next)));
                    }
                }
            }
            file = Some(fascicolo.keep_file(permit, &entry, &shipment.pdf).await?);
        }
        let sending = Progress { stage: Stage::Sending, file, ..entry.progress.clone() };
        // The next look comes even if this process ends here: after the request is certainly over.
        let settled = i64::from(settings.settle_s) * SECOND_US;
        if !fascicolo.advance(permit, &entry, &sending, Some(settled)).await? {
            return Ok(None);
        }
        come_to(Step::GatewaySending);
        let entry = fascicolo.entry(permit, entry.id).await?;
        let replaced = &entry.progress.in_place_of;
        let (name, method, path, action) = if replaced.is_empty() {
            ("create", Method::POST, "/documents".to_owned(), "CREATE")
        } else {
            ("replace", Method::PUT, format!("/documents/{}", encoded(replaced)), "UPDATE")
        };
        let obscured = fascicolo.is_obscured_there(permit, entry.document).await?;
        let body = publication(settings, &entry, &shipment.cda, obscured);
        let request = Request {
            name,
            method,
            path,
            about: Some(about(&shipment, action)?),
            form: Some(Form::new(&body, &shipment.pdf)),
        };
        let answer = self.inner.client.send(request, self.now_us()).await;
        let next = match answer {
            // The version it should take the place of was published from elsewhere, if at all, and the
            // national index has no such document: this is the first there.
            Answer::Unknown(_)
                if !entry.progress.in_place_of.is_empty()
                    && !fascicolo.published_before(permit, &entry).await? =>
            {
                let progress = Progress {
                    stage: Stage::Validated,
                    in_place_of: String::new(),
                    ..entry.progress.clone()
                };
                Next { progress, pause_us: None }
            }
            answer => self.after_sending(&entry, answer),
        };
        Ok(Some((entry, next)))
    }

    fn after_sending(&self, entry: &Entry, answer: Answer) -> Next {
        let progress = &entry.progress;
        match answer {
            Answer::Taken(taken) => {
                come_to(Step::GatewayTook);
                let progress = Progress {
                    stage: Stage::Sent,
                    trace: taken.trace,
                    failures: 0,
                    reason: String::new(),
                    warning: join(&progress.warning, &taken.warning),
                    ..progress.clone()
                };
                Next { progress, pause_us: Some(self.poll_us(0)) }
            }
            // The version it should take the place of is not there any more, or it is refused itself.
            Answer::Refused(reason) | Answer::Unknown(reason) => refused(entry, &reason),
            Answer::NotValidated(reason) if progress.failures >= MOST_FORGOTTEN => {
                refused(entry, &reason)
            }
            Answer::NotValidated(reason) => {
                let mut next = self.again(entry, Stage::Waiting, &reason);
                next.progress.file = None;
                next
            }
            Answer::Later(reason) => self.again(entry, Stage::Validated, &reason),
            Answer::Lost(reason) => {
                let mut next = self.again(entry, Stage::Sending, &reason);
                next.pause_us = Some(i64::from(self.inner.settings.settle_s) * SECOND_US);
                next
            }
        }
    }

    /// A request whose answer nobody saw.
    async fn ask_whether_taken(&self, entry: &Entry) -> Next {
        let settled = i64::from(self.inner.settings.settle_s) * SECOND_US;
        let left = entry.changed_us.saturating_add(settled).saturating_sub(self.now_us());
        let progress = &entry.progress;
        if left > 0 {
            return Next { progress: progress.clone(), pause_us: Some(left) };
        }
        match self.fate(entry).await {
            Ok(Fate::NotTaken) => {
                let progress = Progress { stage: Stage::Validated, ..progress.clone() };
                Next { progress, pause_us: None }
            }
            Ok(Fate::UnderWay) => {
                let progress = Progress { stage: Stage::Sent, failures: 0, ..progress.clone() };
                Next { progress, pause_us: Some(self.poll_us(0)) }
            }
            Ok(Fate::Indexed) => done(entry),
            Ok(Fate::Failed(reason)) => refused(entry, &reason),
            Err(reason) => self.again(entry, Stage::Sending, &reason),
        }
    }

    async fn ask_what_became(&self, entry: &Entry) -> Next {
        let progress = &entry.progress;
        match self.fate(entry).await {
            Ok(Fate::Indexed) => done(entry),
            Ok(Fate::Failed(reason)) => refused(entry, &reason),
            Ok(Fate::NotTaken | Fate::UnderWay) => {
                let failures = progress.failures.saturating_add(1);
                let progress = Progress { failures, ..progress.clone() };
                Next { progress, pause_us: Some(self.poll_us(failures)) }
            }
            Err(reason) => {
                let failures = progress.failures.saturating_add(1);
                let reason = reason.kept();
                let progress = Progress { failures, reason, ..progress.clone() };
                Next { progress, pause_us: Some(self.poll_us(failures)) }
            }
        }
    }

    /// Deletes what was published: asked twice it is still deleted once.
    async fn delete(&self, permit: &Permit, entry: &Entry) -> Result<Next, FascicoloError> {
        let fascicolo = &self.inner.fascicolo;
        let entries = fascicolo.entries_of(permit, entry.document).await?;
        let published = entries.iter().find(|other| other.operation == Operation::Publish);
        let published =
            published.ok_or(FascicoloError::Refused("the document is not published from here"))?;
        let unique_id = published.progress.unique_id.clone();
        let shipment = fascicolo.shipment(permit, published).await?;
        let mut about = about(&shipment, "DELETE")?;
        (about.purpose, about.file_hash) = ("UPDATE", None);
        let request = Request {
            name: "delete",
            method: Method::DELETE,
            path: format!("/documents/{}", encoded(&unique_id)),
            about: Some(about),
            form: None,
        };
        let answer = self.inner.client.send(request, self.now_us()).await;
        let asked_before = entry.progress.failures > 0;
        Ok(match answer {
            Answer::Taken(taken) => {
                let mut next = done(entry);
                next.progress.unique_id = unique_id;
                (next.progress.trace, next.progress.workflow) = (taken.trace, taken.workflow);
                next
            }
            // The answer that said so was lost.
            Answer::Unknown(_) if asked_before => done(entry),
            Answer::Refused(reason) | Answer::NotValidated(reason) | Answer::Unknown(reason) => {
                refused(entry, &reason)
            }
            Answer::Later(reason) | Answer::Lost(reason) => {
                self.again(entry, Stage::Waiting, &reason)
            }
        })
    }

    /// Updates the metadata of what was published: asked twice it stands as asked.
    async fn update(&self, permit: &Permit, entry: &Entry) -> Result<Next, FascicoloError> {
        let fascicolo = &self.inner.fascicolo;
        let entries = fascicolo.entries_of(permit, entry.document).await?;
        let of = |operation| entries.iter().find(|other: &&Entry| other.operation == operation);
        if of(Operation::Delete).is_some_and(|other| other.progress.stage == Stage::Done) {
            return Err(FascicoloError::Refused("the document was withdrawn"));
        }
        let published = of(Operation::Publish).filter(|other| other.progress.stage == Stage::Done);
        let published =
            published.ok_or(FascicoloError::Refused("the document is not published from here"))?;
        let unique_id = published.progress.unique_id.clone();
        let shipment = fascicolo.shipment(permit, published).await?;
        let mut about = about(&shipment, "UPDATE")?;
        (about.purpose, about.file_hash) = ("ACCESS UPDATE", None);
        let body = metadata(&self.inner.settings, entry, &shipment.cda);
        let request = Request {
            name: "metadata",
            method: Method::PUT,
            path: format!("/documents/{}/metadata", encoded(&unique_id)),
            about: Some(about),
            form: Some(plain(&body)),
        };
        Ok(match self.inner.client.send(request, self.now_us()).await {
            Answer::Taken(taken) => {
                let mut next = done(entry);
                next.progress.unique_id = unique_id;
                (next.progress.trace, next.progress.workflow) = (taken.trace, taken.workflow);
                next.progress.warning = taken.warning;
                next
            }
            Answer::Refused(reason) | Answer::NotValidated(reason) | Answer::Unknown(reason) => {
                refused(entry, &reason)
            }
            Answer::Later(reason) | Answer::Lost(reason) => {
                self.again(entry, Stage::Waiting, &reason)
            }
        })
    }

    async fn fate(&self, entry: &Entry) -> Result<Fate, Reason> {
        let progress = &entry.progress;
        self.inner.client.fate(&progress.workflow, &progress.unique_id, self.now_us()).await
    }

    /// The same again later: after 2, 4, 8 … seconds, an hour at most, until the days for trying are
    /// over.
    fn again(&self, entry: &Entry, stage: Stage, reason: &Reason) -> Next {
        let tried_us = self.now_us().saturating_sub(entry.made_us);
        let try_us = i64::from(self.inner.settings.try_days) * DAY_US;
        // What the gateway may have is asked after for as long as it takes.
        if tried_us > try_us && stage != Stage::Sending {
            return refused(entry, reason);
        }
        tracing::warn!(
            entry = entry.id,
            document = entry.document,
            stage = stage.as_str(),
            code = reason.code,
            "the national gateway cannot be asked now"
        );
        let failures = entry.progress.failures.saturating_add(1);
        let pause = (SECOND_US << failures.min(12)).min(LONGEST_PAUSE_US);
        let reason = reason.kept();
        let progress = Progress { stage, failures, reason, ..entry.progress.clone() };
        Next { progress, pause_us: Some(pause) }
    }

    /// When what became of a report is asked next: rarer each time.
    fn poll_us(&self, asked: u32) -> i64 {
        let poll = i64::from(self.inner.settings.poll_s.max(1)) * SECOND_US;
        poll.saturating_mul(1 << asked.min(10)).min(LONGEST_PAUSE_US)
    }

    async fn record(
        &self,
        permit: &Permit,
        entry: &Entry,
        next: &Next,
    ) -> Result<bool, FascicoloError> {
        let stage = next.progress.stage;
        if stage != entry.progress.stage && stage.is_final() {
            let (document, reason) = (entry.document, next.progress.reason.as_str());
            // The gateway's code, without its words: those may quote the document.
            let code = reason.split(": ").next().unwrap_or_default();
            tracing::info!(
                entry = entry.id,
                document,
                stage = stage.as_str(),
                code,
                "the national gateway has settled a report"
            );
        }
        let fascicolo = &self.inner.fascicolo;
        if let Some(pause_us) = next.pause_us
            && entry.progress == next.progress
        {
            // Only waited for: a change would move the time it is counted from.
            fascicolo.look_again(permit, entry, pause_us).await?;
            return Ok(true);
        }
        let pause = if stage.is_final() { None } else { next.pause_us.or(Some(0)) };
        fascicolo.advance(permit, entry, &next.progress, pause).await
    }

    fn now_us(&self) -> i64 {
        self.inner.clock.now_us()
    }
}

/// What the token says of a report.
fn about<'a>(shipment: &'a Shipment, action: &'a str) -> Result<About<'a>, FascicoloError> {
    let person = person(&shipment.cda).ok_or(FascicoloError::Refused(
        "no-person: the CDA names no codice fiscale, ENI, STP or ANA of the patient",
    ))?;
    let hash = Sha256::digest(&shipment.pdf);
    Ok(About {
        person,
        action,
        purpose: if action == "CREATE" { "TREATMENT" } else { "UPDATE" },
        type_code: Some(&shipment.cda.code.code),
        file_hash: Some(hex(&hash)),
    })
}

fn done(entry: &Entry) -> Next {
    let progress = Progress {
        stage: Stage::Done,
        failures: 0,
        reason: String::new(),
        ..entry.progress.clone()
    };
    Next { progress, pause_us: None }
}

fn refused(entry: &Entry, reason: &Reason) -> Next {
    let progress = Progress {
        stage: Stage::Refused,
        reason: reason.kept(),
        trace: if reason.trace.is_empty() {
            entry.progress.trace.clone()
        } else {
            reason.trace.clone()
        },
        ..entry.progress.clone()
    };
    Next { progress, pause_us: None }
}

fn join(one: &str, other: &str) -> String {
    [one, other].into_iter().filter(|text| !text.is_empty()).collect::<Vec<_>>().join("; ")
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        text.extend(
            [byte >> 4, byte & 15].map(|digit| char::from_digit(digit.into(), 16).unwrap_or('0')),
        );
        text
    })
}
