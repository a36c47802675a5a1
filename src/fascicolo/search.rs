//! Searching what documents say: all words asked for, in any order, without regard to case and accents.

use crate::access::permit::Permit;
use crate::dicom::person_name::fold;
use crate::fascicolo::error::FascicoloError;
use crate::fascicolo::fascicolo::Fascicolo;
use crate::fascicolo::fascicolo::may;
use crate::index::texts::Word;
use crate::model::document::Document;

/// Words of one search.
const MOST_WORDS: usize = 16;
/// What a search without words is told.
pub const NO_WORDS: &str = "name at least one word of two letters";
/// Characters of one word kept.
const LONGEST_WORD: usize = 64;

impl Fascicolo {
    /// Documents that hold all words of a text; `opac*` is any word that begins so. Of one person only
    /// where one is named.
    pub async fn search(
        &self,
        permit: &Permit,
        text: &str,
        person: Option<i64>,
        limit: u32,
    ) -> Result<Vec<Document>, FascicoloError> {
        may(permit)?;
        let words = asked(text);
        if words.is_empty() {
            return Err(FascicoloError::Refused(NO_WORDS));
        }
        Ok(self.inner.index.documents_with(&words, person, limit).await?)
    }
}

/// The words of a text as the index keeps them, a space between two.
pub(in crate::fascicolo) fn words(text: &str) -> String {
    let words = text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    let mut all = String::with_capacity(text.len());
    for word in words {
        if !all.is_empty() {
            all.push(' ');
        }
        let word: String = word.chars().take(LONGEST_WORD).collect();
        all.push_str(&fold(&word).to_lowercase());
    }
    all
}

/// The words of a search: those of one letter say nothing.
pub fn asked(text: &str) -> Vec<Word> {
    let parts = text.split_whitespace().flat_map(|part| {
        let begins = part.ends_with('*');
        let folded = words(part);
        let folded: Vec<String> = folded.split(' ').map(str::to_owned).collect();
        let last = folded.len().saturating_sub(1);
        let word = move |(at, text): (usize, String)| Word { begins: begins && at == last, text };
        folded.into_iter().enumerate().map(word).collect::<Vec<_>>()
    });
    parts.filter(|word| word.text.chars().count() > 1).take(MOST_WORDS).collect()
}

#[cfg(test)]
mod tests {
    use super::{asked, words};
    use crate::index::texts::Word;

    #[test]
    fn words_are_folded_alike_in_documents_and_searches() {
        assert_eq!(words("L'opacità: Röntgen, 12/03."), "l opacita rontgen 12 03");
        let word = |text: &str, begins| Word { text: text.to_owned(), begins };
        assert_eq!(
            asked("l'OPACITÀ  rx-tor*  \" ' OR -- *"),
            [word("opacita", false), word("rx", false), word("tor", true), word("or", false)]
        );
        assert!(asked("* a \u{0}").is_empty());
    }
}
