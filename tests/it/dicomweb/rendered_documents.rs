//! Reports and encapsulated documents, as one reads them and as they are (PS3.18 Table 8.7.4-1).

use super::looking::{refused, stow, study_file};
use crate::support::server::Server;

#[tokio::test]
async fn a_structured_report_is_a_page_or_plain_text() {
    let server = Server::start();
    let path = stow(&server, &study_file("sr-report/report.dcm")).await;
    let response = server.get(&format!("{path}/rendered")).await;
    assert_eq!(response.headers()["content-type"], "text/html; charset=utf-8");
    let policy = response.headers()["content-security-policy"].to_str().unwrap().to_owned();
    assert!(policy.contains("default-src 'none'") && policy.contains("sandbox"), "{policy}");
    let html = response.text().await.unwrap();
    assert!(html.contains("<h1>") && html.contains("<section>") && !html.contains("<script"));
    let response = server.get_as(&format!("{path}/rendered"), "text/plain").await;
    assert_eq!(response.headers()["content-type"], "text/plain; charset=utf-8");
    let plain = response.text().await.unwrap();
    // What DCMTK reads in it must be in both.
    let file = study_file("sr-report/report.dcm");
    let dump = std::process::Command::new("dsrdump").args(["+Pl", "+U8"]).arg(file).output();
    let dump = String::from_utf8_lossy(&dump.unwrap().stdout).into_owned();
    let texts = dump.lines().filter(|line| line.contains(" TEXT:("));
    let texts: Vec<&str> =
        texts.map(|line| line.split(")=\"").nth(1).unwrap().trim_end_matches("\">")).collect();
    assert!(texts.len() >= 5, "{dump}");
    for text in texts {
        assert!(plain.contains(text), "{text} is not in {plain}");
    }
    assert_eq!(refused(&server, &format!("{path}/rendered"), "image/jpeg").await.0, 406);
    assert_eq!(server.get(&format!("{path}/thumbnail")).await.status(), 200);
}

#[tokio::test]
async fn a_key_object_selection_is_a_page_too() {
    let server = Server::start();
    let path = stow(&server, &study_file("sr-report/key-images.dcm")).await;
    let plain =
        server.get_as(&format!("{path}/rendered"), "text/plain").await.text().await.unwrap();
    assert!(plain.contains("image 2.25.") || plain.contains("image 1."), "{plain}");
}

#[tokio::test]
async fn a_pdf_comes_out_byte_for_byte() {
    let server = Server::start();
    let path = stow(&server, &study_file("pdf-report/referto-pdf.dcm")).await;
    let pdf = std::fs::read(study_file("pdf-report/referto.pdf")).unwrap();
    for accept in ["*/*", "application/pdf"] {
        let response = server.get_as(&format!("{path}/rendered"), accept).await;
        assert_eq!(response.headers()["content-type"], "application/pdf");
        assert_eq!(response.headers()["content-length"], pdf.len().to_string());
        assert_eq!(response.bytes().await.unwrap(), pdf);
    }
    let (status, detail) = refused(&server, &format!("{path}/rendered"), "text/html").await;
    assert_eq!(status, 406);
    assert!(detail.contains("application/pdf"), "{detail}");
}

#[tokio::test]
async fn a_cda_is_read_as_a_page_and_given_as_it_is() {
    let server = Server::start();
    let path = stow(&server, &study_file("cda-report/referto-cda.dcm")).await;
    let xml = std::fs::read(study_file("cda-report/referto.xml")).unwrap();
    let response = server.get_as(&format!("{path}/rendered"), "text/xml").await;
    assert_eq!(response.headers()["content-type"], "text/xml");
    assert!(response.headers().contains_key("content-security-policy"));
    assert_eq!(response.bytes().await.unwrap(), xml);
    let response = server.get_as(&format!("{path}/rendered"), "text/html").await;
    let html = response.text().await.unwrap();
    assert!(html.contains("<html lang=\"it-IT\">"), "{}", &html[..200]);
    assert!(html.contains("<h1>Referto di radiologia: radiografia del torace</h1>"));
    assert!(!html.contains("<script") && html.matches("<section>").count() > 1);
    let plain =
        server.get_as(&format!("{path}/rendered"), "text/plain").await.text().await.unwrap();
    assert!(plain.starts_with("Referto di radiologia"), "{plain}");
}
