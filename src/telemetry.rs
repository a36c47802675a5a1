//! Log set-up, the recorder behind `/metrics`, and what the metrics are called.
//!
//! Logs hold AE titles, counts, bytes, milliseconds and our own row ids; never names, patient
//! identifiers, birth dates, and no UIDs at info.

use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use serde::{Deserialize, Serialize};
use tracing_subscriber::EnvFilter;

/// How the log is written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Level, or `tracing` filter directives such as `info,lastra::dimse=debug`.
    pub level: String,
    /// One JSON object a line instead of text.
    pub json: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self { level: "info".to_owned(), json: false }
    }
}

/// Why telemetry could not be set up.
#[derive(Debug, Clone, thiserror::Error)]
pub enum TelemetryError {
    /// `log.level` is no filter.
    #[error("log.level: {0}")]
    Level(String),
    /// A log or recorder is installed already.
    #[error("telemetry is set up already: {0}")]
    Twice(String),
}

/// Durations, upper bounds in seconds.
const SECONDS: [f64; 14] =
    [0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 30.0];

/// What each metric means; shown by `/metrics`.
const DESCRIBED: &[(&str, &str)] = &[
    ("lastra_build_info", "1, labelled with the version"),
    ("lastra_dicom_associations_active", "associations open now"),
    ("lastra_dicom_associations_total", "associations ended, by result"),
    ("lastra_store_instances_total", "objects received, by way and result"),
    ("lastra_restore_copies_total", "copies taken out of the bin, by way"),
    ("lastra_store_bytes_total", "data set bytes received"),
    ("lastra_store_duration_seconds", "from an object's first byte to its answer"),
    ("lastra_http_request_duration_seconds", "HTTP requests, by route, method and status class"),
    ("lastra_http_connections_turned_away_total", "HTTP connections there was no place for"),
    ("lastra_index_commits_total", "index transactions"),
    ("lastra_access_records_total", "accesses to patients' data to be recorded, by result"),
    ("lastra_access_commits_total", "index transactions that record accesses"),
    ("lastra_jobs_run_total", "jobs run, by kind and result"),
    (
        "lastra_subscription_notices_total",
        "notices to FHIR subscribers, by whether they were accepted",
    ),
    ("lastra_webhook_deliveries_total", "webhook deliveries, by whether they were accepted"),
    ("lastra_gateway_requests_total", "requests to the national gateway, by request and result"),
    ("lastra_gateway_outbox", "reports for the national gateway, by stage"),
    ("lastra_jobs", "jobs by state: waiting, set_aside"),
    ("lastra_render_cache_bytes", "memory of kept pictures"),
    ("lastra_header_cache_bytes", "memory of kept headers that pictures are drawn by"),
    ("lastra_mask_cache_bytes", "memory of kept averages of mask frames"),
    ("lastra_frame_cache_bytes", "memory of kept frames that were re-encoded"),
    ("lastra_pixel_attribute_cache_bytes", "memory of kept pixel attributes for re-encoding"),
    ("lastra_proof_cache_bytes", "memory of what is known of how instances re-encode"),
    ("lastra_fragment_cache_bytes", "disk of kept values of re-encoded instances"),
    ("lastra_imaging_bytes", "memory admitted to pixel work now"),
    ("lastra_imaging_queue", "pixel work that waits for memory or a thread"),
    (
        "lastra_imaging_work_total",
        "pixel work done; what nobody waited for any more is not counted",
    ),
    ("lastra_imaging_transcoded_total", "frames re-encoded, by transfer syntax"),
    ("lastra_manifest_cache_bytes", "memory of kept digests that manifests are named by"),
    ("lastra_manifest_digests_total", "times a study's instances were read to name its manifest"),
    ("lastra_blob_read_bytes_total", "bytes read from the blob store"),
    ("lastra_blob_written_bytes_total", "bytes written to the blob store"),
];

/// Writes the log to standard error.
pub fn log(settings: &Settings) -> Result<(), TelemetryError> {
    let filter = EnvFilter::try_new(&settings.level)
        .map_err(|error| TelemetryError::Level(error.to_string()))?;
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    let installed = if settings.json { log.json().try_init() } else { log.try_init() };
    installed.map_err(|error| TelemetryError::Twice(error.to_string()))
}

/// Installs the recorder all metrics go to; the handle renders them.
pub fn recorder() -> Result<PrometheusHandle, TelemetryError> {
    let twice = |error: &dyn std::fmt::Display| TelemetryError::Twice(error.to_string());
    let builder = PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &SECONDS)
        .map_err(|error| twice(&error))?;
    let handle = builder.install_recorder().map_err(|error| twice(&error))?;
    for &(name, meaning) in DESCRIBED {
        match name {
            name if name.ends_with("_total") => metrics::describe_counter!(name, meaning),
            name if name.ends_with("_seconds") => metrics::describe_histogram!(name, meaning),
            name => metrics::describe_gauge!(name, meaning),
        }
    }
    metrics::gauge!("lastra_build_info", "version" => env!("CARGO_PKG_VERSION")).set(1.0);
    Ok(handle)
}
