//! Requirements 1, 4, 7 to 10: what belongs together, in any order, and what waits.

use lastra::model::document::ReferenceKind;
use lastra::model::link::ItemKind;
use lastra::model::link::Method;
use lastra::model::link::Waiting;

use crate::fascicolo::world::ANNA;
use crate::fascicolo::world::CHEST;
use crate::fascicolo::world::REPORT;
use crate::fascicolo::world::World;
use crate::fascicolo::world::renamed;
use crate::fascicolo::world::without_catalogue;

/// The accession number as the report has it.
const ACCESSION: &str = "<inFulfillmentOf><order classCode=\"ACT\" moodCode=\"RQO\">\n    \
    <id root=\"2.25.169311465198303519992215122410121577806\" extension=\"RX2600417\" \
    assigningAuthorityName=\"Ospedale di Prova\"/>\n  </order></inFulfillmentOf>";

#[tokio::test]
async fn requirement_8_by_uid_else_by_accession_else_by_order_and_never_by_person_and_date() {
    let world = World::new().await;
    world.store("dx-chest/dx-1.dcm").await;
    // The order ties the prescription to the study.
    let order = format!(
        "MSH|^~\\&|CUP|OSP|LASTRA|PACS|20260301||ORM^O01|1|P|2.5\nPID|1||{ANNA}^^^MEF||ESEMPI^ANNA\n\
         ORC|NW|X9^CUP|F1^RIS\nOBR|1|120A40000000417^^2.16.840.1.113883.2.9.4.3.9^ISO|F1^RIS|87.44||||||||||||||RX2600417\n\
         ZDS|{CHEST}\n"
    );
    assert!(world.send(&order).await.contains("MSA|AA|1"));
    let by_uid = renamed(REPORT, "UID");
    let by_accession = without_catalogue(&renamed(REPORT, "ACCESSION"));
    let by_order = without_catalogue(&renamed(REPORT, "ORDER")).replace(ACCESSION, "");
    let by_nothing =
        by_order.replace("ORDER", "NOTHING").replace("120A40000000417", "120A49999999999");
    for (report, method) in [
        (by_uid, Some(ReferenceKind::Study)),
        (by_accession, Some(ReferenceKind::Accession)),
        (by_order, Some(ReferenceKind::Order)),
        (by_nothing, None),
    ] {
        let taken = world.take(report).await;
        let links = world.links(taken.document.id).await;
        let methods: Vec<Method> = links.iter().map(|link| link.method).collect();
        let expected: Vec<Method> = method.map(Method::Reference).into_iter().collect();
        assert_eq!(methods, expected, "{}", taken.document.document_id);
        assert!(links.iter().all(|link| link.study_uid == CHEST && link.actor == "lastra"));
    }
    // The fourth only suggests.
    let cases = world.queue().await;
    let [case] = cases.as_slice() else { panic!("{cases:?}") };
    assert_eq!(case.item.kind, ItemKind::Unlinked);
    let best = &case.studies[0];
    assert_eq!((best.study.uid.as_str(), best.score), (CHEST, 100));
    assert_eq!(best.reasons, ["same-person", "same-date"]);
}

#[tokio::test]
async fn requirement_9_report_before_images_or_after_gives_the_same() {
    let mut seen = Vec::new();
    for report_first in [true, false] {
        let world = World::new().await;
        if report_first {
            let taken = world.take(REPORT).await;
            assert!(world.links(taken.document.id).await.is_empty());
            let timeline = world.timeline(ANNA).await;
            assert_eq!(timeline.episodes[0].images.as_str(), "on-the-way");
            world.store("dx-chest/dx-1.dcm").await;
        } else {
            world.store("dx-chest/dx-1.dcm").await;
            world.take(REPORT).await;
        }
        let timeline = world.timeline(ANNA).await;
        let [episode] = timeline.episodes.as_slice() else { panic!("{timeline:?}") };
        assert_eq!((episode.images.as_str(), episode.documents.len()), ("ready", 1));
        assert_eq!(episode.study.as_ref().unwrap().uid, CHEST);
        let link = &world.links(episode.documents[0].id).await[0];
        seen.push((link.study_uid.clone(), link.method, link.evidence.clone()));
        assert!(world.queue().await.is_empty(), "{:?}", world.queue().await);
    }
    assert_eq!(seen[0], seen[1]);
}

#[tokio::test]
async fn requirement_10_a_report_of_another_person_is_a_conflict_and_no_link() {
    let world = World::new().await;
    world.store("dx-chest/dx-1.dcm").await;
    let other =
        renamed(REPORT, "OTHER").replace(ANNA, "RSSMRA79B11C566R").replace("P0001042", "P0009999");
    let taken = world.take(other).await;
    assert!(world.links(taken.document.id).await.is_empty());
    let cases = world.queue().await;
    let [case] = cases.as_slice() else { panic!("{cases:?}") };
    assert_eq!(
        (case.item.kind, case.item.waiting),
        (ItemKind::PersonConflict, Waiting::Document(taken.document.id))
    );
    assert!(case.item.facts.contains(CHEST), "{}", case.item.facts);
    // Nor can anybody link them by hand as long as they are two people.
    let fascicolo = &world.rooms.fascicolo;
    assert!(
        fascicolo.link_by_hand(&world.permit, taken.document.id, CHEST, "rossi").await.is_err()
    );
    let (anna, mario) = (world.timeline(ANNA).await, world.timeline("RSSMRA79B11C566R").await);
    let merge = fascicolo
        .merge(&world.permit, anna.person.id, mario.person.id, "one person, two codes", "rossi")
        .await
        .unwrap();
    fascicolo.link_by_hand(&world.permit, taken.document.id, CHEST, "rossi").await.unwrap();
    assert_eq!(world.timeline(ANNA).await.episodes[0].documents.len(), 1);
    fascicolo.unmerge(&world.permit, merge, "rossi").await.unwrap();
    assert_eq!(world.timeline("RSSMRA79B11C566R").await.person, mario.person);
}

#[tokio::test]
async fn requirement_4_a_study_without_usable_identifier_is_kept_waits_and_is_nobodys() {
    let world = World::new().await;
    let spoilt = [
        (ANNA, "PROVAX00X00X000Y"),
        ("OSPEDALE_PROVA", "              "),
        ("P0001042", "UNKNOWN "),
    ];
    world.store_changed("dx-chest/dx-1.dcm", &spoilt).await;
    let cases = world.queue().await;
    let [case] = cases.as_slice() else { panic!("{cases:?}") };
    assert_eq!(case.item.kind, ItemKind::Unverified);
    let study = case.study.clone().unwrap();
    assert_eq!((study.uid.as_str(), study.person, study.instances), (CHEST, None, 1));
    assert!(case.item.facts.contains("PROVAX00X00X000Y"));
    // Her report tells who she is; the study is still given to nobody by itself, but suggested.
    world.take(REPORT).await;
    let cases = world.queue().await;
    let case = cases.iter().find(|case| case.item.kind == ItemKind::Unverified).unwrap();
    let anna = world.timeline(ANNA).await.person.id;
    assert_eq!((case.people[0].person, case.people[0].score), (anna, 93));
    world
        .rooms
        .fascicolo
        .assign(&world.permit, Waiting::Study(study.id), Some(anna), "rossi")
        .await
        .unwrap();
    assert!(world.queue().await.is_empty());
    assert_eq!(world.timeline(ANNA).await.episodes[0].images.as_str(), "ready");
}

#[tokio::test]
async fn a_link_that_somebody_undid_is_not_made_again_by_itself() {
    let world = World::new().await;
    world.store("dx-chest/dx-1.dcm").await;
    let document = world.take(REPORT).await.document.id;
    let link = world.links(document).await[0].id;
    let fascicolo = &world.rooms.fascicolo;
    fascicolo.unlink(&world.permit, link, "rossi").await.unwrap();
    assert_eq!(world.queue().await[0].item.kind, ItemKind::Unlinked);
    // The same report again, and the same study: still undone.
    assert!(world.take(REPORT).await.known);
    world.store("dx-chest/dx-1.dcm").await;
    let links = world.links(document).await;
    assert_eq!((links.len(), links[0].undone.is_some()), (1, true));
    fascicolo.link_by_hand(&world.permit, document, CHEST, "rossi").await.unwrap();
    let links = world.links(document).await;
    assert_eq!(
        (links.len(), links[1].undone.is_none(), links[1].method),
        (2, true, Method::Manual)
    );
    assert!(world.queue().await.is_empty());
}

#[tokio::test]
async fn requirement_1_studies_of_two_departments_come_to_one_fascicolo() {
    let world = World::new().await;
    world.store("dx-chest/dx-1.dcm").await;
    let elsewhere = [
        (
            "2.25.66361744767925586852279852659743010890",
            "2.25.77777744767925586852279852659743010890",
        ),
        ("P0001042", "Q9990000"),
        (&CHEST[5..], &"1".repeat(CHEST.len() - 5)),
    ];
    world.store_changed("dx-chest/dx-1.dcm", &elsewhere).await;
    let timeline = world.timeline(ANNA).await;
    assert_eq!((timeline.episodes.len(), timeline.person.identifiers.len()), (2, 3));
    assert_eq!(
        world.timeline("2.25.77777744767925586852279852659743010890|Q9990000").await.person,
        timeline.person
    );
}
