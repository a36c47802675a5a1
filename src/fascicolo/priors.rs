//! Was it done already? The person's studies of the same modality and body part, for whoever orders
//! another one: an explicit answer, with what it rests on.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::access::permit::Permit;
use crate::documents::manifest::region;
use crate::fascicolo::error::FascicoloError;
use crate::fascicolo::fascicolo::Fascicolo;
use crate::fascicolo::fascicolo::may;
use crate::fascicolo::queue::days_between;
use crate::fascicolo::recognise::NRE;
use crate::index::fascicolo::LinksOf;
use crate::index::fascicolo::StudiesOf;
use crate::model::document::Reference;
use crate::model::document::ReferenceKind;
use crate::model::order::ImagingOrder;
use crate::people::identifier::assigner_of;

/// Studies of one person looked at.
const MOST_STUDIES: u32 = 2_000;
const DAY_US: i64 = 86_400_000_000;

/// An examination that somebody is about to order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Asked {
    /// Modality: CT, MR, DX.
    pub modality: String,
    /// Body part, as Body Part Examined has it; empty: any.
    pub body_part: String,
    /// Side of it, `L` or `R`; empty: none, or nobody said.
    pub side: String,
    /// How many days back an examination still counts.
    pub within_days: u16,
    /// Its own study, which is no prior of itself.
    pub study_uid: String,
    /// Numbers of the order; a study that has one of them is what it asks for.
    pub numbers: Vec<Reference>,
}

/// The answer.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Priors {
    /// The person; `None` for one nothing is known of.
    pub person: Option<i64>,
    /// Whether an examination of the same modality and body part is there.
    pub already_done: bool,
    /// Examinations of the same modality: those of the same body part first, then newest first.
    pub studies: Vec<Prior>,
}

/// An examination that was done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Prior {
    /// Study Instance UID.
    pub study: String,
    /// `YYYYMMDD`.
    pub date: String,
    /// Days since then.
    pub days_ago: i64,
    /// Its modalities.
    pub modalities: String,
    /// Its description.
    pub description: String,
    /// Its accession number.
    pub accession: String,
    /// What is known of its body part, held against the one asked for.
    pub body_part: SamePart,
    /// How it stands with its images: `ready` as soon as it is here at all.
    pub images: &'static str,
    /// Reports linked to it.
    pub reports: usize,
}

/// How a body part compares with the one asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum SamePart {
    /// The same.
    Same,
    /// The study does not say, or nobody asked.
    Unknown,
    /// Another.
    Other,
}

impl Fascicolo {
    /// What a person has of the examination asked for.
    pub async fn priors(
        &self,
        permit: &Permit,
        person: i64,
        asked: &Asked,
    ) -> Result<Priors, FascicoloError> {
        may(permit)?;
        let index = &self.inner.index;
        let found = index.person(person).await?.ok_or(FascicoloError::Unknown("this person"))?;
        let now = self.now_us();
        let from = day(now.saturating_sub(i64::from(asked.within_days) * DAY_US));
        let mut parts: BTreeMap<i64, SamePart> = BTreeMap::new();
        for shown in index.shown_of(found.id, &from).await? {
            if family(&shown.modality) != family(&asked.modality) {
                continue;
            }
            let part = match compared(&shown.body_part, &asked.body_part) {
                // Of studies the side is not kept, so one side is not known to be the same.
                SamePart::Same if !asked.side.is_empty() => SamePart::Unknown,
                part => part,
            };
            let known = parts.entry(shown.study).or_insert(part);
            *known = part.min(*known);
        }
        let own = match asked.numbers.as_slice() {
            [] => Vec::new(),
            numbers => index.studies_sharing(numbers).await?,
        };
        let links = index.links(LinksOf::Person(found.id)).await?;
        let today = day(now);
        let of = StudiesOf::Person(found.id, None);
        let mut studies: Vec<Prior> = Vec::new();
        for study in index.studies(&of, MOST_STUDIES).await? {
            let Some(part) = parts.get(&study.id).copied() else { continue };
            let is_own = study.uid == asked.study_uid || own.iter().any(|own| own.id == study.id);
            if part == SamePart::Other || is_own {
                continue;
            }
            let linked = links.iter().filter(|l| l.study == study.id && l.undone.is_none());
            studies.push(Prior {
                days_ago: days_between(&today, &study.date).unwrap_or(0),
                date: study.date,
                modalities: study.modalities,
                description: study.description,
                accession: study.accession,
                body_part: part,
                images: if study.instances > 0 { "ready" } else { "on-the-way" },
                reports: linked.count(),
                study: study.uid,
            });
        }
        studies.sort_by(|a, b| (a.body_part, &b.date).cmp(&(b.body_part, &a.date)));
        let already_done = studies.iter().any(|prior| prior.body_part == SamePart::Same);
        Ok(Priors { person: Some(found.id), already_done, studies })
    }

    /// What an order that is kept asks for, and of whom; by its accession, placer's or filler's number,
    /// `number` or `issuer|number`.
    pub async fn asked_by_order(
        &self,
        permit: &Permit,
        order: &str,
    ) -> Result<(i64, Asked), FascicoloError> {
        may(permit)?;
        let (assigner, value) = order.rsplit_once('|').unwrap_or(("", order));
        let numbers = [ReferenceKind::Accession, ReferenceKind::Order].map(|kind| Reference {
            kind,
            assigner: assigner_of(assigner),
            value: value.to_owned(),
        });
        let orders = self.inner.index.orders_sharing(&numbers).await?;
        let unknown = FascicoloError::Unknown("this order, or whom it is for");
        let mut people = orders.iter().filter_map(|order| Some((order.person?, order)));
        let (person, order) = people.next().ok_or(unknown)?;
        if people.any(|(other, _)| other != person) {
            return Err(FascicoloError::Refused("several orders bear the number: name its issuer"));
        }
        let asked = Asked {
            modality: order.modality.clone(),
            body_part: order.body_part.clone(),
            side: order.side.clone(),
            study_uid: order.study_uid.clone(),
            numbers: numbers_of(order),
            ..Asked::default()
        };
        Ok((person, asked))
    }
}

/// The numbers of an order that is kept.
fn numbers_of(order: &ImagingOrder) -> Vec<Reference> {
    let nre = (order.nre.clone(), NRE.to_owned());
    let numbers = [
        (ReferenceKind::Accession, &order.accession),
        (ReferenceKind::Order, &order.placer),
        (ReferenceKind::Order, &order.filler),
        (ReferenceKind::Order, &nre),
    ];
    let told = numbers.into_iter().filter(|(_, (value, _))| !value.is_empty());
    let reference = |(kind, (value, assigner)): (_, &(String, String))| Reference {
        kind,
        assigner: assigner.clone(),
        value: value.clone(),
    };
    told.map(reference).collect()
}

/// Modalities that answer the same question: plain radiography has three names.
fn family(modality: &str) -> &str {
    match modality {
        "CR" | "DX" | "DR" => "DX",
        other => other,
    }
}

fn compared(theirs: &str, asked: &str) -> SamePart {
    let (theirs, asked) = (part(theirs), part(asked));
    if theirs.is_empty() || asked.is_empty() {
        return SamePart::Unknown;
    }
    if theirs == asked { SamePart::Same } else { SamePart::Other }
}

/// A body part under one name, by its code where there is one.
fn part(text: &str) -> String {
    let text = text.trim().to_uppercase();
    let term = match text.as_str() {
        // SNOMED CT has two for it, the second in newer editions of PS3.16 Table L-1.
        "TORACE" | "THORAX" | "LUNG" | "816094009" => "CHEST",
        "ADDOME" => "ABDOMEN",
        "CRANIO" | "TESTA" | "SKULL" => "HEAD",
        "ENCEFALO" => "BRAIN",
        "MAMMELLA" | "MAMMELLE" => "BREAST",
        "BACINO" => "PELVIS",
        "GINOCCHIO" => "KNEE",
        "SPALLA" => "SHOULDER",
        "PIEDE" => "FOOT",
        "MANO" => "HAND",
        "COLLO" => "NECK",
        other => other,
    };
    region(term).map_or_else(|| term.to_owned(), |region| region.code.to_owned())
}

fn day(at_us: i64) -> String {
    let moment = jiff::Timestamp::from_microsecond(at_us).unwrap_or_default();
    moment.strftime("%Y%m%d").to_string()
}

#[cfg(test)]
mod tests {
    use super::{SamePart, compared, family};

    #[test]
    fn body_parts_are_compared_under_one_name_and_silence_proves_nothing() {
        for (theirs, asked, same) in [
            ("CHEST", "torace", SamePart::Same),
            ("CHEST", "ABDOMEN", SamePart::Other),
            ("", "CHEST", SamePart::Unknown),
            ("CHEST", "", SamePart::Unknown),
            ("ULNA", " ulna ", SamePart::Same),
        ] {
            assert_eq!(compared(theirs, asked), same, "{theirs} {asked}");
        }
        assert_eq!(family("CR"), family("DX"));
        assert_ne!(family("CT"), family("MR"));
    }
}
