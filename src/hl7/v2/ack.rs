//! Acknowledgements (HL7 v2.5.1 §2.9): in the original mode one that says what became of the message,
//! in the enhanced mode those the sender asked for.

use std::fmt::Write;

use crate::hl7::v2::header::Header;
use crate::hl7::v2::header::Wanted;
use crate::hl7::v2::message::Separators;

/// What became of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Taken and durable; what the sender should know of it all the same.
    Taken(Vec<Notice>),
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

/// Something to know of a message that was taken: information, no error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// What it is about, as `ORC^1^1`.
    pub place: String,
    /// Our own code for it.
    pub code: &'static str,
    /// Its meaning.
    pub meaning: &'static str,
    /// What it says, a value each, for machines: at most ten of at most 80 characters.
    pub parameters: Vec<String>,
    /// The same for people, in at most 250 characters; no patient data.
    pub text: String,
    /// In at most 80 characters.
    pub short: String,
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
    let taken = matches!(outcome, Outcome::Taken(_));
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
        Outcome::Taken(_) => good,
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
        Outcome::Taken(notices) if knows_severity(&field(|h| &h.version)) => {
            let _ = write!(text, "MSA{f}{code}{f}{control}\r");
            for notice in notices {
                informs(separators, notice, &mut text);
            }
        }
        Outcome::Taken(notices) => {
            let _ = write!(text, "MSA{f}{code}{f}{control}");
            if let Some((first, more)) = notices.split_first() {
                let said = separators.escape(&first.short);
                let _ = write!(text, "{f}{said}");
                if !more.is_empty() {
                    let _ = write!(text, " (+{})", more.len());
                }
            }
            text.push('\r');
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

/// Whether ERR of a version can say that nothing is wrong: its severity came with 2.5. Before, its only
/// field is the place of an error, and MSA-3 the only text of an acknowledgement; ORR, which has notes,
/// is not what IHE's senders of orders wait for (RAD TF-2 §2.4).
fn knows_severity(version: &str) -> bool {
    let minor = version.strip_prefix("2.").and_then(|rest| rest.split('.').next());
    minor.and_then(|minor| minor.parse::<u32>().ok()).is_none_or(|minor| minor >= 5)
}

/// An ERR of severity I (HL7 v2.5.1 §2.15.5): success, with information for the user.
fn informs(separators: Separators, notice: &Notice, text: &mut String) {
    let (f, c) = (separators.field, separators.component);
    let joined = |parts: Vec<&str>, by: char| {
        let escaped: Vec<String> = parts.into_iter().map(|part| separators.escape(part)).collect();
        escaped.join(&by.to_string())
    };
    let place = joined(notice.place.split('^').collect(), c);
    let code = joined(vec![notice.code, notice.meaning, OUR_TABLE], c);
    let parameters = notice.parameters.iter().map(String::as_str).take(MOST_PARAMETERS).collect();
    let parameters = joined(parameters, separators.repetition);
    let said = separators.escape(&notice.text);
    let _ = write!(
        text,
        "ERR{f}{f}{place}{f}0{c}Message accepted{c}HL70357{f}I{f}{code}{f}{parameters}{f}{f}{said}{f}{USER}\r"
    );
}

/// Coding system of our own codes (HL7 table 0396: `99` and three letters or digits).
const OUR_TABLE: &str = "99LST";
/// Repetitions of ERR-6.
const MOST_PARAMETERS: usize = 10;
/// Whom to inform: the user (HL7 table 0517).
const USER: &str = "USR";

#[cfg(test)]
mod tests {
    use super::{ErrorCode, Notice, Outcome, Trouble, answer};
    use crate::hl7::v2::header::Header;
    use crate::hl7::v2::message::Message;

    const TAKEN: Outcome = Outcome::Taken(Vec::new());

    fn header(modes: &str) -> Header {
        of_version("2.5", modes)
    }

    fn of_version(version: &str, modes: &str) -> Header {
        let text = format!(
            "MSH|^~\\&|RIS|OSP|LASTRA|PACS|20260302||ADT^A08^ADT_A01|17|P|{version}|||{modes}||8859/1"
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
        let ack = answer(Some(&header("|")), &TAKEN, "9", "20260302120000").unwrap();
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
            ("AL|NE", TAKEN, Some("CA")),
            ("AL|NE", failed(), Some("CE")),
            ("AL|NE", rejected(), Some("CR")),
            ("NE|AL", TAKEN, Some("AA")),
            ("NE|AL", failed(), Some("AE")),
            ("NE|NE", failed(), None),
            ("ER|NE", TAKEN, None),
            ("ER|NE", failed(), Some("CE")),
            ("SU|NE", TAKEN, Some("CA")),
            ("SU|ER", failed(), Some("AE")),
        ] {
            let ack = answer(Some(&header(modes)), &outcome, "9", "");
            let code = ack.as_deref().and_then(|ack| ack.split("MSA|").nth(1)?.get(..2));
            assert_eq!(code, expected, "{modes} {outcome:?}");
        }
    }

    fn notice() -> Notice {
        Notice {
            place: "ORC^2^1".to_owned(),
            code: "already-done",
            meaning: "Examination already done",
            parameters: vec!["1.2.3".to_owned(), "R|1".to_owned()],
            text: "Already done: DX & SR".to_owned(),
            short: "Done: R|1".to_owned(),
        }
    }

    #[test]
    fn what_to_know_is_information_where_the_version_has_it_and_a_text_before() {
        let err = "MSA|AA|17\rERR||ORC^2^1|0^Message accepted^HL70357|I|already-done^Examination already \
            done^99LST|1.2.3~R\\F\\1||Already done: DX \\T\\ SR|USR\r";
        for (version, notices, expected) in [
            ("2.5", 1, err.to_owned()),
            ("2.5.1", 1, err.to_owned()),
            ("2.8", 1, err.to_owned()),
            ("", 1, err.to_owned()),
            ("2.5", 2, format!("{err}{}", err.trim_start_matches("MSA|AA|17\r"))),
            ("2.4", 1, "MSA|AA|17|Done: R\\F\\1\r".to_owned()),
            ("2.3.1", 3, "MSA|AA|17|Done: R\\F\\1 (+2)\r".to_owned()),
            ("2.3", 0, "MSA|AA|17\r".to_owned()),
        ] {
            let taken = Outcome::Taken(vec![notice(); notices]);
            let ack = answer(Some(&of_version(version, "|")), &taken, "9", "").unwrap();
            let told = ack.split_once('\r').map(|(_, told)| told.to_owned());
            assert_eq!(told, Some(expected), "{version}");
        }
        // Whoever wants to hear only of a commit hears it with that.
        let taken = Outcome::Taken(vec![notice()]);
        let ack = answer(Some(&header("AL|NE")), &taken, "9", "").unwrap();
        assert!(ack.contains("MSA|CA|17\rERR||ORC^2^1|0^"), "{ack}");
        assert!(answer(Some(&header("ER|NE")), &taken, "9", "").is_none());
    }

    #[test]
    fn what_had_no_header_is_rejected_all_the_same() {
        let ack = answer(None, &rejected(), "9", "20260302120000").unwrap();
        assert!(ack.starts_with("MSH|^~\\&|||||20260302120000||ACK|9|P|2.5\rMSA|AR||"), "{ack}");
        assert!(Message::parse(ack.as_bytes()).is_ok());
    }
}
