//! `lastra fascicolo`: a person's studies and reports, links, and the reconciliation queue.

use std::fmt::Write;
use std::sync::Arc;

use serde_json::json;

use crate::access::actor::Actor;
use crate::access::actor::Purpose;
use crate::access::permit::Permit;
use crate::access::permit::Subject;
use crate::cli::exit::Exit;
use crate::cli::fascicolo_args::Action;
use crate::cli::fascicolo_args::Fascicolo as Arguments;
use crate::cli::fascicolo_figures::completeness_text;
use crate::cli::fascicolo_look::look;
use crate::cli::fascicolo_outbox::outbox;
use crate::cli::output::Output;
use crate::cli::run::loaded;
use crate::cli::run::set_up_log;
use crate::clock::SharedClock;
use crate::clock::SystemClock;
use crate::fascicolo::decide::Decision;
use crate::fascicolo::fascicolo::Fascicolo;
use crate::fascicolo::intake::Arriving;
use crate::fascicolo::queue::Case;
use crate::fascicolo::queue::PersonCandidate;
use crate::fascicolo::timeline::Timeline;
use crate::fascicolo::told;
use crate::index::fascicolo::LinksOf;
use crate::model::document::Document;
use crate::model::link::Link;
use crate::model::link::Waiting;
use crate::server::app::Rooms;

/// Runs one action on the archive the settings name; may run beside a server.
pub async fn run(arguments: &Arguments, output: Output) -> anyhow::Result<Exit> {
    let settings = loaded(arguments.stores.config.as_deref(), &arguments.stores.flags())?.settings;
    set_up_log(&settings.log)?;
    let clock: SharedClock = Arc::new(SystemClock);
    let rooms = Rooms::open(&settings, &clock).await?;
    let access = rooms.archive.access();
    let permit = access.permit(&Actor::Operator, Purpose::Operation, Subject::Archive)?;
    let done = act(&rooms.fascicolo, &permit, arguments, output).await;
    rooms.close().await;
    done
}

async fn act(
    fascicolo: &Fascicolo,
    permit: &Permit,
    arguments: &Arguments,
    output: Output,
) -> anyhow::Result<Exit> {
    let by = arguments.by.as_str();
    match &arguments.action {
        Action::Show { person, limit } => {
            let person = fascicolo.find(permit, person).await?;
            let timeline = fascicolo.timeline(permit, person.id, None, *limit).await?;
            output.result(&told::timeline(&timeline), &timeline_text(&timeline));
        }
        Action::Add { files } => return add(fascicolo, permit, files, output).await,
        Action::Links { document } => {
            for link in fascicolo.links(permit, LinksOf::Document(*document)).await? {
                output.result(&told::link(&link), &link_text(&link));
            }
        }
        Action::Link { document, study } => {
            let link = fascicolo.link_by_hand(permit, *document, study, by).await?;
            let text = format!("link {link}: document {document} and study {study}");
            output.result(&json!({ "link": link }), &text);
        }
        Action::Unlink { link } => {
            fascicolo.unlink(permit, *link, by).await?;
            output.result(&json!({ "unlinked": link }), &format!("link {link} undone"));
        }
        Action::Queue { after, limit } => {
            for case in fascicolo.queue(permit, *after, *limit).await? {
                output.result(&told::case(&case), &case_text(&case));
            }
        }
        Action::Assign { what, person } => {
            let person = fascicolo.find(permit, person).await?.id;
            let (waiting, mut value) = if let Ok(document) = what.parse::<i64>() {
                (Waiting::Document(document), json!({ "document": document }))
            } else {
                let study = fascicolo.study_named(permit, what).await?;
                (Waiting::Study(study), json!({ "study": what }))
            };
            fascicolo.assign(permit, waiting, Some(person), by).await?;
            value["person"] = person.into();
            output.result(&value, &format!("{} {what} is person #{person}'s", waiting.kind()));
        }
        action @ (Action::Search { .. } | Action::Priors { .. }) => {
            return look(fascicolo, permit, action, output).await;
        }
        Action::Dismiss { item } => {
            fascicolo.decide(permit, *item, &Decision::Dismiss, by).await?;
            output.result(&json!({ "dismissed": item }), &format!("item {item} waits no longer"));
        }
        Action::Alike { person } => {
            let person = fascicolo.find(permit, person).await?;
            for found in fascicolo.alike(permit, person.id).await? {
                output.result(&told::candidate(&found), &candidate_text(&found));
            }
        }
        Action::Merge { survivor, absorbed, reason } => {
            let survivor = fascicolo.find(permit, survivor).await?.id;
            let absorbed = fascicolo.find(permit, absorbed).await?.id;
            let merge = fascicolo.merge(permit, survivor, absorbed, reason, by).await?;
            let text = format!("merge {merge}: person #{absorbed} is one with #{survivor}");
            output.result(&json!({ "merge": merge, "person": survivor }), &text);
        }
        action @ (Action::Outbox { .. }
        | Action::Publish { .. }
        | Action::Withdraw { .. }
        | Action::ObscureThere { .. }
        | Action::Retry { .. }
        | Action::SetAside { .. }) => return outbox(fascicolo, permit, action, by, output).await,
        Action::Completeness { from, to } => {
            for one in fascicolo.completeness(permit, from, to).await? {
                output.result(&one, &completeness_text(&one));
            }
        }
        Action::Unmerge { merge } => {
            fascicolo.unmerge(permit, *merge, by).await?;
            output.result(&json!({ "unmerged": merge }), &format!("merge {merge} undone"));
        }
    }
    Ok(Exit::Done)
}

async fn add(
    fascicolo: &Fascicolo,
    permit: &Permit,
    files: &[std::path::PathBuf],
    output: Output,
) -> anyhow::Result<Exit> {
    let mut failed = false;
    for file in files {
        let taken = match tokio::fs::read(file).await {
            Ok(bytes) => {
                let arriving = Arriving {
                    bytes: bytes.into(),
                    source: "file".to_owned(),
                    ..Arriving::default()
                };
                fascicolo.take(permit, arriving).await.map_err(anyhow::Error::from)
            }
            Err(error) => Err(error.into()),
        };
        match taken {
            Ok(taken) => {
                let mut value = told::document(&taken.document);
                value["known"] = taken.known.into();
                let known = if taken.known { ", here already" } else { "" };
                let text = format!("{}{known}", document_text(&taken.document));
                output.result(&value, &text);
            }
            Err(error) => {
                failed = true;
                output.say(&format!("{}: {error:#}", file.display()));
            }
        }
    }
    Ok(if failed { Exit::SomeFailed } else { Exit::Done })
}

fn timeline_text(timeline: &Timeline) -> String {
    let person = &timeline.person;
    let mut text = format!(
        "#{} {}, born {}, {}\n",
        person.id,
        person.name.replace('^', " "),
        person.birth_date,
        person.sex
    );
    for known in &person.identifiers {
        let id = &known.identifier;
        let kind = id.kind.as_str();
        let _ = writeln!(text, "  {kind} {} ({}, {})", id.value, id.trust.as_str(), known.origin);
    }
    for episode in &timeline.episodes {
        let what = episode.study.as_ref().map_or_else(String::new, |study| {
            format!("{} {}, {} objects", study.modalities, study.description, study.instances)
        });
        let _ = writeln!(text, "{}  {what} [{}]", episode.date, episode.images.as_str());
        for document in &episode.documents {
            let _ = writeln!(text, "          {}", document_text(document));
        }
    }
    text.trim_end().to_owned()
}

/// A document, for people.
pub(in crate::cli) fn document_text(document: &Document) -> String {
    let mut text =
        format!("document {}: {} {}", document.id, document.kind.as_str(), document.title);
    if document.version > 1 {
        let _ = write!(text, ", version {}", document.version);
    }
    if !document.findings.is_empty() {
        let _ = write!(text, ", breaks {}", document.findings);
    }
    text
}

fn link_text(link: &Link) -> String {
    let undone = if link.undone.is_some() { ", undone" } else { "" };
    format!(
        "link {}: document {} and study {} by {} ({}){undone}",
        link.id,
        link.document,
        link.study_uid,
        link.method.as_str(),
        link.actor
    )
}

fn candidate_text(found: &PersonCandidate) -> String {
    format!("person #{} {} ({})", found.person, found.score, found.reasons.join(", "))
}

fn case_text(case: &Case) -> String {
    let mut text = format!("item {}: {}", case.item.id, case.item.kind.as_str());
    if let Some(document) = &case.document {
        let _ = write!(text, ", {}", document_text(document));
    }
    if let Some(study) = &case.study {
        let _ = write!(text, ", study {}", study.uid);
    }
    for found in &case.people {
        let _ = write!(text, "\n  {}", candidate_text(found));
    }
    for found in &case.studies {
        let reasons = found.reasons.join(", ");
        let _ = write!(text, "\n  study {} {} ({reasons})", found.study.uid, found.score);
    }
    text
}
