//! `lastra viewer`: adds OHIF to the archive, or takes it away.

use serde_json::json;

use crate::cli::args::{Viewer, ViewerAction};
use crate::cli::exit::Exit;
use crate::cli::output::Output;
use crate::cli::run::loaded;
use crate::web::ohif::ROOT;
use crate::web::prepare::{prepare, remove};

/// Runs it; the server may be running meanwhile and shows what was added at once.
pub fn run(viewer: &Viewer, output: Output) -> anyhow::Result<Exit> {
    let settings = loaded(viewer.stores.config.as_deref(), &viewer.stores.flags())?.settings;
    match &viewer.action {
        ViewerAction::Add { package } => {
            let done = prepare(package, &settings.data)?;
            let text = format!(
                "added: {} files, {} MB; open {ROOT} on the archive's HTTP address",
                done.files,
                done.bytes / 1_000_000
            );
            output
                .result(&json!({ "files": done.files, "bytes": done.bytes, "path": ROOT }), &text);
            Ok(Exit::Done)
        }
        ViewerAction::Remove => {
            let there = remove(&settings.data)?;
            let text = if there { "removed" } else { "there is none" };
            output.result(&json!({ "removed": there }), text);
            Ok(if there { Exit::Done } else { Exit::NotFound })
        }
    }
}
