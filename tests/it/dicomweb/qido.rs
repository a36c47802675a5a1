//! QIDO-RS at the door: every kind of matching of PS3.18 §8.3.4 over objects of real bytes.

use reqwest::header::HeaderMap;
use serde_json::Value;

use crate::support::objects::{Object, item, text_element};
use crate::support::server::Server;
use crate::support::tools::run_python;

/// One object of its own study: what search can be asked of it.
struct Facts {
    study: u32,
    patient: &'static str,
    name: &'static str,
    date: &'static str,
    time: &'static str,
    zone: &'static str,
    modality: &'static str,
    referring: &'static str,
    accession: &'static str,
    requests: &'static [(&'static str, &'static str)],
}

const FACTS: [Facts; 6] = [
    Facts {
        study: 1,
        patient: "P1",
        name: "Rossi^Mario",
        date: "20260101",
        time: "090000",
        zone: "",
        modality: "CT",
        referring: "Bianchi^Lucia",
        accession: "A1",
        requests: &[("S1", "R1"), ("S2", "R2")],
    },
    Facts {
        study: 2,
        patient: "P2",
        name: "D'Alò^Niccolò Maria",
        date: "20260102",
        time: "120000.5",
        zone: "",
        modality: "MR",
        referring: "Bianchi^Lucia",
        accession: "A2",
        requests: &[("S1", "R2")],
    },
    Facts {
        study: 3,
        patient: "P3",
        name: "Müller-Lüdenscheidt^Götz",
        date: "20260103",
        time: "233000",
        zone: "+0100",
        modality: "US",
        referring: "",
        accession: "",
        requests: &[],
    },
    Facts {
        study: 4,
        patient: "P*4",
        name: "Yamada^Tarou=山田^太郎=やまだ^たろう",
        date: "20260104",
        time: "",
        zone: "",
        modality: "CT",
        referring: "Chiara^Anna",
        accession: "A[4]",
        requests: &[],
    },
    Facts {
        study: 5,
        patient: "P5",
        name: "Giovanni^Aleksander",
        date: "",
        time: "",
        zone: "",
        modality: "DX",
        referring: "",
        accession: "A_5",
        requests: &[],
    },
    Facts {
        study: 6,
        patient: "P6",
        name: "DELUCA^ANNA",
        date: "20260301",
        time: "003000",
        zone: "+0900",
        modality: "CT",
        referring: "",
        accession: "A%6",
        requests: &[],
    },
];

fn object(facts: &Facts) -> Object {
    let mut object = Object::ct(facts.patient, facts.study, 1, 1);
    let requests: Vec<u8> = facts
        .requests
        .iter()
        .flat_map(|(step, procedure)| {
            let step = text_element(0x0040_0009, b"SH", step);
            item(&[step, text_element(0x0040_1001, b"SH", procedure)].concat())
        })
        .collect();
    object
        .text(0x0008_0020, b"DA", facts.date)
        .text(0x0008_0030, b"TM", facts.time)
        .text(0x0008_0050, b"SH", facts.accession)
        .text(0x0008_0060, b"CS", facts.modality)
        .text(0x0008_0090, b"PN", facts.referring)
        .text(0x0008_1030, b"LO", "TC torace")
        .text(0x0010_0010, b"PN", facts.name)
        .text(0x0020_0010, b"SH", &format!("S{}", facts.study))
        .text(0x0040_0244, b"DA", facts.date)
        .text(0x0040_0245, b"TM", facts.time);
    if !facts.zone.is_empty() {
        object.text(0x0008_0201, b"SH", facts.zone);
    }
    if !requests.is_empty() {
        object.bytes(0x0040_0275, b"SQ", requests);
    }
    object
}

async fn filled() -> Server {
    let server = Server::start();
    let mut objects: Vec<Object> = FACTS.iter().map(object).collect();
    // The first study has a second series of another modality, of two instances.
    for instance in [1, 2] {
        let mut second = Object::ct("P1", 1, 2, instance);
        second.text(0x0008_0060, b"CS", "PT");
        objects.push(second);
    }
    assert!(server.store(&objects).await.iter().all(|status| *status == 0));
    server
}

fn numbers(found: &Value, tag: &str) -> Vec<u32> {
    let number = |answer: &Value| {
        let uid = answer[tag]["Value"][0].as_str().unwrap().to_owned();
        uid.rsplit('.').next().unwrap().parse().unwrap()
    };
    found.as_array().unwrap().iter().map(number).collect()
}

/// The last parts of the Study Instance UIDs found, sorted.
async fn studies(server: &Server, query: &str) -> Vec<u32> {
    let mut found = numbers(&server.json(&format!("/studies?{query}")).await, "0020000D");
    found.sort_unstable();
    found
}

#[tokio::test]
#[expect(clippy::too_many_lines, reason = "a table")]
async fn every_kind_of_matching_finds_what_the_standard_says() {
    let server = filled().await;
    let all = [1, 2, 3, 4, 5, 6];
    for (section, query, expected) in [
        // Single value (PS3.4 §C.2.2.2.1): case-sensitive but for names.
        ("PS3.4 §C.2.2.2.1", "PatientID=P1", vec![1]),
        ("PS3.4 §C.2.2.2.1", "00100020=P1", vec![1]),
        ("PS3.4 §C.2.2.2.1", "PatientID=p1", vec![]),
        ("PS3.4 §C.2.2.2.1", "AccessionNumber=A[4]", vec![4]),
        ("PS3.4 §C.2.2.2.1", "StudyID=S5", vec![5]),
        ("PS3.4 §C.2.2.2.1", "ModalitiesInStudy=PT", vec![1]),
        ("PS3.4 §C.2.2.2.1", "Modality=CT", vec![1, 4, 6]),
        ("PS3.4 §C.2.2.2.1", "SeriesNumber=02", vec![1]),
        ("PS3.4 §C.2.2.2.1", "InstanceNumber=2", vec![1]),
        // Names: insensitive to case and accents, whole or by component group.
        ("PS3.4 §C.2.2.2.1.1", "PatientName=rossi%5Emario", vec![1]),
        ("PS3.4 §C.2.2.2.1.1", "PatientName=D'ALO%5ENICCOLO%20MARIA", vec![2]),
        ("PS3.4 §C.2.2.2.1.1", "PatientName=yamada%5Etarou", vec![4]),
        ("PS3.4 §C.2.2.2.1.1", "PatientName=%E5%B1%B1%E7%94%B0%5E%E5%A4%AA%E9%83%8E", vec![4]),
        ("PS3.4 §C.2.2.2.1.1", "ReferringPhysicianName=BIANCHI%5ELUCIA", vec![1, 2]),
        // Lists of UIDs (PS3.4 §C.2.2.2.2).
        (
            "PS3.4 §C.2.2.2.2",
            "StudyInstanceUID=1.2.826.0.1.3680043.10.999.1,1.2.826.0.1.3680043.10.999.3,1.9",
            vec![1, 3],
        ),
        ("PS3.4 §C.2.2.2.2", "SOPInstanceUID=1.2.826.0.1.3680043.10.999.2.1.1", vec![2]),
        ("PS3.4 §C.2.2.2.2", "SOPClassUID=1.2.840.10008.5.1.4.1.1.2", all.to_vec()),
        // Universal (PS3.4 §C.2.2.2.3).
        ("PS3.4 §C.2.2.2.3", "", all.to_vec()),
        ("PS3.4 §C.2.2.2.3", "PatientName=", all.to_vec()),
        ("PS3.4 §C.2.2.2.3", "PatientName=*", all.to_vec()),
        ("PS3.4 §C.2.2.2.3", "StudyDate=-", all.to_vec()),
        // Wildcards (PS3.4 §C.2.2.2.4): nothing else is one.
        ("PS3.4 §C.2.2.2.4", "PatientName=m%C3%BCller*", vec![3]),
        ("PS3.4 §C.2.2.2.4", "PatientName=*%5Egotz", vec![3]),
        ("PS3.4 §C.2.2.2.4", "PatientName=RO%3F%3FI*", vec![1]),
        ("PS3.4 §C.2.2.2.4", "PatientID=P%3F", vec![1, 2, 3, 5, 6]),
        ("PS3.4 §C.2.2.2.4", "PatientID=P**4", vec![4]),
        ("PS3.4 §C.2.2.2.4", "AccessionNumber=A_*", vec![5]),
        ("PS3.4 §C.2.2.2.4", "AccessionNumber=A%25*", vec![6]),
        ("PS3.4 §C.2.2.2.4", "StudyDescription=*torace", all.to_vec()),
        ("PS3.4 §C.2.2.2.4", "StudyDescription=*Torace", vec![]),
        // Ranges (PS3.4 §C.2.2.2.5).
        ("PS3.4 §C.2.2.2.5.1", "StudyDate=20260102", vec![2]),
        ("PS3.4 §C.2.2.2.5.1", "StudyDate=20260102-20260103", vec![2, 3]),
        ("PS3.4 §C.2.2.2.5.1", "StudyDate=20260103-", vec![3, 4, 6]),
        ("PS3.4 §C.2.2.2.5.1", "StudyDate=-20260102", vec![1, 2]),
        ("PS3.4 §C.2.2.2.5.1", "StudyDate=202601", vec![1, 2, 3, 4]),
        ("PS3.4 §C.2.2.2.5.2", "StudyTime=09-12", vec![1, 2]),
        ("PS3.4 §C.2.2.2.5.2", "StudyTime=120000.5", vec![2]),
        ("PS3.4 §C.2.2.2.5.2", "StudyTime=-0030", vec![6]),
        ("PS3.4 §C.2.2.2.5", "PerformedProcedureStepStartDate=20260301", vec![6]),
        // Date and time together: one span, not two ranges.
        ("PS3.18 §8.3.4.1.1", "StudyDate=20260101-20260103&StudyTime=1000-1200", vec![2]),
        ("PS3.18 §8.3.4.1.1", "StudyDate=20260101-20260103&StudyTime=0900-2330", vec![1, 2, 3]),
        ("PS3.18 §8.3.4.1.1", "StudyDate=20260102-&StudyTime=1201-", vec![3, 4, 6]),
        (
            "PS3.18 §8.3.4.1.1",
            "PerformedProcedureStepStartDate=20260101-20260102&PerformedProcedureStepStartTime=10-13",
            vec![2],
        ),
        ("PS3.18 §8.3.4.1.1", "StudyDate=20260101&StudyTime=08-10", vec![1]),
        // Time zone of the request. Study 3: 22:30 UTC on the 3rd; study 6: 15:30 UTC on 28 February.
        ("PS3.4 §C.4.1.1", "StudyDate=20260104&TimezoneOffsetFromUTC=%2B0200", vec![3, 4]),
        ("PS3.4 §C.4.1.1", "StudyDate=20260103&00080201=%2B0000", vec![3]),
        ("PS3.4 §C.4.1.1", "StudyDate=20260228&TimezoneOffsetFromUTC=%2B0100", vec![6]),
        ("PS3.4 §C.4.1.1", "StudyDate=20260301&TimezoneOffsetFromUTC=%2B0100", vec![]),
        (
            "PS3.4 §C.4.1.1",
            "StudyDate=20260228&StudyTime=1600-1700&TimezoneOffsetFromUTC=%2B0100",
            vec![6],
        ),
        // Sequences (PS3.4 §C.2.2.2.6): one item meets all.
        ("PS3.4 §C.2.2.2.6", "RequestAttributesSequence.ScheduledProcedureStepID=S1", vec![1, 2]),
        ("PS3.4 §C.2.2.2.6", "00400275.00401001=R2", vec![1, 2]),
        ("PS3.4 §C.2.2.2.6", "00400275.00400009=S1&00400275.00401001=R2", vec![2]),
        (
            "PS3.4 §C.2.2.2.6",
            "RequestAttributesSequence.00400009=S*&00400275.RequestedProcedureID=R1",
            vec![1],
        ),
        // Empty values, where asked (PS3.4 §C.2.2.2.7).
        ("PS3.18 §8.3.4.5", "AccessionNumber=%22%22&emptyvaluematching=true", vec![3]),
        ("PS3.18 §8.3.4.5", "AccessionNumber=%22%22", vec![]),
        ("PS3.18 §8.3.4.5", "StudyDate=%22%22&emptyvaluematching=true", vec![5]),
        (
            "PS3.18 §8.3.4.5",
            "00400275.00400009=%22%22&emptyvaluematching=true&StudyDate=202601",
            vec![1, 3, 4],
        ),
        // Several values, where asked (PS3.4 §C.2.2.2.8).
        ("PS3.18 §8.3.4.6", "PatientID=P1%5CP5&multiplevaluematching=true", vec![1, 5]),
        ("PS3.18 §8.3.4.6", "PatientID=P1%5CP5", vec![]),
        ("PS3.18 §8.3.4.6", "PatientName=ROSSI*%5Cdeluca*&multiplevaluematching=true", vec![1, 6]),
        (
            "PS3.18 §8.3.4.6",
            "StudyDate=20260101%5C20260103-&multiplevaluematching=true",
            vec![1, 3, 4, 6],
        ),
        ("PS3.18 §8.3.4.6", "ModalitiesInStudy=MR%5CUS", vec![2, 3]),
        // Names by ear, where asked.
        ("PS3.18 §8.3.4.2", "PatientName=mario%20rossi&fuzzymatching=true", vec![1]),
        ("PS3.18 §8.3.4.2", "PatientName=rosi&fuzzymatching=true", vec![1]),
        ("PS3.18 §8.3.4.2", "PatientName=rosi&fuzzymatching=false", vec![]),
        ("PS3.18 §8.3.4.2", "PatientName=dalo%20nicolo&fuzzymatching=true", vec![2]),
        ("PS3.18 §8.3.4.2", "PatientName=D'Al%C3%B2&fuzzymatching=true", vec![2]),
        ("PS3.18 §8.3.4.2", "PatientName=goetz%20miller&fuzzymatching=true", vec![3]),
        ("PS3.18 §8.3.4.2", "PatientName=ludenscheidt&fuzzymatching=true", vec![3]),
        ("PS3.18 §8.3.4.2", "PatientName=jovanni%20alexander&fuzzymatching=true", vec![5]),
        ("PS3.18 §8.3.4.2", "PatientName=de%20luca&fuzzymatching=true", vec![6]),
        ("PS3.18 §8.3.4.2", "PatientName=*ssi*&fuzzymatching=true", vec![1]),
        ("PS3.18 §8.3.4.2", "ReferringPhysicianName=kiara&fuzzymatching=true", vec![4]),
        ("PS3.18 §8.3.4.2", "ReferringPhysicianName=lucia%20bianki&fuzzymatching=true", vec![1, 2]),
        // What viewers send.
        ("OHIF", "limit=101&offset=0&fuzzymatching=true&PatientName=*rossi*", vec![1]),
    ] {
        assert_eq!(studies(&server, query).await, expected, "{section}: {query}");
    }
}

#[tokio::test]
async fn the_six_resources_search_their_level_and_below() {
    let server = filled().await;
    let root = "1.2.826.0.1.3680043.10.999.1";
    for (section, path, expected) in [
        ("PS3.18 §10.6.1.1", "/studies?ModalitiesInStudy=PT".to_owned(), 1),
        ("PS3.18 §10.6.1.1", "/series?PatientID=P1".to_owned(), 2),
        ("PS3.18 §10.6.1.1", "/series?Modality=PT".to_owned(), 1),
        ("PS3.18 §10.6.1.1", "/instances?PatientID=P1".to_owned(), 3),
        ("PS3.18 §10.6.1.1", "/instances?SeriesNumber=2&InstanceNumber=2".to_owned(), 1),
        ("PS3.18 §10.6.1.1", format!("/studies/{root}/series"), 2),
        ("PS3.18 §10.6.1.1", format!("/studies/{root}/series?Modality=CT"), 1),
        ("PS3.18 §10.6.1.1", format!("/studies/{root}/instances"), 3),
        ("PS3.18 §10.6.1.1", format!("/studies/{root}/instances?Modality=PT"), 2),
        ("PS3.18 §10.6.1.1", format!("/studies/{root}/series/{root}.2/instances"), 2),
        ("PS3.18 §10.6.1.1", format!("/studies/{root}/series/{root}.2/instances?00200013=1"), 1),
        ("PS3.18 §10.6.1.1", format!("/studies/{root}/series/1.9/instances"), 0),
    ] {
        let found = server.json(&path).await;
        assert_eq!(found.as_array().unwrap().len(), expected, "{section}: {path}");
    }
}

#[tokio::test]
async fn answers_hold_what_was_asked_of_their_level_and_above() {
    let server = filled().await;
    let study = "1.2.826.0.1.3680043.10.999.1";
    for (section, path, there, not_there) in [
        ("PS3.18 Table 10.6.3-3", "/studies?PatientID=P1", "00201206", "00081030"),
        (
            "PS3.18 §8.3.4.3",
            "/studies?PatientID=P1&includefield=StudyDescription",
            "00081030",
            "00080060",
        ),
        ("PS3.18 §8.3.4.3", "/studies?PatientID=P1&includefield=00081030", "00081030", "00080018"),
        ("PS3.18 §8.3.4.3", "/studies?PatientID=P1&includefield=all", "00081030", "00080060"),
        (
            "PS3.18 §8.3.4.3",
            "/studies?PatientID=P1&includefield=00080005,00081030",
            "00081030",
            "00280010",
        ),
        (
            "PS3.18 §8.3.4.3",
            "/studies?PatientID=P1&includefield=PatientSex&includefield=StudyDescription",
            "00081030",
            "00280010",
        ),
        (
            "PS3.18 §10.6.3.3.1",
            "/studies?PatientID=P1&includefield=Modality,Rows",
            "00100020",
            "00280010",
        ),
        ("PS3.18 §10.6.3.3.1", "/studies?StudyDescription=*", "00081030", "00280010"),
        ("PS3.18 §10.6.3.3.2", "/series?PatientID=P1", "0020000D", "00280010"),
        (
            "PS3.18 §10.6.3.3.2",
            "/series?PatientID=P1&includefield=StudyDescription",
            "00081030",
            "00280010",
        ),
        ("PS3.18 §10.6.3.3.3", "/instances?PatientID=P1", "00280010", "00281050"),
    ] {
        let found = server.json(path).await;
        for answer in found.as_array().unwrap() {
            assert!(answer.get(there).is_some(), "{section}: {path}: no {there} in {answer}");
            assert!(answer.get(not_there).is_none(), "{section}: {path}: {not_there}");
        }
    }
    let series = server.json(&format!("/studies/{study}/series?Modality=PT")).await;
    assert!(series[0].get("00100010").is_none(), "PS3.18 §10.6.3.3.2: the study is in the path");
    let url = series[0]["00081190"]["Value"][0].as_str().unwrap();
    assert_eq!(url, format!("{}/studies/{study}/series/{study}.2", server.dicomweb()));
    let both = server.json("/studies?ModalitiesInStudy=CT&PatientID=P1").await;
    assert_eq!(both[0]["00080061"]["Value"], serde_json::json!(["CT", "PT"]));
    let zone = server.json("/studies?PatientID=P3").await;
    assert_eq!(zone[0]["00080201"]["Value"][0], "+0100", "PS3.18 Table 10.6.3-3: if known");
}

fn field(headers: &HeaderMap, name: &str) -> Option<String> {
    headers.get(name).map(|value| value.to_str().unwrap().to_owned())
}

#[tokio::test]
async fn pages_tell_what_remains_in_the_words_of_the_standard() {
    let server = filled().await;
    let root = server.dicomweb();
    let warning = |count: u32| {
        Some(format!("299 {root}: There are {count} additional results that can be requested"))
    };
    for (query, status, remaining, total) in [
        ("limit=2", 200, warning(4), Some("6")),
        ("limit=2&offset=2", 200, warning(2), Some("6")),
        ("limit=2&offset=4", 200, None, Some("6")),
        ("", 200, None, Some("6")),
        ("limit=6", 200, None, Some("6")),
        ("limit=99999999999", 200, None, Some("6")),
        ("offset=6", 204, None, None),
        ("offset=1000000", 204, None, None),
        ("limit=0", 204, warning(6), Some("6")),
        ("PatientID=NOBODY", 204, None, Some("0")),
        ("limit=0&PatientID=NOBODY", 204, None, Some("0")),
    ] {
        let response = server.get(&format!("/studies?{query}")).await;
        let headers = response.headers();
        assert_eq!(response.status(), status, "PS3.18 §8.3.4.4.1: {query}");
        assert_eq!(field(headers, "warning"), remaining, "PS3.18 §8.3.4.4.1: {query}");
        assert_eq!(field(headers, "x-total-count").as_deref(), total, "{query}");
    }
    let counted = Server::start_in(&[], &[("LASTRA_DICOMWEB__COUNT_AT_MOST", "2")]);
    let objects: Vec<Object> = (1..=5).map(|study| Object::ct("P1", study, 1, 1)).collect();
    counted.store(&objects).await;
    let response = counted.get("/studies?limit=1").await;
    let headers = response.headers();
    assert_eq!(field(headers, "x-total-count"), None);
    assert_eq!(field(headers, "x-total-count-at-least").as_deref(), Some("3"));
}

#[tokio::test]
async fn pages_fit_together_in_every_order() {
    let server = filled().await;
    for (order, expected) in [
        ("", vec![6, 4, 3, 2, 1, 5]),
        ("orderby=StudyDate", vec![5, 1, 2, 3, 4, 6]),
        ("orderby=-PatientID", vec![6, 5, 3, 2, 1, 4]),
        ("orderby=PatientName", vec![2, 6, 5, 3, 1, 4]),
        ("orderby=ReferringPhysicianName,-StudyID", vec![6, 5, 3, 2, 1, 4]),
    ] {
        for size in [1, 4, 10] {
            let mut all = Vec::new();
            for offset in (0..10).step_by(size) {
                let page = format!("/studies?limit={size}&offset={offset}&{order}");
                all.extend(numbers(&server.json(&page).await, "0020000D"));
            }
            assert_eq!(all, expected, "{order} in pages of {size}");
        }
    }
    let instances =
        server.json("/instances?PatientID=P1&orderby=-InstanceNumber,SeriesNumber").await;
    assert_eq!(numbers(&instances, "00080018"), [2, 1, 1]);
    let below = server.get("/studies?orderby=Modality").await;
    assert_eq!(below.status(), 400);
    assert!(below.text().await.unwrap().contains("orderby"));
}

#[tokio::test]
async fn what_was_not_done_is_said() {
    let server = filled().await;
    let response = server.get("/studies?InstitutionName=X&00091001=Y&limit=1").await;
    let texts: Vec<_> = response.headers().get_all("warning").iter().collect();
    assert_eq!(texts.len(), 2, "{texts:?}");
    assert!(texts[1].to_str().unwrap().ends_with("ignored: InstitutionName,00091001"));
    let response = server.get("/studies?StudyTime=09-10&TimezoneOffsetFromUTC=%2B0100").await;
    assert!(field(response.headers(), "warning").unwrap().contains("StudyTime"));
}

const STOCK_CLIENT: &str = r#"
import sys, warnings
warnings.filterwarnings("ignore")
from dicomweb_client import DICOMwebClient
client = DICOMwebClient(url=sys.argv[1])
def ids(answers, tag="00100020"):
    return sorted(answer[tag]["Value"][0] for answer in answers)
def studies(fuzzy=None, **filters):
    return ids(client.search_for_studies(search_filters=filters, fuzzymatching=fuzzy))
assert studies(PatientName="mario rosi", fuzzy=True) == ["P1"]
assert studies(PatientName="rossi*") == ["P1"]
assert studies(ModalitiesInStudy="CT") == ["P*4", "P1", "P6"]
assert studies(StudyDate="20260101-20260103", StudyTime="1000-1200") == ["P2"]
pages = [client.search_for_studies(limit=2, offset=offset) for offset in (0, 2, 4)]
everything = client.search_for_studies(limit=2, get_remaining=True)
assert sum(pages, []) == everything and len(everything) == 6, len(everything)
fields = ["StudyDescription", "00081060"]
assert "00081030" in client.search_for_studies(fields=fields, search_filters={"PatientID": "P2"})[0]
root = "1.2.826.0.1.3680043.10.999.1"
assert ids(client.search_for_series(root), "00080060") == ["CT", "PT"]
assert len(client.search_for_instances(root, root + ".2")) == 2
assert len(client.search_for_instances(search_filters={"Modality": "PT"})) == 2
assert client.search_for_studies(search_filters={"PatientID": "NOBODY"}) == []
"#;

#[tokio::test]
async fn the_stock_client_searches_in_its_own_way() {
    let server = filled().await;
    let root = server.dicomweb();
    run_python(STOCK_CLIENT, &[&root]);
}
