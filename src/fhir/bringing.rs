//! What a transaction brings, worked out of its bundle: no I/O, nothing kept yet.

use std::borrow::Cow;

use axum::http::StatusCode;
use serde::Deserialize;

use crate::fascicolo::intake::Described;
use crate::fhir::kind::Kind;
use crate::fhir::outcome::Refusal;
use crate::fhir::tokens::{id_in, uid};
use crate::fhir::transaction::{
    AnyIn, AttachmentIn, BinaryIn, BundleIn, EntryIn, IdentifierIn, NamedIn, ReferenceIn, ReportIn,
};
use crate::fhir::values::{DICOM_UID, REPORT_EU, assigner_in, joined};
use crate::model::document::REPORT_TYPES;
use crate::model::document::{DocumentSubject, Reference, ReferenceKind};
use crate::model::ids;
use crate::people::identifier::Identifier;

/// The issuers of electronic prescriptions, as CDA and the national index name them.
const PRESCRIPTIONS: [&str; 2] = ["2.16.840.1.113883.2.9.4.3.9", "2.16.840.1.113883.2.9.4.3.8"];
/// Status of a report that is kept.
const KEPT: [&str; 5] = ["preliminary", "final", "amended", "corrected", "appended"];

/// What is to be kept.
#[derive(Debug, Clone)]
pub struct Bringing<'a> {
    /// The report's entry.
    pub entry: usize,
    /// The types of all entries.
    pub kinds: Vec<String>,
    /// Whether it is kept only when none of its identifier is.
    pub only_new: bool,
    /// The person it is about, when it refers to one that is here.
    pub person: Option<i64>,
    /// Whom it says it is about.
    pub subject: DocumentSubject,
    /// The numbers it names.
    pub references: Vec<Reference>,
    /// Its title.
    pub title: String,
    /// Date of the examination, `YYYYMMDD`.
    pub service_date: String,
    /// What it is.
    pub described: Described,
    /// The document's media type.
    pub media_type: String,
    /// The document, base64.
    pub data: Cow<'a, str>,
    /// Where the document stands in the bundle.
    pub place: String,
}

impl Bringing<'_> {
    /// The same without its document.
    #[must_use]
    pub fn without_data(self) -> Bringing<'static> {
        Bringing {
            entry: self.entry,
            kinds: self.kinds,
            only_new: self.only_new,
            person: self.person,
            subject: self.subject,
            references: self.references,
            title: self.title,
            service_date: self.service_date,
            described: self.described,
            media_type: self.media_type,
            data: Cow::Borrowed(""),
            place: self.place,
        }
    }
}

/// A bundle's entries, by what they are.
struct Entries<'a> {
    all: Vec<(EntryIn<'a>, String)>,
}

/// Reads a transaction.
pub fn read(bytes: &[u8]) -> Result<Bringing<'_>, Refusal> {
    let bundle: BundleIn<'_> = serde_json::from_slice(bytes).map_err(|error| malformed(&error))?;
    if bundle.resource_type != "Bundle" {
        return Err(Refusal::element("Bundle", "send a Bundle"));
    }
    if bundle.kind != "transaction" {
        return Err(Refusal::element("Bundle.type", "only transaction is taken"));
    }
    let mut all = Vec::with_capacity(bundle.entry.0.len());
    for (number, entry) in bundle.entry.0.into_iter().enumerate() {
        let raw = entry.resource.map_or("{}", |raw| raw.get());
        let any: AnyIn<'_> = of_entry(raw, number)?;
        let kind = any.resource_type.into_owned();
        if !TAKEN.contains(&kind.as_str()) {
            let says = format!("taken are {}", TAKEN.join(", "));
            return Err(Refusal::element(format!("Bundle.entry[{number}].resource"), says));
        }
        if !matches!(&*entry.request.method, "POST" | "PUT") {
            let place = format!("Bundle.entry[{number}].request.method");
            return Err(Refusal::element(place, "POST, or PUT with the identifier it has"));
        }
        all.push((entry, kind));
    }
    Entries { all }.bringing()
}

/// What may stand in a bundle.
const TAKEN: [&str; 8] = [
    "DiagnosticReport",
    "Patient",
    "Binary",
    "ImagingStudy",
    "ServiceRequest",
    "Organization",
    "Practitioner",
    "PractitionerRole",
];

/// What cannot be read, and where: never what stands there.
fn malformed(error: &serde_json::Error) -> Refusal {
    let says = format!(
        "the body is no JSON of a Bundle, or a list in it is too long: line {}, column {}",
        error.line(),
        error.column()
    );
    Refusal::new(StatusCode::BAD_REQUEST, "structure", says)
}

fn of_entry<'a, T: Deserialize<'a>>(raw: &'a str, number: usize) -> Result<T, Refusal> {
    serde_json::from_str(raw).map_err(|error| {
        let says = format!(
            "not of the form of its type: line {}, column {}",
            error.line(),
            error.column()
        );
        Refusal::element(format!("Bundle.entry[{number}].resource"), says)
    })
}

impl<'a> Entries<'a> {
    fn bringing(self) -> Result<Bringing<'a>, Refusal> {
        let mut reports =
            self.all.iter().enumerate().filter(|(_, (_, kind))| kind == "DiagnosticReport");
        let (Some((entry, _)), None) = (reports.next(), reports.next()) else {
            return Err(Refusal::element("Bundle.entry", "send one DiagnosticReport a bundle"));
        };
        let report: ReportIn<'a> = of_entry(self.raw(entry), entry)?;
        let at = |element: &str| format!("Bundle.entry[{entry}].resource.{element}");
        if !KEPT.contains(&&*report.status) {
            return Err(Refusal::element(at("status"), format!("one of {}", KEPT.join(", "))));
        }
        let own =
            report.identifier.0.iter().find(|id| !id.system.is_empty() && !id.value.is_empty());
        let own = own.ok_or_else(|| {
            let says = "give one with system and value, so that sending it again changes nothing";
            Refusal::element(at("identifier"), says)
        })?;
        let (person, subject) = self.subject(&report, &at("subject"))?;
        let (place, form) = self.form(&report, entry)?;
        let done = [&report.effective_date_time, &report.effective_period.start];
        let done = done.into_iter().find(|text| !text.is_empty()).map(|text| day(text));
        let coded =
            report.code.coding.0.iter().find(|coding| REPORT_TYPES.contains(&&*coding.code));
        let titles = [&report.code.text, &form.title].into_iter().map(ToString::to_string);
        let displays = report.code.coding.0.iter().map(|coding| coding.display.to_string());
        Ok(Bringing {
            entry,
            kinds: self.all.iter().map(|(_, kind)| kind.clone()).collect(),
            only_new: self.all.get(entry).is_some_and(|(e, _)| !e.request.if_none_exist.is_empty()),
            person,
            subject,
            references: self.references(&report),
            title: titles.chain(displays).find(|title| !title.is_empty()).unwrap_or_default(),
            service_date: done.unwrap_or_default(),
            described: Described {
                set_id: joined(&own.system, &own.value),
                type_code: coded
                    .map_or_else(|| REPORT_EU.to_owned(), |coding| coding.code.to_string()),
                effective: hl7_time(&report.issued),
                text: report.conclusion.to_string(),
            },
            media_type: form.content_type.to_string(),
            data: form.data,
            place,
        })
    }

    fn raw(&self, number: usize) -> &'a str {
        let entry = self.all.get(number);
        entry.and_then(|(entry, _)| entry.resource).map_or("{}", |raw| raw.get())
    }

    /// The entry something refers to.
    fn referred(&self, reference: &str) -> Option<usize> {
        (!reference.is_empty())
            .then(|| self.all.iter().position(|(entry, _)| entry.full_url == reference))
            .flatten()
    }

    /// What a reference says by identifiers: its own, of an entry, or of what the report contains.
    fn named(&self, reference: &ReferenceIn<'a>, report: &ReportIn<'a>) -> Option<NamedIn<'a>> {
        if let Some(number) = self.referred(&reference.reference) {
            return of_entry(self.raw(number), number).ok();
        }
        let within = reference.reference.strip_prefix('#')?;
        let found = report.contained.0.iter().find(|raw| {
            serde_json::from_str::<AnyIn<'_>>(raw.get()).is_ok_and(|any| any.id == within)
        })?;
        serde_json::from_str(found.get()).ok()
    }

    /// Whom it is about.
    fn subject(
        &self,
        report: &ReportIn<'a>,
        at: &str,
    ) -> Result<(Option<i64>, DocumentSubject), Refusal> {
        let says = "name the person: by identifier, by a Patient of the bundle, or by Patient/id";
        let subject = &report.subject;
        if let Some(named) = self.named(subject, report) {
            return Ok((None, about(&named)));
        }
        if let Some(identifier) = &subject.identifier {
            let identifiers = person_identifier(identifier).into_iter().collect();
            return Ok((None, DocumentSubject { identifiers, ..DocumentSubject::default() }));
        }
        if let Some((_, search)) = subject.reference.split_once("?identifier=") {
            let (system, value) = search.split_once('|').unwrap_or(("", search));
            let decoded = percent_encoding::percent_decode_str(value).decode_utf8_lossy();
            let identifiers =
                Identifier::read(&decoded, &assigner_in(system)).into_iter().collect();
            return Ok((None, DocumentSubject { identifiers, ..DocumentSubject::default() }));
        }
        let row = id_in(&subject.reference, Kind::Patient).and_then(ids::person);
        match row {
            Some(row) if !subject.reference.is_empty() => {
                Ok((Some(row), DocumentSubject::default()))
            }
            _ => Err(Refusal::element(at, says)),
        }
    }

    /// The document: within the report, or a Binary of the bundle.
    fn form(
        &self,
        report: &ReportIn<'a>,
        entry: usize,
    ) -> Result<(String, AttachmentIn<'a>), Refusal> {
        let place = format!("Bundle.entry[{entry}].resource.presentedForm");
        let [form] = report.presented_form.0.as_slice() else {
            return Err(Refusal::element(place, "give one document, its PDF or CDA"));
        };
        if !form.data.is_empty() {
            return Ok((format!("{place}[0].data"), form.clone()));
        }
        let Some(number) = self.referred(&form.url) else {
            let says = "give its data, or the fullUrl of a Binary of the bundle as its url";
            return Err(Refusal::element(format!("{place}[0]"), says));
        };
        let binary: BinaryIn<'a> = of_entry(self.raw(number), number)?;
        let given = [&form.content_type, &binary.content_type];
        let media = given.into_iter().find(|media| !media.is_empty()).cloned().unwrap_or_default();
        let form = AttachmentIn { content_type: media, data: binary.data, ..form.clone() };
        Ok((format!("Bundle.entry[{number}].resource.data"), form))
    }

    /// The numbers it names.
    fn references(&self, report: &ReportIn<'a>) -> Vec<Reference> {
        let mut numbers = Vec::new();
        for study in &report.imaging_study.0 {
            let own = id_in(&study.reference, Kind::ImagingStudy).and_then(ids::study);
            let known = self.referred(&study.reference).is_none();
            numbers.extend(own.filter(|_| known).map(study_reference));
            let named = self.named(study, report).unwrap_or_default();
            let ids = named.identifier.0.iter().chain(&study.identifier);
            numbers.extend(ids.filter_map(number));
        }
        for order in &report.based_on.0 {
            let named = self.named(order, report).unwrap_or_default();
            let ids = named.identifier.0.iter().chain(&order.identifier);
            numbers.extend(ids.filter_map(number));
        }
        numbers.sort();
        numbers.dedup();
        numbers
    }
}

fn study_reference(value: String) -> Reference {
    Reference { kind: ReferenceKind::Study, assigner: String::new(), value }
}

/// An identifier of a study or an order as a number documents are linked by.
fn number(identifier: &IdentifierIn<'_>) -> Option<Reference> {
    if identifier.value.is_empty() {
        return None;
    }
    if identifier.system == DICOM_UID || identifier.value.starts_with("urn:oid:") {
        return uid(&identifier.value).map(study_reference);
    }
    let assigner = assigner_in(&identifier.system);
    let is_placer = identifier.kind.coding.0.iter().any(|coding| coding.code == "PLAC");
    let (kind, assigner) = if PRESCRIPTIONS.contains(&assigner.as_str()) {
        (
            ReferenceKind::Order,
            PRESCRIPTIONS.first().map(|oid| (*oid).to_owned()).unwrap_or_default(),
        )
    } else if is_placer {
        (ReferenceKind::Order, assigner)
    } else {
        (ReferenceKind::Accession, crate::people::identifier::assigner_of(&assigner))
    };
    Some(Reference { kind, assigner, value: identifier.value.to_string() })
}

fn person_identifier(identifier: &IdentifierIn<'_>) -> Option<Identifier> {
    Identifier::read(&identifier.value, &assigner_in(&identifier.system))
}

fn about(named: &NamedIn<'_>) -> DocumentSubject {
    let sex = match &*named.gender {
        "male" => "M",
        "female" => "F",
        "other" => "O",
        _ => "",
    };
    DocumentSubject {
        identifiers: named.identifier.0.iter().filter_map(person_identifier).collect(),
        name: named.dicom_name(),
        birth_date: day(&named.birth_date),
        sex: sex.to_owned(),
    }
}

/// `YYYYMMDD` of a date as FHIR writes it.
fn day(text: &str) -> String {
    let day = text.split('T').next().unwrap_or_default();
    day.chars().filter(char::is_ascii_digit).take(8).collect()
}

/// A time as HL7 writes it, of one as FHIR does.
fn hl7_time(text: &str) -> String {
    let Some((day_part, rest)) = text.split_once('T') else { return day(text) };
    let at = rest.find(['Z', '+', '-']).unwrap_or(rest.len());
    let (clock, zone) = rest.split_at_checked(at).unwrap_or((rest, ""));
    let digits = |text: &str| text.chars().filter(char::is_ascii_digit).collect::<String>();
    let clock: String = digits(clock.split('.').next().unwrap_or_default());
    let zone = match zone.get(..1) {
        Some("Z") => "+0000".to_owned(),
        Some(sign) => format!("{sign}{}", digits(zone)),
        None => String::new(),
    };
    format!("{}{clock}{zone}", day(day_part))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{hl7_time, read};
    use crate::model::document::ReferenceKind;

    const BUNDLE: &str = r#"{"resourceType":"Bundle","type":"transaction","entry":[
      {"fullUrl":"urn:uuid:1","resource":{"resourceType":"Patient","gender":"female",
        "birthDate":"1968-06-21","name":[{"family":"Campione","given":["Anna"]}],
        "identifier":[{"system":"urn:oid:2.16.840.1.113883.2.9.4.3.2","value":"SMPNLC68H61H501I"}]},
        "request":{"method":"POST","url":"Patient"}},
      {"fullUrl":"urn:uuid:2","resource":{"resourceType":"Binary","contentType":"application/pdf",
        "data":"JVBERg=="},"request":{"method":"POST","url":"Binary"}},
      {"resource":{"resourceType":"DiagnosticReport","status":"final",
        "identifier":[{"system":"urn:oid:2.25.1","value":"R1"}],
        "code":{"coding":[{"system":"http://loinc.org","code":"68604-8"}],"text":"Torace"},
        "subject":{"reference":"urn:uuid:1"},"effectiveDateTime":"2026-03-01T10:00:00+01:00",
        "issued":"2026-03-01T11:00:00.5+01:00",
        "imagingStudy":[{"identifier":{"system":"urn:dicom:uid","value":"urn:oid:1.2.3"}}],
        "basedOn":[{"identifier":{"system":"urn:oid:2.16.840.1.113883.2.9.4.3.8","value":"1200A"}},
          {"identifier":{"system":"urn:oid:2.25.6636","value":"RX1"}}],
        "presentedForm":[{"url":"urn:uuid:2"}]},
        "request":{"method":"POST","url":"DiagnosticReport"}}]}"#;

    #[test]
    fn a_report_is_read_with_its_person_its_document_and_its_numbers() {
        let bringing = read(BUNDLE.as_bytes()).unwrap();
        assert_eq!(bringing.described.set_id, "2.25.1^R1");
        assert_eq!(bringing.described.type_code, "68604-8");
        assert_eq!(bringing.described.effective, "20260301110000+0100");
        assert_eq!(
            (bringing.service_date.as_str(), bringing.title.as_str()),
            ("20260301", "Torace")
        );
        assert_eq!(bringing.subject.name, "Campione^Anna");
        assert_eq!(bringing.subject.birth_date, "19680621");
        assert!(bringing.subject.identifiers[0].identifies());
        let kinds: Vec<ReferenceKind> = bringing.references.iter().map(|r| r.kind).collect();
        let expected = [ReferenceKind::Study, ReferenceKind::Accession, ReferenceKind::Order];
        assert_eq!(kinds, expected);
        assert_eq!((&*bringing.data, bringing.entry), ("JVBERg==", 2));
    }

    #[test]
    fn what_is_missing_is_named_with_its_remedy() {
        for (from, to, about) in [
            (r#""type":"transaction""#, r#""type":"batch""#, "Bundle.type"),
            (r#""status":"final""#, r#""status":"cancelled""#, "Bundle.entry[2].resource.status"),
            (r#""value":"R1""#, r#""value":"""#, "Bundle.entry[2].resource.identifier"),
            ("{\"reference\":\"urn:uuid:1\"}", "{}", "Bundle.entry[2].resource.subject"),
            (r#"[{"url":"urn:uuid:2"}]"#, "[]", "Bundle.entry[2].resource.presentedForm"),
            (r#"{"url":"urn:uuid:2"}"#, "{}", "Bundle.entry[2].resource.presentedForm[0]"),
            (r#""Binary","contentType""#, r#""Device","contentType""#, "Bundle.entry[1].resource"),
            (r#""resourceType":"Patient""#, r#""resourceType":"DiagnosticReport""#, "Bundle.entry"),
            (
                r#"{"method":"POST","url":"Patient"}"#,
                r#"{"method":"DELETE"}"#,
                "Bundle.entry[0].request.method",
            ),
        ] {
            let changed = BUNDLE.replace(from, to);
            assert_ne!(changed, BUNDLE, "{from}");
            let refused = read(changed.as_bytes()).unwrap_err();
            assert_eq!(refused.about.as_deref(), Some(about), "{}", refused.says);
            assert_eq!(refused.status.as_u16(), 422);
        }
        assert_eq!(read(b"{").unwrap_err().status.as_u16(), 400);
    }

    #[test]
    fn times_are_written_as_hl7_has_them() {
        for (text, expected) in
            [("2026-03-01T11:00:00Z", "20260301110000+0000"), ("2026-03-01", "20260301"), ("", "")]
        {
            assert_eq!(hl7_time(text), expected, "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_text_panics(text in ".*", at in 0usize..1800, cut in 0usize..40) {
            let _ = (hl7_time(&text), read(text.as_bytes()));
            let mut spoilt = BUNDLE.as_bytes().to_vec();
            let end = at.saturating_add(cut).min(spoilt.len());
            spoilt.splice(at.min(end)..end, text.bytes());
            let _ = read(&spoilt);
        }
    }
}
