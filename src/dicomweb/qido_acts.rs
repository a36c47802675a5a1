//! A date and the time beside it, asked for together (PS3.18 §8.3.4.1.1, PS3.4 §C.2.2.2.5): one
//! span from the first moment to the last, and in the time zone the request names.

use crate::dicom::date::{begin_us, end_us};
use crate::dicomweb::qido_keys::Kind;
use crate::dicomweb::qido_values::{
    Ends, Switches, date, ends, is_special, of_ends, rules, time, trimmed,
};
use crate::http::problem::Problem;
use crate::index::query::{Instants, Key, Match, Moment, Rule, Span};

/// What a request asks of one act: parameter names and values, still unread.
#[derive(Debug, Default)]
pub struct Act<'q> {
    /// Of the date.
    pub date: Option<(&'q str, &'q str)>,
    /// Of the time.
    pub time: Option<(&'q str, &'q str)>,
}

impl Act<'_> {
    /// The conditions; `keys` are those of date and time, `zone` the request's offset from UTC in
    /// minutes.
    pub fn conditions(
        &self,
        keys: (Key, Key),
        zone: Option<i32>,
        switches: Switches,
    ) -> Result<Vec<Match>, Problem> {
        let named = self.date.map_or("", |(name, _)| name);
        let date = self.date.map(|(name, value)| read(Kind::Date, name, value, switches));
        let time = self.time.map(|(name, value)| read(Kind::Time, name, value, switches));
        let (date, time) = (date.transpose()?, time.transpose()?);
        match (date, time) {
            (Some(Asked::Ends(date)), Some(Asked::Ends(time)))
                if zone.is_some() || (is_range(&date) && is_range(&time)) =>
            {
                if is_range(&date) && !is_range(&time) {
                    // One time of each of many days: no span.
                    let mut all = spanned(keys.0, named, date, (None, None), zone)?;
                    all.extend(matches(keys.1, of_ends(time)));
                    return Ok(all);
                }
                spanned(keys.0, named, date, time, zone)
            }
            (Some(Asked::Ends(date)), None) if zone.is_some() => {
                spanned(keys.0, named, date, (None, None), zone)
            }
            (date, time) => {
                let mut all = matches(keys.0, date.map_or_else(Vec::new, Asked::rules));
                all.extend(matches(keys.1, time.map_or_else(Vec::new, Asked::rules)));
                Ok(all)
            }
        }
    }
}

/// A date or a time as it is asked for.
enum Asked {
    Ends(Ends),
    Rules(Vec<Rule>),
}

impl Asked {
    fn rules(self) -> Vec<Rule> {
        match self {
            Self::Ends(ends) => of_ends(ends),
            Self::Rules(rules) => rules,
        }
    }
}

fn read(kind: Kind, name: &str, value: &str, switches: Switches) -> Result<Asked, Problem> {
    let bad = |reason| Problem::bad_parameter(name, reason);
    let value = trimmed(kind, value).map_err(bad)?;
    if is_special(value, switches) {
        return rules(kind, value, switches).map(Asked::Rules).map_err(bad);
    }
    let read = if kind == Kind::Date { date } else { time };
    ends(value, read).map(Asked::Ends).map_err(bad)
}

fn is_range((from, to): &Ends) -> bool {
    from != to
}

fn matches(key: Key, rules: Vec<Rule>) -> Vec<Match> {
    rules.into_iter().map(|rule| Match { key, rule }).collect()
}

/// One span. A time without a date at its end is of no use: that end is open.
fn spanned(
    key: Key,
    name: &str,
    date: Ends,
    time: Ends,
    zone: Option<i32>,
) -> Result<Vec<Match>, Problem> {
    let moment = |date: Option<String>, time: Option<String>| {
        date.map(|date| Moment { date, time: time.unwrap_or_default() })
    };
    let (from, to) = (moment(date.0, time.0), moment(date.1, time.1));
    if from.is_none() && to.is_none() {
        return Ok(Vec::new());
    }
    let instant = |moment: &Option<Moment>, read: fn(&str, &str, i32) -> Option<i64>, minutes| {
        let read = moment.as_ref().map(|moment| read(&moment.date, &moment.time, minutes));
        match read {
            Some(None) => Err(Problem::bad_parameter(name, "no date and time of the calendar")),
            read => Ok(read.flatten()),
        }
    };
    let instants = match zone {
        None => None,
        Some(minutes) => Some(Instants {
            from_us: instant(&from, begin_us, minutes)?,
            before_us: instant(&to, end_us, minutes)?,
        }),
    };
    Ok(vec![Match { key, rule: Rule::Span(Span { from, to, instants }) }])
}
