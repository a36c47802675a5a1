//! HL7 version 2: people, merges, orders and reports, and what is answered.

use crate::fascicolo::world::ANNA;
use crate::fascicolo::world::CHEST;
use crate::fascicolo::world::World;

const CODE: &str = "RSSMRA79B11C566R";

fn adt(trigger: &str, rest: &str) -> String {
    format!(
        "MSH|^~\\&|ADT|OSP|LASTRA|PACS|20260302||ADT^{trigger}|77|P|2.5\nEVN|{trigger}\n{rest}\n"
    )
}

#[tokio::test]
async fn a_registration_makes_a_person_and_an_update_keeps_history() {
    let world = World::new().await;
    let pid = |name: &str| format!("PID|1||P1^^^OSP~{CODE}^^^MEF||{name}||19790211|M");
    for (trigger, name) in [("A04", "ROSI^MARIO"), ("A08", "ROSSI^MARIO"), ("A31", "ROSSI^MARIO")] {
        let answer = world.send(&adt(trigger, &pid(name))).await;
        assert!(answer.contains("MSA|AA|77"), "{answer}");
    }
    let person = world.timeline(CODE).await.person;
    assert_eq!((person.name.as_str(), person.identifiers.len()), ("ROSSI^MARIO", 2));
    assert_eq!(world.timeline("OSP|P1").await.person, person);
}

#[tokio::test]
async fn requirement_7_a40_moves_everything_and_sent_twice_moves_nothing_more() {
    let world = World::new().await;
    world.store("dx-chest/dx-1.dcm").await;
    let merge = adt(
        "A40^ADT_A39",
        &format!(
            "PID|1||{CODE}^^^MEF||ROSSI^MARIO\nMRG|P0001042^^^OSPEDALE_PROVA&2.25.66361744767925586852279852659743010890&ISO"
        ),
    );
    for _ in 0..2 {
        assert!(world.send(&merge).await.contains("MSA|AA|77"));
    }
    let timeline = world.timeline(CODE).await;
    assert_eq!(timeline.episodes[0].study.as_ref().unwrap().uid, CHEST);
    assert_eq!(world.timeline(ANNA).await, timeline);
    let fascicolo = &world.rooms.fascicolo;
    let merges = fascicolo.merges(&world.permit, timeline.person.id).await.unwrap();
    assert_eq!(merges.len(), 1);
    fascicolo.unmerge(&world.permit, merges[0].id, "rossi").await.unwrap();
    assert!(world.timeline(CODE).await.episodes.is_empty());
    assert_eq!(world.timeline(ANNA).await.episodes.len(), 1);
}

#[tokio::test]
async fn a_report_by_message_is_joined_to_its_study_whatever_came_first() {
    for report_first in [true, false] {
        let world = World::new().await;
        let oru = format!(
            "MSH|^~\\&|RIS|OSP|LASTRA|PACS|20260302||ORU^R01|78|P|2.5\n\
             PID|1||{ANNA}^^^MEF||ESEMPI^ANNA||19680621|F\nORC|RE|1|F1\n\
             OBR|1|1|F1|87.44^RX torace||||||||||||||RX2600417|||||||F\n\
             OBX|1|TX|18782-3^Referto^LN||Nulla di rilevante.\nOBX|2|ST|113014^DICOM Study^DCM||{CHEST}\n"
        );
        if report_first {
            assert!(world.send(&oru).await.contains("MSA|AA|78"));
            world.store("dx-chest/dx-1.dcm").await;
        } else {
            world.store("dx-chest/dx-1.dcm").await;
            assert!(world.send(&oru).await.contains("MSA|AA|78"));
        }
        let timeline = world.timeline(ANNA).await;
        let [episode] = timeline.episodes.as_slice() else { panic!("{timeline:?}") };
        assert_eq!(episode.documents[0].title, "RX torace");
        assert_eq!(episode.study.as_ref().unwrap().uid, CHEST);
    }
}

#[tokio::test]
async fn what_cannot_be_taken_is_answered_with_place_and_reason_and_others_are_served() {
    let world = World::new().await;
    for (message, code, said) in [
        (adt("A99", "PID|1||P1^^^OSP"), "MSA|AR|77", "A99"),
        (adt("A01", ""), "MSA|AE|77", "PID"),
        (adt("A01", "PID|1||P1"), "MSA|AE|77", "PID^1^3"),
        (adt("A40", "PID|1||P1^^^OSP"), "MSA|AE|77", "MRG^1^1"),
        (
            "MSH|^~\\&|||||||SIU^S12|77|P|2.5\n".to_owned(),
            "MSA|AR|77",
            "200^Unsupported message type",
        ),
        ("PID|1".to_owned(), "MSA|AR|", "MSH"),
    ] {
        let answer = world.send(&message).await;
        assert!(answer.contains(code) && answer.contains(said), "{message}: {answer}");
    }
    assert!(world.send(&adt("A01", "PID|1||P1^^^OSP")).await.contains("MSA|AA|77"));
}
