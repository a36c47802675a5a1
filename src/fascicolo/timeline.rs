//! A person's fascicolo: episodes, newest first, each with its images and its reports as one entry.

use std::collections::BTreeMap;

use crate::access::permit::Permit;
use crate::fascicolo::error::FascicoloError;
use crate::fascicolo::fascicolo::Fascicolo;
use crate::fascicolo::fascicolo::may;
use crate::fascicolo::queue::days_between;
use crate::index::fascicolo::DocumentsOf;
use crate::index::fascicolo::LinksOf;
use crate::index::fascicolo::StudiesOf;
use crate::model::document::Document;
use crate::model::document::ReferenceKind;
use crate::model::link::StudyBrief;
use crate::model::link::Waiting;
use crate::model::person::Person;

/// Documents of a person looked at.
const MOST_DOCUMENTS: u32 = 1000;
/// Days images may take after their report: later they count as absent. Reports must reach the
/// national index in five.
const PATIENCE_DAYS: i64 = 5;

/// A person and what they have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Timeline {
    /// Who.
    pub person: Person,
    /// Episodes, newest first.
    pub episodes: Vec<Episode>,
    /// Where the next page begins; `None` at the end.
    pub next: Option<(String, i64)>,
}

/// An examination: its images, its reports.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Episode {
    /// `YYYYMMDD`; empty when nobody told.
    pub date: String,
    /// Its images' study.
    pub study: Option<StudyBrief>,
    /// Its documents, the versions in force.
    pub documents: Vec<Document>,
    /// Older versions of them.
    pub replaced: usize,
    /// How it stands with the images.
    pub images: Images,
}

/// How it stands with an episode's images.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Images {
    /// Here.
    Ready,
    /// A report names a study that is not here yet, and is young.
    OnTheWay,
    /// A report names a study that did not come.
    NotReceived,
    /// No report names a study.
    NotNamed,
}

impl Images {
    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ready => "ready",
            Self::OnTheWay => "on-the-way",
            Self::NotReceived => "absent: not received",
            Self::NotNamed => "absent: no report names a study",
        }
    }
}

impl Fascicolo {
    /// Opens a person's fascicolo; `after` goes on where a page ended. Episodes without images stand
    /// on the first page.
    pub async fn timeline(
        &self,
        permit: &Permit,
        person: i64,
        after: Option<(String, i64)>,
        limit: u32,
    ) -> Result<Timeline, FascicoloError> {
        may(permit)?;
        let index = &self.inner.index;
        let found = index.person(person).await?.ok_or(FascicoloError::Unknown("this person"))?;
        let first_page = after.is_none();
        let studies = index.studies(&StudiesOf::Person(found.id, after), limit.max(1)).await?;
        let documents = index.documents(DocumentsOf::Person(found.id), MOST_DOCUMENTS).await?;
        let links = index.links(LinksOf::Person(found.id)).await?;
        let mut of_study: BTreeMap<i64, Vec<i64>> = BTreeMap::new();
        for link in links.iter().filter(|link| link.undone.is_none()) {
            of_study.entry(link.study).or_default().push(link.document);
        }
        let full = u32::try_from(studies.len()).is_ok_and(|length| length == limit.max(1));
        let next = studies.last().filter(|_| full).map(|study| (study.date.clone(), study.id));
        let mut episodes: Vec<Episode> = studies
            .into_iter()
            .map(|study| {
                let linked = of_study.get(&study.id);
                let own = documents.iter().filter(|d| linked.is_some_and(|l| l.contains(&d.id)));
                let (force, replaced): (Vec<_>, Vec<_>) =
                    own.cloned().partition(|document| document.superseded_by.is_none());
                Episode {
                    date: study.date.clone(),
                    images: if study.instances > 0 { Images::Ready } else { Images::OnTheWay },
                    study: Some(study),
                    documents: force,
                    replaced: replaced.len(),
                }
            })
            .collect();
        if first_page {
            let linked: Vec<i64> = of_study.into_values().flatten().collect();
            let alone = documents.into_iter();
            let alone = alone.filter(|d| d.superseded_by.is_none() && !linked.contains(&d.id));
            for document in alone {
                let images = self.images_of(&document).await?;
                episodes.push(Episode {
                    date: document.service_date.clone(),
                    study: None,
                    documents: vec![document],
                    replaced: 0,
                    images,
                });
            }
            episodes.sort_by(|a, b| b.date.cmp(&a.date));
        }
        Ok(Timeline { person: found, episodes, next })
    }

    /// How it stands with the images of a report that no study is linked to.
    async fn images_of(&self, document: &Document) -> Result<Images, FascicoloError> {
        let references = self.inner.index.references(Waiting::Document(document.id)).await?;
        let named = references
            .iter()
            .any(|r| matches!(r.kind, ReferenceKind::Study | ReferenceKind::Accession));
        if !named {
            return Ok(Images::NotNamed);
        }
        let today = day(self.now_us());
        let arrived = day(document.received_us);
        let young = days_between(&today, &arrived).is_some_and(|days| days <= PATIENCE_DAYS);
        Ok(if young { Images::OnTheWay } else { Images::NotReceived })
    }
}

/// The day of a moment, `YYYYMMDD`.
fn day(at_us: i64) -> String {
    let moment = jiff::Timestamp::from_microsecond(at_us).unwrap_or_default();
    moment.strftime("%Y%m%d").to_string()
}
