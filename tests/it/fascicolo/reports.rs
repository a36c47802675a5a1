//! Requirement 34: structured reports and FHIR reports are documents too, what PDFs say is found.

use lastra::model::document::DocumentKind;
use lastra::model::link::Waiting;

use crate::fascicolo::world::ANNA;
use crate::fascicolo::world::CHEST;
use crate::fascicolo::world::REPORT;
use crate::fascicolo::world::World;

async fn found(world: &World, words: &str) -> Vec<(DocumentKind, String)> {
    let documents = world.rooms.fascicolo.search(&world.permit, words, None, 10).await.unwrap();
    documents.into_iter().map(|document| (document.kind, document.title)).collect()
}

#[tokio::test]
async fn requirement_34_a_structured_report_is_a_document_of_its_study() {
    let world = World::new().await;
    world.store("sr-report/report.dcm").await;
    let file = format!("{}/sample-studies/sr-report/report.dcm", env!("CARGO_MANIFEST_DIR"));
    let sample = std::fs::read(file).unwrap();
    let document = world.document_of_kind(DocumentKind::Sr).await;
    assert!(document.person.is_some());
    assert_eq!(document.media_type, "application/dicom");
    let kept = world.rooms.fascicolo.document_bytes(&world.permit, document.id).await.unwrap();
    assert_eq!(data_set(&kept), data_set(&sample));
    assert_eq!(world.links(document.id).await.len(), 1);
    // Done again it is the same one.
    world.store("sr-report/report.dcm").await;
    assert_eq!(world.document_of_kind(DocumentKind::Sr).await, document);
}

fn data_set(file: &[u8]) -> Vec<u8> {
    lastra::cli::object::describe_bytes(file).unwrap().data_set.to_vec()
}

#[tokio::test]
async fn requirement_34_a_fhir_report_is_linked_by_what_it_names() {
    let world = World::new().await;
    world.store("dx-chest/dx-1.dcm").await;
    let json = format!(
        "{{\"resourceType\":\"DiagnosticReport\",\"status\":\"final\",\
          \"identifier\":[{{\"system\":\"urn:oid:2.25.9\",\"value\":\"R1\"}}],\
          \"code\":{{\"coding\":[{{\"system\":\"http://loinc.org\",\"code\":\"68604-8\"}}],\"text\":\"Referto\"}},\
          \"subject\":{{\"identifier\":{{\"system\":\"urn:oid:2.16.840.1.113883.2.9.4.3.2\",\"value\":\"{ANNA}\"}}}},\
          \"effectiveDateTime\":\"2026-03-02\",\"conclusion\":\"Ispessimento interstiziale.\",\
          \"imagingStudy\":[{{\"identifier\":{{\"system\":\"urn:dicom:uid\",\"value\":\"urn:oid:{CHEST}\"}}}}]}}"
    );
    let taken = world.take(json.clone()).await;
    let document = &taken.document;
    assert_eq!((document.kind, document.type_code.as_str()), (DocumentKind::Fhir, "68604-8"));
    assert_eq!((document.service_date.as_str(), document.title.as_str()), ("20260302", "Referto"));
    assert_eq!(world.links(document.id).await[0].study_uid, CHEST);
    assert_eq!(world.timeline(ANNA).await.episodes[0].documents.len(), 1);
    let kept = world.rooms.fascicolo.document_bytes(&world.permit, document.id).await.unwrap();
    assert_eq!(kept, json);
    assert_eq!(found(&world, "ispessimento").await.len(), 1);
}

#[tokio::test]
async fn requirement_34_what_reports_and_pdfs_say_is_found_by_its_words() {
    let world = World::new().await;
    world.take(REPORT).await;
    world.take(include_bytes!("../../../sample-studies/pdf-report/referto.pdf").to_vec()).await;
    world.take("Nulla di rilevante.").await;
    for (words, kinds) in [
        ("opacita", vec![DocumentKind::Cda]),
        ("OPACITÀ tosse", vec![DocumentKind::Cda]),
        ("risonanza encefalo", vec![DocumentKind::Pdf]),
        ("rilev*", vec![DocumentKind::Text]),
        ("opacita risonanza", vec![]),
        ("\"; DROP -- tosse'", vec![]),
    ] {
        let kinds_found: Vec<DocumentKind> =
            found(&world, words).await.into_iter().map(|(kind, _)| kind).collect();
        assert_eq!(kinds_found, kinds, "{words}");
    }
    let fascicolo = &world.rooms.fascicolo;
    assert!(fascicolo.search(&world.permit, "- a", None, 10).await.is_err());
    let anna = fascicolo.find(&world.permit, ANNA).await.unwrap().id;
    let hers = fascicolo.search(&world.permit, "tosse", Some(anna), 10).await.unwrap();
    assert_eq!(hers.len(), 1);
    assert!(fascicolo.search(&world.permit, "rilevante", Some(anna), 10).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_study_is_given_to_a_person_by_its_uid() {
    let world = World::new().await;
    let spoilt = [
        (ANNA, "PROVAX00X00X000Y"),
        ("OSPEDALE_PROVA", "              "),
        ("P0001042", "UNKNOWN "),
    ];
    world.store_changed("dx-chest/dx-1.dcm", &spoilt).await;
    world.take(REPORT).await;
    let fascicolo = &world.rooms.fascicolo;
    let study = fascicolo.study_named(&world.permit, CHEST).await.unwrap();
    let anna = fascicolo.find(&world.permit, ANNA).await.unwrap().id;
    fascicolo.assign(&world.permit, Waiting::Study(study), Some(anna), "rossi").await.unwrap();
    assert_eq!(world.timeline(ANNA).await.episodes[0].images.as_str(), "ready");
    assert!(fascicolo.study_named(&world.permit, "1.2.3").await.is_err());
}
