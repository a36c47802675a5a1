//! Real data is awkward, and none of it may be lost or mixed up.

use futures::future::join_all;

use crate::on_both_stores;
use crate::support::objects::Object;
use crate::support::objects::data_set_of;
use crate::support::stores::Stores;

on_both_stores! {
    one_study_uid_under_two_patients_stays_two_studies,
    the_same_instance_under_two_patients_is_given_to_neither_by_guess,
    objects_without_a_patient_id_are_kept_apart_by_study,
    identifiers_that_are_no_uids_and_identifiers_of_vr_un_are_found_again,
    a_command_that_names_another_instance_than_its_data_set_is_refused_with_the_reason,
    first_sight_of_a_patient_from_many_associations_makes_one_patient_study_and_series,
}

fn values(found: &serde_json::Value, tag: &str) -> Vec<String> {
    let mut values: Vec<String> = found
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row[tag]["Value"][0].as_str().unwrap_or_default().to_owned())
        .collect();
    values.sort();
    values
}

async fn one_study_uid_under_two_patients_stays_two_studies(stores: Stores) {
    let server = stores.server();
    let (anna, bruno) = (Object::ct("ANNA", 7, 1, 1), Object::ct("BRUNO", 7, 1, 2));
    assert_eq!(server.store(&[anna.clone(), bruno.clone()]).await, [0, 0]);

    let studies = server.json(&format!("/studies?StudyInstanceUID={}", anna.study)).await;
    assert_eq!(values(&studies, "00100020"), ["ANNA", "BRUNO"]);

    // Whose study? Only the caller can say.
    let whole = format!("/studies/{}", anna.study);
    assert_eq!(server.get(&whole).await.status(), 409);
    let of_anna = server.json(&format!("{whole}/metadata?PatientID=ANNA")).await;
    assert_eq!(values(&of_anna, "00100020"), ["ANNA"]);

    // Instances tell by themselves.
    for object in [anna, bruno] {
        assert_eq!(data_set_of(&server.file(&object.path()).await), object.data_set());
    }
}

async fn the_same_instance_under_two_patients_is_given_to_neither_by_guess(stores: Stores) {
    let server = stores.server();
    let wrong = Object::ct("WRONG", 8, 1, 1);
    let mut right = wrong.clone();
    right.text(0x0010_0020, b"LO", "RIGHT");
    assert_eq!(server.store(&[wrong.clone(), right.clone()]).await, [0, 0]);

    assert_eq!(server.get(&wrong.path()).await.status(), 409);
    for object in [(wrong, "WRONG"), (right, "RIGHT")] {
        let path = format!("{}?PatientID={}", object.0.path(), object.1);
        assert_eq!(data_set_of(&server.file(&path).await), object.0.data_set());
    }
}

async fn objects_without_a_patient_id_are_kept_apart_by_study(stores: Stores) {
    let server = stores.server();
    let objects: Vec<Object> = (1..=2)
        .map(|study| {
            let mut object = Object::ct("", study, 1, 1);
            if study == 2 {
                object.without(0x0010_0020);
            }
            object
        })
        .collect();
    assert_eq!(server.store(&objects).await, [0, 0]);

    assert_eq!(server.json("/studies").await.as_array().unwrap().len(), 2);
    for object in objects {
        assert_eq!(data_set_of(&server.file(&object.path()).await), object.data_set());
    }
}

async fn identifiers_that_are_no_uids_and_identifiers_of_vr_un_are_found_again(stores: Stores) {
    let server = stores.server();
    let mut odd = Object::ct("P1", 1, 1, 1);
    odd.study = "not a uid/at all?".to_owned();
    odd.series = "Serie 1, bis".to_owned();
    let (study, series) = (odd.study.clone(), odd.series.clone());
    odd.text(0x0020_000D, b"UI", &study).text(0x0020_000E, b"UI", &series);
    let mut unknown_vr = Object::ct("P1", 2, 1, 1);
    let padded = format!("{} ", unknown_vr.study);
    unknown_vr.bytes(0x0020_000D, b"UN", padded.into_bytes());
    unknown_vr.bytes(0x0010_0020, b"UN", b"P1  ".to_vec());
    assert_eq!(server.store(&[odd.clone(), unknown_vr.clone()]).await, [0, 0]);

    let path = format!(
        "/studies/not%20a%20uid%2Fat%20all%3F/series/Serie%201%2C%20bis/instances/{}",
        odd.sop_instance
    );
    assert_eq!(data_set_of(&server.file(&path).await), odd.data_set());
    assert_eq!(data_set_of(&server.file(&unknown_vr.path()).await), unknown_vr.data_set());
    let of_patient = server.json("/studies?PatientID=P1").await;
    assert_eq!(of_patient.as_array().unwrap().len(), 2);
}

async fn a_command_that_names_another_instance_than_its_data_set_is_refused_with_the_reason(
    stores: Stores,
) {
    let server = stores.server();
    let object = Object::ct("P1", 1, 1, 1);
    let mut scu = server.scu(std::slice::from_ref(&object)).await;
    let data_set = object.data_set();
    let status = scu
        .store(&object.sop_class, "1.2.3.4", "1.2.840.10008.1.2.1", &mut &data_set[..])
        .await
        .unwrap();
    assert_eq!(status.code & 0xFF00, 0xA900, "{status:?}");
    assert!(status.comment.unwrap_or_default().contains("SOP Instance UID"));
    assert_eq!(server.json("/instances").await.as_array().unwrap().len(), 0);
    // The association goes on.
    assert_eq!(crate::support::server::store_with(&mut scu, &object).await, 0);
}

async fn first_sight_of_a_patient_from_many_associations_makes_one_patient_study_and_series(
    stores: Stores,
) {
    let server = stores.server();
    let batches: Vec<Vec<Object>> =
        (0..8).map(|n| (0..10).map(|i| Object::ct("P1", 1, 1, n * 10 + i + 1)).collect()).collect();
    let statuses = join_all(batches.iter().map(|batch| server.store(batch))).await;
    assert!(statuses.iter().flatten().all(|status| *status == 0));

    let studies = server.json("/studies").await;
    assert_eq!(studies.as_array().unwrap().len(), 1);
    assert_eq!(studies[0]["00201206"]["Value"][0], 1);
    assert_eq!(studies[0]["00201208"]["Value"][0], 80);
}
