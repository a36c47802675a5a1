//! Acknowledgements (HL7 v2.5.1 §2.9): in the original mode one that says what became of the message,
//! in the enhanced mode those the sender asked for.

use std::fmt::Write;

use crate::hl7::v2::header::Header;
use crate::hl7::v2::header::Wanted;
use crate::hl7::v2::message::Separators;

/// What became of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Taken and durable.
    Taken,
    /// Understood and not taken: sending it again unchanged will not help.
    Failed(Trouble),
    /// Not for us to judge now, or not of a kind we take.
    Rejected(Trouble),
}

/// What was wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trouble {
    /// HL7 table 0357.
    pub code: ErrorCode,
    /// Where, as `PID^1^3`; empty when nowhere.
    pub place: String,
    /// What, for people; no patient data.
    pub text: String,
}

/// HL7 table 0357, as far as it is said here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorCode {
    /// Segments out of order or missing.
    SegmentSequence,
    /// A required field is missing.
    RequiredField,
    /// A value of another data type.
    DataType,
    /// Message type not supported.
    MessageType,
    /// Event not supported.
    EventCode,
    /// What the message is about is not known.
    UnknownKey,
    /// It is known already.
    DuplicateKey,
    /// Something is wrong here.
    Internal,
}

impl ErrorCode {
    fn parts(self) -> (&'static str, &'static str) {
        match self {
            Self::SegmentSequence => ("100", "Segment sequence error"),
            Self::RequiredField => ("101", "Required field missing"),
            Self::DataType => ("102", "Data type error"),
            Self::MessageType => ("200", "Unsupported message type"),
            Self::EventCode => ("201", "Unsupported event code"),
            Self::UnknownKey => ("204", "Unknown key identifier"),
            Self::DuplicateKey => ("205", "Duplicate key identifier"),
            Self::Internal => ("207", "Application internal error"),
        }
    }
}

/// The acknowledgement to send back, if the sender wants one.
///
/// `of` is the header of the message, or `None` when it had none that could be read; `id` is new
/// for each acknowledgement, `now` the time as `YYYYMMDDHHMMSS`.
pub fn answer(of: Option<&Header>, outcome: &Outcome, id: &str, now: &str) -> Option<String> {
    let taken = *outcome == Outcome::Taken;
    let Some(header) = of else { return Some(write(None, "AR", outcome, id, now)) };
    let enhanced = header.accept != Wanted::Unsaid || header.application != Wanted::Unsaid;
    let codes = if !enhanced || (!header.accept.wants(taken) && header.application.wants(taken)) {
        ["AA", "AE", "AR"]
    } else if header.accept.wants(taken) {
        ["CA", "CE", "CR"]
    } else {
        return None;
    };
    let [good, failed, rejected] = codes;
    let code = match outcome {
        Outcome::Taken => good,
        Outcome::Failed(_) => failed,
        Outcome::Rejected(_) => rejected,
    };
    Some(write(Some(header), code, outcome, id, now))
}

fn write(of: Option<&Header>, code: &str, outcome: &Outcome, id: &str, now: &str) -> String {
    let separators = of.map_or(Separators::RECOMMENDED, |header| header.separators);
    let (f, c) = (separators.field, separators.component);
    let field = |read: fn(&Header) -> &String| of.map(read).cloned().unwrap_or_default();
    let or = |text: String, other: &str| if text.is_empty() { other.to_owned() } else { text };
    let trigger = field(|h| &h.trigger);
    let kind = if trigger.is_empty() { "ACK".to_owned() } else { format!("ACK{c}{trigger}{c}ACK") };
    let mut fields = vec![
        format!("MSH{f}{}", separators.encoding_characters()),
        field(|h| &h.receiving_application),
        field(|h| &h.receiving_facility),
        field(|h| &h.sending_application),
        field(|h| &h.sending_facility),
        now.to_owned(),
        String::new(),
        kind,
        separators.escape(id),
        or(field(|h| &h.processing), "P"),
        or(field(|h| &h.version), "2.5"),
    ];
    let charset = field(|h| &h.charset);
    if !charset.is_empty() {
        fields.extend(std::iter::repeat_n(String::new(), 5));
        fields.push(charset);
    }
    let mut text = fields.join(&f.to_string());
    text.push('\r');
    let control = separators.escape(&field(|h| &h.control_id));
    match outcome {
        Outcome::Taken => {
            let _ = write!(text, "MSA{f}{code}{f}{control}\r");
        }
        Outcome::Failed(trouble) | Outcome::Rejected(trouble) => {
            let (number, words) = trouble.code.parts();
            let said = separators.escape(&trouble.text);
            let place: Vec<String> =
                trouble.place.split('^').map(|part| separators.escape(part)).collect();
            let place = place.join(&c.to_string());
            let _ = write!(text, "MSA{f}{code}{f}{control}{f}{said}\r");
            let _ = write!(
                text,
                "ERR{f}{f}{place}{f}{number}{c}{words}{c}HL70357{f}E{f}{f}{f}{f}{said}\r"
            );
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::{ErrorCode, Outcome, Trouble, answer};
    use crate::hl7::v2::header::Header;
    use crate::hl7::v2::message::Message;

    fn header(modes: &str) -> Header {
        let text = format!(
            "MSH|^~\\&|RIS|OSP|LASTRA|PACS|20260302||ADT^A08^ADT_A01|17|P|2.5|||{modes}||8859/1"
        );
        Header::of(&Message::parse(text.as_bytes()).unwrap()).unwrap()
    }

    fn failed() -> Outcome {
        let text = "no identifier|here".to_owned();
        Outcome::Failed(Trouble {
            code: ErrorCode::RequiredField,
            place: "PID^1^3".to_owned(),
            text,
        })
    }

    fn rejected() -> Outcome {
        let text = "not taken here".to_owned();
        Outcome::Rejected(Trouble { code: ErrorCode::EventCode, place: String::new(), text })
    }

    #[test]
    fn in_the_original_mode_one_acknowledgement_says_what_became_of_the_message() {
        let ack = answer(Some(&header("|")), &Outcome::Taken, "9", "20260302120000").unwrap();
        assert_eq!(
            ack,
            "MSH|^~\\&|LASTRA|PACS|RIS|OSP|20260302120000||ACK^A08^ACK|9|P|2.5|||||\
             |8859/1\rMSA|AA|17\r"
        );
        let ack = answer(Some(&header("|")), &failed(), "9", "20260302120000").unwrap();
        assert!(
            ack.ends_with(
                "MSA|AE|17|no identifier\\F\\here\r\
             ERR||PID^1^3|101^Required field missing^HL70357|E||||no identifier\\F\\here\r"
            ),
            "{ack}"
        );
        let ack = answer(Some(&header("|")), &rejected(), "9", "").unwrap();
        assert!(ack.contains("MSA|AR|17|"), "{ack}");
    }

    #[test]
    fn in_the_enhanced_mode_the_sender_says_what_it_wants() {
        for (modes, outcome, expected) in [
            ("AL|NE", Outcome::Taken, Some("CA")),
            ("AL|NE", failed(), Some("CE")),
            ("AL|NE", rejected(), Some("CR")),
            ("NE|AL", Outcome::Taken, Some("AA")),
            ("NE|AL", failed(), Some("AE")),
            ("NE|NE", failed(), None),
            ("ER|NE", Outcome::Taken, None),
            ("ER|NE", failed(), Some("CE")),
            ("SU|NE", Outcome::Taken, Some("CA")),
            ("SU|ER", failed(), Some("AE")),
        ] {
            let ack = answer(Some(&header(modes)), &outcome, "9", "");
            let code = ack.as_deref().and_then(|ack| ack.split("MSA|").nth(1)?.get(..2));
            assert_eq!(code, expected, "{modes} {outcome:?}");
        }
    }

    #[test]
    fn what_had_no_header_is_rejected_all_the_same() {
        let ack = answer(None, &rejected(), "9", "20260302120000").unwrap();
        assert!(ack.starts_with("MSH|^~\\&|||||20260302120000||ACK|9|P|2.5\rMSA|AR||"), "{ack}");
        assert!(Message::parse(ack.as_bytes()).is_ok());
    }
}
