//! Unique identifiers as they arrive: usually PS3.5 §9 UIDs, sometimes not, never lost.

use std::fmt;
use std::sync::Arc;

/// An identifier of a study, series, instance, SOP class or transfer syntax.
///
/// Kept as received, less the padding PS3.5 §9.4 allows (trailing NUL) and what real devices add
/// (spaces around). Text that breaks the UID grammar is still an identifier here, because the
/// object that carries it must not be lost; [`Uid::is_valid`] tells.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Uid(Arc<str>);

/// Why a text cannot serve as an identifier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum UidError {
    /// Nothing but padding.
    #[error("identifier is empty")]
    Empty,
    /// Longer than [`Uid::MAX_BYTES`].
    #[error("identifier is longer than {} bytes", Uid::MAX_BYTES)]
    TooLong,
    /// Holds a control character or a backslash (value multiplicity), which no identifier may.
    #[error("identifier holds a control character or a backslash")]
    Unprintable,
}

impl Uid {
    /// The most bytes an identifier may have: twice what PS3.5 §9.1 allows.
    pub const MAX_BYTES: usize = 128;

    /// Takes `text` less its padding.
    pub fn parse(text: &str) -> Result<Self, UidError> {
        let text = text.trim_matches(|c: char| c == '\0' || c == ' ');
        if text.is_empty() {
            return Err(UidError::Empty);
        }
        if text.len() > Self::MAX_BYTES {
            return Err(UidError::TooLong);
        }
        if text.chars().any(|c| c.is_control() || c == '\\') {
            return Err(UidError::Unprintable);
        }
        Ok(Self(Arc::from(text)))
    }

    /// The identifier as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether the text follows PS3.5 §9.1: up to 64 characters, numeric components joined by
    /// dots, no component with a leading zero.
    pub fn is_valid(&self) -> bool {
        self.0.len() <= 64
            && self.0.split('.').all(|part| {
                !part.is_empty()
                    && part.bytes().all(|byte| byte.is_ascii_digit())
                    && (part.len() == 1 || !part.starts_with('0'))
            })
    }
}

impl fmt::Display for Uid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Uid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

#[cfg(test)]
mod tests {
    use super::{Uid, UidError};

    #[test]
    fn padding_goes_and_everything_else_stays() {
        for (text, expected, valid) in [
            ("1.2.840.10008.1.1\0", "1.2.840.10008.1.1", true),
            (" 1.2.3 ", "1.2.3", true),
            ("1.02.3", "1.02.3", false),
            ("not a uid", "not a uid", false),
        ] {
            let uid = Uid::parse(text).expect(text);
            assert_eq!((uid.as_str(), uid.is_valid()), (expected, valid));
        }
        assert_eq!(Uid::parse("\0\0"), Err(UidError::Empty));
        assert_eq!(Uid::parse("1.2\\1.3"), Err(UidError::Unprintable));
        assert_eq!(Uid::parse(&"1".repeat(129)), Err(UidError::TooLong));
    }
}
