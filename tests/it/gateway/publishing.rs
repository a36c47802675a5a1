//! Requirement 38: validation, signature, publication, what became of it; versions, deletion.

use lastra::model::outbox::Operation;
use lastra::model::outbox::Stage;

use super::on_both_databases;
use super::simulator::Fault;
use super::world::Make;
use super::world::REPORT;
use super::world::REPORT_ID;
use super::world::World;
use super::world::second;

on_both_databases!(
    requirement_38_a_report_is_validated_published_and_found_in_the_index,
    requirement_23_a_very_restricted_report_enters_the_index_obscured,
    a_pdf_that_came_with_its_cda_is_published_as_it_came,
    requirement_38_the_operators_command_signs_after_validation_and_the_signed_file_is_sent,
    requirement_37_a_second_version_takes_the_place_of_the_first_whichever_comes_first,
    requirement_37_a_version_whose_predecessor_the_index_does_not_know_is_the_first_there,
    what_is_withdrawn_is_deleted_there_once_and_stays_here,
    documents_that_are_no_radiology_reports_wait_for_somebody_and_texts_cannot_be_published,
    requirement_39_what_is_published_is_obscured_and_shown_again,
    what_was_withdrawn_is_published_again_and_stays_obscured,
);

async fn requirement_38_a_report_is_validated_published_and_found_in_the_index(make: Make) {
    let world = World::new(make).await;
    world.take(REPORT).await;
    world.settle().await;
    let entries = world.outbox().await;
    let [entry] = entries.as_slice() else { panic!("{entries:?}") };
    let progress = &entry.progress;
    assert_eq!((progress.stage, progress.reason.as_str()), (Stage::Done, ""));
    assert_eq!(progress.warning, "[ERRORE-W1] avviso");
    world.simulator.with(|memory| {
        assert_eq!(memory.calls, ["validation", "create", "status"]);
        let published = &memory.published[REPORT_ID];
        assert_eq!(published.times, 1);
        assert_eq!(published.request["dataInizioPrestazione"], "20260302100533");
        assert!(published.request.get("attiCliniciRegoleAccesso").is_none());
    });
    world.simulator.expect_no_violation();
    // The same document again is the same entry.
    world.take(REPORT).await;
    world.settle().await;
    assert_eq!(world.simulator.calls("create"), 1);
    // What was published is kept as it was sent.
    let shipment = world.rooms.fascicolo.shipment(&world.permit, entry).await.unwrap();
    world.simulator.with(|memory| assert_eq!(shipment.pdf, memory.published[REPORT_ID].file));
}

async fn requirement_23_a_very_restricted_report_enters_the_index_obscured(make: Make) {
    let world = World::new(make).await;
    world
        .take(REPORT.replace("confidentialityCode code=\"N\"", "confidentialityCode code=\"V\""))
        .await;
    world.settle().await;
    world.simulator.with(|memory| {
        let request = &memory.published[REPORT_ID].request;
        assert_eq!(request["attiCliniciRegoleAccesso"][0], "P99");
    });
}

async fn a_pdf_that_came_with_its_cda_is_published_as_it_came(make: Make) {
    let world = World::new(make).await;
    world.take(REPORT).await;
    world.settle().await;
    // Another archive's: the very PDF ours made.
    let pdf = world.simulator.with(|memory| memory.published[REPORT_ID].file.clone());
    let other = World::new(make).await;
    other.take(pdf.clone()).await;
    other.settle().await;
    other.simulator.with(|memory| assert_eq!(memory.published[REPORT_ID].file, pdf));
    other.simulator.expect_no_violation();
}

async fn requirement_38_the_operators_command_signs_after_validation_and_the_signed_file_is_sent(
    make: Make,
) {
    let world = World::with(make, |settings| {
        settings.sign_command =
            ["sh", "-c", "cat; printf 'signed at last'"].map(str::to_owned).to_vec();
    })
    .await;
    world.take(REPORT).await;
    world.settle().await;
    assert_eq!(world.stage().await, (Stage::Done, String::new()));
    let file = world.simulator.with(|memory| memory.published[REPORT_ID].file.clone());
    assert!(file.ends_with(b"signed at last"));
    world.simulator.expect_no_violation();
}

async fn requirement_37_a_second_version_takes_the_place_of_the_first_whichever_comes_first(
    make: Make,
) {
    for newest_first in [false, true] {
        let world = World::new(make).await;
        let mut both = [REPORT.to_owned(), second()];
        if newest_first {
            both.reverse();
        }
        for report in both {
            world.take(report).await;
        }
        world.settle().await;
        world.simulator.with(|memory| {
            let first = &memory.published[REPORT_ID];
            let second_id = REPORT_ID.replace("RX2600417.1", "RX2600417.2");
            assert_eq!(first.replaced.as_deref(), Some(second_id.as_str()), "{:?}", memory.calls);
            assert_eq!((first.times, memory.published[&second_id].times), (1, 1));
        });
        world.simulator.expect_no_violation();
    }
}

async fn requirement_37_a_version_whose_predecessor_the_index_does_not_know_is_the_first_there(
    make: Make,
) {
    let world = World::new(make).await;
    world.take(second()).await;
    world.settle().await;
    assert_eq!(world.stage().await, (Stage::Done, String::new()));
    world.simulator.with(|memory| {
        assert_eq!(memory.calls, ["validation", "replace", "create", "status"]);
        assert_eq!(memory.published.len(), 1);
    });
    world.simulator.expect_no_violation();
}

async fn what_is_withdrawn_is_deleted_there_once_and_stays_here(make: Make) {
    let world = World::new(make).await;
    let document = world.take(REPORT).await;
    let fascicolo = &world.rooms.fascicolo;
    assert!(fascicolo.withdraw(&world.permit, document, "rossi").await.is_err());
    world.settle().await;
    let (entry, new) = fascicolo.withdraw(&world.permit, document, "rossi").await.unwrap();
    assert!(new);
    assert_eq!(fascicolo.withdraw(&world.permit, document, "rossi").await.unwrap(), (entry, false));
    world.settle().await;
    world.simulator.with(|memory| assert!(memory.published[REPORT_ID].deleted));
    assert_eq!(world.simulator.calls("delete"), 1);
    let entries = world.outbox().await;
    assert_eq!(
        entries.iter().map(|e| (e.operation, e.progress.stage)).collect::<Vec<_>>(),
        [(Operation::Publish, Stage::Done), (Operation::Delete, Stage::Done)]
    );
    assert_eq!(fascicolo.document_bytes(&world.permit, document).await.unwrap(), REPORT.as_bytes());
}

async fn documents_that_are_no_radiology_reports_wait_for_somebody_and_texts_cannot_be_published(
    make: Make,
) {
    let world = World::new(make).await;
    let text = world.take("Referto in testo.").await;
    let other = world
        .take(
            REPORT
                .replace("68604-8", "34133-9")
                .replace("2.16.840.1.113883.2.9.10.1.7.1", "2.16.840.1.113883.2.9.10.1.9.9"),
        )
        .await;
    assert!(world.outbox().await.is_empty());
    let fascicolo = &world.rooms.fascicolo;
    assert!(fascicolo.publish(&world.permit, text, "rossi").await.is_err());
    assert!(fascicolo.publish(&world.permit, other, "rossi").await.unwrap().1);
}

async fn requirement_39_what_is_published_is_obscured_and_shown_again(make: Make) {
    let world = World::new(make).await;
    let document = world.take(REPORT).await;
    let (fascicolo, permit) = (&world.rooms.fascicolo, &world.permit);
    assert!(fascicolo.obscure_there(permit, document, true, "rossi").await.is_err());
    world.settle().await;
    let entry = fascicolo.obscure_there(permit, document, true, "rossi").await.unwrap();
    let busy = fascicolo.obscure_there(permit, document, false, "rossi").await;
    assert!(busy.unwrap_err().to_string().contains("on its way"));
    // Its answer is lost once, then it is refused for a while: the same again does no harm.
    world.simulator.fault("metadata", Fault::Mute);
    world.simulator.fault("metadata", Fault::Refuse(503, "/msg/generic-timeout"));
    world.settle().await;
    let again = fascicolo.obscure_there(permit, document, false, "rossi").await.unwrap();
    assert_eq!(entry, again);
    world.settle().await;
    world.simulator.with(|memory| {
        let rules: Vec<&str> = memory.published[REPORT_ID]
            .rules
            .iter()
            .map(|rules| rules[0].as_str().unwrap())
            .collect();
        assert_eq!(rules, ["P99", "P99", "P00"]);
    });
    let entries = world.outbox().await;
    assert!(entries.iter().all(|entry| entry.progress.stage == Stage::Done), "{entries:?}");
    world.simulator.expect_no_violation();
    fascicolo.withdraw(permit, document, "rossi").await.unwrap();
    assert!(fascicolo.obscure_there(permit, document, true, "rossi").await.is_err());
}

async fn what_was_withdrawn_is_published_again_and_stays_obscured(make: Make) {
    let world = World::new(make).await;
    let document = world.take(REPORT).await;
    let (fascicolo, permit) = (&world.rooms.fascicolo, &world.permit);
    world.settle().await;
    let (first, new) = fascicolo.publish(permit, document, "rossi").await.unwrap();
    assert!(!new, "what is published is published once");
    fascicolo.obscure_there(permit, document, true, "rossi").await.unwrap();
    world.settle().await;
    fascicolo.withdraw(permit, document, "rossi").await.unwrap();
    let early = fascicolo.publish(permit, document, "rossi").await;
    assert!(early.unwrap_err().to_string().contains("being withdrawn"));
    world.settle().await;
    assert_eq!(fascicolo.publish(permit, document, "rossi").await.unwrap(), (first, true));
    world.settle().await;
    world.simulator.with(|memory| {
        let published = &memory.published[REPORT_ID];
        assert_eq!((published.times, published.deleted), (2, false));
        assert_eq!(published.request["attiCliniciRegoleAccesso"][0], "P99");
    });
    world.simulator.expect_no_violation();
    // And withdrawn again.
    fascicolo.withdraw(permit, document, "rossi").await.unwrap();
    world.settle().await;
    world.simulator.with(|memory| assert!(memory.published[REPORT_ID].deleted));
    assert_eq!(world.simulator.calls("delete"), 2);
}
