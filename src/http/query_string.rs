//! The query component of a request: names and values in order, repeats kept.

use std::borrow::Cow;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use percent_encoding::percent_decode_str;

use crate::http::problem::Problem;

/// Most parameters a request may have.
pub const MAX_PARAMETERS: usize = 512;

/// Parameters of a request.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct QueryString {
    pairs: Vec<Pair>,
}

/// One parameter.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Pair {
    name: String,
    value: String,
    /// Percent-decoded with `+` left alone, which media types need (`application/dicom+json`).
    plain: String,
}

impl QueryString {
    /// Reads `query`, the part after `?`. `+` and `%20` are spaces, as forms and Python's requests
    /// write them; a `+` proper is `%2B`.
    pub fn parse(query: &str) -> Result<Self, Problem> {
        let mut pairs = Vec::new();
        for piece in query.split('&').filter(|piece| !piece.is_empty()) {
            if pairs.len() == MAX_PARAMETERS {
                return Err(Problem::bad_request("too many query parameters"));
            }
            let (name, value) = piece.split_once('=').unwrap_or((piece, ""));
            let name = decode(&name.replace('+', " "))?;
            let plain = decode(value)?;
            let value = decode(&value.replace('+', " "))?;
            pairs.push(Pair { name, value, plain });
        }
        Ok(Self { pairs })
    }

    /// These parameters, and behind them others.
    #[must_use]
    pub fn and(mut self, others: Self) -> Self {
        self.pairs.extend(others.pairs);
        self
    }

    /// Names and values in the order they came.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.pairs.iter().map(|pair| (pair.name.as_str(), pair.value.as_str()))
    }

    /// All values of a parameter.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.iter().filter(move |(known, _)| *known == name).map(|(_, value)| value)
    }

    /// All values of a parameter, with `+` left as it is.
    pub fn all_plain<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.pairs.iter().filter(move |pair| pair.name == name).map(|pair| pair.plain.as_str())
    }

    /// The value of a parameter that may come once.
    pub fn one(&self, name: &'static str) -> Result<Option<&str>, Problem> {
        let mut values = self.pairs.iter().filter(|pair| pair.name == name);
        let first = values.next();
        if values.next().is_some() {
            return Err(Problem::bad_parameter(name, "given more than once"));
        }
        Ok(first.map(|pair| pair.value.as_str()))
    }
}

fn decode(text: &str) -> Result<String, Problem> {
    percent_decode_str(text)
        .decode_utf8()
        .map(Cow::into_owned)
        .map_err(|_| Problem::bad_request("the query is not UTF-8"))
}

impl<S: Send + Sync> FromRequestParts<S> for QueryString {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        Self::parse(parts.uri.query().unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::QueryString;

    #[test]
    fn names_and_values_are_decoded_in_order() {
        let query =
            QueryString::parse("PatientName=RO%53SI%5EMARIO+A&&x&x=1%2B2&i=%C3%A8").unwrap();
        let pairs: Vec<_> = query.iter().collect();
        assert_eq!(pairs, [("PatientName", "ROSSI^MARIO A"), ("x", ""), ("x", "1+2"), ("i", "è")]);
        assert!(query.one("x").is_err());
        assert_eq!(query.one("i").unwrap(), Some("è"));
        assert_eq!(query.one("none").unwrap(), None);
    }

    #[test]
    fn a_plus_stays_in_media_types() {
        let query = QueryString::parse("accept=application/dicom+json").unwrap();
        assert_eq!(query.all_plain("accept").collect::<Vec<_>>(), ["application/dicom+json"]);
    }

    #[test]
    fn bytes_that_are_no_text_and_floods_are_refused() {
        assert!(QueryString::parse("a=%FF").is_err());
        assert!(QueryString::parse(&"a&".repeat(600)).is_err());
    }

    proptest! {
        #[test]
        fn no_query_panics(text in ".*") {
            let _ = QueryString::parse(&text);
        }
    }
}
