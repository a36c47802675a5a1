//! `lastra demo`: an archive with embedded defaults, filled over a real DICOM association.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use std::time::Instant;

use anyhow::Context;
use serde_json::json;

use crate::cli::args::Demo;
use crate::cli::exit::Exit;
use crate::cli::object::describe_bytes;
use crate::cli::output::Output;
use crate::cli::run::loaded;
use crate::cli::run::set_up_log;
use crate::cli::samples;
use crate::cli::serve::asked_to_stop;
use crate::clock::SystemClock;
use crate::config::Flag;
use crate::dimse::client::Scu;
use crate::server::app::App;
use crate::telemetry;

/// Work under way may take so long to finish at the end.
const STOP_BOUND: Duration = Duration::from_secs(10);

/// Ports tried after the one asked for.
const PORTS_TRIED: u16 = 50;

/// Runs the demo.
pub async fn run(demo: &Demo, output: Output) -> anyhow::Result<Exit> {
    let temporary =
        tempfile::Builder::new().prefix("lastra-demo-").tempdir().context("temporary folder")?;
    let data = demo.dir.clone().unwrap_or_else(|| temporary.path().to_owned());
    let app = start(demo, &data, output).await?;
    let note = if demo.dir.is_some() { "kept" } else { "deleted on exit; --dir to keep" };
    output.say(&format!(
        "lastra {} · demo data in {} ({note})\nDICOM  LASTRA@{}        HTTP  http://{}",
        env!("CARGO_PKG_VERSION"),
        data.display(),
        app.dicom,
        app.http
    ));
    if !demo.empty {
        send_samples(app.dicom, output).await?;
    }
    let totals = app.archive.totals().await?;
    let ready = json!({
        "http": app.http, "dicom": app.dicom, "ae": "LASTRA", "data": data,
        "studies": totals.studies, "series": totals.series, "instances": totals.instances,
    });
    output.result(&ready, &what_to_try(&app, totals.studies, totals.instances));
    match demo.duration {
        Some(duration) => tokio::select! {
            () = tokio::time::sleep(duration) => {}
            asked = asked_to_stop() => asked?,
        },
        None => asked_to_stop().await?,
    }
    app.stop(STOP_BOUND).await;
    Ok(Exit::Done)
}

/// Starts the archive on the ports asked for, or the next free ones.
async fn start(demo: &Demo, data: &Path, output: Output) -> anyhow::Result<App> {
    let http = free_port(demo.http).context("no free HTTP port")?;
    let dicom = free_port(demo.dicom).context("no free DICOM port")?;
    for (door, asked, got) in [("HTTP", demo.http, http), ("DICOM", demo.dicom, dicom)] {
        if asked != got {
            output.say(&format!("{door} port {asked} is taken: using {got}"));
        }
    }
    let flags = [
        flag("--dir", "data", data.to_string_lossy().into_owned()),
        flag("--http", "http.address", format!("127.0.0.1:{http}")),
        flag("--dicom", "dicom.address", format!("127.0.0.1:{dicom}")),
        flag("--for", "log.level", "warn".to_owned()),
        flag("--for", "archive.quiet_s", "1".to_owned()),
    ];
    let settings = loaded(None, &flags)?.settings;
    set_up_log(&settings.log)?;
    let metrics = telemetry::recorder().context("metrics")?;
    Ok(App::start(&settings, Arc::new(SystemClock), metrics).await?)
}

fn flag(name: &'static str, key: &'static str, value: String) -> Flag {
    Flag { name, key, value }
}

/// The first port from `port` on that nobody listens on; 0 stays 0.
fn free_port(port: u16) -> Option<u16> {
    if port == 0 {
        return Some(0);
    }
    (port..port.saturating_add(PORTS_TRIED))
        .find(|port| std::net::TcpListener::bind(("127.0.0.1", *port)).is_ok())
}

async fn send_samples(dicom: SocketAddr, output: Output) -> anyhow::Result<()> {
    let studies = samples::studies();
    output.say(&format!("Sending {} synthetic studies over C-STORE …", studies.len()));
    for study in studies {
        let begun = Instant::now();
        let mut files = Vec::new();
        for file in &study.files {
            files.push(describe_bytes(file).with_context(|| study.name.clone())?);
        }
        let mut contexts: Vec<_> =
            files.iter().map(|f| (f.sop_class.clone(), f.transfer_syntax.clone())).collect();
        contexts.sort();
        contexts.dedup();
        let mut scu = Scu::connect(&dicom.to_string(), "DEMO", "LASTRA", &contexts).await?;
        for file in &files {
            let mut data_set = file.data_set;
            let status = scu
                .store(&file.sop_class, &file.sop_instance, &file.transfer_syntax, &mut data_set)
                .await?;
            anyhow::ensure!(status.code == 0, "{}: refused with {:#06x}", study.name, status.code);
        }
        scu.release().await?;
        let seconds = begun.elapsed().as_secs_f64();
        let count = files.len();
        output.say(&format!(
            "  {:<14} {count:>3} objects  → 0x0000 Success  {seconds:.2} s",
            study.name
        ));
    }
    Ok(())
}

fn what_to_try(app: &App, studies: u64, instances: u64) -> String {
    let (http, port) = (app.http, app.dicom.port());
    format!(
        "✓ {studies} studies, {instances} instances\n\
         Open:   DICOMweb     http://{http}/dicom-web/studies\n\
         \x20       thumbnails   http://{http}/dicom-web/studies/STUDY/series/SERIES/thumbnail\n\
         \x20       a fascicolo  http://{http}/people/1/fascicolo\n\
         \x20       FHIR         http://{http}/fhir/ImagingStudy?_include=ImagingStudy:endpoint\n\
         \x20       metrics      http://{http}/metrics\n\
         Try:    curl -s 'http://{http}/dicom-web/studies?ModalitiesInStudy=CT'\n\
         \x20       echoscu -aec LASTRA 127.0.0.1 {port}        # any DICOM tool\n\
         Ctrl-C to stop."
    )
}
