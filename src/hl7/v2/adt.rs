//! Patient administration (HL7 v2.5.1 §3): who came, whose data changed, who was one with whom.

use std::fmt;

use crate::hl7::v2::header::Header;
use crate::hl7::v2::message::Message;
use crate::hl7::v2::message::Segment;
use crate::hl7::v2::types::date;
use crate::hl7::v2::types::identifier;
use crate::hl7::v2::types::name;
use crate::people::codice_fiscale::CodiceFiscale;
use crate::people::identifier::Identifier;

/// Events taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Trigger {
    /// Admission.
    A01,
    /// Transfer.
    A02,
    /// Discharge.
    A03,
    /// Registration of an outpatient.
    A04,
    /// Pre-admission.
    A05,
    /// Outpatient becomes inpatient.
    A06,
    /// Inpatient becomes outpatient.
    A07,
    /// Change of data.
    A08,
    /// A person is added.
    A28,
    /// A person's data change.
    A31,
    /// Two patients are one: merge.
    A40,
    /// A patient's identifier changes.
    A47,
}

/// What an event means for who is who.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Meaning {
    /// Identifiers and data of a person.
    Person,
    /// The prior identifiers' person is the same as the patient.
    Merge,
    /// The prior identifier is replaced by the patient's.
    ChangeIdentifier,
}

/// An ADT message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PatientEvent {
    /// Which event.
    pub trigger: Trigger,
    /// Whom it is about; a merge may name several.
    pub subjects: Vec<EventSubject>,
}

/// One patient of an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventSubject {
    /// As they are now.
    pub patient: MessagePatient,
    /// MRG-1: identifiers as they were before.
    pub prior: Vec<Identifier>,
}

/// The patient as a message has them (PID).
#[derive(Clone, PartialEq, Eq, Default)]
pub struct MessagePatient {
    /// PID-3, and PID-2, PID-4 and PID-19 as older senders use them.
    pub identifiers: Vec<Identifier>,
    /// PID-5 as DICOM writes names.
    pub name: String,
    /// PID-7 as `YYYYMMDD`.
    pub birth_date: String,
    /// PID-8.
    pub sex: String,
}

/// Why a message is no patient event to be taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AdtError {
    /// Not an ADT message.
    #[error("MSH-9 is no ADT message")]
    OtherKind,
    /// An event that is not taken.
    #[error("event {0} is not taken here: A01 to A08, A28, A31, A40 and A47 are")]
    OtherEvent(String),
    /// No PID.
    #[error("segment PID is missing")]
    NoPatient,
    /// A merge or change without MRG, or with an empty one.
    #[error("MRG-1 names no prior identifier")]
    NoPrior,
}

impl Trigger {
    /// All that are taken, by their names.
    pub const ALL: [(&'static str, Self); 12] = [
        ("A01", Self::A01),
        ("A02", Self::A02),
        ("A03", Self::A03),
        ("A04", Self::A04),
        ("A05", Self::A05),
        ("A06", Self::A06),
        ("A07", Self::A07),
        ("A08", Self::A08),
        ("A28", Self::A28),
        ("A31", Self::A31),
        ("A40", Self::A40),
        ("A47", Self::A47),
    ];

    /// What it means for who is who.
    pub fn meaning(self) -> Meaning {
        match self {
            Self::A40 => Meaning::Merge,
            Self::A47 => Meaning::ChangeIdentifier,
            _ => Meaning::Person,
        }
    }
}

impl PatientEvent {
    /// Reads an ADT message.
    pub fn of(message: &Message, header: &Header) -> Result<Self, AdtError> {
        if header.kind != "ADT" {
            return Err(AdtError::OtherKind);
        }
        let trigger = Trigger::ALL.iter().find(|(name, _)| *name == header.trigger);
        let (_, trigger) = trigger
            .ok_or_else(|| AdtError::OtherEvent(header.trigger.chars().take(8).collect()))?;
        let groups = message.groups("PID");
        let subjects: Vec<EventSubject> =
            groups.iter().filter_map(|group| subject(group)).collect();
        if subjects.is_empty() {
            return Err(AdtError::NoPatient);
        }
        let needs_prior = trigger.meaning() != Meaning::Person;
        if needs_prior && subjects.iter().any(|subject| subject.prior.is_empty()) {
            return Err(AdtError::NoPrior);
        }
        Ok(Self { trigger: *trigger, subjects })
    }
}

impl MessagePatient {
    /// Reads a PID segment.
    pub fn of(pid: Segment<'_>) -> Self {
        let mut identifiers: Vec<Identifier> =
            pid.repetitions(3).filter_map(identifier).take(MOST).collect();
        for field in [2, 4] {
            let older = pid.repetitions(field).filter_map(identifier);
            identifiers.extend(older.filter(Identifier::identifies).take(MOST));
        }
        // "SSN": the codice fiscale where a sender puts it there; nothing else is one by itself.
        if CodiceFiscale::parse(&pid.text(19)).is_ok() {
            identifiers.extend(Identifier::read(&pid.text(19), ""));
        }
        let mut unique: Vec<Identifier> = Vec::with_capacity(identifiers.len());
        for identifier in identifiers {
            if !unique.contains(&identifier) {
                unique.push(identifier);
            }
        }
        Self {
            identifiers: unique,
            name: pid.repetitions(5).next().map(name).unwrap_or_default(),
            birth_date: date(&pid.text(7)),
            sex: pid.text(8).chars().take(16).collect(),
        }
    }
}

/// People do not belong into logs.
impl fmt::Debug for MessagePatient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MessagePatient({:?}, …)", self.identifiers)
    }
}

fn subject(group: &[Segment<'_>]) -> Option<EventSubject> {
    let (pid, rest) = group.split_first()?;
    let mrg = rest.iter().find(|segment| segment.name() == "MRG");
    let prior = mrg.map(|mrg| mrg.repetitions(1).filter_map(identifier).take(MOST).collect());
    Some(EventSubject { patient: MessagePatient::of(*pid), prior: prior.unwrap_or_default() })
}

/// Identifiers of one field kept.
const MOST: usize = 64;

#[cfg(test)]
mod tests {
    use super::{AdtError, Meaning, PatientEvent, Trigger};
    use crate::hl7::v2::header::Header;
    use crate::hl7::v2::message::Message;
    use crate::people::identifier::IdentifierKind;

    fn event(trigger: &str, rest: &str) -> Result<PatientEvent, AdtError> {
        let text =
            format!("MSH|^~\\&|ADT|OSP|LASTRA|PACS|20260302||ADT^{trigger}|1|P|2.5\rEVN\r{rest}");
        let message = Message::parse(text.as_bytes()).unwrap();
        PatientEvent::of(&message, &Header::of(&message).unwrap())
    }

    #[test]
    fn requirement_5_identifiers_of_a_message_get_their_kinds() {
        let pid = "PID|1||P1^^^OSP^MR~RSSMRA79B11C566R^^^MEF&2.16.840.1.113883.2.9.4.3.2&ISO^NNITA\
            ~STP1234567890123^^^&2.16.840.1.113883.2.9.4.3.17&ISO||ROSSI^MARIO^LUCA||19790211083000|M\
            |||||||||||RSSMRA79B11C566R\r";
        for (name, trigger) in
            Trigger::ALL.into_iter().filter(|(_, t)| t.meaning() == Meaning::Person)
        {
            let event = event(name, pid).unwrap();
            assert_eq!(event.trigger, trigger);
            let patient = &event.subjects[0].patient;
            let kinds: Vec<_> = patient.identifiers.iter().map(|id| id.kind).collect();
            let expected =
                [IdentifierKind::Local, IdentifierKind::CodiceFiscale, IdentifierKind::Stp];
            assert_eq!(kinds, expected);
            assert!(
                patient.identifiers.iter().all(crate::people::identifier::Identifier::identifies)
            );
            assert_eq!(patient.name, "ROSSI^MARIO LUCA");
            assert_eq!((patient.birth_date.as_str(), patient.sex.as_str()), ("19790211", "M"));
        }
    }

    #[test]
    fn requirement_7_a_merge_names_who_was_one_with_whom() {
        let two = "PID|1||P1^^^OSP\rMRG|P2^^^OSP\rPID|2||P3^^^OSP\rMRG|P4^^^OSP~P5^^^OSP\r";
        let event = event("A40^ADT_A39", two).unwrap();
        let pairs: Vec<(usize, usize)> = event
            .subjects
            .iter()
            .map(|subject| (subject.patient.identifiers.len(), subject.prior.len()))
            .collect();
        assert_eq!((event.trigger.meaning(), pairs), (Meaning::Merge, vec![(1, 1), (1, 2)]));
    }

    #[test]
    fn what_is_not_taken_says_why() {
        for (trigger, rest, error) in [
            ("A99", "PID|1", AdtError::OtherEvent("A99".to_owned())),
            ("A01", "", AdtError::NoPatient),
            ("A40", "PID|1||P1^^^OSP\r", AdtError::NoPrior),
            ("A47", "PID|1||P1^^^OSP\rMRG|\r", AdtError::NoPrior),
        ] {
            assert_eq!(event(trigger, rest), Err(error), "{trigger}");
        }
        let text = "MSH|^~\\&|||||||ORM^O01|1|P|2.5";
        let message = Message::parse(text.as_bytes()).unwrap();
        let read = PatientEvent::of(&message, &Header::of(&message).unwrap());
        assert_eq!(read, Err(AdtError::OtherKind));
    }
}
