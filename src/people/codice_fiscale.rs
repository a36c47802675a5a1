//! The codice fiscale: parsed, checked, and read (decree of 23 December 1976, n. 13813).
//!
//! Sixteen characters: three of the surname, three of the name, two digits of the year, a letter
//! for the month, two digits of the day (40 more for women), a letter and three digits of the place
//! of birth, a check letter. Where two people would get the same code, digits of one are replaced by
//! letters (*omocodia*): such a code is read like its base form, and is nevertheless another
//! person's. So nothing here gives the base form away as an identifier.

use std::fmt;

/// A codice fiscale of sixteen characters whose form and check letter are right.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CodiceFiscale(Box<str>);

/// Sex as the code tells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sex {
    /// The day is 41 to 71.
    Female,
    /// The day is 1 to 31.
    Male,
}

/// Why a text is no codice fiscale; positions count from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CodiceFiscaleError {
    /// Not sixteen characters.
    #[error("a codice fiscale has 16 characters, this has {0}")]
    Length(usize),
    /// A letter where a digit or its substitute must be, or the other way round.
    #[error("character {0} cannot be there in a codice fiscale")]
    Form(usize),
    /// The ninth character is no month.
    #[error("character 9 is no month: A B C D E H L M P R S T")]
    Month,
    /// No such day in that month, with or without 40 added.
    #[error("characters 10 and 11 are no day of the month")]
    Day,
    /// The last letter does not follow from the others.
    #[error("the check letter should be {expected}")]
    Check {
        /// What it should be.
        expected: char,
    },
}

/// A date of birth as a code tells it: the century is not in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BirthDay {
    /// The last two digits of the year.
    pub year_of_century: u8,
    /// From 1.
    pub month: u8,
    /// From 1.
    pub day: u8,
}

impl CodiceFiscale {
    /// The OID of codici fiscali as identifiers of people.
    pub const OID: &'static str = "2.16.840.1.113883.2.9.4.3.2";

    /// Takes `text`, spaces around and lower case forgiven.
    pub fn parse(text: &str) -> Result<Self, CodiceFiscaleError> {
        let code: String = text.trim().chars().map(|c| c.to_ascii_uppercase()).collect();
        let characters: [u8; 16] = code
            .as_bytes()
            .try_into()
            .map_err(|_| CodiceFiscaleError::Length(code.chars().count()))?;
        for (position, (byte, digit_place)) in characters.iter().zip(DIGIT_PLACES).enumerate() {
            let fits = if digit_place { digit(*byte).is_some() } else { byte.is_ascii_uppercase() };
            if !fits {
                return Err(CodiceFiscaleError::Form(position.saturating_add(1)));
            }
        }
        let code = Self(code.into_boxed_str());
        let born = code.born().ok_or(CodiceFiscaleError::Month)?;
        if born.day == 0 || born.day > longest(born.month) {
            return Err(CodiceFiscaleError::Day);
        }
        let expected = check_letter(&characters);
        if characters.last().copied().map(char::from) != Some(expected) {
            return Err(CodiceFiscaleError::Check { expected });
        }
        Ok(code)
    }

    /// The sixteen characters, upper case.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether digits were replaced by letters: another person has, or had, the code with digits.
    pub fn is_omocodic(&self) -> bool {
        self.0.bytes().zip(DIGIT_PLACES).any(|(byte, place)| place && byte.is_ascii_uppercase())
    }

    /// Date of birth, without its century.
    pub fn birth_day(&self) -> BirthDay {
        self.born().unwrap_or(BirthDay { year_of_century: 0, month: 1, day: 1 })
    }

    /// Date of birth as `YYYYMMDD`, the latest such date that is not after `today` (`YYYYMMDD`):
    /// right for whoever is younger than a hundred years.
    pub fn birth_date(&self, today: &str) -> Option<String> {
        let born = self.birth_day();
        let year: u32 = today.get(..4)?.parse().ok()?;
        let century = year.checked_sub(year % 100)?;
        let date = |year: u32| format!("{year:04}{:02}{:02}", born.month, born.day);
        let latest = date(century.saturating_add(u32::from(born.year_of_century)));
        if latest.as_str() <= today {
            return Some(latest);
        }
        let earlier = century.checked_sub(100)?.saturating_add(u32::from(born.year_of_century));
        Some(date(earlier))
    }

    /// Whether `date` (`YYYYMMDD`) can be the date of birth; the century is not compared.
    pub fn agrees_with(&self, date: &str) -> bool {
        let born = self.birth_day();
        let told = format!("{:02}{:02}{:02}", born.year_of_century, born.month, born.day);
        date.len() == 8 && date.get(2..) == Some(told.as_str())
    }

    /// Sex.
    pub fn sex(&self) -> Sex {
        if self.number(9).unwrap_or(0) > 40 { Sex::Female } else { Sex::Male }
    }

    /// The cadastral code of the place of birth: a letter and three digits; Z and a number abroad.
    pub fn birth_place(&self) -> String {
        let place = self.0.get(11..15).unwrap_or_default();
        place
            .bytes()
            .enumerate()
            .map(|(at, byte)| match digit(byte) {
                Some(value) if at > 0 => char::from(b'0'.saturating_add(value)),
                _ => char::from(byte),
            })
            .collect()
    }

    fn born(&self) -> Option<BirthDay> {
        let month = MONTHS.iter().position(|letter| Some(letter) == self.0.as_bytes().get(8))?;
        let day = self.number(9)?;
        Some(BirthDay {
            year_of_century: self.number(6)?,
            month: u8::try_from(month).ok()?.checked_add(1)?,
            day: if day > 40 { day.saturating_sub(40) } else { day },
        })
    }

    /// The two digits at `at`, or their substitutes.
    fn number(&self, at: usize) -> Option<u8> {
        let tens = digit(*self.0.as_bytes().get(at)?)?;
        let ones = digit(*self.0.as_bytes().get(at.checked_add(1)?)?)?;
        tens.checked_mul(10)?.checked_add(ones)
    }
}

impl fmt::Display for CodiceFiscale {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Whole codes do not belong into logs, and `{:?}` is how they get there.
impl fmt::Debug for CodiceFiscale {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CodiceFiscale(…)")
    }
}

/// The check letter of the first fifteen characters.
fn check_letter(characters: &[u8; 16]) -> char {
    let sum: u32 = characters
        .iter()
        .take(15)
        .enumerate()
        .map(|(at, byte)| {
            let value = match byte {
                b'0'..=b'9' => byte.saturating_sub(b'0'),
                _ => byte.saturating_sub(b'A'),
            };
            // Positions count from 1: the first is odd.
            if at % 2 == 0 { ODD.get(usize::from(value)).copied().unwrap_or(0) } else { value }
        })
        .map(u32::from)
        .sum();
    let letter = u8::try_from(sum % 26).unwrap_or(0);
    char::from(b'A'.saturating_add(letter))
}

/// The digit a character stands for in a digit's place.
fn digit(byte: u8) -> Option<u8> {
    match byte {
        b'0'..=b'9' => byte.checked_sub(b'0'),
        _ => SUBSTITUTES.iter().position(|s| *s == byte).and_then(|value| u8::try_from(value).ok()),
    }
}

/// Days of a month; February's 29th is only in some years, and which century is not told.
fn longest(month: u8) -> u8 {
    match month {
        2 => 29,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Where digits stand.
const DIGIT_PLACES: [bool; 16] = [
    false, false, false, false, false, false, true, true, false, true, true, false, true, true,
    true, false,
];

/// Letters in place of the digits 0 to 9.
const SUBSTITUTES: [u8; 10] = *b"LMNPQRSTUV";

/// January to December.
const MONTHS: [u8; 12] = *b"ABCDEHLMPRST";

/// What a character in an odd position counts: by digit, or by letter from A; digits 0 to 9 count
/// like A to J.
const ODD: [u8; 26] =
    [1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23];

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{CodiceFiscale, CodiceFiscaleError, DIGIT_PLACES, SUBSTITUTES, Sex, check_letter};

    /// Requirement 2: published codes, all right.
    const VALID: [&str; 8] = [
        "RSSMRA79B11C566R",
        "RSSMRA75C03F839K",
        "MRABCH99B65H501O",
        "SSSMNN75B01F257L",
        "ZCCSBT75C05I282D",
        "PRVPRV00A15C665W",
        "TSTSMN63A01F205H",
        "GTWGWY82B42G920M",
    ];

    /// Requirement 2: the first of them with one to seven digits replaced.
    const OMOCODIC: [&str; 7] = [
        "RSSMRA79B11C56SO",
        "RSSMRA79B11C5SSA",
        "RSSMRA79B11CRSSV",
        "RSSMRA79B1MCRSSN",
        "RSSMRA79BMMCRSSY",
        "RSSMRA7VBMMCRSSK",
        "RSSMRATVBMMCRSSH",
    ];

    #[test]
    fn requirement_2_published_codes_are_told_right_from_wrong() {
        for code in VALID {
            assert!(!CodiceFiscale::parse(code).expect(code).is_omocodic(), "{code}");
        }
        for code in OMOCODIC {
            assert!(CodiceFiscale::parse(code).expect(code).is_omocodic(), "{code}");
        }
        for (code, error) in [
            ("VRDMRC67T20I257E", CodiceFiscaleError::Check { expected: 'A' }),
            ("GRGVRD06D02F611G", CodiceFiscaleError::Check { expected: 'P' }),
            ("PROVAX00X00X000Y", CodiceFiscaleError::Month),
            ("RSSMRA79B32C566R", CodiceFiscaleError::Day),
            ("RSSMRA79B00C566R", CodiceFiscaleError::Day),
            ("RSSMRA79B11C56R", CodiceFiscaleError::Length(15)),
            ("RSSMRA79B11C566à", CodiceFiscaleError::Length(16)),
            ("RSSMRA7AB11C566R", CodiceFiscaleError::Form(8)),
            ("1SSMRA79B11C566R", CodiceFiscaleError::Form(1)),
            ("", CodiceFiscaleError::Length(0)),
        ] {
            assert_eq!(CodiceFiscale::parse(code), Err(error), "{code}");
        }
    }

    #[test]
    fn requirement_3_an_omocodic_code_reads_like_its_base_and_is_another() {
        let base = CodiceFiscale::parse("RSSMRA79B11C566R").unwrap();
        for code in OMOCODIC {
            let other = CodiceFiscale::parse(code).unwrap();
            assert_ne!(other, base);
            assert_eq!(other.birth_day(), base.birth_day(), "{code}");
            assert_eq!((other.sex(), other.birth_place()), (Sex::Male, "C566".to_owned()));
        }
    }

    #[test]
    fn date_sex_and_place_of_birth_are_read() {
        for (code, today, date, sex, place) in [
            ("RSSMRA79B11C566R", "20260302", "19790211", Sex::Male, "C566"),
            ("MRABCH99B65H501O", "20260302", "19990225", Sex::Female, "H501"),
            ("PRVPRV00A15C665W", "20260302", "20000115", Sex::Male, "C665"),
            ("GTWGWY82B42G920M", "20260302", "19820202", Sex::Female, "G920"),
            // Not born yet this century.
            ("PRVPRV00A15C665W", "19991231", "19000115", Sex::Male, "C665"),
            ("PRVPRV00A15C665W", "20000115", "20000115", Sex::Male, "C665"),
            ("PRVPRV00A15C665W", "20000114", "19000115", Sex::Male, "C665"),
        ] {
            let code = CodiceFiscale::parse(code).expect(code);
            assert_eq!(code.birth_date(today).as_deref(), Some(date));
            assert_eq!((code.sex(), code.birth_place().as_str()), (sex, place));
            assert!(code.agrees_with(date));
            assert!(!code.agrees_with("19010203"));
        }
    }

    #[test]
    fn lower_case_and_spaces_around_are_forgiven_and_never_printed_for_logs() {
        let code = CodiceFiscale::parse(" rssmra79b11c566r ").unwrap();
        assert_eq!(code.as_str(), "RSSMRA79B11C566R");
        assert_eq!(format!("{code:?}"), "CodiceFiscale(…)");
    }

    fn any_code() -> impl Strategy<Value = String> {
        ("[A-Z]{6}", 0..100_u8, "[ABCDEHLMPRST]", 1..29_u8, any::<bool>(), "[A-Z]", 0..1000_u16)
            .prop_map(|(names, year, month, day, female, place, number)| {
                let day = if female { day + 40 } else { day };
                let code = format!("{names}{year:02}{month}{day:02}{place}{number:03}A");
                complete(&code)
            })
    }

    /// `code` with the right check letter.
    fn complete(code: &str) -> String {
        let bytes: [u8; 16] = code.as_bytes().try_into().unwrap();
        format!("{}{}", &code[..15], check_letter(&bytes))
    }

    proptest! {
        #[test]
        fn a_code_made_by_the_rules_is_right_and_one_wrong_check_letter_never(
            code in any_code(), other in 1..26_u8,
        ) {
            prop_assert!(CodiceFiscale::parse(&code).is_ok());
            let last = code.as_bytes()[15] - b'A';
            let wrong = format!("{}{}", &code[..15], char::from(b'A' + (last + other) % 26));
            let refused = CodiceFiscale::parse(&wrong);
            prop_assert!(matches!(refused, Err(CodiceFiscaleError::Check { .. })), "{wrong}");
        }

        #[test]
        fn any_omocodic_form_reads_the_same_and_is_never_equal(code in any_code(), which in 1..128_u8) {
            let base = CodiceFiscale::parse(&code).unwrap();
            let mut bit = 0;
            let replaced: String = code.bytes().zip(DIGIT_PLACES).map(|(byte, place)| {
                if !place { return char::from(byte); }
                bit += 1;
                if which & (1 << (bit - 1)) == 0 { return char::from(byte); }
                char::from(SUBSTITUTES[usize::from(byte - b'0')])
            }).collect();
            let other = CodiceFiscale::parse(&complete(&replaced)).unwrap();
            prop_assert!(other.is_omocodic());
            prop_assert_ne!(&other, &base);
            prop_assert_eq!(other.birth_day(), base.birth_day());
            prop_assert_eq!(other.birth_place(), base.birth_place());
            prop_assert_eq!(other.sex(), base.sex());
        }

        #[test]
        fn any_text_is_answered(text in "\\PC{0,20}|[A-Z0-9]{16}") {
            let _ = CodiceFiscale::parse(&text);
        }
    }
}
