//! What the client takes and how strictly it wants to be read (FHIR R4 §3.1.0.1.8, §3.1.1.1).

use axum::http::HeaderMap;
use axum::http::StatusCode;
use axum::http::header::ACCEPT;

use crate::fhir::outcome::Refusal;
use crate::http::query_string::QueryString;

/// Why there is no XML.
const ONLY_JSON: &str = "resources are written as JSON only: ask for application/fhir+json, of FHIR \
  version 4.0";

/// Whether the client asked that nothing it says be passed over (`Prefer: handling=strict`).
pub fn is_strict(headers: &HeaderMap) -> bool {
    let fields = headers.get_all("prefer").iter().filter_map(|field| field.to_str().ok());
    let mut words = fields.flat_map(|field| field.split([',', ';']));
    words.any(|word| {
        let word: String = word.chars().filter(|c| !c.is_whitespace() && *c != '"').collect();
        word.eq_ignore_ascii_case("handling=strict")
    })
}

/// 406 unless the client takes FHIR's JSON; `_format` stands above `Accept`.
pub fn takes_json(headers: &HeaderMap, query: &QueryString) -> Result<(), Refusal> {
    if let Some(format) = query.all_plain("_format").next() {
        return if is_json(format) { Ok(()) } else { Err(not_acceptable()) };
    }
    let fields: Vec<&str> =
        headers.get_all(ACCEPT).iter().filter_map(|field| field.to_str().ok()).collect();
    let mut any = false;
    for media in fields.iter().flat_map(|field| field.split(',')) {
        any |= !media.trim().is_empty();
        if is_taken(media) && is_json_or_any(media) {
            return Ok(());
        }
    }
    if any { Err(not_acceptable()) } else { Ok(()) }
}

/// Whether a Binary is wanted as a resource, and not as its own bytes.
pub fn wants_resource(headers: &HeaderMap, query: &QueryString) -> bool {
    if let Some(format) = query.all_plain("_format").next() {
        return is_json(format);
    }
    let fields = headers.get_all(ACCEPT).iter().filter_map(|field| field.to_str().ok());
    let mut media = fields.flat_map(|field| field.split(','));
    media.any(|media| essence(media) == "application/fhir+json" && is_taken(media))
}

fn not_acceptable() -> Refusal {
    Refusal::new(StatusCode::NOT_ACCEPTABLE, "not-supported", ONLY_JSON)
}

fn essence(media: &str) -> String {
    media.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

fn is_json(media: &str) -> bool {
    let known = ["json", "application/json", "application/fhir+json", "text/json"];
    known.contains(&essence(media).as_str()) && is_of_version(media)
}

fn is_json_or_any(media: &str) -> bool {
    matches!(essence(media).as_str(), "*/*" | "application/*") || is_json(media)
}

fn is_taken(media: &str) -> bool {
    parameter(media, "q").is_none_or(|q| q.parse::<f32>().is_ok_and(|q| q > 0.0))
}

fn is_of_version(media: &str) -> bool {
    parameter(media, "fhirversion")
        .is_none_or(|version| matches!(version.as_str(), "4.0" | "4.0.1"))
}

fn parameter(media: &str, name: &str) -> Option<String> {
    let mut parameters = media.split(';').skip(1).filter_map(|pair| pair.split_once('='));
    let found = parameters.find(|(key, _)| key.trim().eq_ignore_ascii_case(name));
    found.map(|(_, value)| value.trim().trim_matches('"').to_owned())
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderMap;

    use super::{is_strict, takes_json, wants_resource};
    use crate::http::query_string::QueryString;

    fn headers(name: &'static str, value: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(name, value.parse().unwrap());
        headers
    }

    #[test]
    fn json_of_this_version_is_written_and_nothing_else() {
        for (accept, query, taken) in [
            ("*/*", "", true),
            ("application/json", "", true),
            ("application/fhir+json;fhirVersion=4.0", "", true),
            ("application/fhir+json; fhirVersion=5.0", "", false),
            ("application/fhir+xml", "", false),
            ("application/fhir+xml, application/fhir+json;q=0.5", "", true),
            ("application/fhir+json;q=0", "", false),
            ("text/html", "", false),
            ("text/html", "_format=json", true),
            ("*/*", "_format=xml", false),
            ("*/*", "_format=application/fhir+json", true),
        ] {
            let query = QueryString::parse(query).unwrap();
            assert_eq!(takes_json(&headers("accept", accept), &query).is_ok(), taken, "{accept}");
        }
        assert!(takes_json(&HeaderMap::new(), &QueryString::default()).is_ok());
    }

    #[test]
    fn binaries_are_bytes_unless_a_resource_is_wanted() {
        let none = QueryString::default();
        for (accept, resource) in
            [("*/*", false), ("application/pdf", false), ("application/fhir+json", true)]
        {
            assert_eq!(wants_resource(&headers("accept", accept), &none), resource, "{accept}");
        }
    }

    #[test]
    fn strict_handling_is_asked_for() {
        for (prefer, strict) in [
            ("handling=strict", true),
            ("return=minimal, handling = strict", true),
            ("handling=lenient", false),
        ] {
            assert_eq!(is_strict(&headers("prefer", prefer)), strict, "{prefer}");
        }
    }
}
