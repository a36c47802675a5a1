//! The reconciliation queue: what waits, with candidates ranked and their reasons, and the decisions.

use crate::access::permit::Permit;
use crate::dicom::person_name::fold;
use crate::fascicolo::error::FascicoloError;
use crate::fascicolo::fascicolo::Fascicolo;
use crate::fascicolo::fascicolo::may;
use crate::index::fascicolo::DocumentsOf;
use crate::index::fascicolo::Likeness;
use crate::index::fascicolo::StudiesOf;
use crate::model::document::Document;
use crate::model::link::Item;
use crate::model::link::ItemKind;
use crate::model::link::StudyBrief;
use crate::model::link::Waiting;
use crate::people::candidate::Likeness as Scored;
use crate::people::candidate::Profile;
use crate::people::candidate::compare;
use crate::people::identifier::Identifier;
use crate::people::phonetic;

/// Items of a page, and studies of one person, that are looked at.
const CONSIDERED: u32 = 100;
/// People compared with one item.
pub(in crate::fascicolo) const COMPARED: u32 = 20;
/// Candidates shown of one item.
pub(in crate::fascicolo) const SHOWN: usize = 10;
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
        self.cases(items).await
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

    /// Items with what they are and what they may belong to: a few questions for all of them.
    async fn cases(&self, items: Vec<Item>) -> Result<Vec<Case>, FascicoloError> {
        let index = &self.inner.index;
        let most = u32::try_from(items.len()).unwrap_or(u32::MAX);
        let rows = |document: bool| {
            let waiting = items.iter().map(|item| item.waiting);
            let own = waiting.filter(|own| matches!(own, Waiting::Document(_)) == document);
            own.map(Waiting::id).collect::<Vec<i64>>()
        };
        let documents = index.documents(DocumentsOf::Rows(rows(true)), most).await?;
        let studies = index.studies(&StudiesOf::Rows(rows(false)), most).await?;
        let mut cases: Vec<Case> = items
            .into_iter()
            .map(|item| {
                let (mut document, mut study) = (None, None);
                match item.waiting {
                    Waiting::Document(id) => {
                        document = documents.iter().find(|own| own.id == id).cloned();
                    }
                    Waiting::Study(id) => {
                        study = studies.iter().find(|own| own.id == id).cloned();
                    }
                }
                Case { item, document, study, people: Vec::new(), studies: Vec::new() }
            })
            .collect();
        self.suggest_people(&mut cases).await?;
        self.suggest_studies(&mut cases).await?;
        Ok(cases)
    }

    /// People something may be of, likeliest first.
    async fn suggest_people(&self, cases: &mut [Case]) -> Result<(), FascicoloError> {
        let profiles: Vec<Profile> = cases.iter().map(Case::profile).collect();
        let wanted: Vec<Likeness> = profiles
            .iter()
            .map(|like| Likeness {
                sound: phonetic::key(&like.name),
                birth_date: like.birth_date.clone(),
            })
            .collect();
        for alike in self.inner.index.people_alike(&wanted, COMPARED).await? {
            let at = alike.number;
            let (Some(case), Some(like)) = (cases.get_mut(at), profiles.get(at)) else { continue };
            let theirs = Profile {
                // What it says of birth and sex counts too.
                identifiers: Identifier::read(&alike.code, "").into_iter().collect(),
                ..profile(&fold(&alike.name), &alike.birth_date, &alike.sex)
            };
            case.people.extend(PersonCandidate::of(alike.person, &compare(like, &theirs)));
        }
        for case in cases {
            case.people.sort_by_key(|found| (std::cmp::Reverse(found.score), found.person));
            case.people.truncate(SHOWN);
        }
        Ok(())
    }

    /// Studies of a document's person, or of those most like them, near it in time.
    async fn suggest_studies(&self, cases: &mut [Case]) -> Result<(), FascicoloError> {
        let mut people: Vec<i64> =
            cases.iter().flat_map(Case::owners).map(|(person, ..)| person).collect();
        people.sort_unstable();
        people.dedup();
        if people.is_empty() {
            return Ok(());
        }
        let most = CONSIDERED.saturating_mul(u32::try_from(people.len()).unwrap_or(u32::MAX));
        let studies = self.inner.index.studies(&StudiesOf::People(people), most).await?;
        for case in cases {
            let Some(document) = &case.document else { continue };
            let mut candidates = Vec::new();
            for (person, worth, reason) in case.owners() {
                let own = studies.iter().filter(|study| study.person == Some(person));
                candidates.extend(own.filter_map(|study| near(study, document, worth, reason)));
            }
            candidates.sort_by_key(|found| (std::cmp::Reverse(found.score), found.study.id));
            candidates.truncate(SHOWN);
            case.studies = candidates;
        }
        Ok(())
    }
}

impl PersonCandidate {
    /// Somebody with how alike they are; `None` when what speaks against them outweighs the rest.
    pub(in crate::fascicolo) fn of(person: i64, likeness: &Scored) -> Option<Self> {
        let reasons = likeness.reasons.iter().map(|reason| reason.as_str()).collect();
        (likeness.score > 0).then_some(Self { person, score: likeness.score, reasons })
    }
}

impl Case {
    /// What is known of whom it is about.
    fn profile(&self) -> Profile {
        match (&self.document, &self.study) {
            (Some(document), _) => {
                profile(&fold(&document.name), &document.birth_date, &document.sex)
            }
            (None, Some(study)) => profile(&study.name, &study.birth_date, &study.sex),
            (None, None) => Profile::default(),
        }
    }

    /// Of a document that has no study: whose studies it may belong to, what that is worth, and why.
    fn owners(&self) -> Vec<(i64, u8, &'static str)> {
        let waits = matches!(self.item.kind, ItemKind::Unlinked | ItemKind::PersonConflict);
        match self.document.as_ref().filter(|_| waits) {
            None => Vec::new(),
            Some(Document { person: Some(person), .. }) => vec![(*person, 60, "same-person")],
            Some(_) => {
                let likest = self.people.iter().take(3);
                likest.map(|own| (own.person, own.score / 2, "person-alike")).collect()
            }
        }
    }
}

/// A study as a document's, where it is near it in time.
fn near(
    study: &StudyBrief,
    document: &Document,
    worth: u8,
    reason: &'static str,
) -> Option<StudyCandidate> {
    let days = days_between(&study.date, &document.service_date)?;
    if days > FAR_DAYS {
        return None;
    }
    let near = u8::try_from((40 - days).clamp(0, 40)).unwrap_or(0);
    let when = if days == 0 { "same-date" } else { "near-date" };
    Some(StudyCandidate {
        study: study.clone(),
        score: worth.saturating_add(near).min(100),
        reasons: vec![reason, when],
    })
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
