//! Values as FHIR writes them: dates of DICOM and HL7, identifiers, codings, names.

use serde_json::Map;
use serde_json::Value;
use serde_json::json;

use crate::model::document::Reference;
use crate::model::document::ReferenceKind;

/// DICOM's terms (PS3.16).
pub const DCM: &str = "http://dicom.nema.org/resources/ontology/DCM";
/// LOINC.
pub const LOINC: &str = "http://loinc.org";
/// Kinds of identifier (HL7 v2 table 0203).
pub const IDENTIFIER_TYPE: &str = "http://terminology.hl7.org/CodeSystem/v2-0203";
/// Diagnostic services (HL7 v2 table 0074).
pub const SERVICE: &str = "http://terminology.hl7.org/CodeSystem/v2-0074";
/// SNOMED CT.
pub const SNOMED: &str = "http://snomed.info/sct";
/// The system of UIDs in FHIR (FHIR R4 ImagingStudy, notes).
pub const DICOM_UID: &str = "urn:dicom:uid";
/// The system of URIs.
pub const URI: &str = "urn:ietf:rfc:3986";
/// Radiology report, as the national index has it.
pub const REPORT_IT: &str = "68604-8";
/// Diagnostic imaging report, as the European profiles have it.
pub const REPORT_EU: &str = "85430-7";

/// Leaves out what is null or empty, all the way down; our own values are no deeper than written.
#[must_use]
pub fn pruned(value: Value) -> Value {
    let kept = |value: &Value| match value {
        Value::Null => false,
        Value::String(text) => !text.is_empty(),
        Value::Array(items) => !items.is_empty(),
        Value::Object(members) => !members.is_empty(),
        _ => true,
    };
    match value {
        Value::Array(items) => items.into_iter().map(pruned).filter(kept).collect(),
        Value::Object(members) => {
            let members = members.into_iter().map(|(name, value)| (name, pruned(value)));
            Value::Object(members.filter(|(_, value)| kept(value)).collect::<Map<_, _>>())
        }
        other => other,
    }
}

/// A coding.
pub fn coding(system: &str, code: &str, display: &str) -> Value {
    json!({ "system": system, "code": code, "display": display })
}

/// A concept of one coding.
pub fn concept(system: &str, code: &str, display: &str) -> Value {
    json!({ "coding": [coding(system, code, display)] })
}

/// A reference.
pub fn reference(kind: &str, id: &str) -> Value {
    json!({ "reference": format!("{kind}/{id}") })
}

/// The system of an issuer's numbers: its OID, else a name of ours for its name. Empty: none.
pub fn system_of(assigner: &str) -> String {
    let is_oid =
        assigner.contains('.') && assigner.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    if assigner.is_empty() {
        String::new()
    } else if is_oid {
        format!("urn:oid:{assigner}")
    } else if assigner.contains(':') {
        assigner.to_owned()
    } else {
        let set = percent_encoding::NON_ALPHANUMERIC;
        format!("{ISSUER}{}", percent_encoding::utf8_percent_encode(assigner, set))
    }
}

/// The issuer a system is of.
pub fn assigner_in(system: &str) -> String {
    if let Some(name) = system.strip_prefix(ISSUER) {
        return percent_encoding::percent_decode_str(name).decode_utf8_lossy().into_owned();
    }
    system.strip_prefix("urn:oid:").unwrap_or(system).to_owned()
}

/// Before the name of an issuer that has no OID.
const ISSUER: &str = "urn:lastra:issuer:";

/// Study Instance UID as an identifier (HL7 Europe imaging: typed DCM 110180).
pub fn study_uid(uid: &str) -> Value {
    json!({
        "type": concept(DCM, "110180", "Study Instance UID"),
        "system": DICOM_UID, "value": format!("urn:oid:{uid}"),
    })
}

/// An accession or order number as an identifier; accession numbers are typed ACSN.
pub fn number(number: &Reference) -> Value {
    let kind = match number.kind {
        ReferenceKind::Accession => concept(IDENTIFIER_TYPE, "ACSN", "Accession ID"),
        ReferenceKind::Order => concept(IDENTIFIER_TYPE, "PLAC", "Placer Identifier"),
        ReferenceKind::Study => return study_uid(&number.value),
    };
    json!({ "type": kind, "system": system_of(&number.assigner), "value": number.value })
}

/// An identifier kept as `root^extension`.
pub fn own_identifier(joined: &str) -> Value {
    let (root, extension) = joined.split_once('^').unwrap_or(("", joined));
    if extension.is_empty() {
        return json!({ "system": URI, "value": system_of(root) });
    }
    json!({ "system": system_of(root), "value": extension })
}

/// `root^extension` of an identifier as FHIR has it; the other way of [`own_identifier`].
pub fn joined(system: &str, value: &str) -> String {
    if system == URI
        && let Some(oid) = value.strip_prefix("urn:oid:")
    {
        return format!("{oid}^");
    }
    format!("{}^{value}", assigner_in(system))
}

/// A date of DICOM or HL7 as FHIR's; empty when it is none.
pub fn date(text: &str) -> String {
    let digits: Vec<&str> = [text.get(..4), text.get(4..6), text.get(6..8)]
        .into_iter()
        .map_while(|part| part.filter(|part| part.bytes().all(|b| b.is_ascii_digit())))
        .collect();
    let date = match digits.as_slice() {
        [year, month, day] if *month != "00" && *day != "00" => format!("{year}-{month}-{day}"),
        [year, month, ..] if *month != "00" => format!("{year}-{month}"),
        [year, ..] => (*year).to_owned(),
        [] => return String::new(),
    };
    let whole = date.len() != 10 || date.parse::<jiff::civil::Date>().is_ok();
    if whole { date } else { String::new() }
}

/// A date with its time and offset as FHIR's; without an offset nobody knows which instant it is, and
/// only the date is said.
pub fn date_time(day: &str, time: &str, offset: &str) -> String {
    let day = date(day);
    let clock = clock(time).filter(|_| day.len() == 10);
    match (clock, zone(offset)) {
        (Some(clock), Some(zone)) => format!("{day}T{clock}{zone}"),
        _ => day,
    }
}

/// A time stamp as HL7 writes it (`YYYYMMDDHHMMSS.f+ZZZZ`) as an instant; empty when it says less.
pub fn instant_of_hl7(text: &str) -> String {
    let at = text.find(['+', '-']).unwrap_or(text.len());
    let (moment, offset) = text.split_at_checked(at).unwrap_or((text, ""));
    let (day, time) = moment.split_at_checked(8).unwrap_or((moment, ""));
    let written = date_time(day, time, offset);
    if written.len() > 10 { written } else { String::new() }
}

/// `HH:MM:SS` of `HHMMSS.ffffff` or `HHMM`.
fn clock(time: &str) -> Option<String> {
    let digits = time.split('.').next().unwrap_or_default();
    let part = |range: std::ops::Range<usize>, most: u8| {
        let text = digits.get(range)?;
        text.parse::<u8>()
            .ok()
            .filter(|number| *number <= most)
            .map(|number| format!("{number:02}"))
    };
    let (hour, minute) = (part(0..2, 23)?, part(2..4, 59)?);
    let second = if digits.len() >= 6 { part(4..6, 60)? } else { "00".to_owned() };
    let second = if second == "60" { "59".to_owned() } else { second };
    Some(format!("{hour}:{minute}:{second}"))
}

/// `+01:00` of `+0100`.
fn zone(offset: &str) -> Option<String> {
    let sign = offset.get(..1).filter(|sign| matches!(*sign, "+" | "-"))?;
    let (hours, minutes) = (offset.get(1..3)?, offset.get(3..5)?);
    let is_number = |text: &str, most: u8| text.parse::<u8>().is_ok_and(|number| number <= most);
    (is_number(hours, 14) && is_number(minutes, 59)).then(|| format!("{sign}{hours}:{minutes}"))
}

/// An instant, to the microsecond.
pub fn instant(us: i64) -> String {
    let moment = jiff::Timestamp::from_microsecond(us).unwrap_or_default();
    moment.strftime("%Y-%m-%dT%H:%M:%S.%6fZ").to_string()
}

/// A name as DICOM writes it (PS3.5 §6.2.1), its first component group.
pub fn human_name(name: &str) -> Value {
    let group = name.split('=').find(|group| !group.trim_matches('^').trim().is_empty());
    let mut parts = group.unwrap_or_default().split('^').map(str::trim);
    let mut next = || parts.next().unwrap_or_default();
    let (family, given, middle, prefix, suffix) = (next(), next(), next(), next(), next());
    let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    let all_given = [words(given), words(middle)].concat();
    let text = [prefix, given, middle, family, suffix];
    let text: Vec<&str> = text.into_iter().filter(|part| !part.is_empty()).collect();
    json!({
        "use": if text.is_empty() { "" } else { "official" },
        "text": text.join(" "), "family": family,
        "given": all_given, "prefix": words(prefix),
        "suffix": words(suffix),
    })
}

/// Administrative gender of a sex as DICOM or HL7 write it.
pub fn gender(sex: &str) -> &'static str {
    match sex.get(..1).unwrap_or_default() {
        "M" | "m" => "male",
        "F" | "f" => "female",
        "O" | "o" | "A" => "other",
        _ => "unknown",
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::{
        assigner_in, date, date_time, human_name, instant, instant_of_hl7, joined, own_identifier,
        pruned, system_of,
    };

    #[test]
    fn dates_are_as_precise_as_they_were_said() {
        for (text, expected) in [
            ("20260302", "2026-03-02"),
            ("202603", "2026-03"),
            ("2026", "2026"),
            ("20260000", "2026"),
            ("20260231", ""),
            ("", ""),
            ("02.03.26", ""),
        ] {
            assert_eq!(date(text), expected, "{text}");
        }
        for (day, time, offset, expected) in [
            ("20260302", "101530.5", "+0100", "2026-03-02T10:15:30+01:00"),
            ("20260302", "1015", "-0930", "2026-03-02T10:15:00-09:30"),
            ("20260302", "101530", "", "2026-03-02"),
            ("20260302", "", "+0100", "2026-03-02"),
            ("20260302", "256000", "+0100", "2026-03-02"),
        ] {
            assert_eq!(date_time(day, time, offset), expected, "{day} {time} {offset}");
        }
        assert_eq!(instant_of_hl7("20260302101530+0100"), "2026-03-02T10:15:30+01:00");
        assert_eq!(instant_of_hl7("20260302101530"), "");
        assert_eq!(instant(1_772_445_600_000_001), "2026-03-02T10:00:00.000001Z");
    }

    #[test]
    fn issuers_and_identifiers_lead_back() {
        for issuer in ["2.16.840.1.113883.2.9.4.3.2", "OSPEDALE DI PROVA", "http://x.example/mrn"] {
            assert_eq!(assigner_in(&system_of(issuer)), issuer);
        }
        for kept in ["2.16.840.1^A.1", "2.25.77^"] {
            let written = own_identifier(kept);
            let (system, value) = (&written["system"], &written["value"]);
            assert_eq!(joined(system.as_str().unwrap(), value.as_str().unwrap()), kept);
        }
    }

    #[test]
    fn names_have_their_parts_and_nothing_empty_is_written() {
        let name = pruned(human_name("Rossi^Anna Maria^Lia^Dott.^=漢"));
        assert_eq!(name["family"], "Rossi");
        assert_eq!(name["given"], json!(["Anna", "Maria", "Lia"]));
        assert_eq!(name["text"], "Dott. Anna Maria Lia Rossi");
        assert_eq!(pruned(json!({ "a": [{ "b": "" }], "c": null, "d": 0 })), json!({ "d": 0 }));
        assert_eq!(pruned(human_name("^^")), json!({}));
    }

    proptest! {
        #[test]
        fn no_text_panics(text in ".*", other in ".*") {
            let _ = (date(&text), date_time(&text, &other, &text), instant_of_hl7(&text));
            let _ = (human_name(&text), joined(&text, &other), system_of(&text));
        }
    }
}
