//! Decisions on what waits in the reconciliation queue, each by one call; and who else somebody may be.

use crate::access::permit::Permit;
use crate::dicom::person_name::fold;
use crate::fascicolo::error::FascicoloError;
use crate::fascicolo::fascicolo::Fascicolo;
use crate::fascicolo::fascicolo::may;
use crate::fascicolo::queue::COMPARED;
use crate::fascicolo::queue::PersonCandidate;
use crate::fascicolo::queue::SHOWN;
use crate::index::fascicolo::Likeness;
use crate::model::link::Item;
use crate::model::link::Waiting;
use crate::people::candidate::Profile;
use crate::people::candidate::compare;
use crate::people::identifier::Identifier;
use crate::people::phonetic;

/// What somebody decides on an item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// The document belongs to this study.
    Link {
        /// Study Instance UID.
        study: String,
    },
    /// It is this person's, by any of their rows; `None`: nobody's.
    Assign(Option<i64>),
    /// It waits no longer; nothing else changes.
    Dismiss,
}

impl Fascicolo {
    /// Does what somebody decided on an item that waits.
    pub async fn decide(
        &self,
        permit: &Permit,
        item: i64,
        decision: &Decision,
        actor: &str,
    ) -> Result<(), FascicoloError> {
        let item = self.item(permit, item).await?;
        match (decision, item.waiting) {
            (Decision::Link { study }, Waiting::Document(document)) => {
                self.link_by_hand(permit, document, study, actor).await.map(drop)
            }
            (Decision::Link { .. }, Waiting::Study(_)) => {
                Err(FascicoloError::Refused("a study waits here: only a document is linked to one"))
            }
            (Decision::Assign(person), waiting) => {
                self.assign(permit, waiting, *person, actor).await
            }
            (Decision::Dismiss, _) => self.dismiss(permit, &item, actor).await,
        }
    }

    /// An item that waits.
    async fn item(&self, permit: &Permit, id: i64) -> Result<Item, FascicoloError> {
        may(permit)?;
        let found = self.inner.index.items(id.saturating_sub(1), 1).await?.pop();
        let found = found.filter(|item| item.id == id);
        found.ok_or(FascicoloError::Unknown("this item, or it was decided on already,"))
    }

    /// Others who may be this person, likeliest first.
    pub async fn alike(
        &self,
        permit: &Permit,
        person: i64,
    ) -> Result<Vec<PersonCandidate>, FascicoloError> {
        let person = self.person(permit, person).await?;
        let own = Profile {
            name: fold(&person.name),
            birth_date: person.birth_date.clone(),
            sex: person.sex.clone(),
            identifiers: person.identifiers.iter().map(|own| own.identifier.clone()).collect(),
        };
        let wanted =
            Likeness { sound: phonetic::key(&own.name), birth_date: own.birth_date.clone() };
        let alike = self.inner.index.people_alike(&[wanted], COMPARED).await?;
        let mut found: Vec<PersonCandidate> = alike
            .into_iter()
            .filter(|other| other.person != person.id)
            .filter_map(|other| {
                let theirs = Profile {
                    name: fold(&other.name),
                    birth_date: other.birth_date,
                    sex: other.sex,
                    identifiers: Identifier::read(&other.code, "").into_iter().collect(),
                };
                PersonCandidate::of(other.person, &compare(&own, &theirs))
            })
            .collect();
        found.sort_by_key(|found| (std::cmp::Reverse(found.score), found.person));
        found.truncate(SHOWN);
        Ok(found)
    }
}
