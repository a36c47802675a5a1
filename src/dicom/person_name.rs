//! Person names (PS3.5 §6.2.1): component groups, and the form names are matched in.

use crate::dicom::latin::unaccented;

/// The component groups of one name; absent ones are empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Groups<'n> {
    /// In single-byte characters or the Latin script.
    pub alphabetic: &'n str,
    /// In Han characters or Hangul.
    pub ideographic: &'n str,
    /// In hiragana, katakana or Hangul, as it is spoken.
    pub phonetic: &'n str,
}

impl<'n> Groups<'n> {
    /// Splits `name` at its first two `=`. What a malformed name has behind a third stays in
    /// the phonetic group, so that joining gives the name back. Padding goes.
    pub fn split(name: &'n str) -> Self {
        let mut groups = name.splitn(3, '=').map(|group| group.trim_end_matches([' ', '\0']));
        Self {
            alphabetic: groups.next().unwrap_or_default(),
            ideographic: groups.next().unwrap_or_default(),
            phonetic: groups.next().unwrap_or_default(),
        }
    }

    /// Whether no group says anything.
    pub fn is_empty(&self) -> bool {
        self.alphabetic.is_empty() && self.ideographic.is_empty() && self.phonetic.is_empty()
    }

    /// The name as one text, empty groups at the end left out.
    pub fn join(&self) -> String {
        let all = format!("{}={}={}", self.alphabetic, self.ideographic, self.phonetic);
        all.trim_end_matches('=').to_owned()
    }
}

/// `name` as it is matched: upper case, accents removed, ligatures opened (ß→SS, æ→AE, ø→O, ł→L, đ→D),
/// runs of spaces made one, trailing empty components (`^`) dropped. `*` and `?` stay, so patterns fold the same way.
///
/// Groups are folded each for itself and stay `=`-separated, empty ones at the end left out;
/// spaces at the edge of a component go. Other scripts are only put in upper case.
pub fn fold(name: &str) -> String {
    let mut folded = String::with_capacity(name.len());
    let mut end_of_groups = 0;
    for (number, group) in name.split('=').enumerate() {
        if number > 0 {
            folded.push('=');
        }
        let start = folded.len();
        let mut end = start;
        for (number, component) in group.split('^').enumerate() {
            if number > 0 {
                folded.push('^');
            }
            let before = folded.len();
            fold_component(component, &mut folded);
            if folded.len() > before {
                end = folded.len();
            }
        }
        folded.truncate(end);
        if end > start {
            end_of_groups = end;
        }
    }
    folded.truncate(end_of_groups);
    folded
}

fn fold_component(component: &str, folded: &mut String) {
    let mut first = true;
    for word in component.split(|c: char| c.is_whitespace() || c == '\0') {
        let before = folded.len();
        if !first {
            folded.push(' ');
        }
        let start = folded.len();
        for c in word.chars() {
            fold_char(c, folded);
        }
        if folded.len() == start {
            folded.truncate(before);
        } else {
            first = false;
        }
    }
}

fn fold_char(c: char, folded: &mut String) {
    if c.is_ascii() {
        folded.push(c.to_ascii_uppercase());
        return;
    }
    if let Some(letters) = unaccented(c) {
        folded.push_str(letters);
        return;
    }
    // Putting a letter in upper case may take it apart into letter and accents.
    for upper in c.to_uppercase().filter(|c| !is_combining(*c)) {
        match unaccented(upper) {
            Some(letters) => folded.push_str(letters),
            None => folded.push(upper),
        }
    }
}

fn is_combining(c: char) -> bool {
    ('\u{300}'..='\u{36F}').contains(&c)
}

#[cfg(test)]
mod tests {
    use super::{Groups, fold};
    use proptest::prelude::*;

    #[test]
    fn names_fold_to_what_a_clerk_without_accents_would_type() {
        for (name, expected) in [
            ("Buc^Jérôme", "BUC^JEROME"),
            ("Wałęsa^Lech", "WALESA^LECH"),
            ("Müller-Lüdenscheidt^Götz^^Dr.", "MULLER-LUDENSCHEIDT^GOTZ^^DR."),
            ("Strauß^", "STRAUSS"),
            ("Æsir^Bjørn^^^", "AESIR^BJORN"),
            ("Đorđević^Željko", "DORDEVIC^ZELJKO"),
            ("Þórðarson^Ásgeir", "THORDARSON^ASGEIR"),
            ("Çavuşoğlu^İsmail ıı", "CAVUSOGLU^ISMAIL II"),
            ("Cœur^Noël", "COEUR^NOEL"),
            ("Nguyễn^Văn", "NGUYEN^VAN"),
            ("  de   la  Cruz ^ Ana ", "DE LA CRUZ^ANA"),
            ("e\u{301}a^\u{301}", "EA"),
            ("Иванов^Пётр", "ИВАНОВ^ПЁТР"),
            ("Διονυσιος", "ΔΙΟΝΥΣΙΟΣ"),
            ("Yamada^Tarou=山田^太郎=やまだ^たろう", "YAMADA^TAROU=山田^太郎=やまだ^たろう"),
            ("=山田^^=", "=山田"),
            ("doe^j*", "DOE^J*"),
            ("d?e*", "D?E*"),
            ("^^", ""),
            ("==", ""),
            ("", ""),
        ] {
            assert_eq!(fold(name), expected, "{name}");
        }
    }

    #[test]
    fn groups_split_and_join_without_loss() {
        let groups = Groups::split("Wang^XiaoDong=王^小東= ");
        assert_eq!(groups.alphabetic, "Wang^XiaoDong");
        assert_eq!((groups.ideographic, groups.phonetic), ("王^小東", ""));
        assert_eq!(groups.join(), "Wang^XiaoDong=王^小東");
        assert_eq!(Groups::split("a=b=c=d").phonetic, "c=d");
        assert_eq!(Groups::split("a=b=c=d").join(), "a=b=c=d");
        assert!(Groups::split("==").is_empty());
    }

    proptest! {
        #[test]
        fn folding_twice_is_folding_once(name in "\\PC{0,30}|[a-zA-ZÀ-ž^= *?]{0,30}") {
            prop_assert_eq!(fold(&fold(&name)), fold(&name));
        }
    }
}
