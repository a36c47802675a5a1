//! "Is this the same person?" as a score with its reasons. It ranks what a human looks at, and
//! decides nothing: two people may share name and date of birth.

use crate::people::codice_fiscale::CodiceFiscale;
use crate::people::identifier::Identifier;
use crate::people::identifier::IdentifierKind;
use crate::people::phonetic;

/// What is known of somebody.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Profile {
    /// Name as it is matched: upper case without accents, family and given name with `^` between.
    pub name: String,
    /// Date of birth, `YYYYMMDD`.
    pub birth_date: String,
    /// `M`, `F` or something else.
    pub sex: String,
    /// Identifiers.
    pub identifiers: Vec<Identifier>,
}

/// Why two profiles may be of one person, or not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Reason {
    /// One identifier that identifies is in both.
    SameIdentifier,
    /// Both have a codice fiscale, and not the same.
    OtherCodiceFiscale,
    /// Identifiers of one issuer differ by two neighbours changed round.
    IdentifierTransposed,
    /// Identifiers of one issuer differ in one character.
    IdentifierOneCharacter,
    /// Names are equal.
    SameName,
    /// Names are of the same words in another order.
    NameWordsSwapped,
    /// Names sound alike.
    NameSoundsAlike,
    /// Names differ by one or two letters.
    NameNearlyEqual,
    /// Names have nothing to do with each other.
    OtherName,
    /// Dates of birth are equal.
    SameBirthDate,
    /// Day and month are changed round.
    BirthDayAndMonthSwapped,
    /// Two neighbouring digits of the date of birth are changed round.
    BirthDateTransposed,
    /// One digit of the date of birth differs.
    BirthDateOneDigit,
    /// Dates of birth differ.
    OtherBirthDate,
    /// The one's codice fiscale tells the other's date of birth.
    BirthDateOfCodiceFiscale,
    /// Sexes differ.
    OtherSex,
}

impl Reason {
    /// The word for it, in answers and kept rows.
    pub fn as_str(self) -> &'static str {
        self.weighed().0
    }

    /// Its word and its weight.
    fn weighed(self) -> (&'static str, i32) {
        match self {
            Self::SameIdentifier => ("same-identifier", 100),
            Self::OtherCodiceFiscale => ("other-codice-fiscale", -60),
            Self::IdentifierTransposed => ("identifier-transposed", 35),
            Self::IdentifierOneCharacter => ("identifier-one-character", 25),
            Self::SameName => ("same-name", 45),
            Self::NameWordsSwapped => ("name-words-swapped", 42),
            Self::NameSoundsAlike => ("name-sounds-alike", 36),
            Self::NameNearlyEqual => ("name-nearly-equal", 30),
            Self::OtherName => ("other-name", -30),
            Self::SameBirthDate => ("same-birth-date", 40),
            Self::BirthDayAndMonthSwapped => ("birth-day-and-month-swapped", 28),
            Self::BirthDateTransposed => ("birth-date-transposed", 26),
            Self::BirthDateOneDigit => ("birth-date-one-digit", 22),
            Self::OtherBirthDate => ("other-birth-date", -30),
            Self::BirthDateOfCodiceFiscale => ("birth-date-of-codice-fiscale", 8),
            Self::OtherSex => ("other-sex", -20),
        }
    }
}

/// How alike two profiles are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Likeness {
    /// 0 to 100.
    pub score: u8,
    /// What it was made of.
    pub reasons: Vec<Reason>,
}

/// Compares two profiles; `compare(a, b)` is `compare(b, a)`.
pub fn compare(one: &Profile, other: &Profile) -> Likeness {
    let mut reasons = Vec::new();
    reasons.extend(identifiers(&one.identifiers, &other.identifiers));
    reasons.extend(names(&one.name, &other.name));
    reasons.extend(dates(&one.birth_date, &other.birth_date));
    if told_by_code(one, other) || told_by_code(other, one) {
        reasons.push(Reason::BirthDateOfCodiceFiscale);
    }
    if is_sex(&one.sex) && is_sex(&other.sex) && one.sex != other.sex {
        reasons.push(Reason::OtherSex);
    }
    let sum: i32 = reasons.iter().map(|reason| reason.weighed().1).sum();
    Likeness { score: u8::try_from(sum.clamp(0, 100)).unwrap_or(0), reasons }
}

fn identifiers(one: &[Identifier], other: &[Identifier]) -> Option<Reason> {
    let pairs = || one.iter().take(MOST).flat_map(|a| other.iter().take(MOST).map(move |b| (a, b)));
    let same = |(a, b): (&Identifier, &Identifier)| a.identifies() && a == b;
    if pairs().any(same) {
        return Some(Reason::SameIdentifier);
    }
    let alike = pairs()
        .filter(|(a, b)| a.kind == b.kind && a.assigner == b.assigner)
        .filter_map(|(a, b)| slip(&a.value, &b.value))
        .min();
    let code = |all: &[Identifier]| {
        all.iter().any(|id| id.kind == IdentifierKind::CodiceFiscale && id.identifies())
    };
    alike
        .map(|slip| match slip {
            Slip::Transposed => Reason::IdentifierTransposed,
            Slip::OneCharacter => Reason::IdentifierOneCharacter,
        })
        .or_else(|| (code(one) && code(other)).then_some(Reason::OtherCodiceFiscale))
}

fn names(one: &str, other: &str) -> Option<Reason> {
    let (one, other) = (cut(one), cut(other));
    let words = |name: &str| {
        let mut words: Vec<String> = name
            .split(|c: char| !c.is_alphanumeric())
            .filter(|word| !word.is_empty())
            .map(str::to_owned)
            .collect();
        words.sort();
        words
    };
    let (ours, theirs) = (words(&one), words(&other));
    if ours.is_empty() || theirs.is_empty() {
        return None;
    }
    if one == other {
        return Some(Reason::SameName);
    }
    if ours == theirs {
        return Some(Reason::NameWordsSwapped);
    }
    if phonetic::key(&one) == phonetic::key(&other) {
        return Some(Reason::NameSoundsAlike);
    }
    let (ours, theirs) = (ours.join(" "), theirs.join(" "));
    let shorter = ours.chars().count().min(theirs.chars().count());
    let distance = strsim::osa_distance(&ours, &theirs);
    if distance <= 1 || (distance == 2 && shorter >= 10) {
        return Some(Reason::NameNearlyEqual);
    }
    let share = |a: &str, b: &str| b.split(' ').any(|word| a.split(' ').any(|other| other == word));
    (!share(&ours, &theirs)).then_some(Reason::OtherName)
}

fn dates(one: &str, other: &str) -> Option<Reason> {
    if !is_date(one) || !is_date(other) {
        return None;
    }
    if one == other {
        return Some(Reason::SameBirthDate);
    }
    let (year, month, day) = (one.get(..4)?, one.get(4..6)?, one.get(6..)?);
    if other == format!("{year}{day}{month}") {
        return Some(Reason::BirthDayAndMonthSwapped);
    }
    Some(match slip(one, other) {
        Some(Slip::Transposed) => Reason::BirthDateTransposed,
        Some(Slip::OneCharacter) => Reason::BirthDateOneDigit,
        None => Reason::OtherBirthDate,
    })
}

fn told_by_code(one: &Profile, other: &Profile) -> bool {
    let code = one
        .identifiers
        .iter()
        .take(MOST)
        .filter(|id| id.kind == IdentifierKind::CodiceFiscale)
        .find_map(|id| CodiceFiscale::parse(&id.value).ok());
    let has_own = other.identifiers.iter().any(|id| id.kind == IdentifierKind::CodiceFiscale);
    !has_own && code.is_some_and(|code| code.agrees_with(&other.birth_date))
}

/// What fingers do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Slip {
    Transposed,
    OneCharacter,
}

/// The one slip between two texts of equal length.
fn slip(one: &str, other: &str) -> Option<Slip> {
    let (one, other): (Vec<char>, Vec<char>) = (one.chars().collect(), other.chars().collect());
    if one.len() != other.len() || one.len() < 3 {
        return None;
    }
    let differ: Vec<usize> = one
        .iter()
        .zip(&other)
        .enumerate()
        .filter(|(_, (a, b))| a != b)
        .map(|(at, _)| at)
        .take(3)
        .collect();
    match differ.as_slice() {
        [_] => Some(Slip::OneCharacter),
        [first, second] if first.checked_add(1) == Some(*second) => {
            let crossed =
                one.get(*first) == other.get(*second) && one.get(*second) == other.get(*first);
            crossed.then_some(Slip::Transposed)
        }
        _ => None,
    }
}

fn is_date(text: &str) -> bool {
    text.len() == 8 && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_sex(text: &str) -> bool {
    text == "M" || text == "F"
}

fn cut(name: &str) -> String {
    // The alphabetic group is what desks type.
    name.split('=').next().unwrap_or_default().chars().take(MOST_LETTERS).collect()
}

/// Identifiers compared of each.
const MOST: usize = 32;
/// Letters of a name compared.
const MOST_LETTERS: usize = 128;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Profile, Reason, compare};
    use crate::people::identifier::Identifier;

    fn somebody(name: &str, birth_date: &str, sex: &str, ids: &[(&str, &str)]) -> Profile {
        Profile {
            name: name.to_owned(),
            birth_date: birth_date.to_owned(),
            sex: sex.to_owned(),
            identifiers: ids.iter().filter_map(|(id, of)| Identifier::read(id, of)).collect(),
        }
    }

    #[test]
    fn each_slip_of_a_desk_is_named() {
        let mario = somebody("ROSSI^MARIO", "19790211", "M", &[("P123456", "A")]);
        for (other, least, most, reasons) in [
            (mario.clone(), 100, 100, vec![Reason::SameIdentifier]),
            (somebody("MARIO^ROSSI", "19790211", "M", &[]), 80, 90, vec![Reason::NameWordsSwapped]),
            (somebody("ROSI^MARIO", "19790211", "M", &[]), 70, 80, vec![Reason::NameSoundsAlike]),
            (somebody("ROSSO^MARIO", "19790211", "M", &[]), 65, 75, vec![Reason::NameNearlyEqual]),
            (
                somebody("ROSSI^MARIO", "19791102", "M", &[]),
                70,
                75,
                vec![Reason::BirthDayAndMonthSwapped],
            ),
            (
                somebody("ROSSI^MARIO", "19970211", "M", &[]),
                70,
                75,
                vec![Reason::BirthDateTransposed],
            ),
            (
                somebody("ROSSI^MARIO", "19790212", "M", &[]),
                65,
                70,
                vec![Reason::BirthDateOneDigit],
            ),
            (somebody("ROSSI^MARIO", "19790211", "F", &[]), 60, 70, vec![Reason::OtherSex]),
            (somebody("", "", "", &[("P124356", "A")]), 35, 35, vec![Reason::IdentifierTransposed]),
            (
                somebody("", "", "", &[("P123457", "A")]),
                25,
                25,
                vec![Reason::IdentifierOneCharacter],
            ),
            (somebody("", "", "", &[("P123457", "B")]), 0, 0, vec![]),
            (somebody("BIANCHI^ANNA", "19500101", "F", &[]), 0, 0, vec![Reason::OtherName]),
            (
                somebody("", "", "", &[("RSSMRA79B11C566R", "")]),
                8,
                8,
                vec![Reason::BirthDateOfCodiceFiscale],
            ),
        ] {
            let likeness = compare(&mario, &other);
            assert!((least..=most).contains(&likeness.score), "{other:?}: {likeness:?}");
            for reason in reasons {
                assert!(likeness.reasons.contains(&reason), "{other:?}: {likeness:?}");
            }
        }
    }

    #[test]
    fn requirement_3_a_base_code_and_its_omocodic_form_speak_against_one_person() {
        let base = somebody("ROSSI^MARIO", "19790211", "M", &[("RSSMRA79B11C566R", "")]);
        let other = somebody("ROSSI^MARIO", "19790211", "M", &[("RSSMRA79B11C56SO", "")]);
        let likeness = compare(&base, &other);
        assert!(likeness.reasons.contains(&Reason::OtherCodiceFiscale));
        assert!(likeness.score < 50, "{likeness:?}");
    }

    fn profile() -> impl Strategy<Value = Profile> {
        ("[A-Z^ ]{0,12}|\\PC{0,12}", "[0-9]{8}|[0-9]{0,4}", "[MF]?", "[0-9]{0,8}").prop_map(
            |(name, birth_date, sex, id)| Profile {
                name,
                birth_date,
                sex,
                identifiers: Identifier::read(&id, "A").into_iter().collect(),
            },
        )
    }

    proptest! {
        #[test]
        fn likeness_is_the_same_both_ways_and_never_over_a_hundred(one in profile(), other in profile()) {
            let likeness = compare(&one, &other);
            prop_assert!(likeness.score <= 100);
            prop_assert_eq!(likeness.score, compare(&other, &one).score);
        }
    }
}
