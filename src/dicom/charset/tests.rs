//! Text of every character set, by hand and at random.

use super::Charset;
use proptest::prelude::*;

#[test]
fn every_single_byte_set_reads_its_own_letters() {
    for (term, bytes, expected) in [
        ("", &b"Buc\x5eJ\xe9r\xf4me"[..], "Buc^Jérôme"),
        ("ISO_IR 6", b"plain", "plain"),
        ("ISO_IR 100", b"\xc4neas\x80", "Äneas\u{80}"),
        ("ISO_IR 101", b"Wa\xb3\xeasa", "Wałęsa"),
        ("ISO_IR 109", b"\xb1\xe6", "ħĉ"),
        ("ISO_IR 110", b"\xa2\xf9", "ĸų"),
        ("ISO_IR 144", b"\xbb\xee\xdacek", "Люкcek"),
        ("ISO_IR 127", b"\xe2\xc8\xc7\xe6\xea", "قباني"),
        ("ISO_IR 126", b"\xc4\xe9\xef", "Διο"),
        ("ISO_IR 138", b"\xf9\xf8\xe5\xef", "שרון"),
        ("ISO_IR 148", b"\xc7avu\xfeo\xf0lu \xdd\x85", "Çavuşoğlu İ\u{85}"),
        ("ISO_IR 203", b"\xa4\xbd", "€œ"),
        ("ISO_IR 13", b"\xd4\xcf\xc0\xde^\xc0\xdb\xb3\\~", "ﾔﾏﾀﾞ^ﾀﾛｳ\\~"),
        ("ISO_IR 166", b"\xb9\xd2\xc2\xa0\xdc", "นาย\u{a0}\u{fffd}"),
        ("ISO_IR 192", "Łukasz 王".as_bytes(), "Łukasz 王"),
        ("GB18030", b"\xcd\xf5\xd0\xa1\x81\x30\x81\x34\xfe", "王小\u{84}\u{fffd}"),
        ("GBK", b"\xcd\xf5", "王"),
    ] {
        assert_eq!(Charset::parse(term.as_bytes()).decode(bytes), expected, "{term}");
    }
}

#[test]
fn terms_are_read_as_people_misspell_them() {
    for (term, bytes, expected) in [
        ("ISO-IR 101 ", &b"\xb3"[..], "ł"),
        ("ISO IR 101", b"\xb3", "ł"),
        ("iso_ir_101", b"\xb3", "ł"),
        ("ISO 2022-IR 101\\ISO 2022 IR 100", b"\xb3", "ł"),
        ("ISO_2022_IR_101", b"\xb3", "ł"),
        ("iso_ir 192", "ł".as_bytes(), "ł"),
        ("UTF8", "ł".as_bytes(), "ł"),
        ("utf-8\0", "ł".as_bytes(), "ł"),
        ("ISO 8859-2", b"\xb3", "ł"),
        ("ISO8859_1", b"\xe9", "é"),
        ("latin_1", b"\xe9", "é"),
        ("windows-1250", b"\xb3", "ł"),
        ("ISO 2022 GBK", b"\xcd\xf5", "王"),
        ("ISO 2022 58", b"\xcd\xf5", "王"),
        ("no such set", b"\xe9", "é"),
        ("\\no such set", b"\xe9", "é"),
        ("utf-16", b"\xe9", "é"),
    ] {
        assert_eq!(Charset::parse(term.as_bytes()).decode(bytes), expected, "{term}");
    }
}

#[test]
fn escapes_lead_to_other_sets_and_delimiters_lead_back() {
    let japanese = Charset::parse(b"\\ISO 2022 IR 87");
    let name =
        b"Yamada^Tarou=\x1b$B;3ED\x1b(B^\x1b$BB@O:\x1b(B=\x1b$B$d$^$@\x1b(B^\x1b$B$?$m$&\x1b(B";
    assert_eq!(japanese.decode_name(name), "Yamada^Tarou=山田^太郎=やまだ^たろう");

    let korean = Charset::parse(b"\\ISO 2022 IR 149");
    let name = b"\x1b$)C\xc8\xab^\xc8\xab\\\x1b$)C\xc8\xab";
    assert_eq!(korean.decode_name(name), "홍^È«\\홍");
    assert_eq!(korean.decode(b"\x1b$)C\xc8\xab^\xc8\xab\\\xc8"), "홍^홍\\È");
    assert_eq!(korean.decode_text(b"\x1b$)C\xc8\xab\\\xc8\xab\n\xc8"), "홍\\홍\nÈ");

    let chinese = Charset::parse(b"\\ISO 2022 IR 58");
    assert_eq!(chinese.decode(b"\x1b$)A\xd5\xc5 a\xd0\xa1"), "张 a小");

    let latin = Charset::parse(b"ISO 2022 IR 6\\ISO 2022 IR 144\\ISO 2022 IR 126");
    assert_eq!(latin.decode(b"\x1b-L\xbb\x1b-F\xc4\x1b-M\xdd"), "ЛΔİ");
    assert_eq!(latin.decode(b"\x1bX\x1b"), "\u{1b}X\u{1b}");
}

#[test]
fn half_a_character_that_looks_like_a_delimiter_is_none() {
    // 0x5C and 0x3D as halves: GBK 0x815C, JIS X 0208 0x3D55, Shift_JIS 0x955C.
    assert_eq!(Charset::parse(b"GB18030").decode_values(b"\x81\\\\b"), ["乗", "b"]);
    let japanese = Charset::parse(b"\\ISO 2022 IR 87");
    assert_eq!(japanese.decode_name(b"\x1b$B=U\x1b(B=a"), "春=a");
    assert_eq!(japanese.decode_values(b"\x1b$B%\\\x1b(B\\a"), ["ボ", "a"]);
    assert_eq!(Charset::parse(b"ISO_IR 13").decode_values(b"\x95\\\\a"), ["表", "a"]);
}

#[test]
fn what_cannot_be_read_is_marked() {
    assert_eq!(Charset::parse(b"ISO_IR 192").decode(b"a\xff"), "a\u{fffd}");
    let japanese = Charset::parse(b"ISO 2022 IR 6\\ISO 2022 IR 87");
    assert_eq!(japanese.decode(b"\x1b$B;3E "), "山\u{fffd} ");
    assert_eq!(Charset::parse(b"ISO 2022 IR 87").decode(b"\xe9"), "\u{fffd}");
}

proptest! {
    #[test]
    fn any_bytes_under_any_set_decode(
        term in prop::sample::select(vec![
            "", "ISO_IR 13", "ISO_IR 148", "ISO_IR 166", "ISO_IR 109", "ISO_IR 192", "GB18030",
            "GBK", "ISO 2022 IR 87", "\\ISO 2022 IR 149", "ISO 2022 IR 149", "ISO 2022 IR 58",
        ]),
        pieces in prop::collection::vec(
            prop_oneof![
                prop::sample::select(vec![
                    &b"\x1b$B"[..], b"\x1b$(D", b"\x1b$)C", b"\x1b$)A", b"\x1b)I", b"\x1b(B",
                    b"\x1b(J", b"\x1b-A", b"\x1b-b", b"\x1b", b"\\", b"^", b"=", b"\r",
                ]).prop_map(<[u8]>::to_vec),
                prop::collection::vec(any::<u8>(), 0..6),
            ],
            0..20,
        ),
    ) {
        let charset = Charset::parse(term.as_bytes());
        let bytes = pieces.concat();
        prop_assert!(charset.decode(&bytes).len() <= bytes.len() * 4);
        prop_assert!(charset.decode_text(&bytes).len() <= bytes.len() * 4);
        prop_assert_eq!(charset.decode_name_values(&bytes).join("\\"), charset.decode_name(&bytes));
    }

    #[test]
    fn any_term_gives_a_charset(term in prop::collection::vec(any::<u8>(), 0..40)) {
        prop_assert_eq!(Charset::parse(&term).decode(b"plain"), "plain");
    }
}
