//! Data types of version 2 (HL7 v2.5.1 §2A): identifiers, names, times.

use crate::hl7::v2::message::Repetition;
use crate::people::identifier::Identifier;
use crate::people::identifier::assigner_of;

/// An entity identifier (EI): a number and who assigned it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct EntityId {
    /// The number.
    pub value: String,
    /// Who assigned it, as `people::identifier::assigner_of` has it; empty when not told.
    pub assigner: String,
}

impl EntityId {
    /// Reads an EI.
    pub fn of(text: Repetition<'_>) -> Option<Self> {
        let value = text.component(1).trim().to_owned();
        let assigner = assigner(&text.component(2), &text.component(3), &text.component(4));
        (!value.is_empty()).then_some(Self { value, assigner })
    }
}

/// A patient identifier (CX), read.
///
/// Type code `NNITA` says Italian national number; without an issuer only a right codice fiscale is
/// taken as one, which is what [`Identifier::read`] does anyway.
pub fn identifier(text: Repetition<'_>) -> Option<Identifier> {
    let issuer =
        assigner(&text.subcomponent(4, 1), &text.subcomponent(4, 2), &text.subcomponent(4, 3));
    Identifier::read(&text.component(1), &issuer)
}

/// A person's name (XPN) as DICOM writes names: family and given, the second given names after it.
pub fn name(text: Repetition<'_>) -> String {
    let part = |number| text.component(number).replace(['^', '='], " ").trim().to_owned();
    let (family, given, more) = (part(1), part(2), part(3));
    let given = format!("{given} {more}");
    format!("{family}^{}", given.trim()).trim_end_matches('^').to_owned()
}

/// The date of a time (TS, DTM) as `YYYYMMDD`, cut where the sender cut it.
pub fn date(text: &str) -> String {
    text.trim().chars().take_while(char::is_ascii_digit).take(8).collect()
}

/// An issuer of namespace, universal id and its type.
fn assigner(namespace: &str, universal: &str, kind: &str) -> String {
    let universal = universal.trim();
    if universal.is_empty() || kind.eq_ignore_ascii_case("ISO") || kind.is_empty() {
        assigner_of(&format!("{}&{universal}", namespace.replace('&', " ")))
    } else if namespace.trim().is_empty() {
        assigner_of(&universal.replace('&', " "))
    } else {
        assigner_of(&namespace.replace('&', " "))
    }
}
