//! Defined terms of Specific Character Set and the escape sequences that designate sets
//! (PS3.3 §C.12.1.1.2), with the misspellings found in real objects.

use encoding_rs::{
    Encoding, GB18030, GBK, ISO_8859_2, ISO_8859_3, ISO_8859_4, ISO_8859_5, ISO_8859_6, ISO_8859_7,
    ISO_8859_8, ISO_8859_15, UTF_8,
};

/// What value 1 of Specific Character Set says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Repertoire {
    /// One encoding for everything; no code extensions.
    Whole(&'static Encoding),
    /// Sets that are in place until an escape sequence brings others.
    Extensible(Elements),
}

impl Repertoire {
    /// ISO-IR 6; high bytes, which it has not, as Latin-1.
    pub(crate) const DEFAULT: Self = single(G1::Latin1);
}

/// The sets in the code elements G0 (bytes below 0x80) and G1 (bytes from 0x80).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Elements {
    pub(crate) g0: G0,
    pub(crate) g1: G1,
}

/// Sets of the lower half.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum G0 {
    /// ISO-IR 6; also ISO-IR 14, whose yen sign and overline stay backslash and tilde, because
    /// the byte is the value delimiter whatever its looks (PS3.5 §6.1.2.3).
    Ascii,
    /// JIS X 0208, two bytes a character.
    Jis0208,
    /// JIS X 0212, two bytes a character.
    Jis0212,
}

/// Sets of the upper half.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum G1 {
    /// ISO 8859-1.
    Latin1,
    /// ISO 8859-9.
    Latin5,
    /// Another part of ISO 8859.
    Table(&'static Encoding),
    /// TIS 620-2533.
    Thai,
    /// The upper half of JIS X 0201.
    Katakana,
    /// KS X 1001, two bytes a character.
    Ks1001,
    /// GB 2312, two bytes a character.
    Gb2312,
    /// None: every byte is unreadable.
    Nothing,
}

/// The repertoire that `term`, value 1 of (0008,0005), names; the default when it names none.
pub(crate) fn repertoire(term: &[u8]) -> Repertoire {
    // Hyphens, blanks, underscores and case are where the misspellings are.
    let key: String = term
        .iter()
        .filter(|byte| byte.is_ascii_alphanumeric())
        .take(MAX_TERM)
        .map(|byte| char::from(byte.to_ascii_uppercase()))
        .collect();
    if key.is_empty() {
        return Repertoire::DEFAULT;
    }
    let registered = ["ISO2022IR", "ISOIR", "IR", "ISO2022"]
        .iter()
        .find_map(|prefix| key.strip_prefix(prefix))
        .and_then(by_registration);
    registered
        .or_else(|| key.strip_prefix("ISO8859").and_then(by_part))
        .or_else(|| by_name(&key))
        .or_else(|| by_label(term))
        .unwrap_or(Repertoire::DEFAULT)
}

/// The sets after the escape sequence that `bytes` begins with, and its length; `None` when
/// it is unknown.
pub(crate) fn designation(now: Elements, bytes: &[u8]) -> Option<(Elements, usize)> {
    let (to, length) = match bytes.get(1..)? {
        [b'$', b'(', b'D', ..] => (Elements { g0: G0::Jis0212, ..now }, 4),
        [b'$', b'(', b'@' | b'B', ..] => (Elements { g0: G0::Jis0208, ..now }, 4),
        [b'$', b')', b'C', ..] => (Elements { g1: G1::Ks1001, ..now }, 4),
        [b'$', b')', b'A', ..] => (Elements { g1: G1::Gb2312, ..now }, 4),
        [b'$', b'@' | b'B', ..] => (Elements { g0: G0::Jis0208, ..now }, 3),
        [b'(', b'B' | b'J', ..] => (Elements { g0: G0::Ascii, ..now }, 3),
        [b')', b'I', ..] => (Elements { g1: G1::Katakana, ..now }, 3),
        [b'-', last, ..] => (Elements { g1: by_final_byte(*last)?, ..now }, 3),
        _ => return None,
    };
    Some((to, length))
}

/// By the number in the international register of coded character sets.
fn by_registration(number: &str) -> Option<Repertoire> {
    Some(match number {
        "6" => Repertoire::DEFAULT,
        "13" | "14" => single(G1::Katakana),
        "58" => single(G1::Gb2312),
        "87" | "159" => single(G1::Nothing),
        "100" => single(G1::Latin1),
        "101" => single(G1::Table(ISO_8859_2)),
        "109" => single(G1::Table(ISO_8859_3)),
        "110" => single(G1::Table(ISO_8859_4)),
        "126" => single(G1::Table(ISO_8859_7)),
        "127" => single(G1::Table(ISO_8859_6)),
        "138" => single(G1::Table(ISO_8859_8)),
        "144" => single(G1::Table(ISO_8859_5)),
        "148" => single(G1::Latin5),
        "149" => single(G1::Ks1001),
        "166" => single(G1::Thai),
        "192" => Repertoire::Whole(UTF_8),
        "203" => single(G1::Table(ISO_8859_15)),
        _ => return None,
    })
}

/// By the part of ISO 8859.
fn by_part(part: &str) -> Option<Repertoire> {
    by_registration(match part {
        "" => "6",
        "1" => "100",
        "2" => "101",
        "3" => "109",
        "4" => "110",
        "5" => "144",
        "6" => "127",
        "7" => "126",
        "8" => "138",
        "9" => "148",
        "11" => "166",
        "15" => "203",
        _ => return None,
    })
}

/// By terms without a number, and by names programmers know.
fn by_name(key: &str) -> Option<Repertoire> {
    Some(match key {
        "GB18030" => Repertoire::Whole(GB18030),
        "GBK" | "ISO2022GBK" => Repertoire::Whole(GBK),
        "UTF8" => Repertoire::Whole(UTF_8),
        "ASCII" | "USASCII" | "LATIN1" | "L1" => Repertoire::DEFAULT,
        "LATIN2" => single(G1::Table(ISO_8859_2)),
        "LATIN5" => single(G1::Latin5),
        "LATIN9" => single(G1::Table(ISO_8859_15)),
        "ISO2022KR" | "EUCKR" => single(G1::Ks1001),
        "GB2312" | "ISO2022CN" => single(G1::Gb2312),
        "ISO2022JP" | "ISO2022JP2" => single(G1::Nothing),
        "SHIFTJIS" | "SJIS" => single(G1::Katakana),
        "TIS620" => single(G1::Thai),
        _ => return None,
    })
}

/// By the web's labels (`windows-1252`, `koi8-r`…): not DICOM, but written.
fn by_label(term: &[u8]) -> Option<Repertoire> {
    let trimmed = term.trim_ascii();
    let end = trimmed.iter().rposition(|byte| *byte != 0)?;
    let encoding = Encoding::for_label_no_replacement(trimmed.get(..=end)?)?;
    encoding.is_ascii_compatible().then_some(Repertoire::Whole(encoding))
}

/// By the last byte of `ESC - F`.
fn by_final_byte(last: u8) -> Option<G1> {
    Some(match last {
        b'A' => G1::Latin1,
        b'B' => G1::Table(ISO_8859_2),
        b'C' => G1::Table(ISO_8859_3),
        b'D' => G1::Table(ISO_8859_4),
        b'F' => G1::Table(ISO_8859_7),
        b'G' => G1::Table(ISO_8859_6),
        b'H' => G1::Table(ISO_8859_8),
        b'L' => G1::Table(ISO_8859_5),
        b'M' => G1::Latin5,
        b'T' => G1::Thai,
        b'b' => G1::Table(ISO_8859_15),
        _ => return None,
    })
}

const fn single(g1: G1) -> Repertoire {
    Repertoire::Extensible(Elements { g0: G0::Ascii, g1 })
}

/// Longer terms name nothing.
const MAX_TERM: usize = 32;
