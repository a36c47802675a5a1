//! What a document's bytes are, and what they say: CDA, a PDF with a CDA inside, PDF, text.

use std::io::Read;

use flate2::read::ZlibDecoder;

use crate::documents::pdf_text;
use crate::hl7::cda::document::ClinicalDocument;
use crate::hl7::cda::rad;
use crate::hl7::cda::xml::Document as Xml;
use crate::hl7::fhir_report;
use crate::hl7::fhir_report::FhirReport;
use crate::model::document::DocumentKind;
use crate::model::document::DocumentSubject;
use crate::model::document::Reference;
use crate::model::document::ReferenceKind;
use crate::people::identifier::assigner_of;

/// What was found in a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recognised {
    /// What it is.
    pub kind: DocumentKind,
    /// Its media type.
    pub media_type: String,
    /// What the CDA in it says.
    pub cda: Option<Box<ClinicalDocument>>,
    /// What the FHIR report it is says.
    pub fhir: Option<Box<FhirReport>>,
    /// Its text, where it is neither.
    pub text: String,
    /// National rules the CDA breaks; `xml:` and the reason where it could not be read.
    pub findings: String,
}

/// Looks at a document. Whatever it holds, it is kept: what cannot be read says so in `findings`.
pub fn recognise(bytes: &[u8]) -> Recognised {
    let start = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes).trim_ascii_start();
    let wide = bytes.starts_with(b"\xFF\xFE") || bytes.starts_with(b"\xFE\xFF");
    if start.starts_with(b"%PDF") {
        let (cda, findings) = match attachments(bytes).find_map(|xml| read(&xml).ok()) {
            Some((cda, findings)) => (Some(cda), findings),
            None => (None, String::new()),
        };
        let text = if cda.is_none() { pdf_text::text(bytes) } else { String::new() };
        return Recognised { cda, text, findings, ..of(DocumentKind::Pdf, "application/pdf") };
    }
    if start.starts_with(b"<") || wide {
        return match read(bytes) {
            Ok((cda, findings)) => {
                Recognised { cda: Some(cda), findings, ..of(DocumentKind::Cda, "text/xml") }
            }
            Err(reason) => Recognised {
                findings: format!("xml: {reason}"),
                ..of(DocumentKind::Other, "text/xml")
            },
        };
    }
    if start.starts_with(b"{")
        && let Some(report) = fhir_report::read(start)
    {
        let shown = report.pdfs.iter().map(|pdf| pdf_text::text(pdf));
        let text = [report.text.clone()].into_iter().chain(shown).collect::<Vec<_>>().join("\n");
        let fhir = Some(Box::new(report));
        return Recognised { fhir, text, ..of(DocumentKind::Fhir, "application/fhir+json") };
    }
    if bytes.get(128..132) == Some(b"DICM") {
        return of(DocumentKind::Other, "application/dicom");
    }
    match std::str::from_utf8(bytes) {
        Ok(text) => Recognised {
            text: text.to_owned(),
            ..of(DocumentKind::Text, "text/plain; charset=utf-8")
        },
        Err(_) => of(DocumentKind::Other, "application/octet-stream"),
    }
}

/// The CDA inside a PDF.
pub fn cda_within(pdf: &[u8]) -> Option<Vec<u8>> {
    attachments(pdf).find(|xml| read(xml).is_ok())
}

/// A document of which no more is known.
fn of(kind: DocumentKind, media_type: &str) -> Recognised {
    Recognised {
        kind,
        media_type: media_type.to_owned(),
        cda: None,
        fhir: None,
        text: String::new(),
        findings: String::new(),
    }
}

/// Whom a FHIR report says it is about.
pub fn fhir_subject(report: &FhirReport) -> DocumentSubject {
    DocumentSubject {
        identifiers: report.identifiers.clone(),
        name: report.name.clone(),
        birth_date: report.birth_date.clone(),
        sex: report.sex.clone(),
    }
}

/// The numbers by which a FHIR report names its study.
pub fn fhir_references(report: &FhirReport) -> Vec<Reference> {
    let reference = |kind, value: &str, assigner: &str| Reference {
        kind,
        assigner: assigner_of(assigner),
        value: value.to_owned(),
    };
    let studies = report.studies.iter().map(|uid| reference(ReferenceKind::Study, uid, ""));
    let accessions = report.accessions.iter();
    let accessions = accessions.map(|(n, of)| reference(ReferenceKind::Accession, n, of));
    let orders = report.orders.iter().map(|(n, of)| {
        // The national index has another root for prescriptions.
        let of = if NRE_ROOTS.contains(&of.as_str()) { NRE } else { of };
        reference(ReferenceKind::Order, n, of)
    });
    studies.chain(accessions).chain(orders).collect()
}

/// Roots of prescriptions: in CDA, and in the national index.
const NRE_ROOTS: [&str; 2] = [NRE, "2.16.840.1.113883.2.9.4.3.8"];

/// Whom a CDA says it is about.
pub fn subject(cda: &ClinicalDocument) -> DocumentSubject {
    DocumentSubject {
        identifiers: cda.patient.identifiers(),
        name: cda.patient.name(),
        birth_date: cda.patient.birth_date.clone(),
        sex: cda.patient.sex.clone(),
    }
}

/// The numbers by which a CDA names its study: the catalogue's UIDs, accession and order numbers.
/// Vendors write the accession number as one more order id: every one that is no prescription may
/// be it.
pub fn references(cda: &ClinicalDocument) -> Vec<Reference> {
    let studies = cda.studies.iter().map(|study| Reference {
        kind: ReferenceKind::Study,
        assigner: String::new(),
        value: study.uid.clone(),
    });
    let orders = cda.orders.iter().filter(|id| is_number(&id.extension)).map(|id| {
        let (kind, assigner) = if id.is_nre() {
            (ReferenceKind::Order, NRE.to_owned())
        } else {
            (ReferenceKind::Accession, assigner_of(&id.root))
        };
        Reference { kind, assigner, value: id.extension.clone() }
    });
    studies.chain(orders).collect()
}

/// Official samples hold placeholders in brackets.
fn is_number(text: &str) -> bool {
    !text.is_empty() && !text.starts_with('[') && text.chars().any(|c| c.is_ascii_digit())
}

fn read(xml: &[u8]) -> Result<(Box<ClinicalDocument>, String), String> {
    let document = Xml::parse(xml).map_err(|error| error.to_string())?;
    let cda = ClinicalDocument::of(&document).map_err(|error| error.to_string())?;
    let mut rules: Vec<&str> = Vec::new();
    if cda.is_radiology_report() {
        rules.extend(rad::validate(&document).iter().map(|finding| finding.rule));
        rules.dedup();
    }
    Ok((Box::new(cda), rules.join(" ")))
}

/// Files embedded in a PDF, inflated within bounds: streams whose dictionary says `EmbeddedFile`.
/// Dictionaries of streams stand in the clear in every PDF that is not encrypted.
fn attachments(pdf: &[u8]) -> impl Iterator<Item = Vec<u8>> + use<'_> {
    let finder = memchr::memmem::find_iter(pdf, b"/EmbeddedFile");
    let mut left = MOST_INFLATED;
    finder.take(MOST_ATTACHMENTS).filter_map(move |at| {
        // `/EmbeddedFiles` is the list of names.
        let after = pdf.get(at..)?.get(b"/EmbeddedFile".len()..)?;
        if after.first().is_none_or(u8::is_ascii_alphanumeric) {
            return None;
        }
        let dictionary_end = memchr::memmem::find(after, b"stream").filter(|end| *end < 4096)?;
        let start = memchr::memmem::rfind(pdf.get(..at)?, b"obj").unwrap_or(0);
        let dictionary_before = pdf.get(start.max(at.saturating_sub(4096))..at)?;
        let dictionary_after = after.get(..dictionary_end)?;
        let has = |word: &[u8]| {
            [dictionary_before, dictionary_after]
                .iter()
                .any(|part| memchr::memmem::find(part, word).is_some())
        };
        let body = after.get(dictionary_end..)?.strip_prefix(b"stream")?;
        let body = body.strip_prefix(b"\r\n").or_else(|| body.strip_prefix(b"\n")).unwrap_or(body);
        let end = memchr::memmem::find(body, b"endstream").unwrap_or(body.len());
        let body = body.get(..end)?;
        let bytes = if has(b"/FlateDecode") {
            let mut bytes = Vec::new();
            let limit = u64::try_from(left).unwrap_or(0);
            // What was inflated before damage or the limit is looked at all the same.
            let _ = ZlibDecoder::new(body).take(limit).read_to_end(&mut bytes);
            bytes
        } else {
            body.get(..body.len().min(left))?.to_vec()
        };
        left = left.saturating_sub(bytes.len());
        Some(bytes)
    })
}

/// The one root prescriptions are compared under.
pub(in crate::fascicolo) const NRE: &str = "2.16.840.1.113883.2.9.4.3.9";

const MOST_ATTACHMENTS: usize = 16;
/// Bytes all attachments of a PDF may inflate to.
const MOST_INFLATED: usize = 32 * 1024 * 1024;

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::ZlibEncoder;

    use super::{recognise, references};
    use crate::model::document::DocumentKind;
    use crate::model::document::ReferenceKind;

    const REPORT: &str = include_str!("../../sample-studies/cda-report/referto.xml");

    fn deflated(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = ZlibEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn pdf(dictionary: &str, body: &[u8]) -> Vec<u8> {
        let head = format!(
            "%PDF-1.7\n1 0 obj <</Names<</EmbeddedFiles 2 0 R>>>> endobj\n5 0 obj <<{dictionary}>> stream\r\n"
        );
        [head.as_bytes(), body, b"\nendstream endobj\n%%EOF"].concat()
    }

    #[test]
    fn requirement_34_a_report_is_found_in_a_pdf_plain_or_deflated() {
        for bytes in [
            pdf("/Type /EmbeddedFile /Length 1", REPORT.as_bytes()),
            pdf("/Type/EmbeddedFile/Filter/FlateDecode/Length 1", &deflated(REPORT.as_bytes())),
            pdf("/Filter /FlateDecode /Type /EmbeddedFile", &deflated(REPORT.as_bytes())),
        ] {
            let found = recognise(&bytes);
            assert_eq!(found.kind, DocumentKind::Pdf);
            assert_eq!(found.cda.unwrap().id.extension, "PROVA.RX2600417.1");
        }
    }

    #[test]
    fn a_pdf_bomb_is_a_pdf_without_a_report() {
        let bomb = deflated(&vec![b'a'; 200 * 1024 * 1024]);
        let found = recognise(&pdf("/Type /EmbeddedFile /Filter /FlateDecode", &bomb));
        assert_eq!((found.kind, found.cda), (DocumentKind::Pdf, None));
    }

    #[test]
    fn other_bytes_are_kept_as_what_they_are() {
        for (bytes, kind, media_type) in [
            (REPORT.as_bytes(), DocumentKind::Cda, "text/xml"),
            (b"<a/>", DocumentKind::Other, "text/xml"),
            (b"<!DOCTYPE a []><a/>", DocumentKind::Other, "text/xml"),
            (b"Referto", DocumentKind::Text, "text/plain; charset=utf-8"),
            (b"\xFF\x00", DocumentKind::Other, "application/octet-stream"),
            (b"", DocumentKind::Text, "text/plain; charset=utf-8"),
        ] {
            let found = recognise(bytes);
            assert_eq!((found.kind, found.media_type.as_str()), (kind, media_type));
        }
        assert!(recognise(b"<!DOCTYPE a []><a/>").findings.contains("DTD"));
        let spoilt = REPORT.replace("<realmCode code=\"IT\"/>", "");
        assert_eq!(recognise(spoilt.as_bytes()).findings, "ERRORE-1 ERRORE-2");
    }

    #[test]
    fn requirement_8_a_report_names_its_study_by_uid_accession_and_prescription() {
        let references = references(&recognise(REPORT.as_bytes()).cda.unwrap());
        let kinds: Vec<ReferenceKind> = references.iter().map(|reference| reference.kind).collect();
        assert_eq!(kinds, [ReferenceKind::Study, ReferenceKind::Order, ReferenceKind::Accession]);
        assert_eq!(references[2].value, "RX2600417");
    }
}
