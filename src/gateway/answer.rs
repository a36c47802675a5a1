//! What the gateway's answers mean for what is done next.

use serde::Deserialize;

/// The longest reason and warning kept, in characters.
const LONGEST: usize = 2000;

/// What became of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// The gateway did it, or took it in charge.
    Taken(Taken),
    /// It refuses this document: asking again changes nothing.
    Refused(Reason),
    /// It does not know that the document is valid, or does no longer.
    NotValidated(Reason),
    /// It knows nothing of what was asked for.
    Unknown(Reason),
    /// It cannot now, and did certainly nothing.
    Later(Reason),
    /// It may have done it: the answer was lost, or came from something before it.
    Lost(Reason),
}

/// What comes with success.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Taken {
    /// The transaction.
    pub workflow: String,
    /// The request.
    pub trace: String,
    /// What it warns of.
    pub warning: String,
}

/// Why not, in the gateway's own codes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Reason {
    /// HTTP status; 0 when there was no answer.
    pub status: u16,
    /// The problem's type and instance: `/msg/semantic /validation/error`. Fit for a log.
    pub code: String,
    /// Its title and detail: may quote the document, and stays out of logs.
    pub detail: String,
    /// The request.
    pub trace: String,
}

impl Reason {
    /// A reason without an answer.
    pub fn of(code: &str) -> Self {
        Self { code: code.to_owned(), ..Self::default() }
    }

    /// As it is kept for whoever looks: code, status, then the gateway's words.
    pub fn kept(&self) -> String {
        let status = if self.status == 0 { String::new() } else { format!(" ({})", self.status) };
        let text = format!("{}{status}: {}", self.code, self.detail);
        text.trim_end_matches([':', ' ']).chars().take(LONGEST).collect()
    }
}

/// The body of an answer: success, problem (RFC 7807), or the words of a frontier apparatus.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Body {
    #[serde(rename = "traceID")]
    trace: Option<String>,
    #[serde(rename = "workflowInstanceId")]
    workflow: Option<String>,
    warning: Option<String>,
    #[serde(rename = "type")]
    kind: Option<String>,
    title: Option<String>,
    detail: Option<String>,
    instance: Option<String>,
}

/// What an answer means.
pub fn read(status: u16, body: &[u8]) -> Answer {
    let body: Body = serde_json::from_slice(body).unwrap_or_default();
    let cut = |text: Option<String>| -> String {
        text.unwrap_or_default().chars().take(LONGEST).collect()
    };
    if (200..300).contains(&status) {
        let (workflow, trace) = (cut(body.workflow), cut(body.trace));
        return Answer::Taken(Taken { workflow, trace, warning: cut(body.warning) });
    }
    // The sample of 404 leaves the slash before `msg` out.
    let kind = cut(body.kind);
    let kind = if kind.starts_with("msg/") { format!("/{kind}") } else { kind };
    let (instance, detail) = (cut(body.instance), cut(body.detail));
    let code = match (kind.as_str(), instance.as_str()) {
        ("", "") => format!("http-{status}"),
        (kind, "") => kind.to_owned(),
        ("", instance) => instance.to_owned(),
        (kind, instance) => format!("{kind} {instance}"),
    };
    let detail = format!("{} {detail}", cut(body.title)).trim().to_owned();
    let reason = Reason { status, code, detail, trace: cut(body.trace) };
    match (status, kind.as_str()) {
        (_, "/msg/cda-match") => Answer::NotValidated(reason),
        (404, "/msg/record-not-found" | "") => Answer::Unknown(reason),
        // Whoever stands before it refused, or our credentials have run out: it saw nothing.
        (401 | 408 | 429, _) => Answer::Later(reason),
        // Somebody else's request for the same may be under way.
        (409 | 500.., _) => Answer::Lost(reason),
        _ => Answer::Refused(reason),
    }
}

/// What became of a transaction (`GET /status/{workflowInstanceId}`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fate {
    /// The gateway never took the request itself.
    NotTaken,
    /// It took it; the national index has not confirmed.
    UnderWay,
    /// The national index has it.
    Indexed,
    /// It failed for good: which event, and what it says.
    Failed(Reason),
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Status {
    #[serde(rename = "transactionData")]
    events: Vec<Event>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Event {
    #[serde(rename = "eventType")]
    kind: Option<String>,
    #[serde(rename = "eventStatus")]
    status: Option<String>,
    message: Option<String>,
    #[serde(rename = "identificativoDocumento")]
    document: Option<String>,
}

/// Reads a transaction's events, for the document meant.
pub fn fate(body: &[u8], document: &str) -> Option<Fate> {
    let status: Status = serde_json::from_slice(body).ok()?;
    // A transaction's name is the CDA's, but the document asked for decides.
    let mine = |event: &&Event| event.document.as_deref().is_none_or(|id| id == document);
    let mut fate = Fate::NotTaken;
    for event in status.events.iter().filter(mine) {
        let kind = event.kind.as_deref().unwrap_or_default();
        let status = event.status.as_deref().unwrap_or_default();
        let accepted = matches!(kind, "PUBLICATION" | "REPLACE" | "FEEDING");
        match (kind, status) {
            ("VALIDATION", _) => {}
            (_, "BLOCKING_ERROR") => {
                let detail = event.message.clone().unwrap_or_default();
                let detail = detail.chars().take(LONGEST).collect();
                let code = format!("{kind} BLOCKING_ERROR");
                fate = Fate::Failed(Reason { status: 0, code, detail, trace: String::new() });
            }
            ("SEND_TO_INI", "SUCCESS") => fate = Fate::Indexed,
            // Asked again after a failure, and taken.
            (_, "SUCCESS") if accepted && fate != Fate::Indexed => fate = Fate::UnderWay,
            ("SEND_TO_INI" | "SEND_TO_EDS" | "SEND_TO_UAR" | "UAR_FINAL_STATUS", _)
                if fate == Fate::NotTaken =>
            {
                fate = Fate::UnderWay;
            }
            _ => {}
        }
    }
    Some(fate)
}

#[cfg(test)]
mod tests {
    use super::{Answer, Fate, fate, read};

    fn problem(kind: &str, instance: &str) -> String {
        format!(
            "{{\"traceID\":\"t\",\"type\":\"{kind}\",\"title\":\"T\",\"detail\":\"D\",\"instance\":\"{instance}\"}}"
        )
    }

    #[test]
    fn every_documented_error_says_what_is_done_next() {
        for (status, kind, next) in [
            (400, "/msg/cda-element", "refused"),
            (400, "/msg/syntax", "refused"),
            (422, "/msg/semantic", "refused"),
            (400, "/msg/vocabulary", "refused"),
            (400, "/msg/cda-match", "validate"),
            (400, "/msg/empty-file", "refused"),
            (415, "/msg/document-type", "refused"),
            (400, "/msg/document-hash", "refused"),
            (400, "/msg/mandatory-element", "refused"),
            (400, "/msg/invalid-format", "refused"),
            (403, "/msg/mandatory-element-token", "refused"),
            (403, "/msg/jwt-validation", "refused"),
            (403, "/msg/missing-token", "refused"),
            (400, "/msg/fhir-mapping-type", "refused"),
            (400, "/msg/workflow-id-error-extraction", "refused"),
            (404, "/msg/record-not-found", "unknown"),
            (404, "/msg/eds-error", "refused"),
            (400, "/msg/max-day-limit-exceed", "refused"),
            (504, "/msg/generic-timeout", "lost"),
            (500, "/msg/generic-error", "lost"),
            (409, "", "lost"),
            (429, "", "later"),
            (401, "", "later"),
            (503, "", "lost"),
        ] {
            let answer = read(status, problem(kind, "/i").as_bytes());
            let said = match &answer {
                Answer::Refused(_) => "refused",
                Answer::NotValidated(_) => "validate",
                Answer::Unknown(_) => "unknown",
                Answer::Later(_) => "later",
                Answer::Lost(_) => "lost",
                Answer::Taken(_) => "taken",
            };
            assert_eq!(said, next, "{status} {kind}");
        }
        let Answer::Refused(reason) = read(422, problem("/msg/semantic", "/v").as_bytes()) else {
            panic!("not refused");
        };
        assert_eq!(reason.kept(), "/msg/semantic /v (422): T D");
        let Answer::Lost(reason) = read(502, b"<html>") else { panic!("not lost") };
        assert_eq!(reason.kept(), "http-502 (502)");
    }

    #[test]
    fn events_tell_whether_a_report_was_taken_and_whether_it_arrived() {
        let events = |list: &[(&str, &str)]| {
            let list: Vec<String> = list
                .iter()
                .map(|(kind, status)| {
                    format!("{{\"eventType\":\"{kind}\",\"eventStatus\":\"{status}\"}}")
                })
                .collect();
            fate(format!("{{\"transactionData\":[{}]}}", list.join(",")).as_bytes(), "a").unwrap()
        };
        let (ok, bad) = ("SUCCESS", "BLOCKING_ERROR");
        assert_eq!(events(&[("VALIDATION", ok)]), Fate::NotTaken);
        assert_eq!(events(&[("VALIDATION", ok), ("PUBLICATION", ok)]), Fate::UnderWay);
        assert_eq!(events(&[("PUBLICATION", ok), ("SEND_TO_INI", ok)]), Fate::Indexed);
        assert_eq!(events(&[("SEND_TO_INI", ok), ("PUBLICATION", ok)]), Fate::Indexed);
        assert!(matches!(events(&[("PUBLICATION", ok), ("SEND_TO_INI", bad)]), Fate::Failed(_)));
        assert_eq!(events(&[("PUBLICATION", bad), ("PUBLICATION", ok)]), Fate::UnderWay);
        let other = b"{\"transactionData\":[{\"eventType\":\"PUBLICATION\",\"eventStatus\":\"SUCCESS\",\"identificativoDocumento\":\"b\"}]}";
        assert_eq!(fate(other, "a"), Some(Fate::NotTaken));
        assert_eq!(fate(b"<html>", "a"), None);
    }
}
