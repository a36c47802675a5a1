//! Identifiers of people: their kind, who assigned them, and how far their form can be trusted.
//!
//! A broken identifier is kept, never refused, and identifies nobody: what carries it waits for a
//! person to look at it.

use std::fmt;

use crate::people::codice_fiscale::CodiceFiscale;

/// What an identifier is; by the OIDs of the Italian national and regional issuers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum IdentifierKind {
    /// Codice fiscale.
    CodiceFiscale,
    /// Number of a European health insurance card.
    TeamCard,
    /// Personal number of a European health insurance card's holder.
    TeamPersonal,
    /// Anagrafe Nazionale Assistiti.
    Ana,
    /// Anagrafe Nazionale della Popolazione Residente.
    Anpr,
    /// Foreigner present for a time.
    Stp,
    /// European not enrolled.
    Eni,
    /// A region's own number.
    Regional,
    /// A number of some other issuer, such as a hospital.
    Local,
}

/// How far an identifier can be trusted, by its form alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Trust {
    /// Identifies nobody: no issuer, a placeholder, or a form that is wrong.
    Unverified,
    /// Its issuer is named; nothing in it can be checked.
    Stated,
    /// A national identifier whose form and check are right.
    Checked,
}

/// An identifier of a person.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Identifier {
    /// What it is.
    pub kind: IdentifierKind,
    /// Its issuer: an OID where there is one, else a name in upper case; empty when unknown.
    pub assigner: String,
    /// The identifier, spaces removed; national ones in upper case.
    pub value: String,
    /// How far it can be trusted.
    pub trust: Trust,
}

impl IdentifierKind {
    /// All kinds.
    pub const ALL: [Self; 9] = [
        Self::CodiceFiscale,
        Self::TeamCard,
        Self::TeamPersonal,
        Self::Ana,
        Self::Anpr,
        Self::Stp,
        Self::Eni,
        Self::Regional,
        Self::Local,
    ];

    /// The stored form.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::CodiceFiscale => "codice-fiscale",
            Self::TeamCard => "team-card",
            Self::TeamPersonal => "team-personal",
            Self::Ana => "ana",
            Self::Anpr => "anpr",
            Self::Stp => "stp",
            Self::Eni => "eni",
            Self::Regional => "regional",
            Self::Local => "local",
        }
    }

    /// Reads the stored form back.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }

    /// The issuer's OID, where the kind has just one.
    pub fn oid(self) -> Option<&'static str> {
        NATIONAL.iter().find(|(kind, _)| *kind == self).map(|(_, oid)| *oid)
    }

    /// The kind of identifiers issued under `assigner`.
    pub fn of_assigner(assigner: &str) -> Self {
        if let Some((kind, _)) = NATIONAL.iter().find(|(_, oid)| *oid == assigner) {
            return *kind;
        }
        if is_regional(assigner) { Self::Regional } else { Self::Local }
    }
}

impl Trust {
    /// The stored form.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unverified => "unverified",
            Self::Stated => "stated",
            Self::Checked => "checked",
        }
    }

    /// Reads the stored form back.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Unverified, Self::Stated, Self::Checked].into_iter().find(|t| t.as_str() == text)
    }
}

impl Identifier {
    /// The most characters of an identifier and of an issuer; what is longer is cut, and unverified.
    pub const MAX_CHARS: usize = 256;

    /// Reads an identifier; `None` when there is nothing but space.
    ///
    /// `assigner` is an OID, `urn:oid:` before it or not, the parts of an HL7 HD with `&` between
    /// them, or a name. Without one a value that is a right codice fiscale, as it often stands in
    /// Patient ID (0010,0020), is taken as that; national identifiers sent with their prefix
    /// (`TINIT-`, as identity providers do) lose it.
    pub fn read(value: &str, assigner: &str) -> Option<Self> {
        let value = value.trim();
        let cut: String = value.chars().filter(|c| !c.is_control()).take(Self::MAX_CHARS).collect();
        // Space that stood behind a control character, or where it was cut.
        let cut = cut.trim().to_owned();
        if cut.is_empty() {
            return None;
        }
        let whole = cut.len() == value.len();
        let assigner = assigner_of(assigner);
        if assigner.is_empty() {
            return Some(Self::without_assigner(cut, whole));
        }
        let kind = IdentifierKind::of_assigner(&assigner);
        let value = if kind == IdentifierKind::Local { cut } else { national_form(&cut) };
        let trust = if whole { trust(kind, &value) } else { Trust::Unverified };
        Some(Self { kind, assigner, value, trust })
    }

    /// Whether it says who the person is.
    pub fn identifies(&self) -> bool {
        self.trust > Trust::Unverified
    }

    fn without_assigner(value: String, whole: bool) -> Self {
        let national = national_form(&value);
        let guessed = if CodiceFiscale::parse(&national).is_ok() {
            Some(IdentifierKind::CodiceFiscale)
        } else if is_prefixed_number(&national, "STP") {
            Some(IdentifierKind::Stp)
        } else if is_prefixed_number(&national, "ENI") {
            Some(IdentifierKind::Eni)
        } else {
            None
        };
        match guessed.and_then(|kind| Some((kind, kind.oid()?))).filter(|_| whole) {
            Some((kind, oid)) => {
                Self { kind, assigner: oid.to_owned(), value: national, trust: Trust::Checked }
            }
            None => Self {
                kind: IdentifierKind::Local,
                assigner: String::new(),
                value,
                trust: Trust::Unverified,
            },
        }
    }
}

/// Identifiers do not belong into logs, and `{:?}` is how they get there.
impl fmt::Debug for Identifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Identifier({}, {}, …)", self.kind.as_str(), self.trust.as_str())
    }
}

/// An issuer in the one form it is kept and compared in: its OID where it names one, else its name
/// in upper case with single spaces.
pub fn assigner_of(text: &str) -> String {
    let text = text.trim();
    let mut parts = text.split('&').map(str::trim);
    let (namespace, universal) = (parts.next().unwrap_or_default(), parts.next());
    if let Some(oid) = universal.filter(|id| is_oid(id)) {
        return oid.to_owned();
    }
    let bare = namespace
        .strip_prefix("urn:oid:")
        .or_else(|| namespace.strip_prefix("URN:OID:"))
        .unwrap_or(namespace);
    if is_oid(bare) {
        return bare.to_owned();
    }
    if let Some((_, oid)) = OLDER_NAMES.iter().find(|(name, _)| name.eq_ignore_ascii_case(bare)) {
        return (*oid).to_owned();
    }
    let words: Vec<String> = bare
        .split_whitespace()
        .map(|word| word.chars().filter(|c| !c.is_control()).collect::<String>().to_uppercase())
        .filter(|word| !word.is_empty())
        .collect();
    words.join(" ").chars().take(Identifier::MAX_CHARS).collect()
}

fn trust(kind: IdentifierKind, value: &str) -> Trust {
    let right = match kind {
        IdentifierKind::CodiceFiscale => CodiceFiscale::parse(value).is_ok(),
        IdentifierKind::Stp => is_prefixed_number(value, "STP"),
        IdentifierKind::Eni => is_prefixed_number(value, "ENI"),
        // Their forms are not published where we could read them: letters and digits will do.
        IdentifierKind::TeamCard
        | IdentifierKind::TeamPersonal
        | IdentifierKind::Ana
        | IdentifierKind::Anpr => {
            value.len() <= 40
                && value.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
                && !is_placeholder(value)
        }
        IdentifierKind::Regional | IdentifierKind::Local => {
            return if is_placeholder(value) { Trust::Unverified } else { Trust::Stated };
        }
    };
    if right { Trust::Checked } else { Trust::Unverified }
}

/// Upper case, no spaces within, no identity provider's prefix.
fn national_form(value: &str) -> String {
    let value: String =
        value.chars().filter(|c| !c.is_whitespace()).map(|c| c.to_ascii_uppercase()).collect();
    value.strip_prefix("TINIT-").map_or_else(|| value.clone(), str::to_owned)
}

/// `STP` or `ENI` and thirteen digits.
fn is_prefixed_number(value: &str, prefix: &str) -> bool {
    let digits = value.strip_prefix(prefix).unwrap_or_default();
    digits.len() == 13 && digits.bytes().all(|byte| byte.is_ascii_digit())
}

/// What people type when they have no identifier.
fn is_placeholder(value: &str) -> bool {
    let all = |wanted: fn(char) -> bool| value.chars().all(wanted);
    let alike = value.chars().next().is_some_and(|first| value.chars().all(|c| c == first));
    // `XXXX`, `9999`; short numbers of one digit, such as 11, are real ones.
    let filler = alike
        && (value.len() > 1 && all(char::is_alphabetic) || value.len() > 3 && all(|c| c == '9'));
    let known = PLACEHOLDERS.iter().any(|word| word.eq_ignore_ascii_case(value));
    filler || known || all(|c| matches!(c, '0' | '.' | '-' | '?' | '*' | ' '))
}

fn is_oid(text: &str) -> bool {
    text.len() <= 128
        && text.contains('.')
        && text.split('.').all(|part| {
            !part.is_empty()
                && part.bytes().all(|byte| byte.is_ascii_digit())
                && (part.len() == 1 || !part.starts_with('0'))
        })
}

/// `2.16.840.1.113883.2.9.2.<region>.4.1`, with or without a last `.1`.
fn is_regional(oid: &str) -> bool {
    let Some(rest) = oid.strip_prefix("2.16.840.1.113883.2.9.2.") else { return false };
    let region = rest.strip_suffix(".4.1.1").or_else(|| rest.strip_suffix(".4.1"));
    region.is_some_and(|region| REGIONS.contains(&region))
}

/// Issuers with one OID (FSE implementation guides; RAD rule 10).
const NATIONAL: [(IdentifierKind, &str); 7] = [
    (IdentifierKind::CodiceFiscale, CodiceFiscale::OID),
    (IdentifierKind::TeamCard, "2.16.840.1.113883.2.9.4.3.7"),
    (IdentifierKind::TeamPersonal, "2.16.840.1.113883.2.9.4.3.3"),
    (IdentifierKind::Ana, "2.16.840.1.113883.2.9.4.3.15"),
    (IdentifierKind::Anpr, "2.16.840.1.113883.2.9.4.3.16"),
    (IdentifierKind::Stp, "2.16.840.1.113883.2.9.4.3.17"),
    (IdentifierKind::Eni, "2.16.840.1.113883.2.9.4.3.18"),
];

/// Names the same issuers go by: HL7 v2 namespaces and an older FHIR guide's systems.
const OLDER_NAMES: [(&str, &str); 5] = [
    ("MEF", CodiceFiscale::OID),
    ("http://hl7.it/sid/codiceFiscale", CodiceFiscale::OID),
    ("http://hl7.it/sid/stp", "2.16.840.1.113883.2.9.4.3.17"),
    ("http://hl7.it/sid/eni", "2.16.840.1.113883.2.9.4.3.18"),
    ("http://hl7.it/sid/anpr", "2.16.840.1.113883.2.9.4.3.16"),
];

/// Region numbers as their OIDs have them.
const REGIONS: [&str; 21] = [
    "10", "20", "30", "41", "42", "50", "60", "70", "80", "90", "100", "110", "120", "130", "140",
    "150", "160", "170", "180", "190", "200",
];

const PLACEHOLDERS: [&str; 12] = [
    "UNKNOWN",
    "ANONYMOUS",
    "ANONYMIZED",
    "NONE",
    "N/A",
    "NA",
    "NULL",
    "NN",
    "SCONOSCIUTO",
    "IGNOTO",
    "NOID",
    "NO ID",
];

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Identifier, IdentifierKind as Kind, Trust, assigner_of};

    #[test]
    fn space_and_control_characters_around_a_value_are_no_part_of_it() {
        for text in ["31", " 31 ", "\0 31", "31\r \n", "\t\0 31 \0"] {
            assert_eq!(Identifier::read(text, "").unwrap().value, "31", "{text:?}");
        }
        assert_eq!(Identifier::read("\0 ", ""), None);
    }

    #[test]
    fn requirement_5_each_oid_gives_its_kind() {
        for (value, assigner, kind, trust) in [
            (
                "RSSMRA79B11C566R",
                "2.16.840.1.113883.2.9.4.3.2",
                Kind::CodiceFiscale,
                Trust::Checked,
            ),
            ("80380000000000000001", "2.16.840.1.113883.2.9.4.3.7", Kind::TeamCard, Trust::Checked),
            ("ABC-123", "2.16.840.1.113883.2.9.4.3.3", Kind::TeamPersonal, Trust::Checked),
            ("A1B2C3", "2.16.840.1.113883.2.9.4.3.15", Kind::Ana, Trust::Checked),
            ("AB12345CD", "2.16.840.1.113883.2.9.4.3.16", Kind::Anpr, Trust::Checked),
            ("STP1234567890123", "2.16.840.1.113883.2.9.4.3.17", Kind::Stp, Trust::Checked),
            ("ENI1234567890123", "2.16.840.1.113883.2.9.4.3.18", Kind::Eni, Trust::Checked),
            ("R-1", "2.16.840.1.113883.2.9.2.120.4.1", Kind::Regional, Trust::Stated),
            ("R-1", "2.16.840.1.113883.2.9.2.10.4.1.1", Kind::Regional, Trust::Stated),
            ("R-1", "2.16.840.1.113883.2.9.2.43.4.1", Kind::Local, Trust::Stated),
            ("P0001042", "OSPEDALE_PROVA", Kind::Local, Trust::Stated),
            ("11", "OSPEDALE_PROVA", Kind::Local, Trust::Stated),
        ] {
            let read = Identifier::read(value, assigner).expect(value);
            assert_eq!((read.kind, read.trust), (kind, trust), "{value} of {assigner}");
        }
    }

    #[test]
    fn requirement_4_what_is_wrong_is_kept_and_identifies_nobody() {
        for (value, assigner) in [
            ("PROVAX00X00X000Y", "2.16.840.1.113883.2.9.4.3.2"),
            ("VRDMRC67T20I257E", "2.16.840.1.113883.2.9.4.3.2"),
            ("STP12", "2.16.840.1.113883.2.9.4.3.17"),
            ("UNKNOWN", "OSPEDALE_PROVA"),
            ("000000", "OSPEDALE_PROVA"),
            ("XXXX", "OSPEDALE_PROVA"),
            ("9999", "OSPEDALE_PROVA"),
            ("0", "OSPEDALE_PROVA"),
            ("PROVAX00X00X000Y", ""),
            ("UNKNOWN", ""),
            ("12345", ""),
        ] {
            let read = Identifier::read(value, assigner).expect(value);
            assert!(!read.identifies(), "{value}");
            assert_eq!(read.value, value);
        }
        for nothing in ["", "  ", "\0"] {
            assert_eq!(Identifier::read(nothing, "A"), None);
        }
    }

    #[test]
    fn requirement_6_one_number_of_two_issuers_is_two_identifiers() {
        assert_ne!(Identifier::read("123", "A"), Identifier::read("123", "B"));
        assert_eq!(
            Identifier::read("123", " ospedale  uno"),
            Identifier::read("123", "Ospedale Uno")
        );
    }

    #[test]
    fn a_right_codice_fiscale_without_issuer_is_known_for_what_it_is() {
        for text in ["rssmra79b11c566r", "TINIT-RSSMRA79B11C566R", " RSSMRA79B11C566R "] {
            let read = Identifier::read(text, "").expect(text);
            assert_eq!((read.kind, read.value.as_str()), (Kind::CodiceFiscale, "RSSMRA79B11C566R"));
            assert_eq!(Some(read.assigner.as_str()), Kind::CodiceFiscale.oid());
        }
    }

    #[test]
    fn issuers_written_in_different_ways_are_one() {
        let oid = "2.16.840.1.113883.2.9.4.3.2";
        for text in [
            oid.to_owned(),
            format!("urn:oid:{oid}"),
            format!("MEF&{oid}&ISO"),
            format!("&{oid}&ISO"),
            "MEF".to_owned(),
            "http://hl7.it/sid/codiceFiscale".to_owned(),
        ] {
            assert_eq!(assigner_of(&text), oid, "{text}");
        }
        assert_eq!(assigner_of("pacs uno&example.org&DNS"), "PACS UNO");
        assert_eq!(assigner_of("1.02.3"), "1.02.3");
        assert_eq!(assigner_of(" "), "");
    }

    #[test]
    fn kinds_and_trust_are_stored_and_read_back() {
        for kind in Kind::ALL {
            assert_eq!(Kind::parse(kind.as_str()), Some(kind));
        }
        for trust in [Trust::Unverified, Trust::Stated, Trust::Checked] {
            assert_eq!(Trust::parse(trust.as_str()), Some(trust));
        }
    }

    proptest! {
        #[test]
        fn reading_what_was_read_changes_nothing(value in "\\PC{0,40}", assigner in "\\PC{0,40}") {
            let Some(read) = Identifier::read(&value, &assigner) else { return Ok(()) };
            prop_assert_eq!(Identifier::read(&read.value, &read.assigner), Some(read.clone()));
            prop_assert_eq!(assigner_of(&read.assigner), read.assigner);
        }
    }
}
