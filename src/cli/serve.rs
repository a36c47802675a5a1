//! `lastra serve`: the archive, until told to stop.

use std::fmt::Write;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use serde_json::json;
use tokio::signal::unix::SignalKind;
use tokio::signal::unix::signal;

use crate::cli::args::Stores;
use crate::cli::exit::Exit;
use crate::cli::output::Output;
use crate::cli::run::loaded;
use crate::cli::run::set_up_log;
use crate::clock::SystemClock;
use crate::server::app::App;
use crate::telemetry;

/// Work under way may take so long to finish once a stop is asked for.
const STOP_BOUND: Duration = Duration::from_secs(25);

/// Serves until SIGTERM or Ctrl-C.
pub async fn run(stores: &Stores, output: Output) -> anyhow::Result<Exit> {
    let settings = loaded(stores.config.as_deref(), &stores.flags())?.settings;
    set_up_log(&settings.log)?;
    let metrics = telemetry::recorder().context("metrics")?;
    let app = App::start(&settings, Arc::new(SystemClock), metrics).await?;
    let (http, dicom, ae) = (app.http, app.dicom, &settings.dicom.ae_title);
    let mut ready = json!({ "ready": true, "http": http, "dicom": dicom, "ae": ae });
    let mut text = format!("ready http={http} dicom={dicom} ae={ae}");
    if let Some(hl7) = app.hl7 {
        ready["hl7"] = hl7.to_string().into();
        let _ = write!(text, " hl7={hl7}");
    }
    output.result(&ready, &text);
    asked_to_stop().await?;
    tracing::info!("stopping");
    app.stop(STOP_BOUND).await;
    tracing::info!("stopped");
    Ok(Exit::Done)
}

/// Waits for SIGTERM or Ctrl-C.
pub(in crate::cli) async fn asked_to_stop() -> anyhow::Result<()> {
    let mut terminate = signal(SignalKind::terminate()).context("SIGTERM")?;
    tokio::select! {
        _ = terminate.recv() => {}
        interrupted = tokio::signal::ctrl_c() => interrupted.context("SIGINT")?,
    }
    Ok(())
}
