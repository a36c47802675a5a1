//! Token, reference and UID parameters (FHIR R4 §3.1.1.4.10, §3.1.1.4.12).

use crate::fhir::kind::Kind;

/// The most values of one parameter.
pub const MOST_VALUES: usize = 200;

/// `system|code`, `code` or `|code`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// The system; `None` when any will do.
    pub system: Option<String>,
    /// The code; may be empty, when only the system is asked.
    pub code: String,
}

impl Token {
    /// Reads a token.
    pub fn parse(text: &str) -> Self {
        match text.split_once('|') {
            Some((system, code)) => Self { system: Some(system.to_owned()), code: code.to_owned() },
            None => Self { system: None, code: text.to_owned() },
        }
    }

    /// Whether its system is this one, or any.
    pub fn is_of(&self, system: &str) -> bool {
        self.system.as_deref().is_none_or(|own| own == system)
    }
}

/// The values of a parameter, with commas between; `\,` is a comma, `\|` a bar, `\$` a dollar sign.
pub fn values(text: &str) -> Result<Vec<String>, &'static str> {
    let mut values = vec![String::new()];
    let mut escaped = false;
    for c in text.chars() {
        match (escaped, c) {
            (false, '\\') => {
                escaped = true;
                continue;
            }
            (false, ',') => {
                if values.len() == MOST_VALUES {
                    return Err("too many values: ask in parts");
                }
                values.push(String::new());
            }
            _ => {
                if let Some(last) = values.last_mut() {
                    last.push(c);
                }
            }
        }
        escaped = false;
    }
    values.retain(|value| !value.is_empty());
    if values.is_empty() { Err("give a value") } else { Ok(values) }
}

/// The id a reference names: `Patient/1`, `1`, or an absolute URL that ends so. `None` when it names
/// another type.
pub fn id_in(text: &str, kind: Kind) -> Option<&str> {
    let mut parts = text.rsplit('/');
    let id = parts.next()?;
    match parts.next() {
        None => Some(id),
        Some(name) => (name == kind.name()).then_some(id),
    }
}

/// The type and id a reference names; a bare id names no type.
pub fn typed(text: &str) -> Option<(Kind, &str)> {
    let mut parts = text.rsplit('/');
    let id = parts.next()?;
    Some((Kind::parse(parts.next()?)?, id))
}

/// A UID in any of its spellings: `urn:dicom:uid|urn:oid:1.2`, `urn:oid:1.2`, `1.2`. `None` when the
/// system is another.
pub fn uid(text: &str) -> Option<String> {
    let token = Token::parse(text);
    match token.system.as_deref() {
        None | Some("" | "urn:dicom:uid" | "urn:ietf:rfc:3986") => {}
        Some(_) => return None,
    }
    let code = token.code.strip_prefix("urn:oid:").unwrap_or(&token.code);
    (!code.is_empty()).then(|| code.to_owned())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Token, id_in, typed, uid, values};
    use crate::fhir::kind::Kind;

    #[test]
    fn requirement_42_a_uid_has_three_spellings() {
        for text in [
            "urn:dicom:uid|urn:oid:1.2.3",
            "urn:oid:1.2.3",
            "1.2.3",
            "|urn:oid:1.2.3",
            "urn:dicom:uid|1.2.3",
        ] {
            assert_eq!(uid(text).as_deref(), Some("1.2.3"), "{text}");
        }
        assert_eq!((uid("urn:oid:2.25|A1"), uid(""), uid("urn:dicom:uid|")), (None, None, None));
    }

    #[test]
    fn values_tokens_and_references_are_read() {
        assert_eq!(values(r"a,b\,c,,d\|e").unwrap(), ["a", "b,c", "d|e"]);
        assert!(values("").is_err() && values(&"a,".repeat(300)).is_err());
        let token = Token::parse("http://loinc.org|68604-8");
        assert!(token.is_of("http://loinc.org") && !token.is_of("other"));
        assert!(Token::parse("68604-8").is_of("anything"));
        assert_eq!(id_in("http://h/fhir/Patient/a1", Kind::Patient), Some("a1"));
        assert_eq!(id_in("a1", Kind::Patient), Some("a1"));
        assert_eq!(id_in("Group/a1", Kind::Patient), None);
        assert_eq!(typed("ImagingStudy/x"), Some((Kind::ImagingStudy, "x")));
        assert_eq!(typed("x"), None);
    }

    proptest! {
        #[test]
        fn no_text_panics(text in ".*") {
            let _ = (values(&text), uid(&text), typed(&text), Token::parse(&text));
        }
    }
}
