//! Bundles of answers (FHIR R4 §3.1.1.1.4): entries, links to follow, totals.

use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use percent_encoding::AsciiSet;
use percent_encoding::NON_ALPHANUMERIC;
use percent_encoding::utf8_percent_encode;
use serde_json::Value;
use serde_json::json;

use crate::fhir::cursor::Cursor;
use crate::fhir::include::Included;
use crate::fhir::outcome::FHIR_JSON;
use crate::fhir::outcome::outcome;
use crate::fhir::resource::Resource;
use crate::http::caching::PRIVATE;

/// What stands as it is in a link.
const PLAIN: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b':').remove(b'/');

/// A page of answers.
#[derive(Debug, Clone, Default)]
pub struct Answer {
    /// What was asked for.
    pub matches: Vec<Resource>,
    /// What goes with it.
    pub included: Included,
    /// How many there are in all, when they were counted.
    pub total: Option<u32>,
    /// Where the next page begins.
    pub next: Option<Cursor>,
    /// What was passed over of the question.
    pub ignored: Vec<String>,
}

impl Answer {
    /// The bundle, its links under `path` with the parameters they repeat.
    pub fn bundle(&self, base: &str, path: &str, repeated: &[(String, String)]) -> Value {
        let address = format!("{base}/{path}");
        let mut links = vec![json!({ "relation": "self", "url": link(&address, repeated, None) })];
        if let Some(next) = &self.next {
            let url = link(&address, repeated, Some(&next.write()));
            links.push(json!({ "relation": "next", "url": url }));
        }
        let entry = |resource: &Resource, mode: &str| {
            json!({
                "fullUrl": format!("{base}/{}", resource.path()),
                "resource": resource.written(),
                "search": { "mode": mode },
            })
        };
        let mut entries: Vec<Value> =
            self.matches.iter().map(|resource| entry(resource, "match")).collect();
        entries.extend(self.included.resources.iter().map(|resource| entry(resource, "include")));
        entries.extend(
            self.warnings()
                .into_iter()
                .map(|said| json!({ "resource": said, "search": { "mode": "outcome" } })),
        );
        let mut bundle = json!({ "resourceType": "Bundle", "type": "searchset", "link": links });
        if let Some(total) = self.total {
            bundle["total"] = total.into();
        }
        if !entries.is_empty() {
            bundle["entry"] = entries.into();
        }
        bundle
    }

    fn warnings(&self) -> Vec<Value> {
        let mut said = Vec::new();
        if !self.ignored.is_empty() {
            let says = format!("passed over: {}; see /fhir/metadata", self.ignored.join(", "));
            said.push(outcome("warning", "not-supported", &says, None));
        }
        if self.included.cut {
            let says = "more is to be included than goes with one page: ask for smaller pages";
            said.push(outcome("warning", "incomplete", says, None));
        }
        said
    }
}

fn link(address: &str, repeated: &[(String, String)], cursor: Option<&str>) -> String {
    let pairs = repeated.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    let pairs = pairs.chain(cursor.map(|cursor| ("_cursor", cursor)));
    let pairs: Vec<String> = pairs
        .map(|(name, value)| {
            format!("{}={}", utf8_percent_encode(name, PLAIN), utf8_percent_encode(value, PLAIN))
        })
        .collect();
    if pairs.is_empty() { address.to_owned() } else { format!("{address}?{}", pairs.join("&")) }
}

/// A value as the body of an answer.
pub fn body(value: &Value, pretty: bool) -> Response {
    let text = if pretty { format!("{value:#}\n") } else { value.to_string() };
    ([(CONTENT_TYPE, FHIR_JSON), (CACHE_CONTROL, PRIVATE)], text).into_response()
}

#[cfg(test)]
mod tests {
    use super::Answer;
    use crate::fhir::cursor::Cursor;
    use crate::fhir::include::Included;

    #[test]
    fn links_repeat_the_question_and_warnings_are_entries() {
        let answer = Answer {
            next: Some(Cursor::default()),
            total: Some(7),
            ignored: vec!["colour".to_owned()],
            included: Included { resources: Vec::new(), cut: true },
            ..Answer::default()
        };
        let repeated = [("identifier".to_owned(), "urn:oid:1.2|A&B è".to_owned())];
        let bundle = answer.bundle("http://h/fhir", "Patient", &repeated);
        let link = "http://h/fhir/Patient?identifier=urn:oid:1.2%7CA%26B%20%C3%A8";
        assert_eq!(bundle["link"][0]["url"], link);
        assert!(
            bundle["link"][1]["url"].as_str().unwrap().starts_with(&format!("{link}&_cursor="))
        );
        assert_eq!(bundle["total"], 7);
        assert_eq!(bundle["entry"].as_array().unwrap().len(), 2);
        assert_eq!(bundle["entry"][0]["search"]["mode"], "outcome");
        assert!(Answer::default().bundle("b", "p", &[]).get("entry").is_none());
    }
}
