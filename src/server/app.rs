//! The server: opened bottom up, stopped top down.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use axum::middleware::from_fn;
use futures::FutureExt;
use metrics_exporter_prometheus::PrometheusHandle;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::access::permit::Access;
use crate::access::record::Recorder;
use crate::api::routes as api;
use crate::archive::archive::Archive;
use crate::archive::archive::Parts;
use crate::archive::extended::Attributes;
use crate::blobs::open as blobs;
use crate::clock::SharedClock;
use crate::config::Settings;
use crate::dicomweb::routes as dicomweb;
use crate::dicomweb::webhooks::Webhooks;
use crate::dimse::listener::Listener as DicomListener;
use crate::fascicolo::fascicolo::Fascicolo;
use crate::fhir::notify::Notifier;
use crate::fhir::outcome::as_outcomes;
use crate::fhir::routes as fhir;
use crate::gateway::outbound::Gateway;
use crate::http::cors;
use crate::http::cors::Origins;
use crate::http::health;
use crate::http::health::Check;
use crate::http::health::Readiness;
use crate::http::host;
use crate::http::layers;
use crate::http::limits::Limits as HttpLimits;
use crate::http::listener::Listener as HttpListener;
use crate::imaging::pool::Pool;
use crate::index::commit::Committer;
use crate::index::open as index;
use crate::index::port::SharedIndex;
use crate::jobs::runner::Runner;
use crate::jobs::runner::Work;
use crate::mllp::listener::Listener as Hl7Listener;
use crate::model::job::JobKind;
use crate::server::error::StartError;
use crate::server::lock::DataLock;
use crate::server::sweep;
use crate::web::prepare::prepare;
use crate::web::viewer;

/// Routes that limit the bodies they take themselves.
const LARGE_BODIES: [&str; 6] = {
    let [studies, study, commitment] = dicomweb::LARGE_BODIES;
    let [transactions, slashed] = fhir::LARGE_BODIES;
    let [documents] = api::LARGE_BODIES;
    [studies, study, commitment, transactions, slashed, documents]
};

/// The stores and the archive over them, without doors: what commands work on that need no server.
#[derive(Debug)]
pub struct Rooms {
    /// The archive.
    pub archive: Archive,
    /// The fascicolo over it.
    pub fascicolo: Fascicolo,
    index: SharedIndex,
    committer: Committer,
}

/// A running server.
#[derive(Debug)]
pub struct App {
    /// Where HTTP is answered.
    pub http: SocketAddr,
    /// Where DICOM associations are accepted.
    pub dicom: SocketAddr,
    /// Where HL7 messages are taken, if they are.
    pub hl7: Option<SocketAddr>,
    /// The archive behind the doors.
    pub archive: Archive,
    rooms: Rooms,
    stop_doors: CancellationToken,
    doors: Vec<JoinHandle<()>>,
    stop_jobs: CancellationToken,
    jobs: Vec<JoinHandle<()>>,
    _lock: DataLock,
}

impl Rooms {
    /// Opens the stores named by the settings.
    pub async fn open(settings: &Settings, clock: &SharedClock) -> Result<Self, StartError> {
        std::fs::create_dir_all(&settings.data).map_err(|error| StartError::Data {
            path: settings.data.clone(),
            reason: error.to_string(),
        })?;
        let blobs = blobs::open(&settings.blobs, &settings.data.join("blobs"))?;
        let index = index::open(&settings.index, &settings.data).await?;
        let committer =
            Committer::spawn(Arc::clone(&index), settings.archive.jobs(), Arc::clone(clock));
        let archive = Archive::new(Parts {
            settings: settings.archive.clone(),
            index: Arc::clone(&index),
            committer: committer.clone(),
            blobs: blobs.clone(),
            pool: Pool::open(&settings.imaging)?,
            clock: Arc::clone(clock),
            access: Access::default(),
            attributes: Attributes::of(&settings.attributes)?,
        });
        let fascicolo = Fascicolo::new(
            &settings.fascicolo,
            settings.organisations.clone(),
            settings.gateway.publishes(),
            archive.clone(),
            Arc::clone(&index),
            blobs,
            Arc::clone(clock),
        );
        Ok(Self { archive, fascicolo, index, committer })
    }

    /// Finishes what is queued and closes the stores.
    pub async fn close(self) {
        self.committer.close().await;
        self.index.close().await;
    }
}

impl App {
    /// Starts everything; when this returns both doors answer.
    pub async fn start(
        settings: &Settings,
        clock: SharedClock,
        metrics: PrometheusHandle,
    ) -> Result<Self, StartError> {
        let lock = DataLock::take(&settings.data)?;
        // Ports first: the cheapest thing to fail.
        let public =
            settings.http.public().map_err(|error| StartError::PublicUrl(error.to_string()))?;
        let origins =
            Origins::new(&settings.http.cors_origins)?.at(settings.http.public_url.as_deref());
        let (http_listener, http) = HttpListener::bind(settings.http.clone())
            .await
            .map_err(|error| listen("HTTP", &settings.http.address.to_string(), &error))?;
        let (dicom_listener, dicom) = DicomListener::bind(&settings.dicom)
            .await
            .map_err(|error| listen("DICOM", &settings.dicom.address, &error))?;
        if !settings.web.ohif_dir.is_empty() {
            // Takes seconds, while nothing else runs yet.
            prepare(Path::new(&settings.web.ohif_dir), &settings.data)?;
        }
        let hl7_listener = Hl7Listener::bind(&settings.mllp)
            .await
            .map_err(|error| listen("HL7", &settings.mllp.address, &error))?;
        let rooms = Rooms::open(settings, &clock).await?;
        let archive = rooms.archive.clone();

        let stop_doors = CancellationToken::new();
        let (own, ours) = (settings.dicomweb.clone(), rooms.fascicolo.clone());
        let recorder = Recorder::spawn(Arc::clone(&rooms.index), Arc::clone(&clock));
        let router = dicomweb::router(archive.clone(), ours, public.clone(), own)
            .merge(fhir::router(
                rooms.fascicolo.clone(),
                recorder,
                public.clone(),
                settings.fhir.clone(),
            ))
            .merge(api::router(rooms.fascicolo.clone(), public))
            .merge(viewer::router(&settings.data, "/dicom-web"))
            .merge(health::router(readiness(&archive), Some(metrics)));
        let limits = HttpLimits { large_bodies: &LARGE_BODIES, ..settings.http.limits() };
        let router = layers::dress(router, limits).layer(from_fn(as_outcomes));
        let router = host::dress(cors::dress(router, origins), &settings.http, http);
        let mut doors = vec![
            tokio::spawn(dicom_listener.run(archive.clone(), stop_doors.clone())),
            tokio::spawn(http_listener.run(router, stop_doors.clone())),
        ];
        let hl7 = hl7_listener.map(|(listener, address)| {
            doors.push(tokio::spawn(listener.run(rooms.fascicolo.clone(), stop_doors.clone())));
            address
        });
        let stop_jobs = CancellationToken::new();
        let base = settings.http.public_url.clone().unwrap_or_else(|| format!("http://{http}"));
        let base = base.trim_end_matches('/');
        let hooks = settings.webhooks.clone();
        let webhooks = Webhooks::new(hooks, archive.clone(), base, Arc::clone(&clock))?;
        webhooks.start().await?;
        let notifier = Notifier::new(rooms.fascicolo.clone(), settings.fhir.clone())
            .map_err(StartError::Subscribers)?;
        notifier.start().await?;
        archive.index_attributes().await?;
        let gateway =
            Gateway::open(&settings.gateway, rooms.fascicolo.clone(), Arc::clone(&clock))?;
        if let Some(gateway) = &gateway {
            gateway.start().await?;
        }
        let runner = runner(settings, &rooms, clock, base, (webhooks, notifier, gateway));
        let sweep = sweep::run(archive.clone(), settings.archive.clone(), stop_jobs.clone());
        let jobs = vec![tokio::spawn(runner.run(stop_jobs.clone())), tokio::spawn(sweep)];
        Ok(Self {
            http,
            dicom,
            hl7,
            archive,
            rooms,
            stop_doors,
            doors,
            stop_jobs,
            jobs,
            _lock: lock,
        })
    }

    /// Stops: no new work, what is under way finishes within `bound`, then the stores close.
    pub async fn stop(self, bound: Duration) {
        self.stop_doors.cancel();
        self.stop_jobs.cancel();
        let all = futures::future::join_all(self.doors.into_iter().chain(self.jobs));
        if tokio::time::timeout(bound, all).await.is_err() {
            tracing::warn!(bound_ms = bound.as_millis(), "work under way was cut off");
        }
        self.rooms.close().await;
    }
}

fn readiness(archive: &Archive) -> Readiness {
    let archive = archive.clone();
    Readiness::new(move || {
        let archive = archive.clone();
        async move {
            let faults = archive.faults().await;
            faults.into_iter().map(|(name, fault)| Check { name, fault }).collect()
        }
        .boxed()
    })
}

fn runner(
    settings: &Settings,
    rooms: &Rooms,
    clock: SharedClock,
    base: &str,
    (webhooks, notifier, gateway): (Webhooks, Notifier, Option<Gateway>),
) -> Runner {
    let (archive, fascicolo) = (rooms.archive.clone(), rooms.fascicolo.clone());
    let base = format!("{base}/dicom-web");
    let work: Work = Arc::new(move |job| {
        let (archive, fascicolo) = (archive.clone(), fascicolo.clone());
        let (base, webhooks, notifier) = (base.clone(), webhooks.clone(), notifier.clone());
        let gateway = gateway.clone();
        let work = async move {
            match job.kind {
                JobKind::SeriesFascicolo => {
                    fascicolo.do_job(&job).await.map_err(|error| error.to_string())
                }
                JobKind::Webhook => {
                    webhooks.look(&job.subject).await.map_err(|error| error.to_string())
                }
                JobKind::Subscription => {
                    notifier.look(&job.subject).await.map_err(|error| error.to_string())
                }
                JobKind::Gateway => match gateway {
                    Some(gateway) => {
                        gateway.go_on(&job.subject).await.map_err(|error| error.to_string())
                    }
                    None => Err("gateway.url is not set".to_owned()),
                },
                JobKind::SeriesThumbnail
                | JobKind::SeriesMetadata
                | JobKind::Attributes
                | JobKind::Commitment => {
                    archive.do_job(&job, &base).await.map_err(|error| error.to_string())
                }
            }
        };
        work.boxed()
    });
    let worker = uuid::Uuid::now_v7().to_string();
    Runner::new(settings.jobs.clone(), worker, Arc::clone(&rooms.index), clock, work)
}

fn listen(door: &'static str, address: &str, error: &std::io::Error) -> StartError {
    StartError::Listen { door, address: address.to_owned(), reason: error.to_string() }
}
