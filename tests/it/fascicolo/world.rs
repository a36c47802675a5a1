//! An archive without doors, its background work done when the test says so.

use std::sync::Arc;

use lastra::access::actor::Actor;
use lastra::access::actor::Purpose;
use lastra::access::permit::Permit;
use lastra::access::permit::Subject;
use lastra::archive::ingest::Envelope;
use lastra::cli::object::describe_bytes;
use lastra::clock::MockClock;
use lastra::clock::SharedClock;
use lastra::config::Settings;
use lastra::dicom::uid::Uid;
use lastra::fascicolo::intake::Arriving;
use lastra::fascicolo::intake::Taken;
use lastra::fascicolo::queue::Case;
use lastra::fascicolo::timeline::Timeline;
use lastra::index::fascicolo::LinksOf;
use lastra::index::port::SharedIndex;
use lastra::model::document::Document;
use lastra::model::document::DocumentKind;
use lastra::model::job::JobKind;
use lastra::model::link::Link;
use lastra::server::app::Rooms;

/// 2 March 2026.
const NOW: i64 = 1_772_445_600_000_000;

/// The report beside the sample studies.
pub(crate) const REPORT: &str = include_str!("../../../sample-studies/cda-report/referto.xml");
/// Her codice fiscale.
pub(crate) const ANNA: &str = "SMPNLC68H61H501I";
/// Study Instance UID of `dx-chest`.
pub(crate) const CHEST: &str = "2.25.324285592026785104557929812395579159519";

pub(super) struct World {
    pub(super) rooms: Rooms,
    pub(super) permit: Permit,
    index: SharedIndex,
    clock: Arc<MockClock>,
    _folder: tempfile::TempDir,
}

impl World {
    pub(super) async fn new() -> Self {
        Self::with(|_| {}).await
    }

    /// With settings changed.
    pub(super) async fn with(change: impl FnOnce(&mut Settings)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut settings = Settings { data: folder.path().to_owned(), ..Settings::default() };
        change(&mut settings);
        let clock = Arc::new(MockClock::at(NOW));
        let shared: SharedClock = Arc::<MockClock>::clone(&clock);
        let rooms = Rooms::open(&settings, &shared).await.unwrap();
        let index = lastra::index::open::open(&settings.index, folder.path()).await.unwrap();
        let access = rooms.archive.access();
        let permit = access.permit(&Actor::Operator, Purpose::Operation, Subject::Archive).unwrap();
        Self { rooms, permit, index, clock, _folder: folder }
    }

    /// Stores a sample file and does the work that follows.
    pub(super) async fn store(&self, file: &str) {
        let path = format!("{}/sample-studies/{file}", env!("CARGO_MANIFEST_DIR"));
        self.store_bytes(&std::fs::read(path).unwrap(), "test").await;
    }

    /// The same with texts of equal length replaced in the file.
    pub(super) async fn store_changed(&self, file: &str, changes: &[(&str, &str)]) {
        let path = format!("{}/sample-studies/{file}", env!("CARGO_MANIFEST_DIR"));
        let mut bytes = std::fs::read(path).unwrap();
        for (from, to) in changes {
            assert_eq!(from.len(), to.len());
            let mut places = 0;
            while let Some(at) = memchr::memmem::find(&bytes, from.as_bytes()) {
                bytes[at..at + to.len()].copy_from_slice(to.as_bytes());
                places += 1;
            }
            assert!(places > 0, "{from} is not in {file}");
        }
        self.store_bytes(&bytes, "test").await;
    }

    /// Stores a file that came so, and does the work that follows.
    pub(super) async fn store_bytes(&self, file: &[u8], source: &str) {
        let object = describe_bytes(file).unwrap();
        let uid = |text: &str| Some(Uid::parse(text).unwrap());
        let envelope = Envelope {
            transfer_syntax: Uid::parse(&object.transfer_syntax).unwrap(),
            sop_class: uid(&object.sop_class),
            sop_instance: uid(&object.sop_instance),
            ae_title: None,
            source: source.to_owned(),
            prefix: None,
        };
        let access = self.rooms.archive.access();
        let permit = access.permit(&Actor::Operator, Purpose::Operation, Subject::Storing).unwrap();
        let mut receiving = self.rooms.archive.receive(&permit, envelope).unwrap();
        receiving.write(object.data_set.to_vec().into()).await.unwrap();
        receiving.finish().await.unwrap();
        self.work().await;
    }

    /// Does all jobs of the fascicolo that wait, as if the series had gone quiet.
    pub(super) async fn work(&self) {
        self.clock.advance_us(60_000_000);
        let now = lastra::clock::Clock::now_us(&*self.clock);
        for job in self.index.claim_jobs("test", now, 1_000_000, 1000).await.unwrap() {
            if job.kind == JobKind::SeriesFascicolo {
                self.rooms.fascicolo.do_job(&job).await.unwrap();
            }
            self.index.finish_job("test", &job).await.unwrap();
        }
    }

    pub(super) async fn take(&self, bytes: impl Into<Vec<u8>>) -> Taken {
        let bytes = bytes.into().into();
        let arriving = Arriving { bytes, source: "test".to_owned(), ..Arriving::default() };
        self.rooms.fascicolo.take(&self.permit, arriving).await.unwrap()
    }

    pub(super) async fn send(&self, message: &str) -> String {
        self.send_within(message, 90).await
    }

    /// Sends a message; new orders are answered with what was done within so many days.
    pub(super) async fn send_within(&self, message: &str, days: u16) -> String {
        let bytes = message.replace('\n', "\r");
        let answer = self.rooms.fascicolo.take_message(&self.permit, bytes.as_bytes(), days).await;
        answer.unwrap().unwrap()
    }

    /// The only document of a kind.
    pub(super) async fn document_of_kind(&self, kind: DocumentKind) -> Document {
        let mut found = Vec::new();
        for id in 1..100 {
            found.extend(self.rooms.fascicolo.document(&self.permit, id).await);
        }
        found.retain(|document| document.kind == kind);
        assert_eq!(found.len(), 1);
        found.remove(0)
    }

    pub(super) async fn links(&self, document: i64) -> Vec<Link> {
        let links = self.rooms.fascicolo.links(&self.permit, LinksOf::Document(document)).await;
        links.unwrap()
    }

    pub(super) async fn queue(&self) -> Vec<Case> {
        self.rooms.fascicolo.queue(&self.permit, 0, 100).await.unwrap()
    }

    pub(super) async fn timeline(&self, person: &str) -> Timeline {
        let person = self.rooms.fascicolo.find(&self.permit, person).await.unwrap();
        self.rooms.fascicolo.timeline(&self.permit, person.id, None, 100).await.unwrap()
    }
}

/// The report without its catalogue of DICOM objects.
pub(crate) fn without_catalogue(report: &str) -> String {
    let start = report.find("<component><section ID=\"OGGETTI_DICOM\">").unwrap();
    let end = start + report[start..].find("</component>").unwrap() + "</component>".len();
    format!("{}{}", &report[..start], &report[end..])
}

/// The report as another document: an identifier and a set of its own.
pub(crate) fn renamed(report: &str, name: &str) -> String {
    report.replace("PROVA.RX2600417.1", name)
}
