//! `lastra fascicolo outbox` and what decides on its entries.

use anyhow::bail;
use serde_json::Value;
use serde_json::json;

use crate::access::permit::Permit;
use crate::cli::exit::Exit;
use crate::cli::fascicolo_args::Action;
use crate::cli::output::Output;
use crate::fascicolo::fascicolo::Fascicolo;
use crate::model::outbox::Entry;
use crate::model::outbox::Stage;

/// Does one of the outbox's actions.
pub(in crate::cli) async fn outbox(
    fascicolo: &Fascicolo,
    permit: &Permit,
    action: &Action,
    by: &str,
    output: Output,
) -> anyhow::Result<Exit> {
    match action {
        Action::Outbox { stage, after, limit } => {
            let stage = match stage.as_deref().map(|text| (text, Stage::parse(text))) {
                Some((text, None)) => {
                    let known = Stage::ALL.map(Stage::as_str).join(", ");
                    bail!("--stage: there is no stage {text}; use one of {known}");
                }
                found => found.and_then(|(_, stage)| stage),
            };
            for entry in fascicolo.outbox(permit, stage, *after, *limit).await? {
                output.result(&written(&entry), &text(&entry));
            }
        }
        Action::Publish { document } => {
            asked(output, fascicolo.publish(permit, *document, by).await?);
        }
        Action::Withdraw { document } => {
            asked(output, fascicolo.withdraw(permit, *document, by).await?);
        }
        Action::ObscureThere { document, undo } => {
            let entry = fascicolo.obscure_there(permit, *document, !undo, by).await?;
            asked(output, (entry, true));
        }
        Action::Retry { entry } => {
            fascicolo.retry_entry(permit, *entry).await?;
            output.result(&json!({ "entry": entry }), &format!("entry {entry} is tried again"));
        }
        Action::SetAside { entry } => {
            fascicolo.set_entry_aside(permit, *entry).await?;
            output.result(&json!({ "entry": entry }), &format!("entry {entry} is set aside"));
        }
        _ => {}
    }
    Ok(Exit::Done)
}

fn asked(output: Output, (entry, new): (i64, bool)) {
    let there = if new { "" } else { ", there already" };
    output.result(&json!({ "entry": entry, "new": new }), &format!("entry {entry}{there}"));
}

fn written(entry: &Entry) -> Value {
    let progress = &entry.progress;
    json!({ "entry": entry.id, "document": entry.document, "operation": entry.operation.as_str(),
        "stage": progress.stage.as_str(), "unique_id": progress.unique_id,
        "in_place_of": progress.in_place_of, "workflow": progress.workflow,
        "trace": progress.trace, "failures": progress.failures, "reason": progress.reason,
        "warning": progress.warning, "obscured": entry.obscured, "by": entry.actor, "made_us": entry.made_us,
        "changed_us": entry.changed_us })
}

fn text(entry: &Entry) -> String {
    let progress = &entry.progress;
    let mut text = format!(
        "entry {}: {} document {}: {}",
        entry.id,
        entry.operation.as_str(),
        entry.document,
        progress.stage.as_str()
    );
    for (what, value) in [("", &progress.reason), ("warning: ", &progress.warning)] {
        if !value.is_empty() {
            text.push_str(", ");
            text.push_str(what);
            text.push_str(value);
        }
    }
    text
}
