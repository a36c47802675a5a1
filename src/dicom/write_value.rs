//! Values as text into the bytes of a value field (PS3.5 §6.2), Explicit VR Little Endian.

use dicom_core::VR;

use crate::dicom::native::parse_tag;

/// Appends one value behind those `out` has; `number` counts from 0. The reason when it cannot be
/// one of `vr`.
pub(crate) fn push_value(
    out: &mut Vec<u8>,
    vr: VR,
    number: usize,
    text: Option<&str>,
) -> Result<(), &'static str> {
    if is_text(vr) {
        if number > 0 {
            out.push(b'\\');
        }
        let text = text.unwrap_or_default();
        if !of_charset(vr) && !text.is_ascii() {
            return Err("holds characters outside ASCII");
        }
        // Blanks around have no meaning in these (PS3.5 §6.2); documents are often indented.
        let text = if keeps_blanks(vr) { text } else { text.trim() };
        out.extend_from_slice(text.as_bytes());
        return Ok(());
    }
    if vr == VR::UN {
        // A representation younger than this program: its values are kept as they are written.
        out.extend_from_slice(if number > 0 { b"\\" } else { b"" });
        out.extend_from_slice(text.unwrap_or_default().as_bytes());
        return Ok(());
    }
    let Some(text) = text.map(str::trim).filter(|text| !text.is_empty()) else {
        return Err("has an empty value among numbers");
    };
    push_number(out, vr, text).ok_or("holds what is no number of its representation")
}

fn push_number(out: &mut Vec<u8>, vr: VR, text: &str) -> Option<()> {
    match vr {
        VR::US => out.extend(u16::try_from(integer(text)?).ok()?.to_le_bytes()),
        VR::SS => out.extend(i16::try_from(integer(text)?).ok()?.to_le_bytes()),
        VR::UL => out.extend(u32::try_from(integer(text)?).ok()?.to_le_bytes()),
        VR::SL => out.extend(i32::try_from(integer(text)?).ok()?.to_le_bytes()),
        VR::UV => out.extend(u64::try_from(integer(text)?).ok()?.to_le_bytes()),
        VR::SV => out.extend(i64::try_from(integer(text)?).ok()?.to_le_bytes()),
        VR::FL => out.extend(text.parse::<f32>().ok()?.to_le_bytes()),
        VR::FD => out.extend(text.parse::<f64>().ok()?.to_le_bytes()),
        VR::AT => {
            let tag = parse_tag(text)?;
            out.extend(tag.group().to_le_bytes());
            out.extend(tag.element().to_le_bytes());
        }
        _ => return None, // bytes, which come whole
    }
    Some(())
}

/// A whole number, also one written as `5.0` or `5e0`.
fn integer(text: &str) -> Option<i128> {
    if let Ok(number) = text.parse::<i128>() {
        return Some(number);
    }
    let float = text.parse::<f64>().ok()?;
    let exact = float.fract() == 0.0 && float.abs() <= 9_007_199_254_740_992.0;
    // Within 2^53 the text of a whole float is its integer.
    exact.then(|| format!("{float:.0}").parse().ok()).flatten()
}

/// Whether values of `vr` are characters, several of them between backslashes.
pub(crate) fn is_text(vr: VR) -> bool {
    use VR::{AE, AS, CS, DA, DS, DT, IS, LO, LT, PN, SH, ST, TM, UC, UI, UR, UT};
    matches!(vr, AE | AS | CS | DA | DS | DT | IS | LO | LT | PN | SH | ST | TM | UC | UI | UR | UT)
}

/// Whether (0008,0005) says what its characters are (PS3.5 §6.1.2.2).
pub(crate) fn of_charset(vr: VR) -> bool {
    matches!(vr, VR::LO | VR::LT | VR::PN | VR::SH | VR::ST | VR::UC | VR::UT)
}

/// Whether blanks at the beginning are part of a value.
fn keeps_blanks(vr: VR) -> bool {
    of_charset(vr)
}

/// What brings a value field of `vr` to an even length (PS3.5 §6.2).
pub(crate) fn padding(vr: VR) -> u8 {
    if is_text(vr) && vr != VR::UI { b' ' } else { 0 }
}

/// Bytes of one number of `vr`; 1 where there are none.
pub(crate) fn number_bytes(vr: VR) -> usize {
    match vr {
        VR::US | VR::SS => 2,
        VR::UL | VR::SL | VR::FL | VR::AT => 4,
        VR::UV | VR::SV | VR::FD => 8,
        _ => 1,
    }
}

#[cfg(test)]
mod tests {
    use dicom_core::VR;

    use super::push_value;

    fn bytes(vr: VR, values: &[&str]) -> Option<Vec<u8>> {
        let mut out = Vec::new();
        for (number, text) in values.iter().enumerate() {
            let text = (!text.is_empty()).then_some(*text);
            push_value(&mut out, vr, number, text).ok()?;
        }
        Some(out)
    }

    #[test]
    fn values_become_the_bytes_of_their_representation() {
        for (vr, values, expected) in [
            (VR::CS, &["A", "", "B"][..], Some(&b"A\\\\B"[..])),
            (VR::UI, &[" 1.2 "], Some(b"1.2")),
            (VR::LO, &[" a", "é"], Some(" a\\é".as_bytes())),
            (VR::CS, &["é"], None),
            (VR::DS, &["1.50"], Some(b"1.50")),
            (VR::US, &["513", "5.0"], Some(&[1, 2, 5, 0])),
            (VR::US, &["70000"], None),
            (VR::US, &["-1"], None),
            (VR::SS, &["-1"], Some(&[0xFF, 0xFF])),
            (VR::US, &["1", ""], None),
            (VR::UV, &["18446744073709551615"], Some(&[0xFF; 8])),
            (VR::AT, &["7FE00010"], Some(&[0xE0, 0x7F, 0x10, 0])),
            (VR::FD, &["1e400"], Some(&f64::INFINITY.to_le_bytes())),
            (VR::FL, &["-Infinity"], Some(&f32::NEG_INFINITY.to_le_bytes())),
            (VR::FL, &["nan"], Some(&f32::NAN.to_le_bytes())),
            (VR::OB, &["1"], None),
        ] {
            assert_eq!(bytes(vr, values).as_deref(), expected, "{vr:?} {values:?}");
        }
    }
}
