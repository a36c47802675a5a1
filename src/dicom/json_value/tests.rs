//! Value fields as JSON, by hand and at random.

use super::{Reading, write_escaped, write_value};
use crate::dicom::charset::Charset;
use dicom_core::VR;
use proptest::prelude::*;

const LITTLE: Reading = Reading { charset: Charset::DEFAULT, big_endian: false };

fn json(vr: VR, bytes: &[u8]) -> String {
    json_as(vr, bytes, LITTLE)
}

fn json_as(vr: VR, bytes: &[u8], reading: Reading) -> String {
    let mut out = Vec::new();
    write_value(&mut out, vr, bytes, reading);
    String::from_utf8(out).unwrap()
}

#[test]
fn text_values_are_split_and_padding_goes() {
    for (vr, bytes, expected) in [
        (VR::CS, &b"ORIGINAL\\PRIMARY "[..], r#","Value":["ORIGINAL","PRIMARY"]"#),
        (VR::CS, b"A\\\\B", r#","Value":["A",null,"B"]"#),
        (VR::CS, b"\\", r#","Value":[null,null]"#),
        (VR::CS, b"", ""),
        (VR::CS, b"  ", ""),
        (VR::UI, b"1.2.3\0", r#","Value":["1.2.3"]"#),
        (VR::LO, b" lead ", r#","Value":[" lead"]"#),
        (VR::LO, b"=", r#","Value":["="]"#),
        (VR::LO, b"say \"hi\"\x07\t", r#","Value":["say \"hi\"\u0007\t"]"#),
        (VR::LT, b"a\\b\r\nc ", r#","Value":["a\\b\r\nc"]"#),
        (VR::UR, b"http://x/\\y ", r#","Value":["http://x/\\y"]"#),
    ] {
        assert_eq!(json(vr, bytes), expected, "{vr} {bytes:?}");
    }
}

#[test]
fn names_are_objects_of_their_groups() {
    for (bytes, expected) in [
        (&b"Doe^J"[..], r#","Value":[{"Alphabetic":"Doe^J"}]"#),
        (b"A=B=C", r#","Value":[{"Alphabetic":"A","Ideographic":"B","Phonetic":"C"}]"#),
        (b"==C", r#","Value":[{"Phonetic":"C"}]"#),
        (b"A=B=C=D=E", r#","Value":[{"Alphabetic":"A","Ideographic":"B","Phonetic":"C=D=E"}]"#),
        (b"A\\\\B", r#","Value":[{"Alphabetic":"A"},null,{"Alphabetic":"B"}]"#),
        (b"A\\==", r#","Value":[{"Alphabetic":"A"},null]"#),
        (b"", ""),
        (b"== ", ""),
        (b"^", r#","Value":[{"Alphabetic":"^"}]"#),
    ] {
        assert_eq!(json(VR::PN, bytes), expected, "{bytes:?}");
    }
}

#[test]
fn decimal_strings_are_numbers_until_digits_would_be_lost() {
    for (bytes, expected) in [
        (&b"+1 "[..], "1"),
        (b"007", "7"),
        (b"-0", "-0"),
        (b" 42", "42"),
        (b"1.50", "1.50"),
        (b".5", "0.5"),
        (b"5.", "5"),
        (b"-.25E+02", "-0.25e+02"),
        (b"1e-3", "1e-3"),
        (b"0.1234567890123456", "0.1234567890123456"),
        (b"9007199254740993", "\"9007199254740993\""),
        (b"0.12345678901234567890", "\"0.12345678901234567890\""),
        (b"1e999", "\"1e999\""),
        (b"1e-999", "\"1e-999\""),
        (b"0e5", "0e5"),
        (b"1,5", "\"1,5\""),
        (b"NaN", "\"NaN\""),
        (b"1e", "\"1e\""),
        (b"--1", "\"--1\""),
        (b".", "\".\""),
        (b"+", "\"+\""),
        (b"1\\\\x", "1,null,\"x\""),
    ] {
        let expected = format!(",\"Value\":[{expected}]");
        assert_eq!(json(VR::DS, bytes), expected, "{}", String::from_utf8_lossy(bytes));
    }
}

#[test]
fn binary_numbers_read_back_exactly() {
    for (vr, bytes, expected) in [
        (VR::US, &[1, 0, 0xFF, 0xFF, 9][..], "1,65535"),
        (VR::SS, &[0xFE, 0xFF], "-2"),
        (VR::UL, &[0, 0, 0, 0x80], "2147483648"),
        (VR::SL, &[0xFF, 0xFF, 0xFF, 0xFF], "-1"),
        (VR::UV, &(1_u64 << 53).to_le_bytes(), "9007199254740992"),
        (VR::UV, &u64::MAX.to_le_bytes(), "\"18446744073709551615\""),
        (VR::SV, &i64::MIN.to_le_bytes(), "\"-9223372036854775808\""),
        (VR::SV, &(-5_i64).to_le_bytes(), "-5"),
        (VR::FL, &0.1_f32.to_le_bytes(), "0.1"),
        (VR::FL, &f32::NAN.to_le_bytes(), "\"NaN\""),
        (VR::FL, &f32::MAX.to_le_bytes(), "3.4028235e38"),
        (VR::FD, &f64::INFINITY.to_le_bytes(), "\"Infinity\""),
        (VR::FD, &f64::NEG_INFINITY.to_le_bytes(), "\"-Infinity\""),
        (VR::FD, &1e-320_f64.to_le_bytes(), "1e-320"),
        (VR::FD, &3.0_f64.to_le_bytes(), "3.0"),
        (VR::AT, &[0x28, 0, 0xA9, 0xFE], "\"0028FEA9\""),
    ] {
        assert_eq!(json(vr, bytes), format!(",\"Value\":[{expected}]"), "{vr} {bytes:?}");
    }
    assert_eq!(json(VR::US, &[1]), "");
    let big = Reading { big_endian: true, ..LITTLE };
    assert_eq!(json_as(VR::US, &[0, 1], big), r#","Value":[1]"#);
    assert_eq!(json_as(VR::AT, &[0, 0x28, 0xFE, 0xA9], big), r#","Value":["0028FEA9"]"#);
}

#[test]
fn other_values_are_little_endian_base64() {
    assert_eq!(json(VR::OB, b"f"), r#","InlineBinary":"Zg==""#);
    assert_eq!(json(VR::OB, b"fo"), r#","InlineBinary":"Zm8=""#);
    assert_eq!(json(VR::UN, b"foo\xff"), r#","InlineBinary":"Zm9v/w==""#);
    assert_eq!(json(VR::OW, b""), "");
    let big = Reading { big_endian: true, ..LITTLE };
    assert_eq!(json_as(VR::OW, b"ofx", big), r#","InlineBinary":"Zm94""#);
    assert_eq!(json_as(VR::OB, b"foo", big), r#","InlineBinary":"Zm9v""#);
    assert_eq!(json_as(VR::OL, b"oof\0", big), json(VR::OL, b"\0foo"));
}

proptest! {
    #[test]
    fn escaping_is_undone_by_any_json_reader(text in "[^\0]*") {
        let mut out = b"\"".to_vec();
        write_escaped(&mut out, &text);
        out.push(b'"');
        prop_assert_eq!(serde_json::from_slice::<String>(&out).unwrap(), text);
    }

    #[test]
    fn doubles_come_back_bit_for_bit(bits in any::<u64>()) {
        let float = f64::from_bits(bits);
        prop_assume!(float.is_finite());
        let text = json(VR::FD, &bits.to_le_bytes());
        let number = text.trim_start_matches(",\"Value\":[").trim_end_matches(']');
        prop_assert_eq!(number.parse::<f64>().unwrap().to_bits(), bits);
    }
}
