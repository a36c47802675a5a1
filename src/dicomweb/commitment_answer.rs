//! Storage Commitment over HTTP: the Storage Commitment Response Module (PS3.18 §J.2).

use std::collections::BTreeMap;

use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};

use crate::archive::commitment::COMMITTED;
use crate::dicom::limits::Limits;
use crate::dicom::xml;
use crate::dicomweb::media::{DICOM_JSON, DICOM_XML, JSON};
use crate::dicomweb::multipart::{Part, put, related_one};
use crate::dicomweb::offer::Offer;
use crate::http::problem::Problem;
use crate::model::commitment::{Commitment, Reference};

/// How the module is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Form {
    media: &'static str,
    multipart: bool,
}

/// What a client may choose from (PS3.18 Table 13.1.3-1), the default first.
pub const OFFERS: [(Offer<'static>, Form); 5] = [
    offer(DICOM_JSON, false),
    offer(JSON, false),
    offer(DICOM_XML, false),
    offer(DICOM_JSON, true),
    offer(DICOM_XML, true),
];

const fn offer(media: &'static str, multipart: bool) -> (Offer<'static>, Form) {
    (Offer { media, multipart, syntax: None }, Form { media, multipart })
}

/// The result of a request that was looked at whole.
pub fn answer(commitment: &Commitment, form: Form) -> Result<Response, Problem> {
    let text = module(commitment).to_string();
    let text = match form.media {
        DICOM_XML => {
            xml::from_json(text.as_bytes(), Limits::DEFAULT).map_err(|_| Problem::internal())?
        }
        _ => text,
    };
    if form.multipart {
        let part = Part::of_bytes(form.media.to_owned(), String::new(), text.into());
        return Ok(related_one(form.media, part));
    }
    let mut response = text.into_response();
    put(&mut response, CONTENT_TYPE, form.media);
    Ok(response)
}

/// References of a series, by class.
type ByClass<'a> = BTreeMap<&'a str, Vec<(&'a Reference, u16)>>;

/// References of one kind: those by themselves, and those by study, series and class.
#[derive(Default)]
struct Listed<'a> {
    alone: Vec<(&'a Reference, u16)>,
    within: BTreeMap<&'a str, BTreeMap<&'a str, ByClass<'a>>>,
}

fn module(commitment: &Commitment) -> Value {
    let mut listed = [Listed::default(), Listed::default()];
    for (reference, reason) in commitment.references.iter().zip(&commitment.reasons) {
        let [committed, failed] = &mut listed;
        let list = if *reason == COMMITTED { committed } else { failed };
        match &reference.within {
            None => list.alone.push((reference, *reason)),
            Some((study, series)) => {
                let classes = list.within.entry(study.as_str()).or_default().entry(series.as_str());
                let class = classes.or_default().entry(reference.sop_class.as_str()).or_default();
                class.push((reference, *reason));
            }
        }
    }
    let mut module = Map::new();
    // Referenced SOP and Study Sequence; Failed SOP and Study Sequence.
    for (list, [alone, within]) in
        listed.into_iter().zip([["00081199", "00081110"], ["00081198", "0008119B"]])
    {
        if !list.alone.is_empty() {
            let items = list.alone.iter().map(|(reference, reason)| {
                let mut item = instance(reference, *reason);
                item.insert("00081150".to_owned(), uid(reference.sop_class.as_str()));
                Value::Object(item)
            });
            module.insert(alone.to_owned(), sequence(items));
        }
        if !list.within.is_empty() {
            let studies = list.within.iter().map(|(study, all)| {
                let series = all.iter().map(|(series, classes)| {
                    let classes = classes.iter().map(|(class, instances)| {
                        let items = instances
                            .iter()
                            .map(|(reference, reason)| Value::Object(instance(reference, *reason)));
                        json!({ "0008114A": sequence(items), "00081150": uid(class) })
                    });
                    json!({ "00081112": sequence(classes), "0020000E": uid(series) })
                });
                json!({ "00081115": sequence(series), "0020000D": uid(study) })
            });
            module.insert(within.to_owned(), sequence(studies));
        }
    }
    Value::Object(module)
}

fn instance(reference: &Reference, reason: u16) -> Map<String, Value> {
    let mut item = Map::new();
    item.insert("00081155".to_owned(), uid(reference.instance.as_str()));
    if reason != COMMITTED {
        item.insert("00081197".to_owned(), json!({ "vr": "US", "Value": [reason] }));
    }
    item
}

fn uid(uid: &str) -> Value {
    json!({ "vr": "UI", "Value": [uid] })
}

fn sequence(items: impl Iterator<Item = Value>) -> Value {
    json!({ "vr": "SQ", "Value": items.collect::<Vec<_>>() })
}
