//! A search as it was asked: parameters by the table of their type, how the answer is to look, and what
//! was passed over.

use crate::fhir::cursor::Cursor;
use crate::fhir::kind::Kind;
use crate::fhir::kind::Param;
use crate::fhir::outcome::Refusal;
use crate::http::query_string::QueryString;
use crate::index::pages::SortBy;

/// Entries of a page when nobody says.
pub const DEFAULT_COUNT: u32 = 20;
/// The most entries of a page.
pub const MOST_COUNT: u32 = 200;

/// The most conditions of a search.
pub const MOST_CONDITIONS: usize = 32;

/// Whether and how the answers are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Total {
    /// Not at all.
    None,
    /// Up to a bound; past it there is no total.
    Bounded,
    /// To the last.
    Exact,
}

/// A search.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// What is searched.
    pub kind: Kind,
    /// Conditions: parameters of the type's table with their values.
    pub wanted: Vec<(Param, String)>,
    /// Entries of a page; 0: only the total is wanted.
    pub count: u32,
    /// Whether the answers are counted.
    pub total: Total,
    /// What they are sorted by.
    pub sort: SortBy,
    /// Greatest first.
    pub descending: bool,
    /// What is included, of the type's table.
    pub includes: Vec<&'static str>,
    /// What points at the answers and is included.
    pub rev_includes: Vec<&'static str>,
    /// Where the page begins.
    pub cursor: Cursor,
    /// Parameters passed over.
    pub ignored: Vec<String>,
    /// Parameters as a link repeats them, the cursor left out.
    pub repeated: Vec<(String, String)>,
}

impl Asked {
    /// Reads a search. What is not in the tables is refused when `strict`, else passed over.
    pub fn parse(kind: Kind, query: &QueryString, strict: bool) -> Result<Self, Refusal> {
        let mut asked = Self {
            kind,
            wanted: Vec::new(),
            count: DEFAULT_COUNT,
            total: if kind.is_counted() { Total::Bounded } else { Total::None },
            sort: SortBy::Row,
            descending: false,
            includes: Vec::new(),
            rev_includes: Vec::new(),
            cursor: Cursor::default(),
            ignored: Vec::new(),
            repeated: Vec::new(),
        };
        asked.default_order();
        for (name, value) in query.iter() {
            if asked.take(name, value)? {
                if name != "_cursor" {
                    asked.repeated.push((name.to_owned(), value.to_owned()));
                }
            } else if strict {
                let says = format!("{} is not searched by it; see /fhir/metadata", kind.name());
                return Err(Refusal::parameter(name, says));
            } else {
                asked.ignored.push(name.chars().filter(|c| !c.is_control()).take(64).collect());
            }
        }
        Ok(asked)
    }

    fn default_order(&mut self) {
        let newest = ["started", "date", "period"];
        if self.kind.sorts().iter().any(|by| newest.contains(by)) {
            (self.sort, self.descending) = (SortBy::Date, true);
        }
    }

    /// Whether the parameter is one.
    fn take(&mut self, name: &str, value: &str) -> Result<bool, Refusal> {
        match name {
            // Read elsewhere.
            "_format" | "_pretty" => {}
            "_count" => self.count = count(value)?.min(MOST_COUNT),
            "_cursor" => {
                let says = "it is no cursor of ours: follow the links of a page, or begin without";
                self.cursor = Cursor::parse(value).ok_or_else(|| Refusal::parameter(name, says))?;
            }
            "_total" => {
                self.total = match value {
                    "none" => Total::None,
                    "estimate" => Total::Bounded,
                    "accurate" => Total::Exact,
                    _ => return Err(Refusal::parameter(name, "none, estimate or accurate")),
                }
            }
            "_summary" => match value {
                "count" => (self.count, self.total) = (0, Total::Exact),
                "false" => {}
                _ => return Err(Refusal::parameter(name, "count or false: others are not made")),
            },
            "_sort" => return self.sort_by(value),
            "_include" => return Ok(included(value, self.kind.includes(), &mut self.includes)),
            "_revinclude" => {
                return Ok(included(value, self.kind.rev_includes(), &mut self.rev_includes));
            }
            _ => {
                let Some(param) = param(self.kind, name) else {
                    // Passed over, a modifier would turn its question into another (FHIR R4 §3.1.1.4.5).
                    let bare = name.split_once(':').map(|(bare, _)| bare);
                    return match bare.and_then(|bare| known(self.kind, bare)) {
                        Some(_) => Err(Refusal::parameter(name, "it does not take this modifier")),
                        None => Ok(false),
                    };
                };
                if self.wanted.len() == MOST_CONDITIONS {
                    let says = "too many conditions: give several values with commas between";
                    return Err(Refusal::parameter(name, says));
                }
                self.wanted.push((param, value.to_owned()));
            }
        }
        Ok(true)
    }

    fn sort_by(&mut self, value: &str) -> Result<bool, Refusal> {
        let (descending, key) = value.strip_prefix('-').map_or((false, value), |key| (true, key));
        if !self.kind.sorts().contains(&key) {
            let says = format!("one of {}, perhaps with - before it", self.kind.sorts().join(", "));
            return Err(Refusal::parameter("_sort", says));
        }
        self.sort = match key {
            "_id" => SortBy::Row,
            "_lastUpdated" => SortBy::Changed,
            _ => SortBy::Date,
        };
        self.descending = descending;
        Ok(true)
    }
}

/// The parameter of that name; `:Patient` behind a reference says what it refers to.
fn param(kind: Kind, name: &str) -> Option<Param> {
    let bare = match name.split_once(':') {
        Some((bare, "Patient" | "ImagingStudy" | "DiagnosticReport" | "DocumentReference")) => bare,
        _ => name,
    };
    let chained = ["patient:Patient.", "subject:Patient."];
    let bare = match chained.iter().find_map(|chain| Some((chain, name.strip_prefix(chain)?))) {
        Some((_, "identifier")) => "patient.identifier",
        _ => bare,
    };
    known(kind, bare)
        .filter(|param| bare == name || param.kind == "reference" || bare.contains('.'))
}

fn known(kind: Kind, name: &str) -> Option<Param> {
    kind.params().iter().find(|param| param.name == name).copied()
}

/// Whether what is to be included is in the table; `ImagingStudy:subject:Patient` says what it is.
fn included(value: &str, table: &'static [&'static str], taken: &mut Vec<&'static str>) -> bool {
    let mut parts = value.splitn(3, ':');
    let asked =
        format!("{}:{}", parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    match table.iter().find(|known| **known == asked) {
        Some(known) if taken.contains(known) => true,
        Some(known) => {
            taken.push(known);
            true
        }
        None => false,
    }
}

fn count(value: &str) -> Result<u32, Refusal> {
    value.parse().map_err(|_| Refusal::parameter("_count", "a whole number from 0 on"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Asked, MOST_COUNT, Total};
    use crate::fhir::kind::Kind;
    use crate::http::query_string::QueryString;
    use crate::index::pages::SortBy;

    fn parse(kind: Kind, query: &str, strict: bool) -> Result<Asked, super::Refusal> {
        Asked::parse(kind, &QueryString::parse(query).unwrap(), strict)
    }

    #[test]
    fn what_is_declared_is_taken_and_the_rest_is_named_or_refused() {
        let query = "identifier=1.2&_count=5&_include=ImagingStudy:endpoint&colour=red\
                     &_include=Observation:subject&started=ge2026&subject:Patient=a";
        let asked = parse(Kind::ImagingStudy, query, false).unwrap();
        let names: Vec<&str> = asked.wanted.iter().map(|(param, _)| param.name).collect();
        assert_eq!(names, ["identifier", "started", "subject"]);
        assert_eq!((asked.count, asked.includes), (5, vec!["ImagingStudy:endpoint"]));
        assert_eq!(asked.ignored, ["colour", "_include"]);
        let refused = parse(Kind::ImagingStudy, query, true).unwrap_err();
        assert!(refused.says.starts_with("parameter colour:"), "{}", refused.says);
        assert!(parse(Kind::Patient, "subject:Patient.identifier=1", true).is_err());
        // A modifier passed over would turn the question into another.
        assert!(parse(Kind::Patient, "name:contains=ros", false).is_err());
        assert!(parse(Kind::Patient, "name:exact=Rossi", true).is_ok());
        let chained = parse(Kind::DiagnosticReport, "subject:Patient.identifier=1", true).unwrap();
        assert_eq!(chained.wanted[0].0.name, "patient.identifier");
    }

    #[test]
    fn counts_sorts_and_totals_are_read_and_bad_ones_say_what_to_write() {
        let asked = parse(Kind::ImagingStudy, "_count=100000&_sort=-_lastUpdated", true).unwrap();
        assert_eq!(
            (asked.count, asked.sort, asked.descending),
            (MOST_COUNT, SortBy::Changed, true)
        );
        let counted = parse(Kind::Patient, "_summary=count", true).unwrap();
        assert_eq!((counted.count, counted.total), (0, Total::Exact));
        let newest = parse(Kind::DocumentReference, "", true).unwrap();
        assert_eq!((newest.sort, newest.descending), (SortBy::Date, true));
        for query in
            ["_count=-1", "_count=x", "_sort=colour", "_total=some", "_summary=text", "_cursor=!"]
        {
            let refused = parse(Kind::ImagingStudy, query, false).unwrap_err();
            assert_eq!(refused.status.as_u16(), 400, "{query}");
        }
    }

    proptest! {
        #[test]
        fn no_query_panics(text in "([a-z_:.]{1,20}=[^&]{0,20}&){0,5}", strict in any::<bool>()) {
            if let Ok(query) = QueryString::parse(&text) {
                for kind in Kind::ALL {
                    if let Ok(asked) = Asked::parse(kind, &query, strict) {
                        prop_assert!(asked.count <= MOST_COUNT);
                        prop_assert!(!strict || asked.ignored.is_empty());
                    }
                }
            }
        }
    }
}
