//! Nothing is ever overwritten: a resend of the same bytes writes nothing, other bytes under a known
//! SOP Instance UID never destroy the older copy.

use futures::future::join_all;

use crate::on_both_stores;
use crate::support::objects::Object;
use crate::support::objects::data_set_of;
use crate::support::server::store_with;
use crate::support::server::until;
use crate::support::stores::Stores;

on_both_stores! {
    a_thousand_resends_from_many_associations_store_one_copy,
    other_bytes_under_a_known_uid_are_kept_beside_the_older_copy,
    copies_of_one_uid_racing_in_are_all_kept_and_one_is_served,
}

async fn a_thousand_resends_from_many_associations_store_one_copy(stores: Stores) {
    let server = stores.server();
    let object = Object::ct("P1", 1, 1, 1);
    let associations = (0..8).map(|_| async {
        let mut scu = server.scu(std::slice::from_ref(&object)).await;
        for _ in 0..125 {
            assert_eq!(store_with(&mut scu, &object).await, 0x0000);
        }
        scu.release().await.unwrap();
    });
    join_all(associations).await;

    let found = server.json("/instances").await;
    assert_eq!(found.as_array().unwrap().len(), 1);
    assert_eq!(data_set_of(&server.file(&object.path()).await), object.data_set());
    until("resent copies are removed", || async { server.instance_blobs().len() == 1 }).await;
}

async fn other_bytes_under_a_known_uid_are_kept_beside_the_older_copy(stores: Stores) {
    let server = stores.server();
    let first = Object::ct("P1", 1, 1, 1);
    let mut changed = first.clone();
    changed.text(0x0008_103E, b"LO", "changed after sending");

    let statuses = server.store(&[first.clone(), changed.clone(), changed, first.clone()]).await;

    assert_eq!(statuses, [0, 0, 0, 0]);
    assert_eq!(data_set_of(&server.file(&first.path()).await), first.data_set());
    until("both copies are there, once each", || async { server.instance_blobs().len() == 2 })
        .await;
}

async fn copies_of_one_uid_racing_in_are_all_kept_and_one_is_served(stores: Stores) {
    let server = stores.server();
    let variants: Vec<Object> = (0..6)
        .map(|n| {
            let mut object = Object::ct("P1", 1, 1, 1);
            object.text(0x0008_103E, b"LO", &format!("variant {n}"));
            object
        })
        .collect();
    join_all(variants.iter().map(|v| server.store(std::slice::from_ref(v)))).await;

    let served = server.file(&variants[0].path()).await;
    assert!(variants.iter().any(|variant| variant.data_set() == data_set_of(&served)));
    until("every variant is kept", || async { server.instance_blobs().len() == variants.len() })
        .await;
}
