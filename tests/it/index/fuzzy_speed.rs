//! How fast a name is found by ear among many; run by hand:
//! `LASTRA_PEOPLE=100000 cargo test --release --test it index::fuzzy_speed -- --ignored --nocapture`.
//! Names are as unevenly spread as in life: one in ten is a Maria, and many words sound alike.

use std::time::Duration;
use std::time::Instant;

use lastra::index::port::Index;
use lastra::index::query::Key;
use lastra::index::query::Level;
use lastra::index::query::Match;
use lastra::index::query::Query;
use lastra::index::query::Rule;
use lastra::index::query::Spellings;

use super::objects::Kept;
use super::objects::NOW;
use super::objects::object;
use super::objects::patient;
use super::objects::with;
use super::outcomes::everything;

const SURNAMES: [&str; 24] = [
    "ROSSI", "RUSSO", "FERRARI", "ESPOSITO", "BIANCHI", "ROMANO", "COLOMBO", "RICCI", "MARINO",
    "GRECO", "BRUNO", "GALLO", "CONTI", "DE LUCA", "MANCINI", "COSTA", "GIORDANO", "RIZZO",
    "LOMBARDI", "MORETTI", "BARBIERI", "FONTANA", "SANTORO", "MARIANI",
];
const NAMES: [&str; 20] = [
    "MARIA",
    "ANNA",
    "GIUSEPPE",
    "GIOVANNI",
    "ROSA",
    "ANTONIO",
    "MARIO",
    "LUIGI",
    "FRANCESCO",
    "ANGELA",
    "GIOVANNA",
    "TERESA",
    "LUCIA",
    "PAOLO",
    "CARMELA",
    "MARCO",
    "SALVATORE",
    "ELENA",
    "STEFANO",
    "CHIARA",
];

/// One of `all`, the first the most often.
fn some<'a>(all: &[&'a str], seed: u32) -> &'a str {
    // Squared, an even spread over 0..1 favours the beginning.
    let even = u64::from(seed.wrapping_mul(2_654_435_769) >> 16);
    let at = (even * even * all.len() as u64) >> 32;
    all[usize::try_from(at).unwrap()]
}

fn people() -> u32 {
    std::env::var("LASTRA_PEOPLE").ok().and_then(|n| n.parse().ok()).unwrap_or(100_000)
}

async fn load(index: &dyn Index, people: u32) {
    for batch in 0..people.div_ceil(100) {
        let all: Vec<_> = (batch * 100..people.min(batch * 100 + 100))
            .map(|person| {
                let study = format!("1.2.826.0.3.{person}");
                with(object(&study, &format!("{study}.1"), &format!("{study}.1.1")), |o| {
                    o.patient.id = patient("HOSPITAL", &format!("P{person}"));
                    // One in a thousand has a name nobody else has.
                    let surname = some(&SURNAMES, person * 7 + 3);
                    let surname =
                        if person % 1000 == 7 { format!("QUATTR{person}") } else { surname.into() };
                    o.patient.name = format!("{surname}^{}", some(&NAMES, person * 13 + 5));
                    let (year, month) = (2022 + person % 4, person / 4 % 12 + 1);
                    o.study.date = format!("{year}{month:02}{:02}", person / 48 % 28 + 1);
                    o.study.attributes = format!("{{\"x\":\"{}\"}}", "x".repeat(400));
                })
            })
            .collect();
        index.store(&all, &[], NOW).await.unwrap();
    }
}

fn by_ear(words: &[&str]) -> Query {
    let asked =
        words.iter().map(|word| Spellings { any: vec![(*word).to_owned()], anywhere: false });
    let rule = Rule::Fuzzy(asked.collect());
    let matches = vec![Match { key: Key::PatientName, rule }];
    Query { matches, limit: 101, ..everything(Level::Study) }
}

async fn finding(name: &str, kept: &Kept) {
    let index = &*kept.index;
    let begun = Instant::now();
    load(index, people()).await;
    println!("{name}: {} people entered in {:?}", people(), begun.elapsed());
    for words in [
        &["maria"][..],
        &["rossi"],
        &["rosi"],
        &["fontana"],
        &["mariani"],
        &["quattr50007"],
        &["nobody"],
        &["mario", "rossi"],
        &["kiara", "mariani"],
        &["chiara", "quattr50007"],
        &["maria", "rosa", "elena"],
    ] {
        let mut times: Vec<Duration> = Vec::new();
        let mut found = 0;
        for _ in 0..15 {
            let begun = Instant::now();
            found = index.find(&by_ear(words)).await.unwrap().len();
            times.push(begun.elapsed());
        }
        times.sort();
        let begun = Instant::now();
        let count = index.count(&by_ear(words), 10_000).await.unwrap();
        let counted = begun.elapsed();
        println!(
            "{name}: {words:?}: {found} of {count}: {:?} least, {:?} p50, {:?} most; counted in {counted:?}",
            times[0], times[7], times[14]
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "measures"]
async fn names_by_ear() {
    finding("sqlite", &Kept::in_sqlite().await).await;
    finding("postgres", &Kept::in_postgres().await).await;
}
