//! Text in every character set of PS3.5 §6.1, code extensions (ISO/IEC 2022 escapes) included.
//!
//! Decoding never fails: what cannot be read becomes U+FFFD. High bytes under the default
//! repertoire, which has none, are read as Latin-1, since that is what writes them in practice.

use std::borrow::Cow;

use encoding_rs::{EUC_JP, EUC_KR, GBK, SHIFT_JIS};

use crate::dicom::charset_term::Elements;
use crate::dicom::charset_term::G0;
use crate::dicom::charset_term::G1;
use crate::dicom::charset_term::Repertoire;
use crate::dicom::charset_term::designation;
use crate::dicom::charset_term::repertoire;

/// Decodes text values by an object's Specific Character Set (0008,0005).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Charset {
    repertoire: Repertoire,
}

impl Charset {
    /// The default repertoire, ISO-IR 6.
    pub const DEFAULT: Self = Self { repertoire: Repertoire::DEFAULT };

    /// The decoder for the values of (0008,0005); unknown terms fall back to what can be read.
    ///
    /// Only value 1 decides: the further values say which escape sequences may come, and every
    /// escape sequence of PS3.3 §C.12.1.1.2 is understood, announced or not.
    pub fn parse(specific_character_set: &[u8]) -> Self {
        let first = specific_character_set.split(|byte| *byte == b'\\').next().unwrap_or_default();
        Self { repertoire: repertoire(first) }
    }

    /// Decodes one element's text (not a person name), backslashes included; they reset code
    /// extensions, so this is for VRs that may hold several values (LO, SH, UC).
    pub fn decode(&self, bytes: &[u8]) -> String {
        self.read(bytes, VALUES).into_owned()
    }

    /// Decodes a person name: code extensions reset at `^` and `=` too (PS3.5 §6.1.2.5.3).
    pub fn decode_name(&self, bytes: &[u8]) -> String {
        self.read(bytes, NAMES).into_owned()
    }

    /// Decodes the text of a VR that holds one value (LT, ST, UT), where a backslash is a
    /// character like any other.
    pub fn decode_text(&self, bytes: &[u8]) -> String {
        self.read(bytes, TEXT).into_owned()
    }

    /// Decodes the values of one element, padding included. Decoding comes first, because half
    /// of a two-byte character may look like a backslash.
    pub fn decode_values(&self, bytes: &[u8]) -> Vec<String> {
        self.read(bytes, VALUES).split('\\').map(str::to_owned).collect()
    }

    /// Decodes the values of one element of person names.
    pub fn decode_name_values(&self, bytes: &[u8]) -> Vec<String> {
        self.read(bytes, NAMES).split('\\').map(str::to_owned).collect()
    }

    /// As [`Charset::decode`], borrowed when nothing needs decoding.
    pub(crate) fn values<'a>(&self, bytes: &'a [u8]) -> Cow<'a, str> {
        self.read(bytes, VALUES)
    }

    /// As [`Charset::decode_name`], borrowed when nothing needs decoding.
    pub(crate) fn names<'a>(&self, bytes: &'a [u8]) -> Cow<'a, str> {
        self.read(bytes, NAMES)
    }

    /// As [`Charset::decode_text`], borrowed when nothing needs decoding.
    pub(crate) fn text<'a>(&self, bytes: &'a [u8]) -> Cow<'a, str> {
        self.read(bytes, TEXT)
    }

    fn read<'a>(&self, bytes: &'a [u8], resets: &[u8]) -> Cow<'a, str> {
        if bytes.is_ascii() && memchr::memchr(ESC, bytes).is_none() {
            return String::from_utf8_lossy(bytes);
        }
        match self.repertoire {
            Repertoire::Whole(encoding) => encoding.decode_without_bom_handling(bytes).0,
            Repertoire::Extensible(start) => {
                let mut reader = Reader { start, now: start, resets, text: String::new() };
                reader.text.reserve(bytes.len().saturating_mul(2));
                reader.read(bytes);
                Cow::Owned(reader.text)
            }
        }
    }
}

impl Default for Charset {
    /// The default repertoire, ISO-IR 6.
    fn default() -> Self {
        Self::DEFAULT
    }
}

/// Bytes as Latin-1, for VRs that (0008,0005) does not touch: each byte one character.
pub(crate) fn latin1(bytes: &[u8]) -> Cow<'_, str> {
    if bytes.is_ascii() {
        String::from_utf8_lossy(bytes)
    } else {
        Cow::Owned(bytes.iter().copied().map(char::from).collect())
    }
}

/// One pass over a value under ISO/IEC 2022.
struct Reader<'r> {
    start: Elements,
    now: Elements,
    resets: &'r [u8],
    text: String,
}

impl Reader<'_> {
    fn read(&mut self, bytes: &[u8]) {
        let mut rest = bytes;
        while let Some(first) = rest.first() {
            let taken = match *first {
                ESC => self.escape(rest),
                control @ (0x00..0x20 | 0x7F) => {
                    self.now = self.start;
                    self.text.push(char::from(control));
                    1
                }
                _ if self.now == self.start && self.now.g1 == G1::Katakana => self.shift_jis(rest),
                0x20..0x80 => self.low(rest),
                0x80.. => self.high(rest),
            };
            // Each branch takes at least the byte it was chosen for.
            rest = rest.get(taken.max(1)..).unwrap_or_default();
        }
    }

    fn escape(&mut self, rest: &[u8]) -> usize {
        let Some((to, length)) = designation(self.now, rest) else {
            self.text.push(char::from(ESC));
            return 1;
        };
        self.now = to;
        length
    }

    /// Bytes 0x20 to 0x7F: ASCII, or pairs of a two-byte set in G0.
    fn low(&mut self, rest: &[u8]) -> usize {
        let prefix: &[u8] = match self.now.g0 {
            G0::Ascii => return self.ascii(rest),
            G0::Jis0208 => &[],
            // EUC-JP marks JIS X 0212 by this byte.
            G0::Jis0212 => &[0x8F],
        };
        let in_set = |byte: &u8| (0x21..0x7F).contains(byte);
        let length = rest.iter().take_while(|byte| in_set(byte)).count();
        if length == 0 {
            self.text.push(' ');
            return 1;
        }
        let mut euc = Vec::with_capacity(length.saturating_mul(2));
        let (pairs, odd) = rest.get(..length).unwrap_or_default().as_chunks::<2>();
        for [lead, trail] in pairs {
            euc.extend_from_slice(prefix);
            euc.extend_from_slice(&[lead | 0x80, trail | 0x80]);
        }
        let (decoded, _) = EUC_JP.decode_without_bom_handling(&euc);
        let unwiden = if prefix.is_empty() { unwiden_0208 } else { unwiden_0212 };
        self.text.extend(decoded.chars().map(unwiden));
        if !odd.is_empty() {
            self.text.push(char::REPLACEMENT_CHARACTER);
        }
        length
    }

    fn ascii(&mut self, rest: &[u8]) -> usize {
        let mut taken = 0_usize;
        for byte in rest.iter().copied().take_while(|byte| (0x20..0x7F).contains(byte)) {
            self.text.push(char::from(byte));
            taken = taken.saturating_add(1);
            if self.resets.contains(&byte) {
                self.now = self.start;
                break;
            }
        }
        taken
    }

    /// Bytes from 0x80: the set in G1.
    fn high(&mut self, rest: &[u8]) -> usize {
        if self.now.g1 == G1::Ks1001 && self.now.g0 == G0::Ascii {
            return self.korean(rest);
        }
        let length = rest.iter().take_while(|byte| **byte >= 0x80).count();
        let run = rest.get(..length).unwrap_or_default();
        match self.now.g1 {
            G1::Latin1 => self.text.extend(run.iter().copied().map(char::from)),
            G1::Latin5 => self.text.extend(run.iter().copied().map(latin5)),
            G1::Thai => self.text.extend(run.iter().copied().map(thai)),
            G1::Katakana => self.text.extend(run.iter().copied().map(katakana)),
            G1::Table(encoding) => {
                self.text.push_str(&encoding.decode_without_bom_handling(run).0);
            }
            G1::Gb2312 => self.text.push_str(&GBK.decode_without_bom_handling(run).0),
            G1::Ks1001 => self.text.push_str(&EUC_KR.decode_without_bom_handling(run).0),
            G1::Nothing => {
                self.text.extend(run.iter().map(|_| char::REPLACEMENT_CHARACTER));
            }
        }
        length
    }

    /// KS X 1001 beside ASCII is EUC-KR; Korean systems also write its Microsoft extension,
    /// whose second byte may be a letter, so letters are read along.
    fn korean(&mut self, rest: &[u8]) -> usize {
        let more = |byte: &u8| *byte >= 0x80 || (*byte >= 0x20 && !self.resets.contains(byte));
        let length = rest.iter().take_while(|byte| more(byte)).count();
        let run = rest.get(..length).unwrap_or_default();
        self.text.push_str(&EUC_KR.decode_without_bom_handling(run).0);
        length
    }

    /// JIS X 0201 as value 1: Japanese systems write whole `Shift_JIS` under that name, which
    /// reads JIS X 0201 just the same.
    fn shift_jis(&mut self, rest: &[u8]) -> usize {
        let length = rest.iter().take_while(|byte| **byte >= 0x20 && **byte != 0x7F).count();
        let run = rest.get(..length).unwrap_or_default();
        self.text.push_str(&SHIFT_JIS.decode_without_bom_handling(run).0);
        length
    }
}

/// The six characters of JIS X 0208 that the web's table reads in Microsoft's way.
fn unwiden_0208(c: char) -> char {
    match c {
        '\u{FF5E}' => '\u{301C}',
        '\u{2225}' => '\u{2016}',
        '\u{FF0D}' => '\u{2212}',
        '\u{FFE0}' => '\u{00A2}',
        '\u{FFE1}' => '\u{00A3}',
        '\u{FFE2}' => '\u{00AC}',
        other => other,
    }
}

/// The one character of JIS X 0212 likewise.
fn unwiden_0212(c: char) -> char {
    if c == '\u{FF5E}' { '~' } else { c }
}

/// ISO 8859-9: Latin-1 but for six Turkish letters.
fn latin5(byte: u8) -> char {
    match byte {
        0xD0 => 'Ğ',
        0xDD => 'İ',
        0xDE => 'Ş',
        0xF0 => 'ğ',
        0xFD => 'ı',
        0xFE => 'ş',
        other => char::from(other),
    }
}

/// TIS 620-2533, which ISO 8859-11 extends by a no-break space.
fn thai(byte: u8) -> char {
    match byte {
        0xA1..=0xDA | 0xDF..=0xFB => shifted(byte, 0xA0, 0x0E00),
        0x80..=0xA0 => char::from(byte),
        _ => char::REPLACEMENT_CHARACTER,
    }
}

/// The katakana half of JIS X 0201.
fn katakana(byte: u8) -> char {
    match byte {
        0xA1..=0xDF => shifted(byte, 0xA0, 0xFF60),
        _ => char::REPLACEMENT_CHARACTER,
    }
}

fn shifted(byte: u8, from: u8, to: u32) -> char {
    let offset = u32::from(byte.saturating_sub(from));
    char::from_u32(to.saturating_add(offset)).unwrap_or(char::REPLACEMENT_CHARACTER)
}

const ESC: u8 = 0x1B;

/// What, beside control characters, brings value 1's set back (PS3.5 §6.1.2.5.3).
const VALUES: &[u8] = b"\\";
const NAMES: &[u8] = b"\\^=";
const TEXT: &[u8] = b"";

#[cfg(test)]
mod tests;
