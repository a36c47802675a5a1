//! Requirements 38 and 40: what is refused is refused once with its code, what fails is tried again, what
//! is in doubt is asked after.

use lastra::model::outbox::Stage;

use super::on_both_databases;
use super::simulator::Fault;
use super::world::Make;
use super::world::REPORT;
use super::world::REPORT_ID;
use super::world::World;

on_both_databases!(
    a_report_that_breaks_rules_is_refused_with_the_gateways_code_and_tried_again_on_request,
    requirement_38_a_report_six_days_old_is_refused_by_its_age,
    requirement_38_a_forgotten_validation_is_made_again,
    requirement_40_trouble_before_the_gateway_is_waited_for,
    requirement_40_of_two_lost_answers_the_taken_one_is_not_sent_again_and_the_other_is,
    requirement_40_in_doubt_nothing_is_sent_before_the_request_is_certainly_over,
    what_the_national_index_refuses_is_seen_by_asking,
    a_deletion_whose_answer_was_lost_is_done,
    what_is_set_aside_is_left_alone_until_it_is_tried_again,
    a_client_without_the_channels_certificate_is_not_let_in_and_waits,
    other_algorithms_and_people_pass_and_a_report_without_a_person_never_leaves,
);

async fn a_report_that_breaks_rules_is_refused_with_the_gateways_code_and_tried_again_on_request(
    make: Make,
) {
    let world = World::new(make).await;
    world.take(REPORT.replace("<realmCode code=\"IT\"/>", "")).await;
    world.settle().await;
    let (stage, reason) = world.stage().await;
    assert_eq!(stage, Stage::Refused);
    assert!(reason.starts_with("/msg/semantic /validation/error (422): "), "{reason}");
    assert_eq!(world.simulator.calls("validation"), 1);
    let entry = world.outbox().await[0].id;
    world.rooms.fascicolo.retry_entry(&world.permit, entry).await.unwrap();
    world.settle().await;
    assert_eq!(world.simulator.calls("validation"), 2);
    assert_eq!(world.simulator.calls("create"), 0);
}

async fn requirement_38_a_report_six_days_old_is_refused_by_its_age(make: Make) {
    let world = World::new(make).await;
    world.advance_s(6 * 24 * 3600);
    world.take(REPORT).await;
    world.settle().await;
    let (stage, reason) = world.stage().await;
    assert_eq!(stage, Stage::Refused);
    assert!(reason.starts_with("/msg/max-day-limit-exceed"), "{reason}");
}

async fn requirement_38_a_forgotten_validation_is_made_again(make: Make) {
    let world = World::new(make).await;
    world.simulator.fault("create", Fault::Forget);
    world.take(REPORT).await;
    world.settle().await;
    assert_eq!(world.stage().await.0, Stage::Done);
    world.simulator.with(|memory| {
        assert_eq!(memory.calls[..4], ["validation", "create", "validation", "create"]);
        assert_eq!(memory.published[REPORT_ID].times, 1);
    });
    world.simulator.expect_no_violation();
}

async fn requirement_40_trouble_before_the_gateway_is_waited_for(make: Make) {
    let world = World::new(make).await;
    for (call, status) in
        [("validation", 503), ("validation", 429), ("create", 429), ("create", 401)]
    {
        world.simulator.fault(call, Fault::Refuse(status, ""));
    }
    world.take(REPORT).await;
    world.settle().await;
    assert_eq!(world.stage().await, (Stage::Done, String::new()));
    world.simulator.with(|memory| assert_eq!(memory.published[REPORT_ID].times, 1));
    world.simulator.expect_no_violation();
}

async fn requirement_40_of_two_lost_answers_the_taken_one_is_not_sent_again_and_the_other_is(
    make: Make,
) {
    for (fault, sent) in
        [(Fault::Mute, 1), (Fault::Deaf, 2), (Fault::Refuse(504, "/msg/generic-timeout"), 2)]
    {
        let world = World::new(make).await;
        world.simulator.fault("create", fault.clone());
        world.take(REPORT).await;
        world.settle().await;
        assert_eq!(world.stage().await, (Stage::Done, String::new()), "{fault:?}");
        assert_eq!(world.simulator.calls("create"), sent, "{fault:?}");
        world.simulator.with(|memory| assert_eq!(memory.published[REPORT_ID].times, 1));
        world.simulator.expect_no_violation();
    }
}

async fn requirement_40_in_doubt_nothing_is_sent_before_the_request_is_certainly_over(make: Make) {
    let world = World::new(make).await;
    world.simulator.fault("create", Fault::Deaf);
    world.take(REPORT).await;
    assert_eq!(world.work_due().await, 1);
    assert_eq!(world.stage().await.0, Stage::Sending);
    // Somebody presses the button: still it is only asked after.
    let entry = world.outbox().await[0].id;
    world.rooms.fascicolo.retry_entry(&world.permit, entry).await.unwrap();
    assert!(world.rooms.fascicolo.set_entry_aside(&world.permit, entry).await.is_err());
    world.work_due().await;
    assert_eq!((world.simulator.calls("create"), world.simulator.calls("status")), (1, 0));
    world.settle().await;
    assert_eq!(world.stage().await.0, Stage::Done);
    world.simulator.expect_no_violation();
}

async fn what_the_national_index_refuses_is_seen_by_asking(make: Make) {
    let world = World::new(make).await;
    world.simulator.fault("create", Fault::IndexFails);
    world.take(REPORT).await;
    world.settle().await;
    let (stage, reason) = world.stage().await;
    assert_eq!(stage, Stage::Refused);
    assert!(reason.starts_with("SEND_TO_INI BLOCKING_ERROR"), "{reason}");
}

async fn a_deletion_whose_answer_was_lost_is_done(make: Make) {
    let world = World::new(make).await;
    let document = world.take(REPORT).await;
    world.settle().await;
    world.simulator.fault("delete", Fault::Mute);
    world.rooms.fascicolo.withdraw(&world.permit, document, "rossi").await.unwrap();
    world.settle().await;
    let entries = world.outbox().await;
    assert_eq!(entries[1].progress.stage, Stage::Done, "{:?}", entries[1].progress);
}

async fn what_is_set_aside_is_left_alone_until_it_is_tried_again(make: Make) {
    let world = World::new(make).await;
    world.take(REPORT).await;
    let entry = world.outbox().await[0].id;
    world.rooms.fascicolo.set_entry_aside(&world.permit, entry).await.unwrap();
    world.settle().await;
    assert_eq!(world.simulator.calls("validation"), 0);
    world.rooms.fascicolo.retry_entry(&world.permit, entry).await.unwrap();
    world.settle().await;
    assert_eq!(world.stage().await.0, Stage::Done);
    assert!(world.rooms.fascicolo.retry_entry(&world.permit, entry).await.is_err());
}

async fn a_client_without_the_channels_certificate_is_not_let_in_and_waits(make: Make) {
    let world = World::with(make, |settings| {
        settings.tls_certificate = settings.tls_certificate.replace("client", "stranger");
        settings.tls_key = settings.tls_key.replace("client", "stranger");
    })
    .await;
    world.take(REPORT).await;
    world.work_due().await;
    let (stage, reason) = world.stage().await;
    assert_eq!(stage, Stage::Waiting);
    assert!(
        reason.starts_with("no-connection") || reason.starts_with("connection-lost"),
        "{reason}"
    );
    world.simulator.with(|memory| assert!(memory.calls.is_empty()));
    // It gives up before the report is too old for the gateway anyway.
    world.advance_s(4 * 24 * 3600 + 1);
    world.work_due().await;
    assert_eq!(world.stage().await.0, Stage::Refused);
}

async fn other_algorithms_and_people_pass_and_a_report_without_a_person_never_leaves(make: Make) {
    let world = World::with(make, |settings| {
        settings.algorithm = "RS512".to_owned();
        settings.issuer = "x".to_owned();
    })
    .await;
    world.take(REPORT.replace("SMPNLC68H61H501I", "RSSMRA79B11C566R")).await;
    world.settle().await;
    assert_eq!(world.stage().await.0, Stage::Done, "{:?}", world.stage().await);
    // A CDA without a codice fiscale never leaves.
    let world = World::new(make).await;
    let nameless = REPORT.replace(
        "<id root=\"2.16.840.1.113883.2.9.4.3.2\" extension=\"SMPNLC68H61H501I\" assigningAuthorityName=\"MEF\"/>",
        "<id root=\"2.25.1\" extension=\"X1\"/>",
    );
    world.take(nameless).await;
    world.settle().await;
    let (stage, reason) = world.stage().await;
    assert_eq!(stage, Stage::Refused);
    assert!(reason.starts_with("no-person"), "{reason}");
    world.simulator.with(|memory| assert!(memory.calls.is_empty()));
}
