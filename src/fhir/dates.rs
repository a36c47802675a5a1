//! Date parameters (FHIR R4 §3.1.1.4.7): a prefix, and as much of a date as is asked.

use jiff::civil::Date;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use crate::index::pages::Days;
use crate::index::pages::Micros;
use crate::index::query::Moment;

/// What a date parameter must look like.
const FORM: &str = "write YYYY, YYYY-MM, YYYY-MM-DD or YYYY-MM-DDThh:mm:ss with a time zone, after \
  one of eq gt ge lt le sa eb";

/// A prefix, and the first moment of what is named and the first behind it.
struct Asked {
    prefix: Prefix,
    first: DateTime,
    behind: DateTime,
    /// Minutes from UTC, where said.
    zone: Option<i32>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Prefix {
    Within,
    Before,
    BeforeEnd,
    After,
    AfterStart,
}

/// A parameter's value on days and times as they are written, whatever their time zone.
pub fn days(text: &str) -> Result<Days, &'static str> {
    let asked = read(text)?;
    let moment = |at: DateTime| Moment {
        date: at.strftime("%Y%m%d").to_string(),
        time: if at.time() == jiff::civil::Time::midnight() {
            String::new()
        } else {
            at.strftime("%H%M%S").to_string()
        },
    };
    let (from, before) = bounds(asked.prefix, moment(asked.first), moment(asked.behind));
    Ok(Days { from, before })
}

/// A parameter's value on instants; without a time zone it is UTC's.
pub fn micros(text: &str) -> Result<Micros, &'static str> {
    let asked = read(text)?;
    let offset = i64::from(asked.zone.unwrap_or(0)).saturating_mul(60_000_000);
    let instant = |at: DateTime| {
        let at = at.to_zoned(TimeZone::UTC).map_err(|_| FORM)?;
        Ok::<i64, &'static str>(at.timestamp().as_microsecond().saturating_sub(offset))
    };
    let (from, before) = bounds(asked.prefix, instant(asked.first)?, instant(asked.behind)?);
    Ok(Micros { from, before })
}

fn bounds<T>(prefix: Prefix, first: T, behind: T) -> (Option<T>, Option<T>) {
    match prefix {
        Prefix::Within => (Some(first), Some(behind)),
        Prefix::Before => (None, Some(first)),
        Prefix::BeforeEnd => (None, Some(behind)),
        Prefix::After => (Some(behind), None),
        Prefix::AfterStart => (Some(first), None),
    }
}

fn read(text: &str) -> Result<Asked, &'static str> {
    let (prefix, rest) = match text.get(..2) {
        Some("eq") => (Prefix::Within, text.get(2..)),
        Some("lt" | "eb") => (Prefix::Before, text.get(2..)),
        Some("le") => (Prefix::BeforeEnd, text.get(2..)),
        Some("gt" | "sa") => (Prefix::After, text.get(2..)),
        Some("ge") => (Prefix::AfterStart, text.get(2..)),
        _ => (Prefix::Within, Some(text)),
    };
    let rest = rest.unwrap_or_default();
    if !rest.is_ascii() || rest.len() > 40 {
        return Err(FORM);
    }
    let (day, time) = rest.split_once('T').map_or((rest, None), |(day, time)| (day, Some(time)));
    let parts: Vec<&str> = day.split('-').collect();
    let widths: Vec<usize> = parts.iter().map(|part| part.len()).collect();
    if !matches!(widths.as_slice(), [4] | [4, 2] | [4, 2, 2]) {
        return Err(FORM);
    }
    let number =
        |at: usize| parts.get(at).map_or(Ok(1), |part| part.parse::<i8>()).map_err(|_| FORM);
    let year: i16 = parts.first().and_then(|year| year.parse().ok()).ok_or(FORM)?;
    let first = Date::new(year, number(1)?, number(2)?).map_err(|_| FORM)?;
    let Some(time) = time else {
        let step = match parts.len() {
            1 => jiff::Span::new().years(1),
            2 => jiff::Span::new().months(1),
            _ => jiff::Span::new().days(1),
        };
        let behind = first.checked_add(step).map_err(|_| FORM)?;
        let midnight = |date: Date| date.to_datetime(jiff::civil::Time::midnight());
        return Ok(Asked { prefix, first: midnight(first), behind: midnight(behind), zone: None });
    };
    if parts.len() != 3 {
        return Err(FORM);
    }
    timed(prefix, first, time)
}

fn timed(prefix: Prefix, day: Date, text: &str) -> Result<Asked, &'static str> {
    let at = text.find(['Z', '+', '-', ' ']).unwrap_or(text.len());
    let (clock, zone) = text.split_at_checked(at).ok_or(FORM)?;
    let zone = match zone {
        "" => None,
        "Z" => Some(0),
        zone => Some(minutes(zone).ok_or(FORM)?),
    };
    let whole = clock.split('.').next().unwrap_or_default();
    let (form, step) = match whole.len() {
        5 => (format!("{whole}:00"), jiff::Span::new().minutes(1)),
        8 => (clock.to_owned(), jiff::Span::new().seconds(1)),
        _ => return Err(FORM),
    };
    let time: jiff::civil::Time = form.parse().map_err(|_| FORM)?;
    let first = day.to_datetime(time);
    // What is said with fractions of a second is one moment.
    let step = if clock.contains('.') { jiff::Span::new().microseconds(1) } else { step };
    let behind = first.checked_add(step).map_err(|_| FORM)?;
    Ok(Asked { prefix, first, behind, zone })
}

/// `+01:00`; a `+` that was not encoded came as a space.
fn minutes(zone: &str) -> Option<i32> {
    let sign = if zone.starts_with('-') { -1 } else { 1 };
    let (hours, minutes) = zone.get(1..)?.split_once(':')?;
    let (hours, minutes): (i32, i32) = (hours.parse().ok()?, minutes.parse().ok()?);
    ((0..=14).contains(&hours) && (0..60).contains(&minutes))
        .then_some(sign * (hours * 60 + minutes))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{days, micros};

    fn written(text: &str) -> Option<(String, String)> {
        let days = days(text).ok()?;
        let side = |moment: Option<crate::index::query::Moment>| {
            moment.map(|moment| format!("{} {}", moment.date, moment.time).trim().to_owned())
        };
        Some((side(days.from).unwrap_or_default(), side(days.before).unwrap_or_default()))
    }

    #[test]
    fn a_date_is_the_span_it_names_and_prefixes_open_it() {
        for (text, from, before) in [
            ("2026", "20260101", "20270101"),
            ("2026-02", "20260201", "20260301"),
            ("2026-02-28", "20260228", "20260301"),
            ("eq2026-02-28", "20260228", "20260301"),
            ("ge2026-02-28", "20260228", ""),
            ("gt2026-02-28", "20260301", ""),
            ("sa2026-02", "20260301", ""),
            ("lt2026", "", "20260101"),
            ("eb2026", "", "20260101"),
            ("le2026-12-31", "", "20270101"),
            ("2026-03-01T10:15", "20260301 101500", "20260301 101600"),
            ("ge2026-03-01T10:15:30Z", "20260301 101530", ""),
            ("le2026-03-01T23:59:59 01:00", "", "20260302"),
        ] {
            let expected = Some((from.to_owned(), before.to_owned()));
            assert_eq!(written(text), expected, "{text}");
        }
    }

    #[test]
    fn what_is_no_date_says_how_to_write_one() {
        for text in [
            "",
            "26",
            "2026-2",
            "2026-13",
            "2026-02-30",
            "ne2026",
            "ap2026",
            "20260101",
            "2026T10:00",
            "2026-01-01T",
            "2026-01-01T25:00",
            "2026-01-01T10:00:00+99:00",
            "oggi",
            "9999",
        ] {
            assert!(days(text).is_err(), "{text}");
        }
    }

    #[test]
    fn instants_follow_their_time_zone() {
        let one = micros("2026-03-02T11:00:00+01:00").unwrap();
        assert_eq!(one.from, Some(1_772_445_600_000_000));
        assert_eq!(one, micros("2026-03-02T10:00:00Z").unwrap());
        assert_eq!(micros("gt2026-03-02T10:00:00.5Z").unwrap().from, Some(1_772_445_600_500_001));
    }

    proptest! {
        #[test]
        fn no_text_panics(text in ".*|(ge|lt)?[0-9]{4}-[0-9]{2}(-[0-9]{2}(T[0-9:.]{0,12}[Z+-]?.*)?)?") {
            let _ = (days(&text), micros(&text));
        }
    }
}
