//! A FHIR R4 `DiagnosticReport`, alone or in a Bundle with what it refers to: what of it a document needs.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use crate::people::identifier::Identifier;

/// Resources of a Bundle looked at.
const MOST_ENTRIES: usize = 1_000;
/// Items of a list looked at.
const MOST: usize = 100;

/// What a report says.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FhirReport {
    /// Its identifier, `system^value`; empty when it has none.
    pub id: String,
    /// LOINC code of its type.
    pub code: String,
    /// What it is called.
    pub title: String,
    /// When the service was, digits of the time.
    pub service_time: String,
    /// When it was issued.
    pub issued: String,
    /// Its conclusion and narrative as text.
    pub text: String,
    /// PDFs it presents.
    pub pdfs: Vec<Vec<u8>>,
    /// The patient's identifiers.
    pub identifiers: Vec<Identifier>,
    /// The patient's name as DICOM writes names.
    pub name: String,
    /// `YYYYMMDD`.
    pub birth_date: String,
    /// `M`, `F`, other.
    pub sex: String,
    /// Study Instance UIDs.
    pub studies: Vec<String>,
    /// Accession numbers and who assigned them.
    pub accessions: Vec<(String, String)>,
    /// Other numbers of orders and who assigned them.
    pub orders: Vec<(String, String)>,
}

/// Reads a report; `None` where the JSON holds none. Nesting is bounded by the reader of JSON.
pub fn read(bytes: &[u8]) -> Option<FhirReport> {
    let root: Value = serde_json::from_slice(bytes).ok()?;
    let mut resources: Vec<(&str, &Value)> = vec![("", &root)];
    for entry in list(&root["entry"], MOST_ENTRIES) {
        resources.push((text(&entry["fullUrl"]), &entry["resource"]));
    }
    let report = resources.iter().map(|(_, resource)| *resource);
    let report = report.into_iter().find(|one| one["resourceType"] == "DiagnosticReport")?;
    let find = |reference: &Value| -> Value {
        let wanted = text(&reference["reference"]);
        if let Some(id) = wanted.strip_prefix('#') {
            let mut contained = list(&report["contained"], MOST).iter();
            return contained.find(|one| text(&one["id"]) == id).cloned().unwrap_or_default();
        }
        let mut named = resources.iter().filter(|_| !wanted.is_empty());
        let found = named.find(|(url, one)| {
            let own = format!("{}/{}", text(&one["resourceType"]), text(&one["id"]));
            *url == wanted || own == wanted
        });
        found.map(|(_, one)| (*one).clone()).unwrap_or_default()
    };
    let mut read = FhirReport {
        id: identifiers(&report["identifier"])
            .next()
            .map_or_else(String::new, |(system, value)| format!("{}^{value}", bare(&system))),
        code: loinc(&report["code"]),
        title: title(report),
        service_time: digits(&report["effectiveDateTime"], &report["effectivePeriod"]["start"]),
        issued: digits(&report["issued"], &Value::Null),
        text: narrative(report),
        ..FhirReport::default()
    };
    patient(&mut read, &report["subject"], &find(&report["subject"]));
    for reference in list(&report["imagingStudy"], MOST) {
        let study = find(reference);
        let own = identifiers(&reference["identifier"]).chain(identifiers(&study["identifier"]));
        for (system, value) in own {
            if system == "urn:dicom:uid" || value.starts_with("urn:oid:") {
                read.studies.push(bare(&value));
            }
        }
        for order in list(&study["basedOn"], MOST) {
            numbers(&mut read, &order["identifier"]);
            numbers(&mut read, &find(order)["identifier"]);
        }
    }
    for order in list(&report["basedOn"], MOST) {
        numbers(&mut read, &order["identifier"]);
        numbers(&mut read, &find(order)["identifier"]);
    }
    for form in list(&report["presentedForm"], MOST) {
        if text(&form["contentType"]).starts_with("application/pdf") {
            read.pdfs.extend(STANDARD.decode(text(&form["data"])).ok());
        }
    }
    read.studies.sort();
    read.studies.dedup();
    Some(read)
}

fn patient(read: &mut FhirReport, subject: &Value, patient: &Value) {
    let all = identifiers(&subject["identifier"]).chain(identifiers(&patient["identifier"]));
    read.identifiers =
        all.filter_map(|(system, value)| Identifier::read(&value, &system)).collect();
    let name = &patient["name"][0];
    let given: Vec<&str> = list(&name["given"], MOST).iter().map(text).collect();
    let clean = |part: &str| part.replace(['^', '='], " ");
    let whole = format!("{}^{}", clean(text(&name["family"])), clean(&given.join(" ")));
    whole.trim_end_matches('^').clone_into(&mut read.name);
    read.birth_date = text(&patient["birthDate"]).replace('-', "");
    let sex = match text(&patient["gender"]) {
        "male" => "M",
        "female" => "F",
        "other" => "O",
        _ => "",
    };
    sex.clone_into(&mut read.sex);
}

/// Numbers of an order: typed `ACSN` accession numbers, others order numbers.
fn numbers(read: &mut FhirReport, list_of: &Value) {
    for one in many(list_of) {
        let number = (text(&one["value"]).to_owned(), bare(text(&one["system"])));
        if number.0.is_empty() {
            continue;
        }
        let typed = list(&one["type"]["coding"], MOST).iter().any(|code| code["code"] == "ACSN");
        let place = if typed { &mut read.accessions } else { &mut read.orders };
        if !place.contains(&number) && place.len() < MOST {
            place.push(number);
        }
    }
}

fn title(report: &Value) -> String {
    let code = &report["code"];
    let shown = list(&code["coding"], MOST).iter().map(|code| text(&code["display"]));
    [text(&code["text"])]
        .into_iter()
        .chain(shown)
        .find(|t| !t.is_empty())
        .unwrap_or_default()
        .to_owned()
}

fn loinc(code: &Value) -> String {
    let codes = list(&code["coding"], MOST).iter();
    let mut loinc = codes.filter(|code| code["system"] == "http://loinc.org");
    loinc.next().map(|code| text(&code["code"]).to_owned()).unwrap_or_default()
}

/// Conclusion, then the narrative without its markup.
fn narrative(report: &Value) -> String {
    let mut all = text(&report["conclusion"]).to_owned();
    let mut inside = false;
    all.push('\n');
    for letter in text(&report["text"]["div"]).chars() {
        match letter {
            '<' => {
                inside = true;
                all.push(' ');
            }
            '>' => inside = false,
            letter if !inside => all.push(letter),
            _ => {}
        }
    }
    all.trim().to_owned()
}

/// Systems and values of one identifier or a list of them.
fn identifiers(of: &Value) -> impl Iterator<Item = (String, String)> {
    let pair = |one: &Value| (text(&one["system"]).to_owned(), text(&one["value"]).to_owned());
    let pairs: Vec<(String, String)> = many(of).iter().map(|one| pair(one)).collect();
    pairs.into_iter().filter(|(_, value)| !value.is_empty())
}

fn many(of: &Value) -> Vec<&Value> {
    match of {
        Value::Array(list) => list.iter().take(MOST).collect(),
        Value::Object(_) => vec![of],
        _ => Vec::new(),
    }
}

fn list(of: &Value, most: usize) -> &[Value] {
    let list = of.as_array().map(Vec::as_slice).unwrap_or_default();
    list.get(..list.len().min(most)).unwrap_or_default()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn bare(text: &str) -> String {
    text.strip_prefix("urn:oid:").unwrap_or(text).to_owned()
}

/// A time's digits, to the second.
fn digits(time: &Value, other: &Value) -> String {
    let time = if text(time).is_empty() { text(other) } else { text(time) };
    let local = time.split(['+', 'Z', '.']).next().unwrap_or_default();
    local.chars().filter(char::is_ascii_digit).take(14).collect()
}

#[cfg(test)]
mod tests {
    use super::read;
    use crate::people::identifier::IdentifierKind;

    #[test]
    fn a_report_names_its_patient_study_and_order_wherever_they_stand() {
        let json = r##"{"resourceType":"Bundle","entry":[
          {"fullUrl":"urn:uuid:1","resource":{"resourceType":"DiagnosticReport",
            "identifier":[{"system":"urn:oid:2.25.9","value":"R1"}],
            "code":{"coding":[{"system":"http://loinc.org","code":"68604-8","display":"Referto"}]},
            "subject":{"reference":"urn:uuid:2"},"effectiveDateTime":"2026-03-02T10:05:33+01:00",
            "imagingStudy":[{"reference":"#s"}],
            "contained":[{"resourceType":"ImagingStudy","id":"s","identifier":[
              {"system":"urn:dicom:uid","value":"urn:oid:2.25.7"}]}],
            "basedOn":[{"identifier":{"type":{"coding":[{"code":"ACSN"}]},"system":"urn:oid:2.25.8","value":"A1"}}],
            "conclusion":"Nulla.","text":{"div":"<div>Torace<script>x</script> libero</div>"},
            "presentedForm":[{"contentType":"application/pdf","data":"JVBERg=="}]}},
          {"fullUrl":"urn:uuid:2","resource":{"resourceType":"Patient",
            "identifier":[{"system":"urn:oid:2.16.840.1.113883.2.9.4.3.2","value":"SMPNLC68H61H501I"}],
            "name":[{"family":"Esempi","given":["Anna","Lucia"]}],"birthDate":"1968-06-21","gender":"female"}}]}"##;
        let report = read(json.as_bytes()).unwrap();
        assert_eq!((report.id.as_str(), report.code.as_str()), ("2.25.9^R1", "68604-8"));
        assert_eq!(report.service_time, "20260302100533");
        assert_eq!(report.identifiers[0].kind, IdentifierKind::CodiceFiscale);
        assert_eq!(
            (report.name.as_str(), report.birth_date.as_str()),
            ("Esempi^Anna Lucia", "19680621")
        );
        assert_eq!(report.studies, ["2.25.7"]);
        assert_eq!(report.accessions, [("A1".to_owned(), "2.25.8".to_owned())]);
        assert!(report.text.starts_with("Nulla.") && report.text.contains("libero"));
        assert_eq!(report.pdfs, [b"%PDF".to_vec()]);
        for none in ["{}", "[]", "{\"resourceType\":\"Patient\"}", "no", ""] {
            assert_eq!(read(none.as_bytes()), None, "{none}");
        }
    }
}
