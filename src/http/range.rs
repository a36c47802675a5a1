//! Byte ranges of single part answers (RFC 9110 §14): one range, or the whole.

use axum::http::HeaderMap;
use axum::http::header::{IF_RANGE, RANGE};

use crate::http::caching::ETag;

/// Which bytes of a representation to send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asked {
    /// All of them, 200.
    Whole,
    /// Bytes `from..to` (0-based, end excluded, not empty), 206.
    Part {
        /// First byte.
        from: u64,
        /// Byte after the last.
        to: u64,
    },
    /// None that exist, 416.
    Unsatisfiable,
}

impl Asked {
    /// What the request's `Range` asks of a representation of `length` bytes. Several ranges,
    /// other units, malformed fields and a failed `If-Range` all mean the whole, as RFC 9110
    /// §14.2 lets a server choose.
    pub fn of(headers: &HeaderMap, length: u64, etag: &ETag) -> Self {
        let mut fields = headers.get_all(RANGE).iter();
        let (Some(range), None) = (fields.next(), fields.next()) else {
            return Self::Whole;
        };
        let applies = headers
            .get(IF_RANGE)
            .is_none_or(|tag| tag.to_str().is_ok_and(|tag| etag.is_strongly(tag)));
        match range.to_str() {
            Ok(range) if applies => Self::parse(range, length),
            _ => Self::Whole,
        }
    }

    /// Reads a `Range` field value.
    pub fn parse(range: &str, length: u64) -> Self {
        let Some((unit, set)) = range.split_once('=') else { return Self::Whole };
        if !unit.trim().eq_ignore_ascii_case("bytes") || set.contains(',') {
            return Self::Whole;
        }
        let Some((first, last)) = set.trim().split_once('-') else { return Self::Whole };
        match (Bound::parse(first), Bound::parse(last)) {
            (Some(Bound::At(from)), Some(Bound::Open)) => Self::between(from, length, length),
            (Some(Bound::At(from)), Some(Bound::At(last))) if from <= last => {
                Self::between(from, last.saturating_add(1), length)
            }
            (Some(Bound::Open), Some(Bound::At(suffix))) => {
                Self::between(length.saturating_sub(suffix), length, length)
            }
            _ => Self::Whole,
        }
    }

    fn between(from: u64, to: u64, length: u64) -> Self {
        let to = to.min(length);
        if from < to { Self::Part { from, to } } else { Self::Unsatisfiable }
    }
}

/// One end of a range as written.
enum Bound {
    Open,
    At(u64),
}

impl Bound {
    /// `None`: not a number. Numbers too big to hold count as the biggest.
    fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        if text.is_empty() {
            return Some(Self::Open);
        }
        let digits = text.bytes().all(|byte| byte.is_ascii_digit());
        digits.then(|| Self::At(text.parse().unwrap_or(u64::MAX)))
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderMap;
    use proptest::prelude::*;

    use super::Asked;
    use crate::http::caching::ETag;

    #[test]
    fn one_range_is_honoured_and_the_rest_is_whole() {
        for (range, expected) in [
            ("bytes=0-0", Asked::Part { from: 0, to: 1 }),
            ("bytes=2-5", Asked::Part { from: 2, to: 6 }),
            ("bytes=5-", Asked::Part { from: 5, to: 10 }),
            ("bytes=-3", Asked::Part { from: 7, to: 10 }),
            ("bytes=-30", Asked::Part { from: 0, to: 10 }),
            ("bytes=8-99", Asked::Part { from: 8, to: 10 }),
            ("BYTES = 1-1", Asked::Part { from: 1, to: 2 }),
            ("bytes=0-99999999999999999999999", Asked::Part { from: 0, to: 10 }),
            ("bytes=10-", Asked::Unsatisfiable),
            ("bytes=-0", Asked::Unsatisfiable),
            ("bytes=99999999999999999999999-", Asked::Unsatisfiable),
            ("bytes=5-2", Asked::Whole),
            ("bytes=0-1,4-5", Asked::Whole),
            ("items=0-1", Asked::Whole),
            ("bytes=-", Asked::Whole),
            ("bytes=a-b", Asked::Whole),
            ("", Asked::Whole),
        ] {
            assert_eq!(Asked::parse(range, 10), expected, "{range}");
        }
    }

    #[test]
    fn a_range_of_another_version_gives_the_whole() {
        let etag = ETag::strong("now");
        for (if_range, expected) in [
            (None, Asked::Part { from: 1, to: 10 }),
            (Some("\"now\""), Asked::Part { from: 1, to: 10 }),
            (Some("W/\"now\""), Asked::Whole),
            (Some("\"then\""), Asked::Whole),
            (Some("Wed, 21 Oct 2015 07:28:00 GMT"), Asked::Whole),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert("range", "bytes=1-".parse().unwrap());
            if let Some(value) = if_range {
                headers.insert("if-range", value.parse().unwrap());
            }
            assert_eq!(Asked::of(&headers, 10, &etag), expected, "{if_range:?}");
        }
    }

    proptest! {
        #[test]
        fn a_part_lies_inside(range in "(bytes=)?[0-9]{0,21}-?[0-9]{0,21}", length: u64) {
            if let Asked::Part { from, to } = Asked::parse(&range, length) {
                prop_assert!(from < to && to <= length);
            }
        }

        #[test]
        fn no_range_panics(range in ".*", length: u64) {
            Asked::parse(&range, length);
        }
    }
}
