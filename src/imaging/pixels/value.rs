//! Numbers and words in the bytes of header values.

/// Byte order of the data set's binary values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::imaging::pixels) enum Order {
    Little,
    Big,
}

impl Order {
    /// All 16-bit words of a value; a byte left over at the end is none.
    pub(in crate::imaging::pixels) fn words(self, bytes: &[u8]) -> Vec<u16> {
        let (pairs, _) = bytes.as_chunks::<2>();
        pairs.iter().map(|pair| self.word(*pair)).collect()
    }

    /// The first 16-bit word of a value.
    pub(in crate::imaging::pixels) fn first_word(self, bytes: &[u8]) -> Option<u16> {
        bytes.first_chunk::<2>().map(|pair| self.word(*pair))
    }

    /// The first binary floating point number of a value of 4 or 8 bytes.
    pub(in crate::imaging::pixels) fn real(self, bytes: &[u8]) -> Option<f64> {
        let number = match (self, bytes.first_chunk::<8>(), bytes.first_chunk::<4>()) {
            (Self::Little, Some(eight), _) => f64::from_le_bytes(*eight),
            (Self::Big, Some(eight), _) => f64::from_be_bytes(*eight),
            (Self::Little, None, Some(four)) => f32::from_le_bytes(*four).into(),
            (Self::Big, None, Some(four)) => f32::from_be_bytes(*four).into(),
            (_, None, None) => return None,
        };
        Some(number).filter(|number| number.is_finite())
    }

    /// The first two single precision numbers of a value.
    pub(in crate::imaging::pixels) fn singles(self, bytes: &[u8]) -> Option<(f32, f32)> {
        let (words, _) = bytes.as_chunks::<4>();
        let [first, second] = words.first_chunk::<2>()?;
        Some(match self {
            Self::Little => (f32::from_le_bytes(*first), f32::from_le_bytes(*second)),
            Self::Big => (f32::from_be_bytes(*first), f32::from_be_bytes(*second)),
        })
    }

    fn word(self, pair: [u8; 2]) -> u16 {
        match self {
            Self::Little => u16::from_le_bytes(pair),
            Self::Big => u16::from_be_bytes(pair),
        }
    }
}

/// Text without the padding around it. Codes and numbers are ASCII; anything else is no text.
pub(in crate::imaging::pixels) fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap_or("").trim_matches([' ', '\0'])
}

/// Decimal strings, at most `most` of them; those that are no finite number are `None`.
pub(in crate::imaging::pixels) fn decimals(bytes: &[u8], most: usize) -> Vec<Option<f64>> {
    text(bytes).split('\\').take(most).map(decimal).collect()
}

fn decimal(text: &str) -> Option<f64> {
    // 16 bytes is what the standard allows; files with more digits than that are common.
    let text = text.trim_matches([' ', '\0']);
    (text.len() <= 64).then(|| text.parse().ok()).flatten().filter(|value: &f64| value.is_finite())
}

#[cfg(test)]
mod tests {
    use super::{Order, decimals, text};

    #[test]
    fn decimals_are_read_with_their_padding_and_junk_is_none() {
        assert_eq!(decimals(b"40 \\ -600.5\\1e3\0", 8), [Some(40.0), Some(-600.5), Some(1000.0)]);
        assert_eq!(decimals(b"NaN\\inf\\x\\", 8), [None, None, None, None]);
        assert_eq!(decimals(b"1\\2\\3", 2), [Some(1.0), Some(2.0)]);
        assert_eq!(text(b"RGB "), "RGB");
        assert_eq!(text(&[0xFF, 0x20]), "");
    }

    #[test]
    fn words_follow_the_byte_order() {
        assert_eq!(Order::Little.words(&[1, 2, 3]), [0x0201]);
        assert_eq!(Order::Big.words(&[1, 2, 3, 4]), [0x0102, 0x0304]);
        assert_eq!(Order::Little.first_word(&[9]), None);
    }
}
