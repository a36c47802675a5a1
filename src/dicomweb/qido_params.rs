//! Parameters of a search, read and checked (PS3.18 §8.3.4).
//!
//! Choices: parameters that are no attribute and unknown to the standard are passed over; an
//! attribute the index cannot match is passed over too, with a warning in the answer; a malformed
//! value is a 400 that names its parameter. A date range and a time range given together are
//! matched each by itself, not as one span (PS3.4 §C.2.2.2.5.1).

use crate::dicomweb::qido_fields::Fields;
use crate::dicomweb::qido_keys::{Kind, key, number, path};
use crate::http::problem::Problem;
use crate::http::query_string::QueryString;
use crate::index::query::{Match, Rule};

/// Most UIDs of one list, most codes of one list.
const MAX_VALUES: usize = 2000;

/// Most words of a fuzzy name.
const MAX_WORDS: usize = 8;

/// A search's parameters.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Search {
    /// Conditions.
    pub matches: Vec<Match>,
    /// Attributes to answer with beside the required ones.
    pub fields: Fields,
    /// Most answers the client wants; `None`: as many as there may be.
    pub limit: Option<u32>,
    /// Answers to leave out first.
    pub offset: u32,
    /// Texts for `Warning` fields.
    pub warnings: Vec<String>,
}

/// Switches that change how values match.
#[derive(Debug, Clone, Copy)]
struct Switches {
    fuzzy: bool,
    empty: bool,
}

/// Reads the parameters of a search.
pub fn parse(query: &QueryString) -> Result<Search, Problem> {
    let switches = Switches {
        fuzzy: switch(query, "fuzzymatching")?,
        empty: switch(query, "emptyvaluematching")?,
    };
    let mut search = Search {
        fields: Fields::of(query.all("includefield")),
        limit: query.one("limit")?.map(|text| count("limit", text)).transpose()?,
        offset: query.one("offset")?.map_or(Ok(0), |text| count("offset", text))?,
        ..Search::default()
    };
    if switch(query, "multiplevaluematching")? {
        search.warnings.push(
            "The multiplevaluematching parameter is not supported. Multiple Value Matching has \
             not been performed."
                .to_owned(),
        );
    }
    let mut ignored = Vec::new();
    for (name, value) in query.iter() {
        let Some(tags) = path(name) else { continue };
        search.fields.add(tags.first().copied().map(number));
        let Some((key, kind)) = key(&tags) else {
            ignored.push(name);
            continue;
        };
        let rules = rules(kind, value, switches).map_err(|reason| bad(name, reason))?;
        if !rules.is_empty() && search.matches.iter().any(|known| known.key == key) {
            return Err(Problem::bad_parameter(name, "given more than once"));
        }
        search.matches.extend(rules.into_iter().map(|rule| Match { key, rule }));
    }
    if !ignored.is_empty() {
        let names = ignored.join(",");
        search.warnings.push(format!(
            "The following attributes are not supported for matching and were ignored: {names}"
        ));
    }
    Ok(search)
}

fn bad(name: &str, reason: &'static str) -> Problem {
    Problem::bad_parameter(name, reason)
}

fn switch(query: &QueryString, name: &'static str) -> Result<bool, Problem> {
    match query.one(name)?.map(str::trim) {
        None | Some("" | "false") => Ok(false),
        Some("true") => Ok(true),
        Some(_) => Err(bad(name, "neither true nor false")),
    }
}

/// A count; one too big to hold is as good as the biggest.
fn count(name: &str, text: &str) -> Result<u32, Problem> {
    let text = text.trim();
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(bad(name, "not a whole number"));
    }
    Ok(text.parse().unwrap_or(u32::MAX))
}

/// What a value demands: nothing (universal matching), or rules that must all hold.
fn rules(kind: Kind, value: &str, switches: Switches) -> Result<Vec<Rule>, &'static str> {
    let value = value.trim_matches([' ', '\0']);
    if value.bytes().all(|byte| byte == b'*') {
        return Ok(Vec::new());
    }
    if switches.empty && value == "\"\"" {
        return Ok(vec![Rule::Empty]);
    }
    match kind {
        Kind::Uid => list(value).map(|uids| vec![Rule::AnyOf(uids)]),
        Kind::Date => range(value, date),
        Kind::Time => range(value, time),
        Kind::Number => Ok(vec![Rule::Equal(whole(value)?)]),
        Kind::Code => {
            let mut codes = list(value)?;
            Ok(match codes.pop() {
                Some(code) if codes.is_empty() => vec![text(code)],
                Some(code) => {
                    codes.push(code);
                    vec![Rule::AnyOf(codes)]
                }
                None => Vec::new(),
            })
        }
        Kind::Name if switches.fuzzy && !value.contains(['*', '?']) => Ok(words(value)),
        Kind::Text | Kind::Name => Ok(vec![text(value.to_owned())]),
    }
}

fn text(value: String) -> Rule {
    if value.contains(['*', '?']) { Rule::Wildcard(value) } else { Rule::Equal(value) }
}

/// Fuzzy matching of names (PS3.4 §C.2.2.2.1.1 leaves the ways open): every word must be part of
/// the name, in whatever component and order.
fn words(value: &str) -> Vec<Rule> {
    let words = value.split([' ', '^', ',', '=', '\\']).filter(|word| !word.is_empty());
    words.take(MAX_WORDS).map(|word| Rule::Wildcard(format!("*{word}*"))).collect()
}

/// A list by commas, as the standard has it, or by backslashes, as DIMSE has it.
fn list(value: &str) -> Result<Vec<String>, &'static str> {
    let values = value.split([',', '\\']).map(str::trim).filter(|value| !value.is_empty());
    let values: Vec<String> = values.take(MAX_VALUES + 1).map(str::to_owned).collect();
    match values.len() {
        0 => Err("an empty list"),
        1..=MAX_VALUES => Ok(values),
        _ => Err("too many values"),
    }
}

/// A whole number as the index keeps it: no sign of plus, no zeros in front.
fn whole(value: &str) -> Result<String, &'static str> {
    value.parse::<i64>().map(|number| number.to_string()).map_err(|_| "not a whole number")
}

/// `A`, `A-B`, `A-`, `-B`; a lone `-` is open at both ends and matches everything.
fn range(value: &str, read: fn(&str) -> Option<String>) -> Result<Vec<Rule>, &'static str> {
    const BAD: &str = "not a value or range in the form of the standard";
    let bound = |text: &str| match text.trim() {
        "" => Ok(None),
        text => read(text).map(Some).ok_or(BAD),
    };
    let (from, to) = match value.split_once('-') {
        Some((from, to)) => (bound(from)?, bound(to)?),
        None => (bound(value)?, bound(value)?),
    };
    match (from, to) {
        (None, None) => Ok(Vec::new()),
        // A whole date; anything shorter means all values that begin so.
        (Some(from), Some(to)) if from == to && from.len() == 8 && !from.contains('.') => {
            Ok(vec![Rule::Equal(from)])
        }
        (from, to) => Ok(vec![Rule::Range { from, to }]),
    }
}

/// `YYYY`, `YYYYMM` or `YYYYMMDD`; the retired form with points is understood.
fn date(text: &str) -> Option<String> {
    let text = text.replace('.', "");
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    (digits && matches!(text.len(), 4 | 6 | 8)).then_some(text)
}

/// `HH`, `HHMM`, `HHMMSS`, with up to six digits of a second's fraction; colons are understood.
fn time(text: &str) -> Option<String> {
    let text = text.replace(':', "");
    let (whole, fraction) = text.split_once('.').unwrap_or((&text, "0"));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let whole_fits = digits(whole) && matches!(whole.len(), 2 | 4 | 6);
    let fraction_fits = digits(fraction)
        && (1..=6).contains(&fraction.len())
        && (whole.len() == 6 || !text.contains('.'));
    (whole_fits && fraction_fits).then_some(text)
}

#[cfg(test)]
mod tests;
