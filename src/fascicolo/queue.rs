//! The reconciliation queue: what waits, with candidates ranked and their reasons, and the decisions.

use futures::StreamExt;
use futures::TryStreamExt;
use futures::stream;

use crate::access::permit::Permit;
use crate::dicom::person_name::fold;
use crate::fascicolo::error::FascicoloError;
use crate::fascicolo::fascicolo::Fascicolo;
use crate::fascicolo::fascicolo::may;
use crate::index::fascicolo::DocumentsOf;
use crate::index::fascicolo::StudiesOf;
use crate::model::document::Document;
use crate::model::link::Item;
use crate::model::link::ItemKind;
use crate::model::link::StudyBrief;
use crate::model::link::Waiting;
use crate::people::candidate::Profile;
use crate::people::candidate::compare;
use crate::people::phonetic;

/// People and studies considered for one item.
const CONSIDERED: u32 = 100;
/// Items whose candidates are looked for at once.
const AT_ONCE: usize = 4;
/// Candidates shown of one item.
const SHOWN: usize = 10;
/// Days between report and study beyond which they are not suggested together.
const FAR_DAYS: i64 = 60;

/// What waits, and what it may belong to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Case {
    /// The item.
    pub item: Item,
    /// The document that waits, if it is one.
    pub document: Option<Document>,
    /// The study that waits, if it is one.
    pub study: Option<StudyBrief>,
    /// People it may be of, likeliest first.
    pub people: Vec<PersonCandidate>,
    /// Studies it may belong to, likeliest first.
    pub studies: Vec<StudyCandidate>,
}

/// A person something may be of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PersonCandidate {
    /// The person.
    pub person: i64,
    /// 0 to 100.
    pub score: u8,
    /// Why.
    pub reasons: Vec<&'static str>,
}

/// A study a document may belong to: suggested, never linked by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StudyCandidate {
    /// The study.
    pub study: StudyBrief,
    /// 0 to 100.
    pub score: u8,
    /// Why.
    pub reasons: Vec<&'static str>,
}

impl Fascicolo {
    /// What waits, after item `after`, with candidates.
    pub async fn queue(
        &self,
        permit: &Permit,
        after: i64,
        limit: u32,
    ) -> Result<Vec<Case>, FascicoloError> {
        may(permit)?;
        let items = self.inner.index.items(after, limit.min(CONSIDERED)).await?;
        stream::iter(items).map(|item| self.case(item)).buffered(AT_ONCE).try_collect().await
    }

    /// Gives what waits to a person, or to nobody; then looks again for what it belongs to.
    pub async fn assign(
        &self,
        permit: &Permit,
        waiting: Waiting,
        person: Option<i64>,
        actor: &str,
    ) -> Result<(), FascicoloError> {
        may(permit)?;
        let (index, now) = (&self.inner.index, self.now_us());
        if let Some(person) = person {
            index.person(person).await?.ok_or(FascicoloError::Unknown("this person"))?;
        }
        index.assign(waiting, person, now).await?;
        for kind in [ItemKind::Unverified, ItemKind::IdentityConflict] {
            index.close_item(kind, waiting, "assigned", actor, now).await?;
        }
        match waiting {
            Waiting::Study(study) => self.link_study(study).await,
            Waiting::Document(document) => self.link_document(document).await,
        }
    }

    /// The study somebody means by its Study Instance UID, by row; not one of several.
    pub async fn study_named(&self, permit: &Permit, uid: &str) -> Result<i64, FascicoloError> {
        may(permit)?;
        let found = self.inner.index.studies(&StudiesOf::Uid(uid.to_owned()), 2).await?;
        match found.as_slice() {
            [study] => Ok(study.id),
            [] => Err(FascicoloError::Unknown("this study")),
            _ => Err(FascicoloError::Refused("the study is kept under several patients")),
        }
    }

    /// Lets an item wait no longer, and nothing else.
    pub async fn dismiss(
        &self,
        permit: &Permit,
        item: &Item,
        actor: &str,
    ) -> Result<(), FascicoloError> {
        may(permit)?;
        let (index, now) = (&self.inner.index, self.now_us());
        Ok(index.close_item(item.kind, item.waiting, "dismissed", actor, now).await?)
    }

    async fn case(&self, item: Item) -> Result<Case, FascicoloError> {
        let index = &self.inner.index;
        let (mut document, mut study) = (None, None);
        match item.waiting {
            Waiting::Document(id) => {
                document = index.documents(DocumentsOf::Id(id), 1).await?.pop();
            }
            Waiting::Study(id) => study = index.studies(&StudiesOf::Row(id), 1).await?.pop(),
        }
        let profile = match (&document, &study) {
            (Some(document), _) => {
                profile(&fold(&document.name), &document.birth_date, &document.sex)
            }
            (None, Some(study)) => profile(&study.name, &study.birth_date, &study.sex),
            (None, None) => Profile::default(),
        };
        let people = self.people_like(&profile).await?;
        let studies = match (&document, item.kind) {
            (Some(document), ItemKind::Unlinked | ItemKind::PersonConflict) => {
                self.studies_like(document, &people).await?
            }
            _ => Vec::new(),
        };
        Ok(Case { item, document, study, people, studies })
    }

    /// People like somebody, likeliest first.
    async fn people_like(&self, like: &Profile) -> Result<Vec<PersonCandidate>, FascicoloError> {
        let sound = phonetic::key(&like.name);
        let people = self.inner.index.people_like(&sound, &like.birth_date, CONSIDERED).await?;
        let mut candidates: Vec<PersonCandidate> = people
            .iter()
            .map(|person| {
                let mut theirs = profile(&fold(&person.name), &person.birth_date, &person.sex);
                theirs.identifiers =
                    person.identifiers.iter().map(|known| known.identifier.clone()).collect();
                let likeness = compare(like, &theirs);
                PersonCandidate {
                    person: person.id,
                    score: likeness.score,
                    reasons: likeness.reasons.iter().map(|reason| reason.as_str()).collect(),
                }
            })
            .filter(|candidate| candidate.score > 0)
            .collect();
        candidates.sort_by_key(|candidate| (std::cmp::Reverse(candidate.score), candidate.person));
        candidates.truncate(SHOWN);
        Ok(candidates)
    }

    /// Studies of the document's person, or of those most like them, near it in time.
    async fn studies_like(
        &self,
        document: &Document,
        people: &[PersonCandidate],
    ) -> Result<Vec<StudyCandidate>, FascicoloError> {
        let owners: Vec<(i64, u8, &'static str)> = match document.person {
            Some(person) => vec![(person, 60, "same-person")],
            None => {
                people.iter().take(3).map(|p| (p.person, p.score / 2, "person-alike")).collect()
            }
        };
        let mut candidates = Vec::new();
        for (person, worth, reason) in owners {
            let of = StudiesOf::Person(person, None);
            for study in self.inner.index.studies(&of, CONSIDERED).await? {
                let Some(days) = days_between(&study.date, &document.service_date) else {
                    continue;
                };
                if days > FAR_DAYS {
                    continue;
                }
                let near = u8::try_from((40 - days).clamp(0, 40)).unwrap_or(0);
                let when = if days == 0 { "same-date" } else { "near-date" };
                candidates.push(StudyCandidate {
                    study,
                    score: worth.saturating_add(near).min(100),
                    reasons: vec![reason, when],
                });
            }
        }
        candidates.sort_by_key(|found| (std::cmp::Reverse(found.score), found.study.id));
        candidates.truncate(SHOWN);
        Ok(candidates)
    }
}

fn profile(name: &str, birth_date: &str, sex: &str) -> Profile {
    Profile {
        name: name.to_owned(),
        birth_date: birth_date.to_owned(),
        sex: sex.to_owned(),
        identifiers: Vec::new(),
    }
}

/// Days between two dates `YYYYMMDD`.
pub(in crate::fascicolo) fn days_between(one: &str, other: &str) -> Option<i64> {
    let date = |text: &str| {
        let part = |range: std::ops::Range<usize>| text.get(range)?.parse::<i16>().ok();
        let (month, day) = (i8::try_from(part(4..6)?).ok()?, i8::try_from(part(6..8)?).ok()?);
        jiff::civil::Date::new(part(0..4)?, month, day).ok().filter(|_| text.len() == 8)
    };
    let span = date(one)?.since(date(other)?).ok()?;
    Some(i64::from(span.get_days()).abs())
}

#[cfg(test)]
mod tests {
    use super::days_between;

    #[test]
    fn days_are_counted_over_months_and_years_both_ways() {
        for (one, other, days) in [
            ("20260302", "20260302", Some(0)),
            ("20260302", "20260228", Some(2)),
            ("20251231", "20260101", Some(1)),
            ("20240301", "20240228", Some(2)),
            ("20260302", "", None),
            ("20261399", "20260302", None),
        ] {
            assert_eq!(days_between(one, other), days);
            assert_eq!(days_between(other, one), days);
        }
    }
}
