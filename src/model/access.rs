//! Accesses: who asked for what, when, what became of it, and whose data the answer held.

use std::collections::BTreeSet;

/// The most bytes kept of a name, an address, a type or an id.
pub const MOST_NAME: usize = 64;
/// The most bytes kept of what a client calls itself.
pub const MOST_USER_AGENT: usize = 256;
/// The most bytes kept of a question.
pub const MOST_QUERY: usize = 8 * 1024;

/// Stands behind a text that was cut.
pub const CUT: char = '…';

/// What was asked (FHIR R4 restful-interaction).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Interaction {
    /// What stands now.
    Read,
    /// One version.
    Vread,
    /// All versions.
    HistoryInstance,
    /// A search in one type.
    SearchType,
    /// Something made.
    Create,
    /// Something put in the place of another.
    Update,
    /// Something changed in part.
    Patch,
    /// Something deleted.
    Delete,
    /// An operation, or what is none of the others.
    Operation,
    /// Several at once, all or none.
    Transaction,
}

/// What an interaction does (FHIR R4 `AuditEventAction`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Makes.
    Create,
    /// Reads.
    Read,
    /// Changes.
    Update,
    /// Deletes.
    Delete,
    /// Carries out: searches, operations.
    Execute,
}

impl Interaction {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::Read,
        Self::Vread,
        Self::HistoryInstance,
        Self::SearchType,
        Self::Create,
        Self::Update,
        Self::Patch,
        Self::Delete,
        Self::Operation,
        Self::Transaction,
    ];

    /// The stored form, and FHIR's code.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Vread => "vread",
            Self::HistoryInstance => "history-instance",
            Self::SearchType => "search-type",
            Self::Create => "create",
            Self::Update => "update",
            Self::Patch => "patch",
            Self::Delete => "delete",
            Self::Operation => "operation",
            Self::Transaction => "transaction",
        }
    }

    /// Reads the stored form back.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|interaction| interaction.as_str() == text)
    }

    /// What it does.
    pub fn action(self) -> Action {
        match self {
            Self::Read | Self::Vread | Self::HistoryInstance => Action::Read,
            Self::Create | Self::Transaction => Action::Create,
            Self::Update | Self::Patch => Action::Update,
            Self::Delete => Action::Delete,
            Self::SearchType | Self::Operation => Action::Execute,
        }
    }
}

impl Action {
    /// FHIR's code.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Create => "C",
            Self::Read => "R",
            Self::Update => "U",
            Self::Delete => "D",
            Self::Execute => "E",
        }
    }
}

/// Who asked.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Who {
    /// What they are: `anonymous`, `node`, `operator`, `system`.
    pub kind: String,
    /// Their name, where they have one.
    pub name: String,
    /// Where from, without the port; empty: not known.
    pub address: String,
}

/// What is told of an access.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewAccess {
    /// Who asked.
    pub who: Who,
    /// What their program calls itself.
    pub user_agent: String,
    /// What they asked.
    pub interaction: Interaction,
    /// The type of resource.
    pub kind: String,
    /// Its id.
    pub item: String,
    /// The version asked for.
    pub version: String,
    /// The question as it was asked, where type, id and version do not say it all.
    pub query: String,
    /// What names the request in the client's log, or else in ours.
    pub request: String,
    /// The answer's HTTP status.
    pub status: u16,
    /// Whose data the answer held, or whom the question named; rows that are nobody's count for nothing.
    pub people: BTreeSet<i64>,
}

/// An access as it concerns one person, or nobody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Access {
    /// Its row.
    pub row: i64,
    /// When it was recorded, µs since 1970.
    pub at_us: i64,
    /// What was told; of the people only whom this is about, merges resolved.
    pub told: NewAccess,
}

/// `text` without control characters, cut to at most `most` bytes.
pub fn bounded(text: &str, most: usize) -> String {
    let plain = |letter: char| if letter.is_control() { ' ' } else { letter };
    cut(text.chars().map(plain).collect(), most)
}

/// `text` as it is, cut to at most `most` bytes.
pub fn cut(mut text: String, most: usize) -> String {
    if text.len() <= most {
        return text;
    }
    let end = text.floor_char_boundary(most.saturating_sub(CUT.len_utf8()));
    text.truncate(end);
    text.push(CUT);
    text
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{CUT, Interaction, bounded, cut};

    #[test]
    fn every_interaction_leads_back_and_does_something() {
        for interaction in Interaction::ALL {
            assert_eq!(Interaction::parse(interaction.as_str()), Some(interaction));
        }
        let actions: String = Interaction::ALL.iter().map(|one| one.action().as_str()).collect();
        assert_eq!(actions, "RRRECUUDEC");
        assert_eq!(Interaction::parse("search"), None);
    }

    #[test]
    fn what_is_cut_says_so() {
        assert_eq!(bounded("GET\u{7}/fhir\n", 64), "GET /fhir ");
        assert_eq!(bounded("abcdef", 5), format!("ab{CUT}"));
        assert_eq!(cut("aèè".to_owned(), 4), format!("a{CUT}"));
        assert_eq!(bounded(&"a".repeat(64), 64).len(), 64);
    }

    proptest! {
        #[test]
        fn nothing_is_longer_than_it_may_be(text in ".{0,200}", most in 3_usize..100) {
            let kept = cut(text.clone(), most);
            prop_assert!(kept.len() <= most && bounded(&text, most).len() <= most);
            prop_assert!(kept == text || kept.ends_with(CUT));
        }
    }
}
