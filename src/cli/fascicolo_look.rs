//! `lastra fascicolo search` and `priors`.

use std::fmt::Write;

use crate::access::permit::Permit;
use crate::cli::exit::Exit;
use crate::cli::fascicolo::document_text;
use crate::cli::fascicolo_args::Action;
use crate::cli::output::Output;
use crate::fascicolo::fascicolo::Fascicolo;
use crate::fascicolo::priors::Asked;
use crate::fascicolo::priors::Priors;
use crate::fascicolo::told;

/// Looks for documents, or for what was done already.
pub(in crate::cli) async fn look(
    fascicolo: &Fascicolo,
    permit: &Permit,
    action: &Action,
    output: Output,
) -> anyhow::Result<Exit> {
    match action {
        Action::Search { words, person, limit } => {
            let person = match person {
                Some(person) => Some(fascicolo.find(permit, person).await?.id),
                None => None,
            };
            for found in fascicolo.search(permit, &words.join(" "), person, *limit).await? {
                output.result(&told::document(&found), &document_text(&found));
            }
        }
        Action::Priors { person, order, modality, body_part, days } => {
            let (ordered, mut asked) = match order {
                Some(order) => {
                    let (person, asked) = fascicolo.asked_by_order(permit, order).await?;
                    (Some(person), asked)
                }
                None => (None, Asked::default()),
            };
            let person = match (person, ordered) {
                (Some(person), _) => fascicolo.find(permit, person).await?.id,
                (None, Some(person)) => person,
                (None, None) => anyhow::bail!("name a person or --order"),
            };
            if let Some(modality) = modality {
                asked.modality.clone_from(modality);
            }
            if asked.modality.is_empty() {
                anyhow::bail!("--modality: the order names none; give one");
            }
            if !body_part.is_empty() {
                asked.body_part.clone_from(body_part);
            }
            asked.within_days = *days;
            let priors = fascicolo.priors(permit, person, &asked).await?;
            output.result(&priors, &text(&priors));
        }
        _ => {}
    }
    Ok(Exit::Done)
}

fn text(priors: &Priors) -> String {
    let mut text = if priors.already_done { "already done" } else { "not done" }.to_owned();
    for prior in &priors.studies {
        let _ = write!(
            text,
            "\n  {} {} {} days ago, {} {} [{}], {} reports{}",
            prior.study,
            prior.date,
            prior.days_ago,
            prior.modalities,
            prior.description,
            prior.images,
            prior.reports,
            if prior.body_part == crate::fascicolo::priors::SamePart::Unknown {
                ", body part not known"
            } else {
                ""
            }
        );
    }
    text
}
