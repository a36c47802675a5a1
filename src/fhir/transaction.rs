//! A transaction Bundle read (FHIR R4 §3.1.0.11): one DiagnosticReport with its document, and what it
//! refers to. Bounded before anything is built: lists have a most length, and depth is serde's own.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use serde::Deserialize;
use serde::de::{Deserializer, SeqAccess, Visitor};
use serde_json::value::RawValue;

/// The most entries of a bundle.
pub const MOST_ENTRIES: usize = 64;
/// The most items of any other list.
const MOST_ITEMS: usize = 64;

/// A list no longer than `MOST`.
#[derive(Debug, Clone)]
pub struct Few<T, const MOST: usize>(pub Vec<T>);

impl<T, const MOST: usize> Default for Few<T, MOST> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<'de, T: Deserialize<'de>, const MOST: usize> Deserialize<'de> for Few<T, MOST> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Items<T, const MOST: usize>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>, const MOST: usize> Visitor<'de> for Items<T, MOST> {
            type Value = Few<T, MOST>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "a list of at most {MOST}")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
                let mut items = Vec::new();
                while let Some(item) = seq.next_element()? {
                    if items.len() == MOST {
                        return Err(serde::de::Error::invalid_length(MOST + 1, &self));
                    }
                    items.push(item);
                }
                Ok(Few(items))
            }
        }
        deserializer.deserialize_seq(Items(PhantomData))
    }
}

type Items<T> = Few<T, MOST_ITEMS>;

/// A bundle.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BundleIn<'a> {
    /// `Bundle`.
    #[serde(borrow, default)]
    pub resource_type: Cow<'a, str>,
    /// `transaction`.
    #[serde(borrow, rename = "type", default)]
    pub kind: Cow<'a, str>,
    /// Entries.
    #[serde(borrow, default)]
    pub entry: Few<EntryIn<'a>, MOST_ENTRIES>,
}

/// An entry.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EntryIn<'a> {
    /// By what others refer to it.
    #[serde(borrow, default)]
    pub full_url: Cow<'a, str>,
    /// Its resource.
    #[serde(borrow, default)]
    pub resource: Option<&'a RawValue>,
    /// What is to be done with it.
    #[serde(borrow, default)]
    pub request: RequestIn<'a>,
}

/// What is to be done with an entry.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RequestIn<'a> {
    /// `POST` or `PUT`.
    #[serde(borrow, default)]
    pub method: Cow<'a, str>,
    /// The type, for `PUT` with a search behind it.
    #[serde(borrow, default)]
    pub url: Cow<'a, str>,
    /// Only when there is none that meets this.
    #[serde(borrow, default)]
    pub if_none_exist: Cow<'a, str>,
}

/// What every resource says.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AnyIn<'a> {
    /// Its type.
    #[serde(borrow, default)]
    pub resource_type: Cow<'a, str>,
    /// Its id, by which it is referred to within another.
    #[serde(borrow, default)]
    pub id: Cow<'a, str>,
}

/// A coding.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct CodingIn<'a> {
    /// System.
    #[serde(borrow, default)]
    pub system: Cow<'a, str>,
    /// Code.
    #[serde(borrow, default)]
    pub code: Cow<'a, str>,
    /// Its text.
    #[serde(borrow, default)]
    pub display: Cow<'a, str>,
}

/// A concept.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct ConceptIn<'a> {
    /// Codings.
    #[serde(borrow, default)]
    pub coding: Items<CodingIn<'a>>,
    /// Text.
    #[serde(borrow, default)]
    pub text: Cow<'a, str>,
}

/// An identifier.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct IdentifierIn<'a> {
    /// What it is.
    #[serde(borrow, rename = "type", default)]
    pub kind: ConceptIn<'a>,
    /// Who gave it.
    #[serde(borrow, default)]
    pub system: Cow<'a, str>,
    /// The value.
    #[serde(borrow, default)]
    pub value: Cow<'a, str>,
}

/// A reference.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct ReferenceIn<'a> {
    /// To a resource.
    #[serde(borrow, default)]
    pub reference: Cow<'a, str>,
    /// To what has an identifier.
    #[serde(borrow, default)]
    pub identifier: Option<IdentifierIn<'a>>,
}

/// A document within, or where it is.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AttachmentIn<'a> {
    /// Media type.
    #[serde(borrow, default)]
    pub content_type: Cow<'a, str>,
    /// Bytes, base64.
    #[serde(borrow, default)]
    pub data: Cow<'a, str>,
    /// A Binary of the bundle.
    #[serde(borrow, default)]
    pub url: Cow<'a, str>,
    /// Title.
    #[serde(borrow, default)]
    pub title: Cow<'a, str>,
}

/// A span of time.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct PeriodIn<'a> {
    /// Its start.
    #[serde(borrow, default)]
    pub start: Cow<'a, str>,
}

/// A report.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ReportIn<'a> {
    /// Identifiers.
    #[serde(borrow, default)]
    pub identifier: Items<IdentifierIn<'a>>,
    /// Status.
    #[serde(borrow, default)]
    pub status: Cow<'a, str>,
    /// What it is.
    #[serde(borrow, default)]
    pub code: ConceptIn<'a>,
    /// Whom it is about.
    #[serde(borrow, default)]
    pub subject: ReferenceIn<'a>,
    /// When the examination was done.
    #[serde(borrow, default)]
    pub effective_date_time: Cow<'a, str>,
    /// The same as a span.
    #[serde(borrow, default)]
    pub effective_period: PeriodIn<'a>,
    /// When it was issued.
    #[serde(borrow, default)]
    pub issued: Cow<'a, str>,
    /// Orders.
    #[serde(borrow, default)]
    pub based_on: Items<ReferenceIn<'a>>,
    /// Studies.
    #[serde(borrow, default)]
    pub imaging_study: Items<ReferenceIn<'a>>,
    /// The document.
    #[serde(borrow, default)]
    pub presented_form: Items<AttachmentIn<'a>>,
    /// What was found.
    #[serde(borrow, default)]
    pub conclusion: Cow<'a, str>,
    /// Resources within.
    #[serde(borrow, default)]
    pub contained: Items<&'a RawValue>,
}

/// A name.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct NameIn<'a> {
    /// Family name.
    #[serde(borrow, default)]
    pub family: Cow<'a, str>,
    /// Given names.
    #[serde(borrow, default)]
    pub given: Items<Cow<'a, str>>,
}

/// A person, a study or an order: what is read of them.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NamedIn<'a> {
    /// Identifiers.
    #[serde(borrow, default)]
    pub identifier: Items<IdentifierIn<'a>>,
    /// Names, of a person.
    #[serde(borrow, default)]
    pub name: Option<&'a RawValue>,
    /// Gender, of a person.
    #[serde(borrow, default)]
    pub gender: Cow<'a, str>,
    /// Date of birth, of a person.
    #[serde(borrow, default)]
    pub birth_date: Cow<'a, str>,
}

/// A document's bytes.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BinaryIn<'a> {
    /// Media type.
    #[serde(borrow, default)]
    pub content_type: Cow<'a, str>,
    /// Bytes, base64.
    #[serde(borrow, default)]
    pub data: Cow<'a, str>,
}

impl<'a> NamedIn<'a> {
    /// The first name, `Family^Given` as DICOM writes names; empty when there is none.
    pub fn dicom_name(&self) -> String {
        let raw = self.name.map(RawValue::get).unwrap_or_default();
        let names: Items<NameIn<'a>> = serde_json::from_str::<Items<NameIn<'_>>>(raw)
            .map(|names| Few(names.0.into_iter().map(NameIn::owned).collect()))
            .unwrap_or_default();
        let clean = |text: &str| text.replace(['^', '=', '\\'], " ").trim().to_owned();
        let Some(name) = names.0.first() else { return String::new() };
        let given: Vec<String> = name.given.0.iter().map(|given| clean(given)).collect();
        format!("{}^{}", clean(&name.family), given.join(" ")).trim_end_matches('^').to_owned()
    }
}

impl NameIn<'_> {
    fn owned(self) -> NameIn<'static> {
        NameIn {
            family: Cow::Owned(self.family.into_owned()),
            given: Few(self.given.0.into_iter().map(|g| Cow::Owned(g.into_owned())).collect()),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{AnyIn, BinaryIn, BundleIn, NamedIn, ReportIn};

    fn all(bytes: &[u8]) {
        if let Ok(bundle) = serde_json::from_slice::<BundleIn<'_>>(bytes) {
            for entry in &bundle.entry.0 {
                let text = entry.resource.map_or("", |resource| resource.get());
                let _ = serde_json::from_str::<AnyIn<'_>>(text);
                let _ = serde_json::from_str::<ReportIn<'_>>(text);
                let _ = serde_json::from_str::<BinaryIn<'_>>(text);
                let _ = serde_json::from_str::<NamedIn<'_>>(text).map(|named| named.dicom_name());
            }
        }
    }

    #[test]
    fn lists_that_are_too_long_are_refused_before_they_are_built() {
        for (entries, taken) in [(64, true), (65, false), (100_000, false)] {
            let text = format!(r#"{{"entry":[{}{{}}]}}"#, "{},".repeat(entries - 1));
            assert_eq!(serde_json::from_str::<BundleIn<'_>>(&text).is_ok(), taken, "{entries}");
        }
    }

    #[test]
    fn depth_is_no_danger_where_it_is_read_and_where_it_is_passed_over() {
        for key in ["entry", "nobody"] {
            let text = format!(r#"{{"{key}":{}"#, "[".repeat(1_000_000));
            assert!(serde_json::from_str::<BundleIn<'_>>(&text).is_err());
        }
        let (open, close) = ("[".repeat(200_000), "]".repeat(200_000));
        let text = format!(r#"{{"entry":[{{"resource":{open}{close}}}]}}"#);
        all(text.as_bytes());
    }

    #[test]
    fn a_name_is_written_as_dicom_has_it() {
        let named: NamedIn<'_> = serde_json::from_str(
            r#"{"name":[{"family":"Ros^si","given":["Anna","Lìa"]}],"birthDate":"1968-06-21"}"#,
        )
        .unwrap();
        assert_eq!(named.dicom_name(), "Ros si^Anna Lìa");
        assert_eq!(NamedIn::default().dicom_name(), "");
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            all(&bytes);
        }

        #[test]
        fn no_bundle_panics(
            resource in r#"\{("(resourceType|identifier|name|code|subject|presentedForm)":(\[\]|\{\}|"a"|1|null|\[\{\}\]),?){0,4}\}"#
        ) {
            all(format!(r#"{{"resourceType":"Bundle","entry":[{{"resource":{resource}}}]}}"#).as_bytes());
        }
    }
}
