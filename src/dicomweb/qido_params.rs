//! Parameters of a search, read and checked (PS3.18 §8.3.4).
//!
//! Choices: parameters that are no attribute and unknown to the standard are passed over; an
//! attribute the index cannot match is passed over too, with a warning in the answer; a malformed
//! value is a 400 that names its parameter. Beyond the standard: `orderby`.

use crate::archive::extended::Attributes;
use crate::dicom::date::offset_minutes;
use crate::dicomweb::qido_acts::Act;
use crate::dicomweb::qido_fields::Fields;
use crate::dicomweb::qido_keys::{Kind, TIMEZONE, key, kind_of, path};
use crate::dicomweb::qido_private::Private;
use crate::dicomweb::qido_values::{Switches, rules};
use crate::http::problem::Problem;
use crate::http::query_string::QueryString;
use crate::index::query::{Key, Match, OrderBy};

/// Most answers a search may leave out: what is asked for lies behind so many that another search
/// finds it better.
pub const MAX_OFFSET: u32 = 1_000_000;

/// Most keys of an order.
const MAX_ORDER: usize = 8;

/// A search's parameters.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Search {
    /// Conditions.
    pub matches: Vec<Match>,
    /// What to sort by first.
    pub order: Vec<OrderBy>,
    /// Attributes to answer with beside the required ones.
    pub fields: Fields,
    /// Most answers the client wants; `None`: as many as there may be.
    pub limit: Option<u32>,
    /// Answers to leave out first.
    pub offset: u32,
    /// Texts for `Warning` fields.
    pub warnings: Vec<String>,
    /// Whether declared attributes are matched.
    pub extended: bool,
}

/// Reads the parameters of a search where no attributes are declared.
pub fn parse(query: &QueryString) -> Result<Search, Problem> {
    parse_with(query, &Attributes::default())
}

/// Reads the parameters of a search that knows attributes the administrator declared.
pub fn parse_with(query: &QueryString, attributes: &Attributes) -> Result<Search, Problem> {
    let switches = Switches {
        fuzzy: switch(query, "fuzzymatching")?,
        empty: switch(query, "emptyvaluematching")?,
        multiple: switch(query, "multiplevaluematching")?,
    };
    let mut search = Search {
        fields: Fields::of(query.all("includefield")),
        order: order(query)?,
        limit: query.one("limit")?.map(|text| count("limit", text)).transpose()?,
        offset: query.one("offset")?.map_or(Ok(0), |text| count("offset", text))?,
        ..Search::default()
    };
    if search.offset > MAX_OFFSET {
        let reason = format!("more than {MAX_OFFSET}; narrow the search, by date for example");
        return Err(Problem::bad_parameter("offset", reason));
    }
    let private = Private::of(query, attributes);
    private.add_fields(query, &mut search.fields);
    let (mut study, mut performed) = (Act::default(), Act::default());
    let (mut zone, mut ignored, mut seen) = (None, Vec::new(), Vec::new());
    for (name, value) in query.iter() {
        let Some(tags) = path(name) else { continue };
        if private.is_creator(&tags) {
            continue;
        }
        let tags = private.canonical(tags);
        private.add_field(tags.first().copied(), &mut search.fields);
        if tags == [TIMEZONE] {
            let minutes = offset_minutes(value).ok_or_else(|| bad(name, "not +HHMM or -HHMM"))?;
            once(name, zone.replace(minutes).is_none())?;
            continue;
        }
        let standard = key(&tags);
        let declared = attributes.find(&tags).filter(|_| standard.is_none());
        let declared = declared.map(|(it, key)| (Key::Extended(key), kind_of(it.vr)));
        let Some((key, kind)) = standard.or(declared) else {
            ignored.push(name);
            continue;
        };
        search.extended |= declared.is_some();
        // What sounds alike is kept of the index's own names only.
        let switches = Switches { fuzzy: switches.fuzzy && declared.is_none(), ..switches };
        once(name, !seen.contains(&key))?;
        seen.push(key);
        match key {
            Key::StudyDate => study.date = Some((name, value)),
            Key::StudyTime => study.time = Some((name, value)),
            Key::PerformedDate => performed.date = Some((name, value)),
            Key::PerformedTime => performed.time = Some((name, value)),
            _ => {
                let rules = rules(kind, value, switches).map_err(|reason| bad(name, reason))?;
                search.matches.extend(rules.into_iter().map(|rule| Match { key, rule }));
            }
        }
    }
    for (act, date, time) in [
        (study, Key::StudyDate, Key::StudyTime),
        (performed, Key::PerformedDate, Key::PerformedTime),
    ] {
        if let (Some((name, _)), None, Some(_)) = (act.time, act.date, zone) {
            search.warnings.push(format!(
                "The Timezone Offset From UTC was not applied to {name}, given without its date."
            ));
        }
        search.matches.extend(act.conditions((date, time), zone, switches)?);
    }
    if !ignored.is_empty() {
        let names = ignored.join(",");
        search.warnings.push(format!(
            "The following attributes are not supported for matching and were ignored: {names}"
        ));
    }
    Ok(search)
}

/// Each attribute may come once (PS3.18 §8.3.4.1).
fn once(name: &str, first: bool) -> Result<(), Problem> {
    if first { Ok(()) } else { Err(bad(name, "given more than once")) }
}

/// `orderby`: a list by commas of keywords or tags, each with `-` before it for the greatest first.
fn order(query: &QueryString) -> Result<Vec<OrderBy>, Problem> {
    let mut order: Vec<OrderBy> = Vec::new();
    let names = query.all_plain("orderby").flat_map(|value| value.split(','));
    for name in names.map(str::trim).filter(|name| !name.is_empty()) {
        let (descending, name) = match name.strip_prefix('-') {
            Some(name) => (true, name),
            None => (false, name.trim_start_matches(['+', ' '])),
        };
        let key: Option<(Key, Kind)> = path(name).and_then(|tags| key(&tags));
        let key = key.map(|(key, _)| key).filter(|key| key.sorts()).ok_or_else(|| {
            Problem::bad_parameter("orderby", "names no attribute that results can be sorted by")
        })?;
        if order.len() == MAX_ORDER {
            return Err(Problem::bad_parameter("orderby", "names too many attributes"));
        }
        if order.iter().all(|known| known.key != key) {
            order.push(OrderBy { key, descending });
        }
    }
    Ok(order)
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

#[cfg(test)]
mod tests;
