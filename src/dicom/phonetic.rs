//! How names sound: the words of a name, and a key that is the same for spellings that are heard
//! alike (PS3.4 §C.2.2.2.1.1 leaves the way to the implementation; this one is the archive's own).
//!
//! Made for Italian clerks who write down Italian and foreign names by ear. The key holds
//! consonants only, voiced and unvoiced ones alike, doubled ones once; a vowel counts at the
//! beginning of a word, whichever it is. Keys of fewer than two letters mean nothing and are empty.
//!
//! | heard alike | written | key |
//! |---|---|---|
//! | double consonants | Rossi, Rosi; Mattia, Matia | `RS`, `MT` |
//! | C, CH, K, Q, hard G | Chiara, Kiara, Quiara; Checco, Keko | `KR`, `KK` |
//! | soft G before a vowel, J, Y | Giovanni, Jovanni, Yovani; Giuseppe, Juseppe | `JFN`, `JSP` |
//! | GN, N; GLI, LI | Bolognesi, Bolonesi; Gagliardi, Galiardi | `PLNS`, `KLRT` |
//! | S, SC before E or I, SH, SCH, Z, X | Alessandro, Alexander, Aleksander | `ALSNTR` |
//! | PH, F, V, W | Stefano, Stephan, Stevan; Wladimir, Vladimir | `STFN`, `FLTMR` |
//! | B, P; D, T, TH, DJ | Schmidt, Smith, Šmit; Djordjevic, Đorđević | `SMT`, `TRTFK` |
//! | H not heard | Hussein, Usein; Mohamed, Muhammad | `ASN`, `MMT` |
//! | N before B or P | Gianpaolo, Giampaolo | `JMPL` |

use crate::dicom::person_name::fold;

/// Most words of one name that are told apart.
pub const MAX_WORDS: usize = 24;

/// Longest word and longest key, in characters; what follows is not looked at.
const MAX_CHARS: usize = 64;

/// The words of a name, folded: letters and digits between whatever else there is. A component of
/// several words counts as one word too, so that `De Luca` and `D'Alò` are found as `DELUCA` and
/// `DALO`. In order, each once, at most [`MAX_WORDS`].
pub fn words(name: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    for component in fold(name).split(['^', '=']) {
        let before = words.len();
        for word in component.split(|c: char| !c.is_alphanumeric()) {
            add(&mut words, word);
        }
        if words.len() > before.saturating_add(1) {
            let whole: String = component.chars().filter(|c| c.is_alphanumeric()).collect();
            add(&mut words, &whole);
        }
    }
    words
}

fn add(words: &mut Vec<String>, word: &str) {
    let word: String = word.chars().take(MAX_CHARS).collect();
    if !word.is_empty() && words.len() < MAX_WORDS && !words.contains(&word) {
        words.push(word);
    }
}

/// The key of one word; empty when it says too little, or when the word is not in Latin letters.
pub fn sound(word: &str) -> String {
    let folded = fold(word);
    let letters: Vec<char> = folded.chars().filter(|c| c.is_alphanumeric()).collect();
    if letters.iter().any(|letter| !letter.is_ascii_alphabetic()) {
        return String::new();
    }
    let mut key = String::new();
    let mut last = None;
    let mut rest = letters.get(..MAX_CHARS).unwrap_or(&letters);
    let mut at_start = true;
    while let Some((code, used)) = next(rest, at_start) {
        // The same consonant again is heard again only behind a vowel.
        if let Some(letter) = code
            && last != Some(letter)
        {
            key.push(letter);
        }
        // A silent H divides nothing.
        if code.is_some() || rest.first() != Some(&'H') {
            last = code.filter(|letter| *letter != 'A');
        }
        at_start = false;
        rest = rest.get(used..).unwrap_or_default();
    }
    if key.len() < 2 { String::new() } else { key }
}

/// What the beginning of `rest` sounds like and how many letters that takes; `None` at the end.
fn next(rest: &[char], at_start: bool) -> Option<(Option<char>, usize)> {
    let soft = |letter: Option<&char>| matches!(letter, Some('E' | 'I' | 'Y'));
    Some(match rest {
        [] => return None,
        ['T', 'S', 'C', 'H', ..] => (Some('K'), 4),
        ['S', 'C', 'H', ..] => (Some('S'), 3),
        ['T', 'C', 'H', ..] => (Some('K'), 3),
        ['G', 'L', 'I', ..] => (Some('L'), 2),
        ['G', 'N', ..] => (Some('N'), 2),
        ['G', 'J', ..] => (Some('J'), 2),
        ['G' | 'K', 'H', ..] | ['C', 'H' | 'K' | 'Q' | 'Z', ..] => (Some('K'), 2),
        ['G', letter, ..] if soft(Some(letter)) => (Some('J'), 1),
        ['S', 'C', letter, ..] if soft(Some(letter)) => (Some('S'), 2),
        ['K' | 'C', 'S', ..] => (Some('S'), 2),
        ['S', 'H' | 'Z', ..] | ['Z', 'H', ..] | ['T' | 'D', 'Z', ..] | ['T' | 'H', 'S', ..]
            if rest.len() > 2 || !at_start =>
        {
            (Some('S'), 2)
        }
        ['D', 'J' | 'T', ..] | ['T', 'H' | 'D', ..] => (Some('T'), 2),
        ['P', 'H' | 'F', ..] => (Some('F'), 2),
        ['N', 'B' | 'P', ..] => (Some('M'), 1),
        ['I', 'A' | 'E' | 'O' | 'U', ..] | ['J' | 'Y', ..] if at_start => (Some('J'), 1),
        ['A' | 'E' | 'I' | 'O' | 'U', ..] => (at_start.then_some('A'), 1),
        // H is not heard: what follows it begins the word still.
        ['H', after @ ..] if at_start => {
            let (code, used) = next(after, true).unwrap_or((None, 0));
            (code, used.saturating_add(1))
        }
        ['C' | 'K' | 'Q' | 'G', ..] => (Some('K'), 1),
        ['S' | 'X' | 'Z', ..] => (Some('S'), 1),
        ['B' | 'P', ..] => (Some('P'), 1),
        ['D' | 'T', ..] => (Some('T'), 1),
        ['F' | 'V' | 'W', ..] => (Some('F'), 1),
        [letter @ ('L' | 'M' | 'N' | 'R'), ..] => (Some(*letter), 1),
        // H, J and Y within a word, and letters nobody writes.
        [_, ..] => (None, 1),
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{MAX_WORDS, sound, words};

    #[test]
    fn spellings_heard_alike_have_one_key() {
        for (key, spellings) in [
            ("RS", vec!["Rossi", "Rosi", "Rosso", "Rossy", "ROSSÌ"]),
            ("MT", vec!["Mattia", "Matia", "Matthia"]),
            ("KR", vec!["Chiara", "Kiara", "Quiara"]),
            ("KK", vec!["Checco", "Keko", "Ceccho"]),
            ("JFN", vec!["Giovanni", "Jovanni", "Yovani", "Giovanna", "Iovan"]),
            ("JSP", vec!["Giuseppe", "Juseppe", "Yusep"]),
            ("PLNS", vec!["Bolognesi", "Bolonesi"]),
            ("KLRT", vec!["Gagliardi", "Galiardi"]),
            ("ALSNTR", vec!["Alessandro", "Alexander", "Aleksander", "Alisandra"]),
            ("STFN", vec!["Stefano", "Stephan", "Stevan", "Štefan"]),
            ("FLTMR", vec!["Wladimir", "Vladimir", "Vladimír"]),
            ("SMT", vec!["Schmidt", "Smith", "Šmit", "Schmitt"]),
            ("TRTFK", vec!["Djordjevic", "Đorđević", "Dordevich"]),
            ("ASN", vec!["Hussein", "Usein", "Hassan"]),
            ("MMT", vec!["Mohamed", "Muhammad", "Mohammed", "Mohamad"]),
            ("JSF", vec!["Youssef", "Yusuf", "Iosif", "Jusuf"]),
            ("KLT", vec!["Khalid", "Kalid", "Chaled"]),
            ("JMPL", vec!["Gianpaolo", "Giampaolo"]),
            ("KKFSK", vec!["Tchaikovsky", "Čajkovskij", "Ciaikovski", "Tschaikowski"]),
            ("SFKNK", vec!["Shevchenko", "Ševčenko", "Schewtschenko"]),
            ("MLR", vec!["Müller", "Muller", "Mueller", "Miller"]),
            ("NKN", vec!["Nguyễn", "Nguyen", "Nguien"]),
        ] {
            for spelling in spellings {
                assert_eq!(sound(spelling), key, "{spelling}");
            }
        }
    }

    #[test]
    fn other_names_have_other_keys() {
        for (one, other) in [
            ("Rossi", "Russo"),
            ("Bianchi", "Bianco"),
            ("Verdi", "Verri"),
            ("Ferrari", "Ferraro"),
            ("Marino", "Martino"),
            ("Conti", "Costa"),
            ("Greco", "Gallo"),
        ] {
            // Endings are vowels, which by ear are the first thing to be lost.
            let alike = ["Rossi", "Bianchi", "Ferrari"].contains(&one);
            assert_eq!(sound(one) == sound(other), alike, "{one} {other}");
        }
    }

    #[test]
    fn what_says_too_little_or_is_not_latin_has_no_key() {
        for word in ["", "De", "Io", "A", "山田", "Иванов", "X2", "123"] {
            assert_eq!(sound(word), "", "{word}");
        }
    }

    #[test]
    fn names_are_cut_into_words_and_joined_components() {
        for (name, expected) in [
            ("Rossi^Mario", vec!["ROSSI", "MARIO"]),
            ("De Luca^Anna Maria", vec!["DE", "LUCA", "DELUCA", "ANNA", "MARIA", "ANNAMARIA"]),
            ("D'Alò^Niccolò", vec!["D", "ALO", "DALO", "NICCOLO"]),
            ("Müller-Lüdenscheidt", vec!["MULLER", "LUDENSCHEIDT", "MULLERLUDENSCHEIDT"]),
            ("Yamada^Tarou=山田^太郎", vec!["YAMADA", "TAROU", "山田", "太郎"]),
            ("Rossi^Rossi", vec!["ROSSI"]),
            ("^^ - '", vec![]),
        ] {
            assert_eq!(words(name), expected, "{name}");
        }
    }

    proptest! {
        #[test]
        fn any_text_has_bounded_words_and_keys(text in "\\PC{0,200}|[A-Z^ ]{0,200}") {
            let words = words(&text);
            prop_assert!(words.len() <= MAX_WORDS);
            for word in words {
                let key = sound(&word);
                prop_assert!(key.len() <= 64 && key.len() != 1);
                prop_assert!(key.bytes().all(|byte| byte.is_ascii_uppercase()));
                prop_assert_eq!(sound(&word.to_lowercase()), key);
            }
        }
    }
}
