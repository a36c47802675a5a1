//! "Already done", told to whoever sends a new order; the order is kept all the same.

use crate::fascicolo::world::ANNA;
use crate::fascicolo::world::CHEST;
use crate::fascicolo::world::World;

const ERR: &str =
    "ERR||ORC^1^1|0^Message accepted^HL70357|I|already-done^Examination already done^99LST|";

/// An order of version `version` for Anna.
fn order(version: &str, kind: &str, rest: &str) -> String {
    let pid = format!("PID|1||{ANNA}^^^MEF||ESEMPI^ANNA");
    format!("MSH|^~\\&|CUP|OSP|LASTRA|PACS|20260302||{kind}|77|P|{version}\n{pid}\n{rest}\n")
}

/// One of version 2.5, with ORC-1, what is asked, the body site, the accession number and the modality.
fn orm(control: &str, asked: &str, site: &str, accession: &str, modality: &str) -> String {
    let segments = format!(
        "ORC|{control}|X9^CUP\nOBR|1|X9^CUP||{asked}|||||||||||{site}|||{accession}||||||{modality}"
    );
    order("2.5", "ORM^O01", &segments)
}

#[tokio::test]
async fn a_new_order_for_what_was_done_is_kept_and_answered_with_what_was_done() {
    let world = World::new().await;
    world.store("dx-chest/dx-1.dcm").await;
    let omi = "ORC|NW|X9^CUP\nOBR|1|X9^CUP||RX1^RX^L\nOBX|1|CWE|123014^Target Region^DCM||816094009^Chest^SCT\n\
               IPC|RX9^RIS|RP1|1.2.3|S1|CR";
    let told = format!(
        "MSA|AA|77\r{ERR}{CHEST}~20260302~DX~RX2600417||Already done: DX of the same body part on \
         2026-03-02, today, no report yet. The order is kept.|USR\r"
    );
    let silent = "MSA|AA|77\r";
    for (message, days, expected) in [
        (orm("NW", "X", "^^^CHEST", "RX9", "DX"), 90, told.as_str()),
        (orm("NW", "X", "^^^CHEST", "RX9", "CR"), 1, &told),
        (orm("NW", "X", "^^^51185008&Chest&SCT", "RX9", "DX"), 90, &told),
        // A code alone says modality and part.
        (orm("NW", "87.44.1^RX torace^ICD9", "", "RX9", ""), 90, &told),
        (order("2.5.1", "OMI^O23^OMI_O23", omi), 90, &told),
        (order("2.5.1", "OMG^O19^OMG_O19", omi), 90, &told),
        // Nobody can say that it was done.
        (orm("NW", "X", "", "RX9", "DX"), 90, silent),
        (orm("NW", "X", "^^^CHEST^L", "RX9", "DX"), 90, silent),
        // Another one was done.
        (orm("NW", "X", "^^^HAND", "RX9", "DX"), 90, silent),
        (orm("NW", "X", "^^^CHEST", "RX9", "CT"), 90, silent),
        // It is what was ordered, by its number and by its UID.
        (orm("NW", "X", "^^^CHEST", "RX2600417", "DX"), 90, silent),
        (orm("NW", "X", "^^^CHEST", "RX9", "DX") + &format!("ZDS|{CHEST}\n"), 90, silent),
        // Nothing new is ordered; somebody else is; nobody wants to know.
        (orm("XO", "X", "^^^CHEST", "RX9", "DX"), 90, silent),
        (orm("NW", "X", "^^^CHEST", "RX9", "DX").replace(ANNA, "RSSMRA79B11C566R"), 90, silent),
        (orm("NW", "X", "^^^CHEST", "RX9", "DX").replace(ANNA, "1"), 90, silent),
        (orm("NW", "X", "^^^CHEST", "RX9", "DX"), 0, silent),
    ] {
        let answer = world.send_within(&message, days).await;
        let (_, answer) = answer.split_once('\r').unwrap();
        assert_eq!(answer, expected, "{message}");
    }
    let fascicolo = &world.rooms.fascicolo;
    let (_, asked) = fascicolo.asked_by_order(&world.permit, "CUP|X9").await.unwrap();
    assert_eq!((asked.modality.as_str(), asked.body_part.as_str()), ("DX", "CHEST"));
}

#[tokio::test]
async fn each_version_and_mode_is_answered_in_its_own_way() {
    let world = World::new().await;
    world.store("dx-chest/dx-1.dcm").await;
    let new = orm("NW", "X", "^^^CHEST", "RX9", "DX");
    for (message, expected) in [
        (
            new.replace("|P|2.5", "|P|2.3.1"),
            "MSA|AA|77|Already done: DX on 2026-03-02, accession RX2600417\r",
        ),
        (new.replace("|P|2.5", "|P|2.5|||AL|NE"), "MSA|CA|77\rERR||ORC^1^1|0^"),
        (new.replace("|P|2.5", "|P|2.5|||NE|AL"), "MSA|AA|77\rERR||ORC^1^1|0^"),
        (new.replace("|P|2.5", "|P|2.7"), "MSA|AA|77\rERR||ORC^1^1|0^"),
    ] {
        let answer = world.send(&message).await;
        assert!(answer.contains(expected), "{message} {answer}");
    }
}

#[tokio::test]
async fn the_days_are_counted_and_no_more_than_five_are_named_newest_first() {
    let world = World::new().await;
    let new = orm("NW", "X", "^^^CHEST", "RX9", "DX");
    let older = [("20260302", "20251101"), ("RX2600417", "RX2500001")];
    world.store_changed("dx-chest/dx-1.dcm", &older).await;
    for (days, done) in [(120, false), (121, true)] {
        let answer = world.send_within(&new, days).await;
        assert_eq!(answer.contains("~20251101~DX~RX2500001||"), done, "{days} {answer}");
        assert_eq!(answer.contains(", 121 days ago, "), done, "{days} {answer}");
    }
    for number in 1..=6 {
        let (uid, day) =
            (format!("{}{number}", &CHEST[..CHEST.len() - 1]), format!("2026020{number}"));
        let changes = [(CHEST, uid.as_str()), ("20260302", &day), ("RX2600417", "RX2600000")];
        world.store_changed("dx-chest/dx-1.dcm", &changes).await;
    }
    // The second order of a message is the one that is told of.
    let two = orm("NW", "X", "^^^HAND", "RX8", "DX")
        + "ORC|NW|X10^CUP\nOBR|1|X10^CUP||X|||||||||||^^^CHEST|||RX10||||||DX\n";
    let answer = world.send_within(&two, 365).await;
    let days: Vec<&str> = answer
        .split('\r')
        .filter(|segment| segment.starts_with("ERR||ORC^2^1|"))
        .filter_map(|segment| segment.split('~').nth(1))
        .collect();
    assert_eq!(days, ["20260206", "20260205", "20260204", "20260203", "20260202"], "{answer}");
    assert_eq!(answer.matches("ERR|").count(), 5);
}
