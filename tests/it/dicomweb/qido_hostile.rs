//! Searches nobody means well with: refused with the parameter's name, or answered at once.

use std::fmt::Write as _;
use std::time::Duration;
use std::time::Instant;

use crate::support::objects::Object;
use crate::support::server::Server;

/// No search here may take longer, on a machine that builds and tests beside it.
const AT_ONCE: Duration = Duration::from_secs(2);

async fn ask(server: &Server, query: &str) -> (u16, String) {
    let begun = Instant::now();
    let response = server.get(&format!("/studies?{query}")).await;
    let status = response.status().as_u16();
    let body = response.text().await.unwrap();
    assert!(begun.elapsed() < AT_ONCE, "slow: {}", query.chars().take(80).collect::<String>());
    (status, body)
}

#[tokio::test]
async fn hostile_values_are_refused_by_name_or_find_nothing_at_once() {
    let server = Server::start();
    let objects: Vec<Object> = (1..=200)
        .map(|study| {
            let mut object = Object::ct(&format!("P{study}"), study, 1, 1);
            object.text(0x0008_1030, b"LO", &"a".repeat(64));
            object.text(0x0010_0010, b"PN", &format!("{}^{}", "A".repeat(60), "B".repeat(60)));
            object
        })
        .collect();
    server.store(&objects).await;
    let many_uids = (0..3000).fold(String::new(), |mut list, number| {
        let _ = write!(list, "1.{number},");
        list
    });
    for (what, query, status, said) in [
        ("many wildcards", format!("StudyDescription={}", "*%3F".repeat(600)), 204, ""),
        ("many stars", format!("StudyDescription={}b", "*a".repeat(1000)), 204, ""),
        ("many stars in a name", format!("PatientName={}x", "*A".repeat(1000)), 204, ""),
        (
            "the same by ear",
            format!("fuzzymatching=true&PatientName={}x", "*A".repeat(1000)),
            204,
            "",
        ),
        ("a long value", format!("PatientID={}", "x".repeat(5000)), 400, "PatientID"),
        ("a long name", format!("PatientName={}", "x".repeat(5000)), 400, "PatientName"),
        ("a NUL", "PatientID=P%001".to_owned(), 400, "PatientID"),
        ("a line break", "PatientName=A%0D%0AWarning:x".to_owned(), 400, "PatientName"),
        ("no UTF-8", "PatientName=%FF".to_owned(), 400, "query"),
        ("a huge offset", "offset=4294967295".to_owned(), 400, "offset"),
        ("a huger offset", format!("offset={}", "9".repeat(4000)), 400, "offset"),
        ("a negative limit", "limit=-1".to_owned(), 400, "limit"),
        ("a huge limit", format!("limit={}", "9".repeat(4000)), 200, ""),
        ("no date", "StudyDate=20260101-20260102-20260103".to_owned(), 400, "StudyDate"),
        ("a day that is none", "StudyDate=20269999".to_owned(), 204, ""),
        ("that in a time zone", "StudyDate=20269999&00080201=%2B0100".to_owned(), 400, "StudyDate"),
        ("a year beyond", "StudyDate=99999999-".to_owned(), 204, ""),
        ("digits of elsewhere", "StudyDate=%D9%A2%D9%A0%D9%A2%D9%A6".to_owned(), 400, "StudyDate"),
        ("no time zone", "TimezoneOffsetFromUTC=%2B9999".to_owned(), 400, "TimezoneOffsetFromUTC"),
        ("a sequence without end", format!("{}=1", "00400275.".repeat(500) + "00400009"), 200, ""),
        ("SQL", "PatientID=x'%20OR%20'1'='1".to_owned(), 204, ""),
        ("SQL in a name", "PatientName=x';DROP%20TABLE%20study;--".to_owned(), 204, ""),
        ("a switch that is none", "fuzzymatching=perhaps".to_owned(), 400, "fuzzymatching"),
        ("too many UIDs", format!("StudyInstanceUID={many_uids}"), 414, ""),
        (
            "too many words",
            format!("fuzzymatching=true&PatientName={}", "a+".repeat(100)),
            400,
            "PatientName",
        ),
        (
            "too many values",
            format!("multiplevaluematching=true&StudyID={}", "a%5C".repeat(99)),
            400,
            "StudyID",
        ),
        ("an order of everything", format!("orderby={}", "StudyDate,".repeat(1000)), 200, ""),
        ("an order by nothing known", "orderby=1;DROP".to_owned(), 400, "orderby"),
        ("fields without end", format!("includefield={}", "00081030,".repeat(1000)), 200, ""),
        ("parameters without end", "x=1&".repeat(3000), 400, "parameters"),
        ("one twice", "StudyID=1&00200010=2".to_owned(), 400, "00200010"),
    ] {
        let (got, body) = ask(&server, &query).await;
        assert_eq!(got, status, "{what}: {body}");
        assert!(status != 400 || body.contains(said), "{what}: {body}");
        assert!(!body.contains("DROP"), "{what}: values are not echoed");
    }
    assert_eq!(ask(&server, "").await.0, 200);
}
