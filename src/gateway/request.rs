//! What the gateway is sent: the JSON of a request and the form it travels in.

use bytes::Bytes;
use serde_json::Value;
use serde_json::json;

use crate::gateway::settings::Settings;
use crate::hl7::cda::document::ClinicalDocument;
use crate::hl7::cda::document::InstanceId;
use crate::model::outbox::Entry;
use crate::people::identifier::Identifier;
use crate::people::identifier::IdentifierKind;

/// A body: a form of one JSON part and one file (RFC 7578), or JSON alone.
#[derive(Debug, Clone)]
pub struct Form {
    /// `Content-Type` of the whole.
    pub content_type: String,
    /// The body.
    pub body: Bytes,
}

impl Form {
    /// The parts `requestBody` and `file`.
    pub fn new(request: &Value, pdf: &[u8]) -> Self {
        // Random: never within the file.
        let boundary = format!("lastra-{}", uuid::Uuid::new_v4().simple());
        let mut body = Vec::with_capacity(pdf.len().saturating_add(4096));
        let head = format!(
            "--{boundary}\r\nContent-Disposition: form-data; name=\"requestBody\"\r\n\
             Content-Type: application/json\r\n\r\n{request}\r\n--{boundary}\r\n\
             Content-Disposition: form-data; name=\"file\"; filename=\"referto.pdf\"\r\n\
             Content-Type: application/pdf\r\n\r\n"
        );
        body.extend_from_slice(head.as_bytes());
        body.extend_from_slice(pdf);
        body.extend_from_slice(format!("\r\n--{boundary}--\r\n").as_bytes());
        let content_type = format!("multipart/form-data; boundary={boundary}");
        Self { content_type, body: body.into() }
    }
}

/// A body of JSON alone.
pub fn plain(request: &Value) -> Form {
    Form { content_type: "application/json".to_owned(), body: request.to_string().into() }
}

/// The request of a validation.
pub fn validation() -> Value {
    json!({ "healthDataFormat": "CDA", "mode": "ATTACHMENT", "activity": "VALIDATION" })
}

/// Rules of access (Affinity Domain): obscured, and shown again.
const OBSCURED: &str = "P99";
const SHOWN_AGAIN: &str = "P00";

/// The request of a publication or replacement; obscured as its confidentiality or somebody wants it.
pub fn publication(
    settings: &Settings,
    entry: &Entry,
    cda: &ClinicalDocument,
    obscured: bool,
) -> Value {
    let progress = &entry.progress;
    let mut request = described(settings, entry, cda);
    request["workflowInstanceId"] = json!(progress.workflow);
    request["healthDataFormat"] = json!("CDA");
    request["mode"] = json!("ATTACHMENT");
    request["identificativoDoc"] = json!(progress.unique_id);
    request["identificativoRep"] = json!(settings.repository);
    // Very restricted documents enter obscured (Affinity Domain, CONF-12).
    if obscured || cda.confidentiality == "V" {
        request["attiCliniciRegoleAccesso"] = json!([OBSCURED]);
    }
    request
}

/// The request of an update of metadata: what a publication says, less file, transaction, document and
/// repository.
pub fn metadata(settings: &Settings, entry: &Entry, cda: &ClinicalDocument) -> Value {
    let mut request = described(settings, entry, cda);
    let rule = if entry.obscured { OBSCURED } else { SHOWN_AGAIN };
    request["attiCliniciRegoleAccesso"] = json!([rule]);
    request
}

fn described(settings: &Settings, entry: &Entry, cda: &ClinicalDocument) -> Value {
    let mut request = json!({
        "tipologiaStruttura": settings.facility,
        "tipoDocumentoLivAlto": "REF",
        "assettoOrganizzativo": settings.practice_setting,
        "tipoAttivitaClinica": settings.activity,
        // One submission a transaction: asked again for the same it is the same.
        "identificativoSottomissione": format!("{}.{}{}", settings.submission_root,
            entry.made_us / 1000, entry.id),
    });
    if let Some(moment) = moment(&cda.service_time) {
        request["dataInizioPrestazione"] = json!(moment);
        request["dataFinePrestazione"] = json!(moment);
    }
    if !settings.administrative_request.is_empty() {
        request["administrativeRequest"] = json!([settings.administrative_request]);
    }
    request
}

/// Whom a report is about, as CX: by codice fiscale, else ENI, STP, ANA.
pub fn person(cda: &ClinicalDocument) -> Option<String> {
    let kinds = [
        IdentifierKind::CodiceFiscale,
        IdentifierKind::Eni,
        IdentifierKind::Stp,
        IdentifierKind::Ana,
    ];
    kinds.into_iter().find_map(|kind| {
        let of_kind = |id: &&InstanceId| {
            Identifier::read(&id.extension, &id.root).is_some_and(|read| read.kind == kind)
        };
        let id = cda.patient.ids.iter().find(of_kind)?;
        Some(format!("{}^^^&{}&ISO", id.extension, id.root))
    })
}

/// `yyyyMMddHHmmss`, where a time is known to the minute.
fn moment(time: &str) -> Option<String> {
    let digits: String = time.chars().take_while(char::is_ascii_digit).take(14).collect();
    match digits.len() {
        14 => Some(digits),
        12 => Some(format!("{digits}00")),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::{moment, person};
    use crate::hl7::cda::document::ClinicalDocument;

    const REPORT: &str = include_str!("../../sample-studies/cda-report/referto.xml");

    #[test]
    fn the_patient_is_named_by_codice_fiscale() {
        let cda = ClinicalDocument::parse(REPORT.as_bytes()).unwrap();
        assert_eq!(
            person(&cda).as_deref(),
            Some("SMPNLC68H61H501I^^^&2.16.840.1.113883.2.9.4.3.2&ISO")
        );
        let local = REPORT.replace(
            "root=\"2.16.840.1.113883.2.9.4.3.2\" extension=\"SMPNLC",
            "root=\"2.25.1\" extension=\"SMPNLC",
        );
        assert_eq!(person(&ClinicalDocument::parse(local.as_bytes()).unwrap()), None);
    }

    #[test]
    fn times_that_are_not_whole_are_left_out() {
        for (time, written) in [
            ("20260302100533+0100", Some("20260302100533")),
            ("202603021005", Some("20260302100500")),
            ("20260302", None),
            ("", None),
        ] {
            assert_eq!(moment(time).as_deref(), written);
        }
    }
}
