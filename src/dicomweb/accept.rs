//! What a client takes: the `Accept` header and the `accept` parameter, read leniently
//! (PS3.18 §8.7.5, §8.3.3.1).
//!
//! Pure. Deviation on purpose: no `Accept` at all counts as `*/*` (PS3.18 §8.7.7 says 406), since
//! plain tools send none. Entries that make no sense are passed over.

use axum::extract::FromRequestParts;
use axum::http::HeaderMap;
use axum::http::header::ACCEPT;
use axum::http::request::Parts;

use crate::http::problem::Problem;
use crate::http::query_string::QueryString;

/// Most media ranges looked at; what follows is passed over.
const MAX_RANGES: usize = 64;

/// Media types of DICOM only (PS3.18 §8.7.3).
const DICOM_ONLY: &[&str] = &[
    "application/dicom",
    "application/dicom+json",
    "application/dicom+xml",
    "application/octet-stream",
    "application/zip",
    "image/dicom-rle",
    "image/jls",
    "image/jphc",
    "image/jpx",
];
/// Media types of renderings only (PS3.18 §8.7.4).
const RENDERED_ONLY: &[&str] = &[
    "image/png",
    "image/gif",
    "image/jph",
    "text/html",
    "text/xml",
    "text/rtf",
    "application/pdf",
];

/// Everything a client takes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Accept {
    /// Of the `accept` parameter; looked at first.
    pub parameter: Vec<MediaRange>,
    /// Of the `Accept` header fields, or `*/*` when there are none.
    pub header: Vec<MediaRange>,
}

/// One media range.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MediaRange {
    /// `application/dicom`, `image/*`, `*/*`; of a multipart range its `type`. Lower case.
    pub media: String,
    /// How it is to be wrapped.
    pub wrapping: Wrapping,
    /// Transfer syntax it must have.
    pub transfer_syntax: Syntax,
    /// Weight in thousandths; 0 means: not this.
    pub weight: u16,
}

/// Single part or multipart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wrapping {
    /// `multipart/related`.
    Multipart,
    /// A single part.
    Single,
    /// `*/*`: whichever the resource prefers.
    Either,
}

/// The transfer syntax parameter (PS3.18 §8.7.3.5.2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Syntax {
    /// None given: the resource's default.
    Default,
    /// `*`: as stored.
    Any,
    /// This one only.
    Only(String),
}

impl Accept {
    /// Reads header fields and parameter values; header fields may be several.
    pub fn new<'a>(
        fields: impl Iterator<Item = &'a str>,
        parameters: impl Iterator<Item = &'a str>,
    ) -> Self {
        let mut header = Vec::new();
        let mut empty = true;
        for field in fields {
            empty &= field.trim().is_empty();
            header.extend(parse(field));
        }
        if empty {
            header = parse("*/*");
        }
        header.truncate(MAX_RANGES);
        let mut parameter: Vec<MediaRange> = parameters.flat_map(parse).collect();
        parameter.truncate(MAX_RANGES);
        Self { parameter, header }
    }

    /// Whether DICOM and rendered media types are named side by side, which is a 400 (PS3.18
    /// §8.7.5). Types that are both (`image/jpeg`), wildcards and what is not taken are neither;
    /// nor is `text/plain`, which libraries add to whatever they are told to ask for.
    pub fn is_mixed(&self) -> bool {
        [&self.parameter, &self.header].into_iter().any(|ranges| {
            let named = |types: &[&str]| {
                let mut named = ranges.iter().filter(|range| range.weight > 0);
                named.any(|range| types.contains(&range.media.as_str()))
            };
            named(DICOM_ONLY) && named(RENDERED_ONLY)
        })
    }

    /// Of a request.
    pub fn of(headers: &HeaderMap, query: &QueryString) -> Self {
        let fields = headers.get_all(ACCEPT).iter().map(|field| field.to_str().unwrap_or("*/*"));
        Self::new(fields, query.all_plain("accept"))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Accept {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let query = QueryString::from_request_parts(parts, state).await?;
        Ok(Self::of(&parts.headers, &query))
    }
}

/// Reads one comma-separated list of media ranges, in its order.
pub fn parse(list: &str) -> Vec<MediaRange> {
    split(list, ',').take(MAX_RANGES).filter_map(range).collect()
}

fn range(text: &str) -> Option<MediaRange> {
    let mut pieces = split(text, ';');
    let media = media_type(pieces.next()?)?;
    let multipart = media.starts_with("multipart/");
    let wrapping = match media.as_str() {
        "*/*" => Wrapping::Either,
        _ if multipart => Wrapping::Multipart,
        _ => Wrapping::Single,
    };
    let media = if multipart { "*/*".to_owned() } else { media };
    let mut range = MediaRange { media, wrapping, transfer_syntax: Syntax::Default, weight: 1000 };
    for piece in pieces {
        let (name, value) = piece.split_once('=').unwrap_or((piece, ""));
        let value = unquote(value.trim());
        match name.trim().to_ascii_lowercase().as_str() {
            "type" if multipart => range.media = media_type(&value)?,
            "transfer-syntax" => range.transfer_syntax = syntax(&value),
            "q" => range.weight = weight(&value),
            _ => {}
        }
    }
    Some(range)
}

/// `type/subtype` in lower case, today's name for outdated ones; `None` when it is no media type.
pub(in crate::dicomweb) fn media_type(text: &str) -> Option<String> {
    let media = text.trim().to_ascii_lowercase();
    let (kind, subtype) = media.split_once('/')?;
    let token = |text: &str| {
        !text.is_empty()
            && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"*+-._!#$&^".contains(&b))
    };
    if !token(kind) || !token(subtype) || (kind == "*" && subtype != "*") {
        return None;
    }
    Some(match media.as_str() {
        // Named so before they were registered (PS3.18 §8.7.3.3.2, note).
        "image/x-jls" => "image/jls".to_owned(),
        "image/x-dicom-rle" => "image/dicom-rle".to_owned(),
        "video/mpeg2" => "video/mpeg".to_owned(),
        _ => media,
    })
}

fn syntax(value: &str) -> Syntax {
    match value.trim() {
        "" => Syntax::Default,
        "*" => Syntax::Any,
        uid => Syntax::Only(uid.to_owned()),
    }
}

/// A weight in thousandths; one that is no number counts as 1.
fn weight(value: &str) -> u16 {
    let (whole, fraction) = value.trim().split_once('.').unwrap_or((value.trim(), ""));
    if whole != "0" || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return 1000;
    }
    let digits: String = fraction.chars().chain("000".chars()).take(3).collect();
    digits.parse().unwrap_or(1000)
}

/// Splits at a separator outside quotes. A quote that never ends runs to the end.
pub(in crate::dicomweb) fn split(text: &str, separator: char) -> impl Iterator<Item = &str> {
    let mut quoted = false;
    let mut escaped = false;
    text.split(move |c: char| {
        if escaped {
            escaped = false;
        } else if quoted && c == '\\' {
            escaped = true;
        } else if c == '"' {
            quoted = !quoted;
        }
        c == separator && !quoted
    })
}

pub(in crate::dicomweb) fn unquote(text: &str) -> String {
    let Some(inside) = text.strip_prefix('"') else { return text.to_owned() };
    let inside = inside.strip_suffix('"').unwrap_or(inside);
    let mut escaped = false;
    inside
        .chars()
        .filter(|c| {
            escaped = *c == '\\' && !escaped;
            !escaped
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Accept, MediaRange, Syntax, Wrapping, parse};

    fn range(media: &str, wrapping: Wrapping, syntax: Syntax, weight: u16) -> MediaRange {
        MediaRange { media: media.to_owned(), wrapping, transfer_syntax: syntax, weight }
    }

    #[test]
    fn headers_seen_in_the_field_are_understood() {
        use Syntax::{Any, Default, Only};
        use Wrapping::{Either, Multipart, Single};
        let only = |uid: &str| Only(uid.to_owned());
        for (header, expected) in [
            ("*/*", vec![range("*/*", Either, Default, 1000)]),
            (
                r#"multipart/related; type="application/dicom""#,
                vec![range("application/dicom", Multipart, Default, 1000)],
            ),
            (
                "multipart/related; type=application/octet-stream; transfer-syntax=*",
                vec![range("application/octet-stream", Multipart, Any, 1000)],
            ),
            (
                r#"Multipart/Related;q=0.5;TRANSFER-SYNTAX=1.2.840.10008.1.2.4.80;boundary="a,b;c";type="image/x-jls""#,
                vec![range("image/jls", Multipart, only("1.2.840.10008.1.2.4.80"), 500)],
            ),
            (
                "application/dicom+json, application/json",
                vec![
                    range("application/dicom+json", Single, Default, 1000),
                    range("application/json", Single, Default, 1000),
                ],
            ),
            (
                r#"multipart/related; type="image/jpeg"; transfer-syntax="*", application/dicom;q=0.001,text/html;q=0"#,
                vec![
                    range("image/jpeg", Multipart, Any, 1000),
                    range("application/dicom", Single, Default, 1),
                    range("text/html", Single, Default, 0),
                ],
            ),
            (r#"multipart/related; type="*/*""#, vec![range("*/*", Multipart, Default, 1000)]),
            ("multipart/related", vec![range("*/*", Multipart, Default, 1000)]),
            ("multipart/*", vec![range("*/*", Multipart, Default, 1000)]),
            ("image/*;q=0.8", vec![range("image/*", Single, Default, 800)]),
            (
                "image/x-dicom-rle ; transfer-syntax=1.2.840.10008.1.2.5",
                vec![range("image/dicom-rle", Single, only("1.2.840.10008.1.2.5"), 1000)],
            ),
            // Things that make no sense are passed over, the rest stays.
            (
                "nonsense, , */json, image/png;q=zero;;",
                vec![range("image/png", Single, Default, 1000)],
            ),
            (
                r#"multipart/related; type="application/dicom"#,
                vec![range("application/dicom", Multipart, Default, 1000)],
            ),
        ] {
            assert_eq!(parse(header), expected, "{header}");
        }
    }

    #[test]
    fn no_header_takes_anything_and_several_are_one_list() {
        let nothing: [&str; 0] = [];
        for fields in [nothing.to_vec(), vec![""], vec![" ", ""]] {
            let accept = Accept::new(fields.into_iter(), nothing.into_iter());
            assert_eq!(accept.header, parse("*/*"));
        }
        let accept = Accept::new(["image/png", "image/jpeg"].into_iter(), ["a/b,c/d"].into_iter());
        assert_eq!(accept.header, parse("image/png,image/jpeg"));
        assert_eq!(accept.parameter, parse("a/b, c/d"));
    }

    #[test]
    fn dicom_and_rendered_types_are_not_asked_for_together() {
        for (header, parameter, mixed) in [
            ("application/dicom, image/png", None, true),
            (r#"multipart/related; type="application/octet-stream", image/gif;q=0.1"#, None, true),
            ("*/*", Some("application/dicom,text/html"), true),
            ("application/dicom", Some("image/png"), false),
            ("application/dicom, image/jpeg, */*", None, false),
            ("application/dicom, image/png;q=0", None, false),
            ("text/html,application/xhtml+xml,image/webp,*/*;q=0.8", None, false),
            ("application/dicom+json, text/plain, */*", None, false),
        ] {
            let accept = Accept::new([header].into_iter(), parameter.into_iter());
            assert_eq!(accept.is_mixed(), mixed, "{header} {parameter:?}");
        }
    }

    proptest! {
        #[test]
        fn no_header_panics(header in ".*") {
            for range in parse(&header) {
                prop_assert!(range.weight <= 1000);
                prop_assert!(range.media.split_once('/').is_some());
            }
        }

        #[test]
        fn what_is_written_is_read(
            kind in "(application|image)/[a-z]{1,9}",
            quoted: bool,
            uid in "[0-9.]{1,30}",
            thousandths in 0_u16..1000,
        ) {
            let media = if quoted { format!("\"{kind}\"") } else { kind.clone() };
            let text = format!(
                "multipart/related; q=0.{thousandths:03}; type={media}; transfer-syntax={uid}"
            );
            let expected = range(&kind, Wrapping::Multipart, Syntax::Only(uid), thousandths);
            prop_assert_eq!(parse(&text), vec![expected]);
        }
    }
}
