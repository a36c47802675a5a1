//! How fast a fascicolo is opened, searched and paged among many; run by hand:
//! `LASTRA_PEOPLE=100000 cargo test --release --test it index::pages_speed -- --ignored --nocapture`.
//! Three studies and three reports a person, one report of fifty waiting for somebody. Loading goes
//! through the port, a commit a step as when it happens: on a disk that syncs it takes its time.
//! `LASTRA_LOADED=sqlite:///path/index.sqlite`, or `postgres://…`, measures one that was loaded before.

use std::sync::Arc;
use std::time::Duration;
use std::time::Instant;

use futures::StreamExt;
use lastra::access::actor::Actor;
use lastra::access::actor::Purpose;
use lastra::access::permit::Subject;
use lastra::clock::MockClock;
use lastra::clock::SharedClock;
use lastra::config::Settings;
use lastra::fascicolo::intake::Arriving;
use lastra::index::fascicolo::LinksOf;
use lastra::index::open;
use lastra::index::pages::Days;
use lastra::index::pages::NameAsked;
use lastra::index::pages::NamePart;
use lastra::index::pages::PersonRule;
use lastra::index::query::Moment;
use lastra::index::texts::Word;
use lastra::model::link::ItemKind;
use lastra::model::link::Waiting;
use lastra::server::app::Rooms;

use lastra::index::fascicolo::Entered;
use lastra::index::fascicolo::StudiesOf;
use lastra::index::pages::Counted;
use lastra::index::pages::DocumentFound;
use lastra::index::pages::DocumentRule;
use lastra::index::pages::LinkRule;
use lastra::index::pages::Micros;
use lastra::index::pages::Number;
use lastra::index::pages::Page;
use lastra::index::pages::SortBy;
use lastra::index::pages::StudyRule;
use lastra::index::port::SharedIndex;
use lastra::model::document::DocumentKind;
use lastra::model::document::DocumentSubject;
use lastra::model::document::NewDocument;
use lastra::model::document::Reference;
use lastra::model::document::ReferenceKind;
use lastra::model::link::Method;
use lastra::model::link::NewLink;
use lastra::model::person::Attached;
use lastra::model::person::Origin;
use lastra::model::person::Sighted;
use lastra::model::person::Sighting;
use lastra::people::identifier::Identifier;

use super::objects::Kept;
use super::objects::NOW;
use super::objects::object;
use super::objects::patient;
use super::objects::with;

/// Studies, and reports, of each person.
const EACH: u32 = 3;

fn people() -> u32 {
    std::env::var("LASTRA_PEOPLE").ok().and_then(|n| n.parse().ok()).unwrap_or(100_000)
}

fn local(person: u32) -> Identifier {
    Identifier::read(&format!("P{person}"), "HOSPITAL").unwrap()
}

fn sighting(subject: Sighted, person: u32) -> Sighting {
    Sighting {
        subject,
        identifiers: vec![local(person)],
        name: format!("{}^{}", family(person), given(person)),
        birth_date: born(person),
        sex: "F".to_owned(),
        origin: Origin::Dicom,
    }
}

/// A whole number that looks like chance, another for each `way`.
fn stirred(person: u32, way: u32) -> u32 {
    let mixed = (person ^ way.wrapping_mul(0x85EB_CA6B)).wrapping_mul(0x9E37_79B1);
    (mixed ^ mixed >> 15).wrapping_mul(0x2C1B_3C6D) >> 4
}

/// A family name: the commonest is that of one in fifty, most are rare.
fn family(person: u32) -> String {
    let place = stirred(person, 1) % 3000;
    let (number, parts) =
        (place * place / 3000, "RO SI BIAN CHI FER RA VI ES PO CO LOM BAR DI GAL");
    let parts: Vec<&str> = parts.split(' ').collect();
    [number % 14, number / 14 % 14, number / 196].map(|part| parts[part as usize % 14]).concat()
}

/// A given name, one of 196.
fn given(person: u32) -> String {
    let number = stirred(person, 2) % 196;
    let parts: Vec<&str> = "MA RIO LUI GI AN NA PAO LA FRAN CE SCO TE RE SA".split(' ').collect();
    [number % 14, number / 14].map(|part| parts[part as usize]).concat()
}

fn born(person: u32) -> String {
    let number = stirred(person, 3);
    format!("{}{:02}{:02}", 1930 + number % 90, number / 90 % 12 + 1, number / 1080 % 28 + 1)
}

fn accession(number: u32) -> Reference {
    Reference {
        kind: ReferenceKind::Accession,
        assigner: "RIS".to_owned(),
        value: format!("A{number}"),
    }
}

fn document(number: u32) -> NewDocument {
    let mut sha256 = [0; 32];
    sha256[..4].copy_from_slice(&number.wrapping_mul(0x9E37_79B1).to_be_bytes());
    sha256[4..8].copy_from_slice(&number.to_be_bytes());
    NewDocument {
        kind: DocumentKind::Cda,
        media_type: "text/xml".to_owned(),
        sha256,
        blob_key: format!("document-{number}"),
        blob_bytes: 10_000,
        source: "hl7".to_owned(),
        document_id: format!("2.25.7^D{number}"),
        set_id: format!("2.25.7^S{number}"),
        version: 1,
        replaces: Vec::new(),
        type_code: "68604-8".to_owned(),
        title: "Referto di radiologia".to_owned(),
        effective: day(number),
        service_date: day(number),
        confidentiality: "N".to_owned(),
        findings: String::new(),
        text: text(number),
        patient: subject(number),
        references: vec![accession(number)],
        instance: None,
    }
}

/// What everybody's says, and a word a few hundred have.
fn text(number: u32) -> String {
    format!(
        "{}Parola{} in sede {}.",
        "Non si osservano lesioni focali. ".repeat(10),
        number % 1000,
        number
    )
}

/// Whether the report waits for somebody instead of being linked.
fn waits(number: u32) -> bool {
    number % 50 == 7
}

fn day(number: u32) -> String {
    format!("{}{:02}{:02}", 2022 + number % 4, number / 4 % 12 + 1, number / 48 % 28 + 1)
}

/// Several at once, as many senders are.
async fn load(index: &SharedIndex, people: u32) {
    let all: Vec<u32> = (0..people).collect();
    let chunks = all.chunks(100).map(|chunk| load_some(index, chunk));
    futures::stream::iter(chunks).buffer_unordered(8).collect::<Vec<()>>().await;
}

async fn load_some(index: &SharedIndex, chunk: &[u32]) {
    let numbers = chunk.iter().flat_map(|person| person * EACH..(person + 1) * EACH);
    let new = numbers.map(|number| {
        let study = format!("1.2.826.0.2.{number}");
        with(object(&study, &format!("{study}.1"), &format!("{study}.1.1")), |o| {
            o.patient.id = patient("HOSPITAL", &format!("P{}", number / EACH));
            o.study.date = day(number);
            o.series.modality = ["CT", "MR", "DX", "US"][number as usize / 5 % 4].to_owned();
        })
    });
    let new: Vec<_> = new.collect();
    index.store(&new, &[], NOW).await.unwrap();
    for one in chunk {
        for number in one * EACH..(one + 1) * EACH {
            let uid = format!("1.2.826.0.2.{number}");
            let study = index.studies(&StudiesOf::Uid(uid), 1).await.unwrap()[0].id;
            index.add_study_references(study, &[accession(number)]).await.unwrap();
            let now = NOW + i64::from(number);
            let attached = index.attach(&sighting(Sighted::Study(study), *one), now).await;
            assert!(matches!(attached.unwrap(), Attached::Person(_)));
            let Entered::New(row) = index.put_document(&document(number), now).await.unwrap()
            else {
                panic!("known")
            };
            index.put_words(row, &text(number).to_lowercase()).await.unwrap();
            if waits(number) {
                let (kind, waiting) = (ItemKind::Unlinked, Waiting::Document(row));
                index.open_item(kind, waiting, "{}", now).await.unwrap();
                continue;
            }
            index.attach(&sighting(Sighted::Document(row), *one), now).await.unwrap();
            let link = NewLink {
                document: row,
                study,
                method: Method::Reference(ReferenceKind::Accession),
                evidence: "{}".to_owned(),
                actor: "lastra".to_owned(),
            };
            index.link(&link, false, now).await.unwrap();
        }
    }
}

/// Whom a report says it is about, where it waits: nobody's number, a name and a date like others'.
fn subject(number: u32) -> DocumentSubject {
    if !waits(number) {
        return DocumentSubject::default();
    }
    let like = sighting(Sighted::Person, number / EACH);
    DocumentSubject {
        name: like.name,
        birth_date: like.birth_date,
        sex: like.sex,
        ..DocumentSubject::default()
    }
}

/// Median and 99th percentile of what `ask` takes.
async fn measure<F: Future<Output = usize>>(what: &str, mut ask: impl FnMut(u32) -> F) {
    let mut times = Vec::new();
    let mut rows = 0;
    for round in 0..300_u32 {
        let begun = Instant::now();
        rows += ask(round.wrapping_mul(7919)).await;
        times.push(begun.elapsed());
    }
    times.sort_unstable();
    let ms = |time: Duration| time.as_secs_f64() * 1000.0;
    println!(
        "  {what}: median {:.2} ms, p99 {:.2} ms, {rows} rows",
        ms(times[150]),
        ms(times[296])
    );
}

async fn measured(name: &str, kept: &Kept) {
    let (index, people) = (&kept.index, people());
    let begun = Instant::now();
    if std::env::var_os("LASTRA_LOADED").is_none() {
        load(&loader(kept).await, people).await;
    }
    println!(
        "{name}: {people} people, {} studies and reports, loaded in {:.0?}",
        people * EACH,
        begun.elapsed()
    );
    let page = |limit| Page { sort: SortBy::Date, descending: true, after: None, limit };
    measure("a fascicolo by identifier: studies, series, reports, links", async |round| {
        let row = index.person_of(&local(round % people)).await.unwrap().unwrap();
        let studies = index.studies_page(&[StudyRule::Person(vec![row])], &page(21)).await.unwrap();
        let rows: Vec<i64> = studies.iter().map(|study| study.row).collect();
        let series = index.series_of_studies(&rows).await.unwrap();
        let documents = [DocumentRule::Person(vec![row]), DocumentRule::Current(true)];
        let documents = index.documents_page(&documents, &page(21)).await.unwrap();
        let rows: Vec<i64> = documents.iter().map(|found| found.document.id).collect();
        let links = index.links_page(&[LinkRule::Document(rows)], &page(100)).await.unwrap();
        series.len() + documents.len() + links.len()
    })
    .await;
    measure("a study by accession number", async |round| {
        let number = accession(round % (people * EACH));
        let number = Number {
            kinds: vec![number.kind],
            assigner: Some(number.assigner),
            value: number.value,
        };
        index.studies_page(&[StudyRule::Number(vec![number])], &page(21)).await.unwrap().len()
    })
    .await;
    measure("the newest studies of a modality", async |_| {
        let rules = [StudyRule::Modality(vec!["MR".to_owned()])];
        index.studies_page(&rules, &page(21)).await.unwrap().len()
    })
    .await;
    measure("a page of reports far down", async |round| {
        let one = [DocumentRule::Row(vec![i64::from(round % people) + 1])];
        let far = index.documents_page(&one, &page(1)).await.unwrap();
        let after = far.first().map(DocumentFound::place);
        let rules = [DocumentRule::Report(vec!["68604-8".to_owned()]), DocumentRule::Current(true)];
        index.documents_page(&rules, &Page { after, ..page(21) }).await.unwrap().len()
    })
    .await;
    measure("what changed since", async |round| {
        let from = Some(NOW + i64::from(round % (people * EACH)));
        let rules = [DocumentRule::Changed(vec![Micros { from, before: None }])];
        let page = Page { sort: SortBy::Changed, limit: 21, ..Page::default() };
        index.documents_page(&rules, &page).await.unwrap().len()
    })
    .await;
    measure("people by the beginning of a name and birth year", async |round| {
        let name = NameAsked {
            part: Some(NamePart::Family),
            text: family(round).to_lowercase(),
            exact: false,
        };
        let born = Days {
            from: Some(Moment { date: "19500101".to_owned(), time: String::new() }),
            before: Some(Moment { date: "19600101".to_owned(), time: String::new() }),
        };
        let rules = [PersonRule::Named(vec![name]), PersonRule::Born(vec![born])];
        index.people_page(&rules, &Page { limit: 21, ..Page::default() }).await.unwrap().len()
    })
    .await;
    measure("reports by a word one of a thousand has, newest first", async |round| {
        let word = Word { text: format!("parola{}", round % 1000), begins: false };
        let rules = [DocumentRule::Words(vec![vec![word]]), DocumentRule::Current(true)];
        index.documents_page(&rules, &page(21)).await.unwrap().len()
    })
    .await;
    measure("reports by a word everybody's has, newest first", async |_| {
        let word = Word { text: "lesioni".to_owned(), begins: false };
        let rules = [DocumentRule::Words(vec![vec![word]]), DocumentRule::Current(true)];
        index.documents_page(&rules, &page(21)).await.map_or(0, |found| found.len())
    })
    .await;
    services(kept, people).await;
    measure("all studies counted up to 10,000", async |_| {
        index.count_page(Counted::Studies(&[]), 10_001).await.unwrap() as usize
    })
    .await;
}

/// What rows are loaded through: only the loading does not wait for the disk of PostgreSQL.
async fn loader(kept: &Kept) -> SharedIndex {
    let mut settings = kept.settings.clone();
    if settings.url.starts_with("postgres") {
        let sign = if settings.url.contains('?') { '&' } else { '?' };
        settings.url.push(sign);
        settings.url.push_str("options[synchronous_commit]=off");
        return open::open(&settings, kept.folder.path()).await.unwrap();
    }
    SharedIndex::clone(&kept.index)
}

/// The same through the service the doors ask.
async fn services(kept: &Kept, people: u32) {
    let settings = Settings {
        data: kept.folder.path().to_owned(),
        index: kept.settings.clone(),
        ..Settings::default()
    };
    let clock: SharedClock = Arc::new(MockClock::at(NOW + 1_000_000_000));
    let rooms = Rooms::open(&settings, &clock).await.unwrap();
    let access = rooms.archive.access();
    let permit = access.permit(&Actor::Operator, Purpose::Operation, Subject::Archive).unwrap();
    let fascicolo = &rooms.fascicolo;
    measure("a person found and their timeline opened", async |round| {
        let person =
            fascicolo.find(&permit, &format!("HOSPITAL|P{}", round % people)).await.unwrap();
        let timeline = fascicolo.timeline(&permit, person.id, None, 20).await.unwrap();
        timeline.episodes.len()
    })
    .await;
    measure("a reconciliation page of 20 with candidates", async |round| {
        let items = i64::from(people * EACH / 50);
        let after = i64::from(round) % (items - 20).max(1);
        fascicolo.queue(&permit, after, 20).await.unwrap().len()
    })
    .await;
    let begun = Instant::now();
    let rounds = 300;
    for round in 0..rounds {
        let number = round * 37 % (people * EACH);
        let uid = format!("1.2.826.0.2.{number}");
        let study = kept.index.studies(&StudiesOf::Uid(uid), 1).await.unwrap()[0].id;
        // What a report that comes costs beyond keeping it: whose it is, what it belongs to.
        let bytes = format!("{} a new text", text(number)).into_bytes().into();
        let arriving = Arriving {
            bytes,
            source: "test".to_owned(),
            subject: DocumentSubject {
                identifiers: vec![local(number / EACH)],
                ..DocumentSubject::default()
            },
            references: vec![accession(number)],
            ..Arriving::default()
        };
        let taken = fascicolo.take(&permit, arriving).await.unwrap();
        let links = kept.index.links(LinksOf::Document(taken.document.id)).await.unwrap();
        assert!(links.iter().any(|link| link.study == study), "{number}");
    }
    let each = begun.elapsed() / rounds;
    println!(
        "  a report taken, whose it is found, linked: {:.2} ms each",
        each.as_secs_f64() * 1000.0
    );
}

/// The one loaded before, where one is named.
async fn loaded() -> Option<Kept> {
    let url = std::env::var("LASTRA_LOADED").ok()?;
    let settings = open::Settings { url, ..open::Settings::default() };
    let folder = tempfile::tempdir().unwrap();
    let index = open::open(&settings, folder.path()).await.unwrap();
    Some(Kept { index, settings, folder })
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "a measurement, run by hand"]
async fn fascicoli_among_many_in_sqlite() {
    let kept = match loaded().await {
        Some(kept) => kept,
        None => Kept::in_sqlite().await,
    };
    measured("SQLite", &kept).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "a measurement, run by hand"]
async fn fascicoli_among_many_in_postgres() {
    let kept = match loaded().await {
        Some(kept) => kept,
        None => Kept::in_postgres().await,
    };
    measured("PostgreSQL", &kept).await;
}
