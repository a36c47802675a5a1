//! Answers of a search: DICOM JSON spliced from the texts the index keeps (PS3.18 §10.6.3.3, §F.2).
//!
//! The kept texts are cut into attributes without building their values; what the archive knows
//! itself (counts, URL, availability) is added; everything is written by ascending tag.

use std::collections::{HashMap, HashSet};
use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::dicomweb::address::{Urls, patient_query};
use crate::dicomweb::qido_fields::{Fields, INSTANCE, Required, SERIES, STUDY, requires};
use crate::index::query::{Found, Level};

/// What the answers of one search carry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shape {
    /// Level of the answers.
    pub level: Level,
    /// Whether the required attributes of the study go with them (it is not in the path).
    pub with_study: bool,
    /// Whether the required attributes of the series go with them.
    pub with_series: bool,
    /// What else was asked for.
    pub fields: Fields,
    /// Whether the patient was named to tell the study from another: then URLs name them too.
    pub named_patient: bool,
}

/// A kept text was no JSON object: index and program disagree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("attributes kept by the index are not a JSON object")]
pub struct BadAttributes;

/// Writes answers one by one.
#[derive(Debug)]
pub struct Answers<'a> {
    shape: &'a Shape,
    urls: &'a Urls,
    json: Vec<u8>,
    upper: Option<Upper<'a>>,
    shared: HashSet<&'a str>,
}

/// The cut texts of the levels above, kept while they stay the same from answer to answer.
#[derive(Debug)]
struct Upper<'a> {
    texts: [&'a str; 3],
    attributes: Vec<(u32, &'a str)>,
}

/// One attribute to write.
#[derive(Debug, Clone)]
enum Value<'a> {
    /// As the index keeps it.
    Kept(&'a str),
    /// Without value.
    Empty(&'static str),
    /// Known to the archive: value representation and the values as JSON.
    Known(&'static str, String),
}

impl<'a> Answers<'a> {
    /// An empty array. `found` is all that will be written: URLs name the patient where two of
    /// them have the same Study Instance UID.
    pub fn new(shape: &'a Shape, urls: &'a Urls, found: &'a [Found]) -> Self {
        let json = Vec::with_capacity(found.len().saturating_mul(1024).min(1 << 24));
        Self { shape, urls, json, upper: None, shared: shared_uids(found) }
    }

    /// Writes one answer.
    pub fn push(&mut self, found: &'a Found) -> Result<(), BadAttributes> {
        let mut values = self.known(found);
        self.take_upper(found)?;
        if let Some(upper) = &self.upper {
            values.extend(upper.attributes.iter().map(|(tag, text)| (*tag, Value::Kept(text))));
        }
        self.own(found, &mut values)?;
        self.required(&mut values);
        // Stable: of equal tags what the archive knows comes first, then what is kept, then empty.
        values.sort_by_key(|(tag, _)| *tag);
        values.dedup_by_key(|(tag, _)| *tag);
        self.json.extend_from_slice(if self.json.is_empty() { b"[{" } else { b",{" });
        for (index, (tag, value)) in values.iter().enumerate() {
            if index > 0 {
                self.json.push(b',');
            }
            push_name(&mut self.json, *tag);
            match value {
                Value::Kept(text) => self.json.extend_from_slice(text.as_bytes()),
                Value::Empty(vr) => push_all(&mut self.json, &["{\"vr\":\"", vr, "\"}"]),
                Value::Known(vr, json) => {
                    let parts = ["{\"vr\":\"", vr, "\",\"Value\":[", json, "]}"];
                    push_all(&mut self.json, &parts);
                }
            }
        }
        self.json.push(b'}');
        Ok(())
    }

    /// The whole array.
    pub fn finish(mut self) -> Vec<u8> {
        if self.json.is_empty() {
            self.json.push(b'[');
        }
        self.json.push(b']');
        self.json
    }

    /// What the archive knows itself.
    fn known(&self, found: &Found) -> Vec<(u32, Value<'a>)> {
        let (shape, fields) = (self.shape, &self.shape.fields);
        let number = |number: u32| Value::Known("IS", number.to_string());
        let mut values = Vec::with_capacity(48);
        values.push((0x0008_0005, text("CS", "ISO_IR 192")));
        values.push((0x0008_0056, text("CS", "ONLINE")));
        values.push((0x0008_1190, text("UR", &self.url(found))));
        values.push((0x0020_000D, text("UI", found.study_uid.as_str())));
        for (tag, value) in
            [(0x0020_1206, found.study_series), (0x0020_1208, found.study_instances)]
        {
            if shape.with_study || fields.wants(tag) {
                values.push((tag, number(value)));
            }
        }
        if shape.with_study || fields.wants(0x0008_0061) {
            let modalities: Vec<String> =
                found.modalities.iter().map(|text| quoted(text)).collect();
            let value = if modalities.is_empty() {
                Value::Empty("CS")
            } else {
                Value::Known("CS", modalities.join(","))
            };
            values.push((0x0008_0061, value));
        }
        if let Some(series) = &found.series {
            values.push((0x0020_000E, text("UI", series.uid.as_str())));
            if shape.with_series || fields.wants(0x0020_1209) {
                values.push((0x0020_1209, number(series.instances)));
            }
        }
        if let Some(instance) = &found.instance {
            values.push((0x0008_0018, text("UI", instance.uid.as_str())));
            values.push((0x0008_3002, text("UI", &instance.transfer_syntax)));
        }
        values
    }

    fn url(&self, found: &Found) -> String {
        let study = &found.study_uid;
        let mut url = match (&found.series, &found.instance) {
            (Some(series), Some(instance)) => self.urls.instance(study, &series.uid, &instance.uid),
            (Some(series), None) => self.urls.series(study, &series.uid),
            (None, _) => self.urls.study(study),
        };
        if self.shape.named_patient || self.shared.contains(study.as_str()) {
            url.push_str(&patient_query(&found.patient_id));
        }
        url
    }

    /// Cuts the texts of the levels above the answers' own, unless they are those of the last one.
    fn take_upper(&mut self, found: &'a Found) -> Result<(), BadAttributes> {
        let shape = self.shape;
        let asked = !shape.fields.is_empty();
        let study = shape.level != Level::Study && (shape.with_study || asked);
        let series = shape.level == Level::Instance && (shape.with_series || asked);
        let series_text = found.series.as_ref().map_or("", |series| series.attributes.as_str());
        let texts = [
            if study { found.patient.as_str() } else { "" },
            if study { found.study.as_str() } else { "" },
            if series { series_text } else { "" },
        ];
        if self.upper.as_ref().is_some_and(|upper| upper.texts == texts) {
            return Ok(());
        }
        let mut attributes = Vec::new();
        let [patient_text, study_text, series_text] = texts;
        for (text, table, included) in [
            (patient_text, &STUDY[..], shape.with_study),
            (study_text, &STUDY[..], shape.with_study),
            (series_text, &SERIES[..], shape.with_series),
        ] {
            cut(text, table, included, &shape.fields, |tag, text| attributes.push((tag, text)))?;
        }
        self.upper = Some(Upper { texts, attributes });
        Ok(())
    }

    /// Cuts the texts of the answers' own level.
    fn own(
        &self,
        found: &'a Found,
        values: &mut Vec<(u32, Value<'a>)>,
    ) -> Result<(), BadAttributes> {
        let fields = &self.shape.fields;
        let mut keep = |tag, text| values.push((tag, Value::Kept(text)));
        match self.shape.level {
            Level::Study => {
                cut(&found.patient, &STUDY, true, fields, &mut keep)?;
                cut(&found.study, &STUDY, true, fields, &mut keep)
            }
            Level::Series => found
                .series
                .as_ref()
                .map_or(Ok(()), |series| cut(&series.attributes, &SERIES, true, fields, &mut keep)),
            Level::Instance => found.instance.as_ref().map_or(Ok(()), |instance| {
                cut(&instance.attributes, &INSTANCE, true, fields, &mut keep)
            }),
        }
    }

    /// Adds the required attributes as empty; they go again where the object has a value.
    fn required(&self, values: &mut Vec<(u32, Value<'a>)>) {
        let mut add = |table: &'static [Required]| {
            let always = table.iter().filter(|required| required.always);
            values.extend(always.map(|required| (required.tag, Value::Empty(required.vr))));
        };
        if self.shape.with_study {
            add(&STUDY);
        }
        if self.shape.with_series {
            add(&SERIES);
        }
        if self.shape.level == Level::Instance {
            add(&INSTANCE);
        }
    }
}

fn push_all(json: &mut Vec<u8>, parts: &[&str]) {
    for part in parts {
        json.extend_from_slice(part.as_bytes());
    }
}

/// Writes `"GGGGEEEE":`.
fn push_name(json: &mut Vec<u8>, tag: u32) {
    let digit = |place: u32| b"0123456789ABCDEF".get((tag >> (4 * place)) as usize & 15).copied();
    json.push(b'"');
    json.extend((0..8).rev().filter_map(digit));
    json.extend_from_slice(b"\":");
}

/// Study Instance UIDs that more than one patient has among these.
fn shared_uids(found: &[Found]) -> HashSet<&str> {
    let mut patients = HashMap::new();
    found
        .iter()
        .filter(|found| {
            let uid = found.study_uid.as_str();
            *patients.entry(uid).or_insert(&found.patient_id) != &found.patient_id
        })
        .map(|found| found.study_uid.as_str())
        .collect()
}

fn text(vr: &'static str, value: &str) -> Value<'static> {
    Value::Known(vr, quoted(value))
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// Hands over the attributes of a kept text that are required (when the level is `included`) or
/// asked for.
fn cut<'a>(
    text: &'a str,
    table: &[Required],
    included: bool,
    fields: &Fields,
    mut keep: impl FnMut(u32, &'a str),
) -> Result<(), BadAttributes> {
    if text.is_empty() || (!included && fields.is_empty()) {
        return Ok(());
    }
    let attributes: Attributes<'a> = serde_json::from_str(text).map_err(|_| BadAttributes)?;
    for (tag, value) in attributes.0 {
        if (included && requires(table, tag)) || fields.wants(tag) {
            keep(tag, value);
        }
    }
    Ok(())
}

/// Attributes of one JSON object: tag and value text.
struct Attributes<'a>(Vec<(u32, &'a str)>);

impl<'de> Deserialize<'de> for Attributes<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Cut;
        impl<'de> Visitor<'de> for Cut {
            type Value = Attributes<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("DICOM JSON attributes")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut attributes = Vec::with_capacity(32);
                while let Some(key) = map.next_key::<&str>()? {
                    let value: &RawValue = map.next_value()?;
                    if let Ok(tag) = u32::from_str_radix(key, 16) {
                        attributes.push((tag, value.get()));
                    }
                }
                Ok(Attributes(attributes))
            }
        }
        deserializer.deserialize_map(Cut)
    }
}

#[cfg(test)]
mod tests;
