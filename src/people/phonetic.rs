//! How a name sounds to an Italian ear: names spelt by ear at a desk meet again.

/// The key under which names that sound alike are equal: of each word the sounds, double letters
/// once, words in alphabetical order.
///
/// `folded` is a name as it is matched: upper case without accents (`dicom::person_name::fold`).
/// What is not in the Latin script keeps its letters.
pub fn key(folded: &str) -> String {
    let mut words: Vec<String> = folded
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(sounds)
        .filter(|word| !word.is_empty())
        .take(MOST_WORDS)
        .collect();
    words.sort();
    words.join(" ")
}

/// Sounds of one word.
fn sounds(word: &str) -> String {
    let letters: Vec<char> = word.chars().take(MOST_LETTERS).collect();
    let mut out = String::with_capacity(letters.len());
    let mut at = 0;
    while let Some(letter) = letters.get(at).copied() {
        let next =
            |ahead: usize| at.checked_add(ahead).and_then(|place| letters.get(place)).copied();
        let (sound, used) = match (letter, next(1), next(2)) {
            ('C', Some('H' | 'K'), _) => ("K", 2),
            ('S', Some('C'), Some('H')) => ("SK", 3),
            ('S', Some('C'), Some('E' | 'I')) | ('S', Some('H'), _) => ("X", 2),
            ('C', Some('E' | 'I' | 'Y'), _) => ("C", 1),
            ('C' | 'K' | 'Q', _, _) => ("K", 1),
            ('G', Some('H'), _) => ("G", 2),
            ('G', Some('N'), _) => ("N", 2),
            ('G', Some('L'), Some('I')) => ("L", 2),
            ('G', Some('E' | 'I' | 'Y'), _) => ("J", 1),
            ('P', Some('H'), _) => ("F", 2),
            ('T', Some('H'), _) => ("T", 2),
            ('H', _, _) => ("", 1),
            ('J' | 'Y', _, _) => ("I", 1),
            ('W', _, _) => ("V", 1),
            ('X', _, _) => ("KS", 1),
            _ => ("", 0),
        };
        if used == 0 {
            push(&mut out, letter);
            at = at.saturating_add(1);
        } else {
            sound.chars().for_each(|sound| push(&mut out, sound));
            at = at.saturating_add(used);
        }
    }
    out
}

/// Adds a sound unless it is the last one again.
fn push(out: &mut String, sound: char) {
    if !out.ends_with(sound) {
        out.push(sound);
    }
}

const MOST_WORDS: usize = 16;
const MOST_LETTERS: usize = 64;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::key;

    #[test]
    fn names_that_sound_alike_share_a_key() {
        for (one, other) in [
            ("ROSSI^MARIO", "MARIO^ROSI"),
            ("CHIARA", "KIARA"),
            ("GUGLIELMI", "GULIELMI"),
            ("DE LUCA^GIOVANNI", "LUCA DE^GIOVANI"),
            ("PHILIP", "FILIPP"),
            ("AGNESE", "ANESE"),
            ("D'ANGELO", "D ANGELO"),
            ("JACOPO", "IACOPO"),
            ("WALTER", "VALTER"),
            ("TOMMASO", "THOMASO"),
        ] {
            assert_eq!(key(one), key(other), "{one} {other}");
        }
        for (one, other) in [("MARIO", "MARIA"), ("ROSSI", "RUSSO"), ("CESARE", "CHESARE")] {
            assert_ne!(key(one), key(other), "{one} {other}");
        }
        assert_eq!(key("^^"), "");
    }

    proptest! {
        #[test]
        fn any_name_has_a_key_and_the_order_of_words_does_not_matter(
            one in "[A-Z]{1,12}", other in "[A-Z]{1,12}", any in "\\PC{0,80}",
        ) {
            prop_assert_eq!(key(&format!("{one}^{other}")), key(&format!("{other} {one}")));
            let _ = key(&any);
        }
    }
}
