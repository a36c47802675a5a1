//! How the values of a search become rules: every kind of matching of PS3.4 §C.2.2.2.

use crate::dicomweb::qido_keys::Kind;
use crate::index::query::Rule;
use crate::index::query::Spellings;

/// Most UIDs of one list, most codes of one list, most values of one attribute.
const MAX_VALUES: usize = 2000;

/// Most words of a fuzzy name, most values of multiple value matching.
const MAX_WORDS: usize = 8;

/// Longest value of what is no list, in bytes: no value kept is longer.
const MAX_BYTES: usize = 4096;

/// Switches that change how values match.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Switches {
    /// `fuzzymatching` (PS3.18 §8.3.4.2).
    pub fuzzy: bool,
    /// `emptyvaluematching` (PS3.18 §8.3.4.5).
    pub empty: bool,
    /// `multiplevaluematching` (PS3.18 §8.3.4.6).
    pub multiple: bool,
}

/// The two ends of a range, as they are written.
pub type Ends = (Option<String>, Option<String>);

/// The rules a value stands for; none: it matches everything (PS3.4 §C.2.2.2.3).
pub fn rules(kind: Kind, value: &str, switches: Switches) -> Result<Vec<Rule>, &'static str> {
    let value = trimmed(kind, value)?;
    if switches.multiple && value.contains('\\') && kind != Kind::Uid {
        return any_of(kind, value, switches);
    }
    one(kind, value, switches)
}

/// A value less its padding; refused when no attribute can have it.
pub fn trimmed(kind: Kind, value: &str) -> Result<&str, &'static str> {
    let value = value.trim_matches([' ', '\0']);
    if value.len() > MAX_BYTES && !matches!(kind, Kind::Uid | Kind::Code) {
        return Err("longer than any value of the attribute may be");
    }
    if value.contains(char::is_control) {
        return Err("holds a control character");
    }
    Ok(value)
}

/// Whether a value asks for everything, or for an empty attribute: then it is no date and no time.
pub fn is_special(value: &str, switches: Switches) -> bool {
    value.bytes().all(|byte| byte == b'*')
        || (switches.empty && value == "\"\"")
        || (switches.multiple && value.contains('\\'))
}

/// Multiple value matching: any of the values (PS3.4 §C.2.2.2.8).
fn any_of(kind: Kind, value: &str, switches: Switches) -> Result<Vec<Rule>, &'static str> {
    let mut alternatives = Vec::new();
    for (number, value) in value.split('\\').enumerate() {
        if number == MAX_WORDS {
            return Err("too many values");
        }
        let mut rules = one(kind, value.trim(), switches)?;
        match (rules.pop(), rules.is_empty()) {
            // One of the values matches everything, so everything matches.
            (None, _) => return Ok(Vec::new()),
            (Some(Rule::Any(rules)), true) => alternatives.extend(rules),
            (Some(rule), true) => alternatives.push(rule),
            (Some(_), false) => return Err("too many words for one of several values"),
        }
    }
    Ok(vec![Rule::Any(alternatives)])
}

fn one(kind: Kind, value: &str, switches: Switches) -> Result<Vec<Rule>, &'static str> {
    if value.bytes().all(|byte| byte == b'*') {
        return Ok(Vec::new());
    }
    if switches.empty && value == "\"\"" {
        return Ok(vec![Rule::Empty]);
    }
    match kind {
        Kind::Uid => list(value).map(|uids| vec![Rule::AnyOf(uids)]),
        Kind::Date => ends(value, date).map(of_ends),
        Kind::Time => ends(value, time).map(of_ends),
        Kind::Number => Ok(vec![Rule::Equal(whole(value)?)]),
        Kind::Code => {
            let mut codes = list(value)?;
            Ok(match codes.pop() {
                Some(code) if codes.is_empty() => vec![text(code)],
                Some(code) => {
                    codes.push(code);
                    if codes.iter().any(|code| code.contains(['*', '?'])) {
                        vec![Rule::Any(codes.into_iter().map(text).collect())]
                    } else {
                        vec![Rule::AnyOf(codes)]
                    }
                }
                None => Vec::new(),
            })
        }
        Kind::Name if switches.fuzzy => by_ear(value),
        Kind::Name => Ok(vec![name(value)]),
        Kind::Text => Ok(vec![text(value.to_owned())]),
    }
}

fn text(value: String) -> Rule {
    if value.contains(['*', '?']) { Rule::Wildcard(value) } else { Rule::Equal(value) }
}

/// A name: the whole value, or one of its component groups when the value names no second
/// (PS3.5 §6.2.1).
fn name(value: &str) -> Rule {
    let whole = text(value.to_owned());
    if value.contains('=') || value.ends_with('*') {
        return whole;
    }
    let mut rules = vec![whole, Rule::Wildcard(format!("{value}=*"))];
    // The other groups are never in Latin letters.
    if !value.is_ascii() {
        rules.push(Rule::Wildcard(format!("*={value}")));
        rules.push(Rule::Wildcard(format!("*={value}=*")));
    }
    Rule::Any(rules)
}

/// Fuzzy matching of names (PS3.4 §C.2.2.2.1.1 leaves the ways open): in whatever component and
/// order, every word must be the beginning of a word of the name, or sound like one. Of words with
/// wildcards those at the edges say no more than that; words with wildcards within stay patterns.
fn by_ear(value: &str) -> Result<Vec<Rule>, &'static str> {
    let mut rules = Vec::new();
    let mut words: Vec<(String, bool)> = Vec::new();
    for piece in value.split([' ', '^', ',', '=', '\\']).filter(|piece| !piece.is_empty()) {
        let inside = piece.trim_matches('*');
        if inside.contains(['*', '?']) {
            rules.push(Rule::Wildcard(format!("*{inside}*")));
            continue;
        }
        for (number, word) in inside.split(|c: char| !c.is_alphanumeric()).enumerate() {
            if !word.is_empty() {
                words.push((word.to_owned(), number == 0 && piece.starts_with('*')));
            }
        }
    }
    if words.len().saturating_add(rules.len()) > MAX_WORDS {
        return Err("too many words to match fuzzily");
    }
    if !words.is_empty() {
        rules.push(Rule::Fuzzy(spellings(&words)));
    }
    Ok(rules)
}

/// Each word, also joined with its neighbours: `de luca` may be kept as `DELUCA`.
fn spellings(words: &[(String, bool)]) -> Vec<Spellings> {
    let joined: Vec<String> = words.windows(2).map(joined).collect();
    let spellings = words.iter().enumerate().map(|(at, (word, anywhere))| {
        let mut any = vec![word.clone()];
        any.extend(joined.get(at).cloned());
        any.extend(at.checked_sub(1).and_then(|at| joined.get(at)).cloned());
        Spellings { any, anywhere: *anywhere }
    });
    spellings.collect()
}

fn joined(pair: &[(String, bool)]) -> String {
    pair.iter().map(|(word, _)| word.as_str()).collect()
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
pub fn ends(value: &str, read: fn(&str) -> Option<String>) -> Result<Ends, &'static str> {
    const BAD: &str = "not a value or range in the form of the standard";
    let bound = |text: &str| match text.trim() {
        "" => Ok(None),
        text => read(text).map(Some).ok_or(BAD),
    };
    match value.split_once('-') {
        Some((from, to)) => Ok((bound(from)?, bound(to)?)),
        None => Ok((bound(value)?, bound(value)?)),
    }
}

/// The rules of a range.
pub fn of_ends(ends: Ends) -> Vec<Rule> {
    match ends {
        (None, None) => Vec::new(),
        // A whole date; anything shorter means all values that begin so.
        (Some(from), Some(to)) if from == to && from.len() == 8 && !from.contains('.') => {
            vec![Rule::Equal(from)]
        }
        (from, to) => vec![Rule::Range { from, to }],
    }
}

/// `YYYY`, `YYYYMM` or `YYYYMMDD`; the retired form with points is understood.
pub fn date(text: &str) -> Option<String> {
    let text = text.replace('.', "");
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    (digits && matches!(text.len(), 4 | 6 | 8)).then_some(text)
}

/// `HH`, `HHMM`, `HHMMSS`, with up to six digits of a second's fraction; colons are understood.
pub fn time(text: &str) -> Option<String> {
    let text = text.replace(':', "");
    let (whole, fraction) = text.split_once('.').unwrap_or((&text, "0"));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let whole_fits = digits(whole) && matches!(whole.len(), 2 | 4 | 6);
    let fraction_fits = digits(fraction)
        && (1..=6).contains(&fraction.len())
        && (whole.len() == 6 || !text.contains('.'));
    (whole_fits && fraction_fits).then_some(text)
}
