//! Success means durable: what was answered with success is there after `kill -9`, byte for byte.

use std::hash::BuildHasher;
use std::hash::RandomState;
use std::sync::Arc;
use std::sync::Mutex;
use std::time::Duration;

use futures::StreamExt;
use futures::stream;

use crate::on_both_stores;
use crate::support::objects::EXPLICIT_LITTLE;
use crate::support::objects::Object;
use crate::support::objects::data_set_of;
use crate::support::server::Server;
use crate::support::server::until;
use crate::support::stores::Stores;

on_both_stores! {
    what_was_acknowledged_survives_kills_at_random_under_load,
    a_graceful_stop_finishes_what_is_under_way_and_keeps_everything,
}

const ROUNDS: u32 = 3;
const ASSOCIATIONS: u32 = 4;

/// What the senders know: objects begun, and objects answered with success.
#[derive(Default)]
struct Known {
    sent: Mutex<Vec<Object>>,
    acknowledged: Mutex<Vec<Object>>,
}

/// Random numbers from a seed (splitmix64).
struct Dice(u64);

impl Dice {
    /// From the seed in the environment, else another each time.
    #[expect(clippy::print_stderr, reason = "a failure shows how to repeat it")]
    fn new() -> Self {
        let given = std::env::var("LASTRA_TEST_SEED").ok().and_then(|text| text.parse().ok());
        let seed = given.unwrap_or_else(|| RandomState::new().hash_one(0));
        eprintln!("LASTRA_TEST_SEED={seed}");
        Self(seed)
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (mixed ^ (mixed >> 31)) % bound
    }
}

/// Objects of one association: most small, every tenth of a few MiB.
fn object(association: u32, n: u32) -> Object {
    let mut object = Object::ct("P1", association % 3 + 1, association, n);
    if n % 10 == 9 {
        object.number(0x0028_0010, 1024).number(0x0028_0011, 1280);
        object.bytes(0x7FE0_0010, b"OW", vec![(n % 251) as u8; 1024 * 1280 * 2]);
    }
    object
}

/// Sends until the server dies.
async fn send_until_killed(server: Arc<Server>, association: u32, known: Arc<Known>) {
    let mut scu = server.scu(&[object(association, 1)]).await;
    for n in 1.. {
        let object = object(association, n);
        known.sent.lock().unwrap().push(object.clone());
        let data_set = object.data_set();
        let (class, uid) = (&object.sop_class, &object.sop_instance);
        match scu.store(class, uid, EXPLICIT_LITTLE, &mut &data_set[..]).await {
            Ok(status) if status.code == 0 => known.acknowledged.lock().unwrap().push(object),
            Ok(status) => panic!("{status:?}"),
            Err(_) => return,
        }
    }
}

async fn what_was_acknowledged_survives_kills_at_random_under_load(stores: Stores) {
    let mut dice = Dice::new();
    let mut server = stores.server();
    let known = Arc::new(Known::default());
    for round in 0..ROUNDS {
        let shared = Arc::new(server);
        let senders: Vec<_> = (1..=ASSOCIATIONS)
            .map(|n| round * ASSOCIATIONS + n)
            .map(|n| tokio::spawn(send_until_killed(Arc::clone(&shared), n, Arc::clone(&known))))
            .collect();
        let enough = known.acknowledged.lock().unwrap().len() + 1 + dice.below(60) as usize;
        until("enough is stored", || {
            std::future::ready(known.acknowledged.lock().unwrap().len() >= enough)
        })
        .await;
        tokio::time::sleep(Duration::from_micros(dice.below(30_000))).await;
        kill(&shared);
        for sender in senders {
            sender.await.unwrap();
        }
        server = Arc::into_inner(shared).unwrap().restart();
    }

    let acknowledged = std::mem::take(&mut *known.acknowledged.lock().unwrap());
    let sent = std::mem::take(&mut *known.sent.lock().unwrap());
    let served: Vec<bool> =
        stream::iter(&sent).map(|object| is_served(&server, object)).buffered(4).collect().await;
    for object in &acknowledged {
        let at = sent.iter().position(|sent| sent.sop_instance == object.sop_instance).unwrap();
        assert!(served[at], "{} was acknowledged and is lost", object.path());
    }
    // What is listed is what can be fetched, neither more nor less.
    let listed = server.json("/instances?limit=5000").await;
    let whole = served.iter().filter(|served| **served).count();
    assert_eq!(listed.as_array().unwrap().len(), whole);
    // No job may be half way through a thumbnail while orphans are counted without grace.
    assert!(server.stop().success());
    // Every row has its blob and every hash holds; blobs without a row may be left, and are swept.
    let checked = server.check(&["--hashes", "--sweep", "--grace", "0s"]);
    assert_eq!((&checked["damaged"], &checked["copies"]), (&0.into(), &whole.into()));
    let again = server.check(&["--grace", "0s"]);
    assert_eq!((&again["damaged"], &again["orphans"]), (&0.into(), &0.into()));
}

/// Whether an object is there, whole; other bytes fail the test.
async fn is_served(server: &Server, object: &Object) -> bool {
    let response = server.get_as(&object.path(), "application/dicom; transfer-syntax=*").await;
    if response.status() == 404 {
        return false;
    }
    assert_eq!(response.status(), 200, "{}", object.path());
    let same = data_set_of(&response.bytes().await.unwrap()) == object.data_set();
    assert!(same, "{} has other bytes", object.path());
    true
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
