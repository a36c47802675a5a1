//! Requests: mutual TLS by the "autenticazione" certificate, both tokens, a bounded answer.

use std::time::Duration;

use axum::http::Method;
use axum::http::header::ACCEPT;
use axum::http::header::AUTHORIZATION;
use axum::http::header::CONTENT_TYPE;
use percent_encoding::AsciiSet;
use percent_encoding::NON_ALPHANUMERIC;
use percent_encoding::utf8_percent_encode;

use crate::gateway::answer::Answer;
use crate::gateway::answer::Fate;
use crate::gateway::answer::Reason;
use crate::gateway::answer::fate;
use crate::gateway::answer::read;
use crate::gateway::request::Form;
use crate::gateway::settings::BadSettings;
use crate::gateway::settings::Settings;
use crate::gateway::token::About;
use crate::gateway::token::Signer;

/// The longest answer read.
const MAX_ANSWER_BYTES: usize = 4 * 1024 * 1024;
/// What may stand in a path as it is (RFC 3986 §2.3).
const PATH: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// The gateway, over the wire.
#[derive(Debug)]
pub struct Client {
    http: reqwest::Client,
    base: String,
    signer: Signer,
}

/// A request that is sent.
#[derive(Debug)]
pub struct Request<'a> {
    /// Name for the figures.
    pub name: &'static str,
    /// How.
    pub method: Method,
    /// Path below the base, encoded.
    pub path: String,
    /// What the second token says; none for questions about a transaction.
    pub about: Option<About<'a>>,
    /// Its body.
    pub form: Option<Form>,
}

impl Client {
    /// Reads certificates and keys.
    pub fn open(settings: &Settings) -> Result<Self, BadSettings> {
        settings.check()?;
        let signer = Signer::open(settings)?;
        // An error means that another is installed already, which serves as well.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let file = |key: &'static str, path: &str| {
            std::fs::read(path).map_err(|error| BadSettings::new(key, format!("{path}: {error}")))
        };
        let mut identity = file("tls_certificate", &settings.tls_certificate)?;
        identity.push(b'\n');
        identity.extend(file("tls_key", &settings.tls_key)?);
        let identity = reqwest::Identity::from_pem(&identity)
            .map_err(|error| BadSettings::new("tls_certificate", error.to_string()))?;
        let mut client = reqwest::Client::builder()
            .identity(identity)
            .https_only(true)
            .timeout(Duration::from_secs(settings.timeout_s.into()))
            .redirect(reqwest::redirect::Policy::none())
            .user_agent(concat!("lastra/", env!("CARGO_PKG_VERSION")));
        if !settings.authorities.is_empty() {
            let pem = file("authorities", &settings.authorities)?;
            let authorities = reqwest::Certificate::from_pem_bundle(&pem)
                .map_err(|error| BadSettings::new("authorities", error.to_string()))?;
            client = client.tls_certs_only(authorities);
        }
        let http =
            client.build().map_err(|error| BadSettings::new("tls_key", error.to_string()))?;
        Ok(Self { http, base: settings.url.trim_end_matches('/').to_owned(), signer })
    }

    /// Sends a request and says what became of it.
    pub async fn send(&self, request: Request<'_>, now_us: i64) -> Answer {
        let name = request.name;
        let answer = match self.exchange(request, now_us).await {
            Ok((status, body)) => read(status, &body),
            Err(answer) => answer,
        };
        count(name, &answer);
        answer
    }

    /// Asks what became of a transaction, for the document meant.
    pub async fn fate(&self, workflow: &str, document: &str, now_us: i64) -> Result<Fate, Reason> {
        let path = format!("/status/{}", encoded(workflow));
        let request =
            Request { name: "status", method: Method::GET, path, about: None, form: None };
        let answer = match self.exchange(request, now_us).await {
            Ok((200, body)) => match fate(&body, document) {
                Some(fate) => {
                    count("status", &Answer::Taken(crate::gateway::answer::Taken::default()));
                    return Ok(fate);
                }
                None => Answer::Lost(Reason::of("status-unreadable")),
            },
            Ok((status, body)) => read(status, &body),
            Err(answer) => answer,
        };
        count("status", &answer);
        match answer {
            // It has no record of the transaction.
            Answer::Unknown(_) => Ok(Fate::NotTaken),
            Answer::Taken(_) => Err(Reason::of("status-unreadable")),
            Answer::Refused(reason)
            | Answer::NotValidated(reason)
            | Answer::Later(reason)
            | Answer::Lost(reason) => Err(reason),
        }
    }

    async fn exchange(&self, request: Request<'_>, now_us: i64) -> Result<(u16, Vec<u8>), Answer> {
        let unsigned = || Answer::Later(Reason::of("token-not-signed"));
        let bearer = self.signer.bearer(now_us).ok_or_else(unsigned)?;
        let url = format!("{}{}", self.base, request.path);
        let mut sent = self
            .http
            .request(request.method, url)
            .header(ACCEPT, "application/json")
            .header(AUTHORIZATION, format!("Bearer {bearer}"));
        if let Some(about) = &request.about {
            let token = self.signer.integrity(about, now_us).ok_or_else(unsigned)?;
            sent = sent.header("FSE-JWT-Signature", token);
        }
        if let Some(form) = request.form {
            sent = sent.header(CONTENT_TYPE, form.content_type).body(form.body);
        }
        let mut answer = sent.send().await.map_err(|error| failed(&error))?;
        let status = answer.status().as_u16();
        let mut body = Vec::new();
        while let Some(piece) = answer.chunk().await.map_err(|error| failed(&error))? {
            if body.len().saturating_add(piece.len()) > MAX_ANSWER_BYTES {
                return Err(Answer::Lost(Reason::of("answer-too-long")));
            }
            body.extend_from_slice(&piece);
        }
        Ok((status, body))
    }
}

/// A path's part.
pub fn encoded(text: &str) -> String {
    utf8_percent_encode(text, PATH).to_string()
}

/// No answer: nothing was sent where no connection came about, else nobody knows.
fn failed(error: &reqwest::Error) -> Answer {
    if error.is_connect() || error.is_builder() {
        Answer::Later(Reason::of("no-connection"))
    } else if error.is_timeout() {
        Answer::Lost(Reason::of("no-answer-in-time"))
    } else {
        Answer::Lost(Reason::of("connection-lost"))
    }
}

fn count(request: &'static str, answer: &Answer) {
    let result = match answer {
        Answer::Taken(_) => "taken",
        Answer::Refused(_) | Answer::NotValidated(_) | Answer::Unknown(_) => "refused",
        Answer::Later(_) => "later",
        Answer::Lost(_) => "lost",
    };
    metrics::counter!("lastra_gateway_requests_total", "request" => request, "result" => result)
        .increment(1);
}

#[cfg(test)]
mod tests {
    use super::encoded;

    #[test]
    fn identifiers_are_safe_in_a_path() {
        assert_eq!(encoded("2.16.840^PROVA/1?"), "2.16.840%5EPROVA%2F1%3F");
    }
}
