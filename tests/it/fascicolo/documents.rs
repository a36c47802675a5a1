//! Requirements 34 to 37: documents come back byte for byte, versions in order, hostile ones harmless.

use lastra::model::document::DocumentKind;
use lastra::people::identifier::IdentifierKind;

use crate::fascicolo::world::ANNA;
use crate::fascicolo::world::CHEST;
use crate::fascicolo::world::REPORT;
use crate::fascicolo::world::World;

/// The report as its second version.
fn second() -> String {
    REPORT
        .replace("<versionNumber value=\"1\"/>", "<versionNumber value=\"2\"/>")
        .replace(
            "<id root=\"2.16.840.1.113883.2.9.2.120.4.4\" extension=\"PROVA.RX2600417.1\"",
            "<id root=\"2.16.840.1.113883.2.9.2.120.4.4\" extension=\"PROVA.RX2600417.2\"",
        )
        .replace("piccola opacità", "grande opacità")
}

#[tokio::test]
async fn requirement_34_documents_come_back_byte_for_byte() {
    let world = World::new().await;
    let pdf = include_bytes!("../../../sample-studies/pdf-report/referto.pdf");
    let not_xml = b"<ClinicalDocument".to_vec();
    for (bytes, kind) in [
        (REPORT.as_bytes().to_vec(), DocumentKind::Cda),
        (pdf.to_vec(), DocumentKind::Pdf),
        (not_xml, DocumentKind::Other),
        (b"<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>".to_vec(), DocumentKind::Other),
        (b"Referto in testo.".to_vec(), DocumentKind::Text),
    ] {
        let taken = world.take(bytes.clone()).await;
        assert_eq!((taken.document.kind, taken.known), (kind, false));
        let kept = world.rooms.fascicolo.document_bytes(&world.permit, taken.document.id).await;
        assert_eq!(kept.unwrap(), bytes);
        assert!(world.take(bytes).await.known);
    }
}

#[tokio::test]
async fn requirement_34_the_report_inside_a_dicom_object_is_taken_and_linked() {
    let world = World::new().await;
    world.store("dx-chest/dx-1.dcm").await;
    world.store("cda-report/referto-cda.dcm").await;
    let timeline = world.timeline(ANNA).await;
    let [episode] = timeline.episodes.as_slice() else { panic!("{timeline:?}") };
    let [report] = episode.documents.as_slice() else { panic!("{episode:?}") };
    assert_eq!(
        (report.kind, report.title.as_str()),
        (DocumentKind::Cda, "Referto di radiologia: radiografia del torace")
    );
    let bytes = world.rooms.fascicolo.document_bytes(&world.permit, report.id).await.unwrap();
    assert_eq!(bytes, REPORT.as_bytes());
    // The same report as a file is the same document.
    assert!(world.take(REPORT).await.known);
    let kinds: Vec<IdentifierKind> =
        timeline.person.identifiers.iter().map(|known| known.identifier.kind).collect();
    // Object and report name the same issuer by its OID.
    assert_eq!(kinds, [IdentifierKind::Local, IdentifierKind::CodiceFiscale]);
    assert_eq!(episode.study.as_ref().unwrap().uid, CHEST);
}

#[tokio::test]
async fn requirement_34_a_pdf_inside_a_dicom_object_belongs_to_its_study() {
    let world = World::new().await;
    world.store("pdf-report/referto-pdf.dcm").await;
    let pdf = include_bytes!("../../../sample-studies/pdf-report/referto.pdf");
    let taken = world.take(pdf.to_vec()).await;
    assert!(taken.known, "the object's bytes are the file's");
    assert!(taken.document.person.is_some());
    assert_eq!(world.links(taken.document.id).await.len(), 1);
}

#[tokio::test]
async fn requirement_35_a_report_that_breaks_rules_is_kept_with_their_numbers() {
    let world = World::new().await;
    assert_eq!(world.take(REPORT).await.document.findings, "");
    let broken = REPORT.replace("<realmCode code=\"IT\"/>", "").replace("18782-3", "18783-1");
    let taken = world.take(broken).await;
    assert_eq!(taken.document.findings, "ERRORE-1 ERRORE-2 ERRORE-b4 ERRORE-b5");
}

#[tokio::test]
async fn requirement_37_of_two_versions_the_latest_is_shown_whichever_came_first() {
    for newest_first in [true, false] {
        let world = World::new().await;
        world.store("dx-chest/dx-1.dcm").await;
        let mut both = [REPORT.to_owned(), second()];
        if newest_first {
            both.reverse();
        }
        for report in both {
            world.take(report).await;
        }
        let timeline = world.timeline(ANNA).await;
        let [episode] = timeline.episodes.as_slice() else { panic!("{timeline:?}") };
        let versions: Vec<u32> =
            episode.documents.iter().map(|document| document.version).collect();
        assert_eq!((versions, episode.replaced), (vec![2], 1), "newest first: {newest_first}");
    }
}
