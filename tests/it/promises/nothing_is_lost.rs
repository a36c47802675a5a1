//! Success means durable: what was answered with success is there after `kill -9`, byte for byte.

use std::sync::Arc;
use std::sync::Mutex;

use crate::on_both_stores;
use crate::support::objects::Object;
use crate::support::objects::data_set_of;
use crate::support::server::Server;
use crate::support::stores::Stores;

on_both_stores! {
    what_was_acknowledged_survives_a_kill_under_load,
    a_graceful_stop_finishes_what_is_under_way_and_keeps_everything,
}

/// Sends until the server dies; what was answered with success goes to `acknowledged`.
async fn send_until_killed(
    server: Arc<Server>,
    association: u32,
    acknowledged: Arc<Mutex<Vec<Object>>>,
) {
    let objects: Vec<Object> =
        (1..=400).map(|n| Object::ct("P1", association % 3 + 1, association, n)).collect();
    let mut scu = server.scu(&objects[..1]).await;
    for object in objects {
        let data_set = object.data_set();
        let (class, uid) = (&object.sop_class, &object.sop_instance);
        let syntax = crate::support::objects::EXPLICIT_LITTLE;
        match scu.store(class, uid, syntax, &mut &data_set[..]).await {
            Ok(status) if status.code == 0 => acknowledged.lock().unwrap().push(object),
            Ok(status) => panic!("{status:?}"),
            Err(_) => return,
        }
    }
}

async fn what_was_acknowledged_survives_a_kill_under_load(stores: Stores) {
    let mut server = stores.server();
    let mut all = Vec::new();
    for round in 0..3_u32 {
        let shared = Arc::new(server);
        let acknowledged = Arc::new(Mutex::new(Vec::new()));
        let senders: Vec<_> = (0..4)
            .map(|n| {
                let sender = send_until_killed(
                    Arc::clone(&shared),
                    1 + round * 4 + n,
                    Arc::clone(&acknowledged),
                );
                tokio::spawn(sender)
            })
            .collect();
        // Kill in the middle of the work, at another point each round.
        let enough = 40 + 53 * round as usize;
        while acknowledged.lock().unwrap().len() < enough {
            tokio::task::yield_now().await;
        }
        kill(&shared);
        for sender in senders {
            sender.await.unwrap();
        }
        server = Arc::into_inner(shared).unwrap().kill_and_restart();
        all.append(&mut acknowledged.lock().unwrap());
    }

    for object in &all {
        assert_eq!(data_set_of(&server.file(&object.path()).await), object.data_set());
    }
    // Every row has its blob and every hash holds; blobs without a row may be left, and are swept.
    let checked = server.check(&["--hashes", "--sweep", "--grace", "0s"]);
    assert_eq!(checked["damaged"], 0);
    assert!(checked["copies"].as_u64().unwrap() >= all.len() as u64);
    let again = server.check(&["--grace", "0s"]);
    assert_eq!((&again["damaged"], &again["orphans"]), (&0.into(), &0.into()));
}

fn kill(server: &Server) {
    let pid = rustix::process::Pid::from_raw(i32::try_from(server.pid()).unwrap()).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
}

async fn a_graceful_stop_finishes_what_is_under_way_and_keeps_everything(stores: Stores) {
    let server = stores.server();
    let objects: Vec<Object> = (1..=20).map(|n| Object::ct("P1", 1, 1, n)).collect();
    assert!(server.store(&objects).await.iter().all(|status| *status == 0));

    let server = server.stop_and_restart();

    let found = server.json("/instances?limit=100").await;
    assert_eq!(found.as_array().unwrap().len(), 20);
}
