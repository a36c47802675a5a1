//! One value field as the inside of a DICOM JSON attribute (PS3.18 §F.2.3 to §F.2.7).
//!
//! Choices the standard leaves open:
//! - IS and DS are numbers, digit for digit as they came (`1.50` stays `1.50`; only what JSON
//!   has not is put right: `+1`, `007`, `.5`, `5.`). They stay strings when they are no number
//!   or when a reader with doubles would lose digits of them.
//! - SV and UV are numbers up to 2^53 and strings beyond, for the same reason.
//! - FL and FD are the shortest decimal that reads back as the same float; NaN and the infinities,
//!   which JSON has not, are the strings `NaN`, `Infinity`, `-Infinity`.

use std::io::Write;

use dicom_core::VR;

use crate::dicom::charset::Charset;
use crate::dicom::charset::latin1;
use crate::dicom::person_name::Groups;

/// How the bytes of a value are to be understood.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reading {
    pub(crate) charset: Charset,
    pub(crate) big_endian: bool,
}

/// Appends `,"Value":[…]` or `,"InlineBinary":"…"`; nothing when the value is empty.
pub(crate) fn write_value(out: &mut Vec<u8>, vr: VR, bytes: &[u8], reading: Reading) {
    match vr {
        VR::AE | VR::AS | VR::CS | VR::DA | VR::DT | VR::TM | VR::UI => {
            write_each(out, &latin1(bytes), write_text);
        }
        VR::DS | VR::IS => write_each(out, &latin1(bytes), write_decimal),
        VR::LO | VR::SH | VR::UC => write_each(out, &reading.charset.values(bytes), write_text),
        VR::PN => write_names(out, &reading.charset.names(bytes)),
        VR::LT | VR::ST | VR::UT => write_only(out, &reading.charset.text(bytes)),
        VR::UR => write_only(out, &latin1(bytes)),
        VR::US => numbers(out, bytes, reading, u16::from_be_bytes, display),
        VR::SS => numbers(out, bytes, reading, i16::from_be_bytes, display),
        VR::UL => numbers(out, bytes, reading, u32::from_be_bytes, display),
        VR::SL => numbers(out, bytes, reading, i32::from_be_bytes, display),
        VR::UV => numbers(out, bytes, reading, u64::from_be_bytes, |out, v| {
            wide(out, v <= EXACT, v);
        }),
        VR::SV => numbers(out, bytes, reading, i64::from_be_bytes, |out, v| {
            wide(out, v.unsigned_abs() <= EXACT, v);
        }),
        VR::FL => numbers(out, bytes, reading, f32::from_be_bytes, |out, v| {
            float(out, v.is_finite(), f64::from(v), &v);
        }),
        VR::FD => numbers(out, bytes, reading, f64::from_be_bytes, |out, v| {
            float(out, v.is_finite(), v, &v);
        }),
        VR::AT => write_tags(out, bytes, reading),
        VR::OB | VR::UN | VR::SQ => write_binary(out, bytes, 1, reading),
        VR::OW => write_binary(out, bytes, 2, reading),
        VR::OF | VR::OL => write_binary(out, bytes, 4, reading),
        VR::OD | VR::OV => write_binary(out, bytes, 8, reading),
    }
}

/// Appends `text` as a JSON string.
pub(crate) fn write_text(out: &mut Vec<u8>, text: &str) {
    out.push(b'"');
    write_escaped(out, text);
    out.push(b'"');
}

/// Appends `text` as it stands inside a JSON string.
pub(crate) fn write_escaped(out: &mut Vec<u8>, text: &str) {
    let mut rest = text.as_bytes();
    while let Some(at) = rest.iter().position(|byte| matches!(byte, b'"' | b'\\' | 0..0x20 | 0x7F))
    {
        let (plain, special) = rest.split_at(at);
        out.extend_from_slice(plain);
        match special.first().copied().unwrap_or_default() {
            quoted @ (b'"' | b'\\') => out.extend_from_slice(&[b'\\', quoted]),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            // No text has a NUL inside, and databases refuse text that has one.
            0 => out.extend_from_slice("\u{FFFD}".as_bytes()),
            control => {
                out.extend_from_slice(b"\\u00");
                push_hex(out, control);
            }
        }
        rest = special.get(1..).unwrap_or_default();
    }
    out.extend_from_slice(rest);
}

/// Appends a byte as two upper case hexadecimal digits.
pub(crate) fn push_hex(out: &mut Vec<u8>, byte: u8) {
    for nibble in [byte >> 4, byte & 0xF] {
        out.push(if nibble < 10 { b'0' | nibble } else { b'A'.saturating_add(nibble - 10) });
    }
}

/// Text less the padding and blanks at its end, which mean nothing (PS3.5 §6.2).
pub(crate) fn unpadded(text: &str) -> &str {
    text.trim_end_matches([' ', '\0'])
}

/// Every value between backslashes; one alone that is empty is no value, among others `null`.
fn write_each(out: &mut Vec<u8>, text: &str, write: impl Fn(&mut Vec<u8>, &str)) {
    let text = unpadded(text);
    if text.is_empty() {
        return;
    }
    out.extend_from_slice(VALUE);
    for (number, value) in text.split('\\').enumerate() {
        if number > 0 {
            out.push(b',');
        }
        let value = unpadded(value);
        if value.is_empty() {
            out.extend_from_slice(b"null");
        } else {
            write(out, value);
        }
    }
    out.push(b']');
}

fn write_only(out: &mut Vec<u8>, text: &str) {
    let text = unpadded(text);
    if !text.is_empty() {
        out.extend_from_slice(VALUE);
        write_text(out, text);
        out.push(b']');
    }
}

/// Names; one alone whose groups are all empty is no value.
fn write_names(out: &mut Vec<u8>, names: &str) {
    if names.contains('\\') || !Groups::split(names).is_empty() {
        write_each(out, names, write_name);
    }
}

fn write_name(out: &mut Vec<u8>, name: &str) {
    let groups = Groups::split(name);
    if groups.is_empty() {
        out.extend_from_slice(b"null");
        return;
    }
    let mut mark = b'{';
    for (key, group) in [
        ("\"Alphabetic\":", groups.alphabetic),
        ("\"Ideographic\":", groups.ideographic),
        ("\"Phonetic\":", groups.phonetic),
    ] {
        if !group.is_empty() {
            out.push(mark);
            out.extend_from_slice(key.as_bytes());
            write_text(out, group);
            mark = b',';
        }
    }
    out.push(b'}');
}

/// A number where JSON can hold it without loss, else the text.
fn write_decimal(out: &mut Vec<u8>, text: &str) {
    let start = out.len();
    if !write_number(out, text.trim()) {
        out.truncate(start);
        write_text(out, text);
    }
}

/// Writes `text` in JSON's grammar; false when it is no decimal number or too long for a double.
fn write_number(out: &mut Vec<u8>, text: &str) -> bool {
    let (negative, unsigned) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (unsigned, None),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits_only = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let exponent_fits = exponent.is_none_or(|exponent| {
        let digits = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
        !digits.is_empty() && digits_only(digits)
    });
    if !(digits_only(whole) && digits_only(fraction) && exponent_fits)
        || (whole.is_empty() && fraction.is_empty())
        || text.len() > MAX_NUMBER
    {
        return false;
    }
    let start = out.len();
    if negative {
        out.push(b'-');
    }
    let whole = whole.trim_start_matches('0');
    out.extend_from_slice(if whole.is_empty() { b"0" } else { whole.as_bytes() });
    if !fraction.is_empty() {
        out.push(b'.');
        out.extend_from_slice(fraction.as_bytes());
    }
    if let Some(exponent) = exponent {
        out.push(b'e');
        out.extend_from_slice(exponent.as_bytes());
    }
    let short = whole.len().saturating_add(fraction.len()) <= ALWAYS_EXACT && exponent.is_none();
    short || survives(out.get(start..).unwrap_or_default())
}

/// Whether a double prints back as the same digits.
fn survives(number: &[u8]) -> bool {
    let Some(text) = str::from_utf8(number).ok() else { return false };
    let Some(float) = text.parse::<f64>().ok().filter(|float| float.is_finite()) else {
        return false;
    };
    significant(text) == significant(&format!("{float:e}"))
}

/// The significant digits of a number as text.
fn significant(text: &str) -> String {
    let mantissa = text.split(['e', 'E']).next().unwrap_or_default();
    let digits: String = mantissa.chars().filter(char::is_ascii_digit).collect();
    digits.trim_matches('0').to_owned()
}

fn numbers<T, const N: usize>(
    out: &mut Vec<u8>,
    bytes: &[u8],
    reading: Reading,
    from_be: impl Fn([u8; N]) -> T,
    write: impl Fn(&mut Vec<u8>, T),
) {
    let (chunks, _) = bytes.as_chunks::<N>();
    let mut mark = VALUE;
    for chunk in chunks {
        out.extend_from_slice(mark);
        let mut chunk = *chunk;
        if !reading.big_endian {
            chunk.reverse();
        }
        write(out, from_be(chunk));
        mark = b",";
    }
    if !chunks.is_empty() {
        out.push(b']');
    }
}

fn display(out: &mut Vec<u8>, value: impl std::fmt::Display) {
    // Writing to memory does not fail.
    let _ = write!(out, "{value}");
}

fn wide(out: &mut Vec<u8>, exact: bool, value: impl std::fmt::Display) {
    let _ = if exact { write!(out, "{value}") } else { write!(out, "\"{value}\"") };
}

fn float(out: &mut Vec<u8>, finite: bool, value: f64, shortest: &impl std::fmt::Debug) {
    if finite {
        let _ = write!(out, "{shortest:?}");
    } else if value.is_nan() {
        out.extend_from_slice(b"\"NaN\"");
    } else {
        write_text(out, if value > 0.0 { "Infinity" } else { "-Infinity" });
    }
}

fn write_tags(out: &mut Vec<u8>, bytes: &[u8], reading: Reading) {
    let (chunks, _) = bytes.as_chunks::<4>();
    let mut mark = VALUE;
    for [a, b, c, d] in chunks {
        out.extend_from_slice(mark);
        out.push(b'"');
        let hex = if reading.big_endian { [*a, *b, *c, *d] } else { [*b, *a, *d, *c] };
        for byte in hex {
            push_hex(out, byte);
        }
        out.push(b'"');
        mark = b",";
    }
    if !chunks.is_empty() {
        out.push(b']');
    }
}

/// Base64 of the value in little endian, which is what every syntax a web service speaks has.
fn write_binary(out: &mut Vec<u8>, bytes: &[u8], width: usize, reading: Reading) {
    if bytes.is_empty() {
        return;
    }
    out.extend_from_slice(b",\"InlineBinary\":\"");
    if reading.big_endian && width > 1 {
        let mut swapped = bytes.to_vec();
        swapped.chunks_exact_mut(width).for_each(<[u8]>::reverse);
        write_base64(out, &swapped);
    } else {
        write_base64(out, bytes);
    }
    out.push(b'"');
}

/// RFC 4648 §4.
pub(crate) fn write_base64(out: &mut Vec<u8>, bytes: &[u8]) {
    let (triples, rest) = bytes.as_chunks::<3>();
    for [a, b, c] in triples {
        out.extend_from_slice(&[
            digit(a >> 2),
            digit((a << 4) | (b >> 4)),
            digit((b << 2) | (c >> 6)),
            digit(*c),
        ]);
    }
    match rest {
        [a] => out.extend_from_slice(&[digit(a >> 2), digit(a << 4), b'=', b'=']),
        [a, b] => {
            out.extend_from_slice(&[
                digit(a >> 2),
                digit((a << 4) | (b >> 4)),
                digit(b << 2),
                b'=',
            ]);
        }
        _ => {}
    }
}

/// The base64 digit of the lowest six bits.
fn digit(bits: u8) -> u8 {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    DIGITS.get(usize::from(bits & 0x3F)).copied().unwrap_or_default()
}

const VALUE: &[u8] = b",\"Value\":[";
/// Integers up to here are exact in a double.
const EXACT: u64 = 1 << 53;
/// Decimals of so many digits are always exact in a double.
const ALWAYS_EXACT: usize = 15;
/// Longer texts are strings: no valid DS or IS comes near.
const MAX_NUMBER: usize = 64;

#[cfg(test)]
mod tests;
