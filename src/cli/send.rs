//! `lastra send` and `lastra echo`: the DICOM client side.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Instant;

use anyhow::Context;
use anyhow::anyhow;
use serde_json::json;

use crate::cli::args;
use crate::cli::exit::Exit;
use crate::cli::object::Object;
use crate::cli::output::Output;
use crate::cli::run::loaded;
use crate::cli::sources;
use crate::cli::sources::Item;
use crate::dimse::client::MAX_CONTEXTS;
use crate::dimse::client::Scu;
use crate::model::node::Node;

/// What a file says of itself, for the association.
struct Described {
    item: Item,
    sop_class: String,
    sop_instance: String,
    transfer_syntax: String,
}

/// C-ECHO.
pub async fn echo(echo: &args::Echo, output: Output) -> anyhow::Result<Exit> {
    let node = node(&echo.node, echo.config.as_deref())?;
    let begun = Instant::now();
    let verification = [("1.2.840.10008.1.1".to_owned(), "1.2.840.10008.1.2".to_owned())];
    let mut scu = Scu::connect(&node.address, &echo.aet, &node.aet, &verification)
        .await
        .with_context(|| format!("{}@{}", node.aet, node.address))?;
    let status = scu.echo().await?;
    scu.release().await?;
    let ms = begun.elapsed().as_millis();
    let value = json!({ "node": node.aet, "status": status.code, "ms": ms });
    output.result(&value, &format!("{} answered {:#06x} in {ms} ms", node.aet, status.code));
    Ok(if status.code == 0 { Exit::Done } else { Exit::Refused })
}

/// C-STORE of files.
pub async fn send(send: &args::Send, output: Output) -> anyhow::Result<Exit> {
    let node = node(&send.node, send.config.as_deref())?;
    let mut failed = 0_u64;
    let items = sources::find(&send.paths, |path, trouble| {
        failed += 1;
        output.say(&format!("{}: {trouble}", path.display()));
    });
    let mut described = Vec::new();
    for item in items {
        match describe(&item).await {
            Ok(file) => described.push(file),
            Err(error) => {
                failed += 1;
                output.say(&format!("{item}: {error}"));
            }
        }
    }
    let bar = output.progress("Sending", described.len() as u64);
    let mut sent = 0_u64;
    for group in by_association(described) {
        let contexts = contexts_of(&group);
        let mut scu = Scu::connect(&node.address, &send.aet, &node.aet, &contexts)
            .await
            .with_context(|| format!("{}@{}", node.aet, node.address))?;
        for file in group {
            match send_one(&mut scu, &file).await {
                Ok(()) => sent += 1,
                Err(error) => {
                    failed += 1;
                    bar.suspend(|| output.say(&format!("{}: {error:#}", file.item)));
                }
            }
            bar.inc(1);
        }
        scu.release().await?;
    }
    bar.finish_and_clear();
    output.result(
        &json!({ "sent": sent, "failed": failed }),
        &format!("{sent} sent, {failed} failed"),
    );
    Ok(if failed == 0 { Exit::Done } else { Exit::SomeFailed })
}

async fn send_one(scu: &mut Scu, file: &Described) -> anyhow::Result<()> {
    let object = Object::open(&file.item).await?;
    let mut data_set = object.into_reader();
    let status = scu
        .store(&file.sop_class, &file.sop_instance, &file.transfer_syntax, &mut data_set)
        .await?;
    // PS3.4 Table B.2-1: Bxxx are warnings, the object was stored.
    if status.code == 0 || status.code & 0xF000 == 0xB000 {
        return Ok(());
    }
    Err(anyhow!("refused with {:#06x} {}", status.code, status.comment.unwrap_or_default()))
}

/// SOP class, instance and transfer syntax of a file.
async fn describe(item: &Item) -> anyhow::Result<Described> {
    let object = Object::open(item).await?;
    let sop_class = object.sop_class.clone().context("the file names no SOP class")?;
    let sop_instance = object.sop_instance.clone().context("the file names no SOP instance")?;
    Ok(Described {
        item: item.clone(),
        sop_class: sop_class.as_str().to_owned(),
        sop_instance: sop_instance.as_str().to_owned(),
        transfer_syntax: object.transfer_syntax.as_str().to_owned(),
    })
}

fn contexts_of(files: &[Described]) -> Vec<(String, String)> {
    let pairs: BTreeSet<_> =
        files.iter().map(|file| (file.sop_class.clone(), file.transfer_syntax.clone())).collect();
    pairs.into_iter().collect()
}

/// Files in groups that need no more contexts than one association can have.
fn by_association(files: Vec<Described>) -> Vec<Vec<Described>> {
    let mut groups: Vec<Vec<Described>> = Vec::new();
    let mut contexts = BTreeSet::new();
    for file in files {
        let context = (file.sop_class.clone(), file.transfer_syntax.clone());
        if groups.is_empty() || (!contexts.contains(&context) && contexts.len() == MAX_CONTEXTS) {
            contexts.clear();
            groups.push(Vec::new());
        }
        contexts.insert(context);
        if let Some(group) = groups.last_mut() {
            group.push(file);
        }
    }
    groups
}

/// `AET@host:port`, or the AE title of a configured node.
fn node(text: &str, config: Option<&Path>) -> anyhow::Result<Node> {
    if let Some((aet, address)) = text.split_once('@') {
        return Ok(Node { aet: aet.to_owned(), address: address.to_owned() });
    }
    let nodes = loaded(config, &[])?.settings.nodes;
    nodes.into_iter().find(|node| node.aet == text).ok_or_else(|| {
        anyhow!("no node {text}: write AET@host:port, or add it to the configuration as [[nodes]]")
    })
}
