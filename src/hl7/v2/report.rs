//! Results: ORU^R01 with reports as text or as a document inside (HL7 v2.5.1 §7).

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::hl7::v2::adt::MessagePatient;
use crate::hl7::v2::header::Header;
use crate::hl7::v2::message::Message;
use crate::hl7::v2::message::Segment;
use crate::hl7::v2::order::Order;
use crate::hl7::v2::order::is_uid;

/// A result message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResultMessage {
    /// Whom it is about.
    pub patient: MessagePatient,
    /// The reports in it.
    pub reports: Vec<Report>,
}

/// One report.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Report {
    /// The order it answers.
    pub order: Order,
    /// OBR-25: `P` preliminary, `F` final, `C` corrected, `X` cancelled.
    pub status: String,
    /// Code of the report or procedure (OBR-4.1).
    pub code: String,
    /// Its text, a line an OBX.
    pub text: String,
    /// Documents inside.
    pub documents: Vec<Enclosed>,
    /// Studies it names (OBX 113014 of DCM, or the order's).
    pub studies: Vec<String>,
}

/// A document inside a message (ED).
#[derive(Clone, PartialEq, Eq)]
pub struct Enclosed {
    /// `application/pdf`, `text/xml` …
    pub media_type: String,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

/// Why a message is no result to be taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReportError {
    /// Not ORU^R01.
    #[error("MSH-9 is no result message: ORU^R01 is taken")]
    OtherKind,
    /// No PID.
    #[error("segment PID is missing")]
    NoPatient,
    /// No OBR.
    #[error("segment OBR is missing")]
    NoReport,
    /// An enclosed document that does not decode.
    #[error("OBX-5 of report {0} holds no document in base64 or hexadecimal")]
    Enclosed(usize),
}

impl ResultMessage {
    /// Reads a result message.
    pub fn of(message: &Message, header: &Header) -> Result<Self, ReportError> {
        if (header.kind.as_str(), header.trigger.as_str()) != ("ORU", "R01") {
            return Err(ReportError::OtherKind);
        }
        let pid = message.segment("PID").ok_or(ReportError::NoPatient)?;
        let groups = groups(message);
        if groups.is_empty() {
            return Err(ReportError::NoReport);
        }
        let reports = groups.iter().enumerate().map(|(number, group)| {
            report(group).ok_or(ReportError::Enclosed(number.saturating_add(1)))
        });
        Ok(Self { patient: MessagePatient::of(pid), reports: reports.collect::<Result<_, _>>()? })
    }
}

/// Reports do not belong into logs.
impl fmt::Debug for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Report({}, {} bytes, {:?})", self.status, self.text.len(), self.documents)
    }
}

impl fmt::Debug for Enclosed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Enclosed({}, {} bytes)", self.media_type, self.bytes.len())
    }
}

/// The segments of each report: an OBR with the ORC before it and what follows.
fn groups(message: &Message) -> Vec<Vec<Segment<'_>>> {
    let mut groups: Vec<Vec<Segment<'_>>> = Vec::new();
    let mut before = None;
    for segment in message.segments() {
        match segment.name() {
            "ORC" => before = Some(segment),
            "OBR" => groups.push(before.take().into_iter().chain([segment]).collect()),
            _ => {
                if let Some(group) = groups.last_mut() {
                    group.push(segment);
                }
            }
        }
    }
    groups
}

fn report(group: &[Segment<'_>]) -> Option<Report> {
    let order = Order::of(group);
    let obr = group.iter().find(|segment| segment.name() == "OBR")?;
    let mut report = Report { status: obr.text(25), code: obr.text(4), ..Report::default() };
    if !order.study_uid.is_empty() {
        report.studies.push(order.study_uid.clone());
    }
    report.order = order;
    for obx in group.iter().filter(|segment| segment.name() == "OBX") {
        observation(*obx, &mut report)?;
    }
    Some(report)
}

fn observation(obx: Segment<'_>, report: &mut Report) -> Option<()> {
    let (kind, code, system) = (obx.text(2), obx.text(3), obx.component(3, 3));
    if kind == "ED" {
        report.documents.push(enclosed(obx)?);
        return Some(());
    }
    let lines: Vec<String> = obx
        .repetitions(5)
        .map(|line| if kind == "CE" || kind == "CWE" { line.component(2) } else { line.whole() })
        .collect();
    let text = lines.join("\n");
    if code == "113014" && system == "DCM" {
        let uid = text.trim().to_owned();
        if is_uid(&uid) && !report.studies.contains(&uid) && report.studies.len() < MOST_STUDIES {
            report.studies.push(uid);
        }
    } else if matches!(kind.as_str(), "TX" | "FT" | "ST" | "CE" | "CWE") && !text.is_empty() {
        if !report.text.is_empty() {
            report.text.push('\n');
        }
        report.text.push_str(&text);
    }
    Some(())
}

/// Reads an ED: source, type, subtype, encoding, data.
fn enclosed(obx: Segment<'_>) -> Option<Enclosed> {
    let value = obx.repetitions(5).next()?;
    let (kind, subtype) = (value.component(2).to_lowercase(), value.component(3).to_lowercase());
    let data = value.raw_component(5);
    let bytes = match value.component(4).to_ascii_uppercase().as_str() {
        "BASE64" => {
            let clean: Vec<u8> = data.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
            // Line breaks written as escapes, as some senders do.
            let clean = if clean.contains(&b'\\') {
                let text = value.component(5);
                text.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect()
            } else {
                clean
            };
            STANDARD.decode(clean).ok()?
        }
        "HEX" => hex(data)?,
        _ => value.component(5).into_bytes(),
    };
    let media_type = match (kind.as_str(), subtype.as_str()) {
        (_, "pdf") => "application/pdf".to_owned(),
        (_, "xml" | "x-hl7-cda-level-one" | "x-cda-r2+xml") => "text/xml".to_owned(),
        (kind, "") => kind.to_owned(),
        (kind, subtype) => format!("{kind}/{subtype}"),
    };
    Some(Enclosed { media_type, bytes })
}

fn hex(text: &str) -> Option<Vec<u8>> {
    let digits: Vec<u8> = text.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
    digits
        .chunks(2)
        .map(|pair| {
            let pair = std::str::from_utf8(pair).ok().filter(|pair| pair.len() == 2)?;
            u8::from_str_radix(pair, 16).ok()
        })
        .collect()
}

/// Studies of one report kept.
const MOST_STUDIES: usize = 1000;

#[cfg(test)]
mod tests {
    use super::{ReportError, ResultMessage};
    use crate::hl7::v2::header::Header;
    use crate::hl7::v2::message::Message;

    fn read(rest: &str) -> Result<ResultMessage, ReportError> {
        let text = format!("MSH|^~\\&|RIS|OSP|LASTRA|PACS|20260302||ORU^R01|1|P|2.5\r{rest}");
        let message = Message::parse(text.as_bytes()).unwrap();
        ResultMessage::of(&message, &Header::of(&message).unwrap())
    }

    #[test]
    fn a_report_gives_its_text_its_documents_and_the_studies_it_names() {
        let message = read(
            "PID|1||P1^^^OSP\rORC|RE|120|F1\rOBR|1|120|F1|87.44^RX torace||||||||||||||RX1|||||||F\r\
             OBX|1|TX|18782-3^Referto^LN||Prima riga.~Seconda \\T\\ riga.\rOBX|2|FT|||Conclusioni.\r\
             OBX|3|ED|PDF^Referto||^application^pdf^Base64^JVBERi0xLjQK\r\
             OBX|4|ST|113014^DICOM Study^DCM||1.2.3.4\rOBX|5|HD|||x\r",
        )
        .unwrap();
        let [report] = message.reports.as_slice() else { panic!("{message:?}") };
        assert_eq!(report.text, "Prima riga.\nSeconda & riga.\nConclusioni.");
        assert_eq!((report.status.as_str(), report.code.as_str()), ("F", "87.44"));
        assert_eq!(report.studies, ["1.2.3.4"]);
        assert_eq!(report.documents[0].media_type, "application/pdf");
        assert_eq!(report.documents[0].bytes, b"%PDF-1.4\n");
        assert_eq!(report.order.accession.as_ref().map(|a| a.value.as_str()), Some("RX1"));
    }

    #[test]
    fn several_reports_are_told_apart_and_broken_ones_named() {
        let two = "PID|1\rOBR|1|1||A\rOBX|1|TX|||a\rORC|RE|2\rOBR|2|2||B\rOBX|1|TX|||b";
        let message = read(two).unwrap();
        let texts: Vec<&str> = message.reports.iter().map(|r| r.text.as_str()).collect();
        assert_eq!(texts, ["a", "b"]);
        assert_eq!(message.reports[1].order.control, "RE");
        for (rest, error) in [
            ("OBR|1", ReportError::NoPatient),
            ("PID|1", ReportError::NoReport),
            ("PID|1\rOBR|1\rOBX|1|ED|||^a^pdf^Base64^%%%", ReportError::Enclosed(1)),
            ("PID|1\rOBR|1\rOBX|1|ED|||^a^pdf^Hex^0", ReportError::Enclosed(1)),
        ] {
            assert_eq!(read(rest), Err(error), "{rest}");
        }
    }
}
