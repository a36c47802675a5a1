//! An archive whose reports go to the simulator, its clock and its jobs moved by the test.

use std::sync::Arc;

use lastra::access::actor::Actor;
use lastra::access::actor::Purpose;
use lastra::access::permit::Permit;
use lastra::access::permit::Subject;
use lastra::clock::Clock;
use lastra::clock::MockClock;
use lastra::clock::SharedClock;
use lastra::config::Settings;
use lastra::fascicolo::intake::Arriving;
use lastra::gateway::outbound::Gateway;
use lastra::gateway::settings::Settings as GatewaySettings;
use lastra::index::port::SharedIndex;
use lastra::model::job::JobKind;
use lastra::model::outbox::Entry;
use lastra::model::outbox::Stage;
use lastra::server::app::Rooms;

use crate::index::Database;

use super::certificates::Certificates;
use super::simulator::Simulator;

/// 2 March 2026, 14:00: the day of the report.
const NOW: i64 = 1_772_460_000_000_000;
/// The report beside the sample studies.
pub(super) const REPORT: &str = include_str!("../../../sample-studies/cda-report/referto.xml");
/// How the national index names it.
pub(super) const REPORT_ID: &str = "2.16.840.1.113883.2.9.2.120.4.4^PROVA.RX2600417.1";

pub(super) struct World {
    pub(super) simulator: Simulator,
    pub(super) rooms: Rooms,
    pub(super) permit: Permit,
    pub(super) gateway: Gateway,
    index: SharedIndex,
    clock: Arc<MockClock>,
    _folder: tempfile::TempDir,
}

/// Makes a database for a world of its own.
pub(super) type Make = fn() -> Database;

/// Settings by which the simulator is asked.
pub(super) fn settings(url: &str, certificates: &Certificates) -> GatewaySettings {
    let text = str::to_owned;
    GatewaySettings {
        url: text(url),
        tls_certificate: certificates.path("client.pem"),
        tls_key: certificates.path("client.key"),
        signing_certificate: certificates.path("signature.pem"),
        signing_key: certificates.path("signature.key"),
        authorities: certificates.path("channel.pem"),
        issuer: text("120201123456XX"),
        subject: text("RFRCHR75P49L219P"),
        organisation_id: text("120"),
        organisation: text("Regione Lazio"),
        locality: text("OSPEDALE DI PROVA^^^^^&2.16.840.1.113883.2.9.4.1.2&ISO^^^^12000099"),
        repository: text("2.16.840.1.113883.2.9.2.120.4.5.1"),
        submission_root: text("2.16.840.1.113883.2.9.2.120.4.3"),
        timeout_s: 1,
        settle_s: 2,
        poll_s: 1,
        ..GatewaySettings::default()
    }
}

impl World {
    pub(super) async fn new(make: Make) -> Self {
        Self::with(make, |_| {}).await
    }

    /// With settings changed.
    pub(super) async fn with(make: Make, change: impl FnOnce(&mut GatewaySettings)) -> Self {
        let clock = Arc::new(MockClock::at(NOW));
        let shared: SharedClock = Arc::<MockClock>::clone(&clock);
        let simulator = Simulator::start(Arc::clone(&shared)).await;
        let folder = tempfile::tempdir().unwrap();
        let mut gateway = settings(&simulator.url, &simulator.certificates);
        change(&mut gateway);
        let mut settings =
            Settings { data: folder.path().to_owned(), gateway, ..Settings::default() };
        let database = make();
        if let Database::Postgres(url) = &database {
            settings.index.url.clone_from(url);
        }
        let rooms = Rooms::open(&settings, &shared).await.unwrap();
        let index = lastra::index::open::open(&settings.index, folder.path()).await.unwrap();
        let access = rooms.archive.access();
        let permit = access.permit(&Actor::Operator, Purpose::Operation, Subject::Archive).unwrap();
        let gateway = Gateway::open(&settings.gateway, rooms.fascicolo.clone(), shared).unwrap();
        let gateway = gateway.unwrap();
        Self { simulator, rooms, permit, gateway, index, clock, _folder: folder }
    }

    /// Takes a document; gives its id.
    pub(super) async fn take(&self, bytes: impl Into<Vec<u8>>) -> i64 {
        let bytes = bytes.into().into();
        let arriving = Arriving { bytes, source: "test".to_owned(), ..Arriving::default() };
        self.rooms.fascicolo.take(&self.permit, arriving).await.unwrap().document.id
    }

    pub(super) fn advance_s(&self, seconds: i64) {
        self.clock.advance_us(seconds * 1_000_000);
    }

    /// Does the jobs of the gateway that are due.
    pub(super) async fn work_due(&self) -> usize {
        let now = self.clock.now_us();
        let mut done = 0;
        for job in self.index.claim_jobs("test", now, 60_000_000, 100).await.unwrap() {
            if job.kind == JobKind::Gateway {
                self.gateway.go_on(&job.subject).await.unwrap();
                done += 1;
            }
            self.index.finish_job("test", &job).await.unwrap();
        }
        done
    }

    /// Lets time pass and does what becomes due, until all entries are settled.
    pub(super) async fn settle(&self) {
        for _ in 0..60 {
            self.work_due().await;
            let entries = self.outbox().await;
            if entries.iter().all(|entry| entry.progress.stage.is_final()) {
                return;
            }
            self.advance_s(2);
        }
        panic!("not settled: {:#?}", self.outbox().await);
    }

    pub(super) async fn outbox(&self) -> Vec<Entry> {
        self.rooms.fascicolo.outbox(&self.permit, None, 0, 100).await.unwrap()
    }

    /// The stage of the only entry, and why.
    pub(super) async fn stage(&self) -> (Stage, String) {
        let entries = self.outbox().await;
        let [entry] = entries.as_slice() else { panic!("{entries:?}") };
        (entry.progress.stage, entry.progress.reason.clone())
    }
}

/// The second version of the report.
pub(super) fn second() -> String {
    REPORT
        .replace("<versionNumber value=\"1\"/>", "<versionNumber value=\"2\"/>")
        .replace(
            "<id root=\"2.16.840.1.113883.2.9.2.120.4.4\" extension=\"PROVA.RX2600417.1\"",
            "<id root=\"2.16.840.1.113883.2.9.2.120.4.4\" extension=\"PROVA.RX2600417.2\"",
        )
        .replace(
            "  <componentOf>",
            "  <relatedDocument typeCode=\"RPLC\"><parentDocument>\
             <id root=\"2.16.840.1.113883.2.9.2.120.4.4\" extension=\"PROVA.RX2600417.1\"/>\
             </parentDocument></relatedDocument>\n  <componentOf>",
        )
}
