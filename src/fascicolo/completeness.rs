//! Organisations: what is whose, and how complete what each feeds is, against the five days within which
//! reports must be in the national index.

use std::collections::BTreeMap;

use crate::access::permit::Permit;
use crate::documents::manifest::Keeper;
use crate::fascicolo::error::FascicoloError;
use crate::fascicolo::fascicolo::Fascicolo;
use crate::fascicolo::fascicolo::may;
use crate::fascicolo::queue::days_between;
use crate::hl7::cda::document::ClinicalDocument;
use crate::model::document::DocumentSubject;
use crate::model::link::Waiting;
use crate::model::organisation::Figures;
use crate::model::organisation::Marked;
use crate::model::organisation::Organisation;
use crate::model::organisation::oid;
use crate::model::organisation::source;

/// Days within which a report must be in the national index: the gateway refuses older ones.
pub const LIMIT_DAYS: i64 = 5;

/// How complete one organisation's feed is.
#[derive(Debug, Clone, PartialEq, Eq, Default, serde::Serialize)]
pub struct Completeness {
    /// Its name; empty: of nobody that is configured.
    pub organisation: String,
    /// Its regime.
    pub regime: &'static str,
    /// Studies.
    pub studies: u64,
    /// Studies without a report.
    pub studies_without_report: u64,
    /// Reports in force.
    pub reports: u64,
    /// Reports without images.
    pub reports_without_images: u64,
    /// From the service to the report here.
    pub received: Delays,
    /// From the service to the report in the national index, of those that are there.
    pub published: Delays,
    /// Reports that are not in the national index.
    pub unpublished: u64,
}

/// How long it took.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize)]
pub struct Delays {
    /// Within the limit.
    pub within_limit: u64,
    /// Later.
    pub later: u64,
    /// Nobody told when the service was.
    pub unknown: u64,
    /// The longest, in days.
    pub longest_days: i64,
}

impl Delays {
    fn add(&mut self, days: Option<i64>, count: u64) {
        match days {
            None => self.unknown += count,
            Some(days) => {
                let place =
                    if days <= LIMIT_DAYS { &mut self.within_limit } else { &mut self.later };
                *place += count;
                self.longest_days = self.longest_days.max(days);
            }
        }
    }
}

impl Fascicolo {
    /// How complete each organisation's feed is, of services between two dates (`YYYYMMDD`; empty: no
    /// bound); at the end what is of none of them.
    pub async fn completeness(
        &self,
        permit: &Permit,
        from: &str,
        to: &str,
    ) -> Result<Vec<Completeness>, FascicoloError> {
        may(permit)?;
        let (index, organisations) = (&self.inner.index, &self.inner.organisations);
        let mut all = Vec::new();
        for organisation in organisations {
            let figures = index.figures(&Marked::With(organisation.marks()), from, to).await?;
            all.push(read(&organisation.name, organisation.regime.as_str(), &figures));
        }
        let known = organisations.iter().flat_map(Organisation::marks).collect();
        let others = index.figures(&Marked::Without(known), from, to).await?;
        all.push(read("", "", &others));
        Ok(all)
    }

    /// Who keeps studies, as the configuration knows them; of whom it knows nobody is left out.
    pub(in crate::fascicolo) async fn keepers(
        &self,
        studies: &[i64],
    ) -> Result<BTreeMap<i64, Keeper>, FascicoloError> {
        let studies: Vec<Waiting> = studies.iter().copied().map(Waiting::Study).collect();
        let keeper = |of: &Organisation| Keeper { name: of.name.clone(), oid: of.oid.clone() };
        let kept = self.kept_by(&studies).await?;
        Ok(kept.into_iter().map(|(study, organisation)| (study, keeper(organisation))).collect())
    }

    /// The organisation each of several is of; all of them studies, or all documents.
    pub async fn organisations_of(
        &self,
        permit: &Permit,
        of: &[Waiting],
    ) -> Result<BTreeMap<i64, &Organisation>, FascicoloError> {
        may(permit)?;
        self.kept_by(of).await
    }

    async fn kept_by(
        &self,
        of: &[Waiting],
    ) -> Result<BTreeMap<i64, &Organisation>, FascicoloError> {
        let known = &self.inner.organisations;
        if known.is_empty() {
            return Ok(BTreeMap::new());
        }
        let mut all: BTreeMap<i64, Vec<String>> = BTreeMap::new();
        for (row, mark) in self.inner.index.marks(of).await? {
            all.entry(row).or_default().push(mark);
        }
        let whose = |marks: &[String]| {
            known.iter().find(|known| known.marks().iter().any(|mark| marks.contains(mark)))
        };
        Ok(all.iter().filter_map(|(row, marks)| Some((*row, whose(marks)?))).collect())
    }

    /// Organisations the settings name.
    pub fn organisations(&self) -> &[Organisation] {
        &self.inner.organisations
    }

    /// Notes by what a study is known to be somebody's: who sent it, who numbered it.
    pub(in crate::fascicolo) async fn mark_study(
        &self,
        study: i64,
        series: i64,
        assigners: impl Iterator<Item = String>,
    ) -> Result<(), FascicoloError> {
        let index = &self.inner.index;
        let sources = index.sources_of_series(series).await?;
        let mut marks: Vec<String> = sources.iter().filter_map(|text| source(text)).collect();
        marks.extend(assigners.filter(|text| !text.is_empty()).map(|text| oid(&text)));
        marks.sort();
        marks.dedup();
        Ok(index.add_marks(Waiting::Study(study), &marks).await?)
    }

    /// Notes by what a document is known to be somebody's: its custodian, who sent it, who numbered its
    /// patient, and where it came in an instance what the instance's series is known by.
    pub(in crate::fascicolo) async fn mark_document(
        &self,
        document: i64,
        cda: Option<&ClinicalDocument>,
        sent_by: &str,
        subject: &DocumentSubject,
    ) -> Result<(), FascicoloError> {
        let mut marks: Vec<String> = source(sent_by).into_iter().collect();
        if let Some(id) = cda.map(|cda| &cda.custodian.id).filter(|id| id.is_known()) {
            marks.push(oid(&id.root));
            marks.push(oid(&format!("{}.{}", id.root, id.extension)));
        }
        let issuers = subject.identifiers.iter().map(|id| &id.assigner);
        marks.extend(issuers.filter(|text| !text.is_empty()).map(|text| oid(text)));
        marks.sort();
        marks.dedup();
        Ok(self.inner.index.add_marks(Waiting::Document(document), &marks).await?)
    }
}

fn read(name: &str, regime: &'static str, figures: &Figures) -> Completeness {
    let mut read = Completeness {
        organisation: name.to_owned(),
        regime,
        studies: figures.studies,
        studies_without_report: figures.studies.saturating_sub(figures.studies_with_report),
        ..Completeness::default()
    };
    for group in &figures.reports {
        read.reports += group.count;
        if !group.with_images {
            read.reports_without_images += group.count;
        }
        let until = |day: i64| days_between(&day_of(day), &group.service_date);
        read.received.add(until(group.received_day), group.count);
        match group.published_day {
            Some(day) => read.published.add(until(day), group.count),
            None => read.unpublished += group.count,
        }
    }
    read
}

/// A day since 1970 as `YYYYMMDD`.
fn day_of(day: i64) -> String {
    let moment = jiff::Timestamp::from_second(day.saturating_mul(86_400)).unwrap_or_default();
    moment.strftime("%Y%m%d").to_string()
}

#[cfg(test)]
mod tests {
    use super::{Delays, day_of};

    #[test]
    fn the_fifth_day_is_within_the_limit_and_the_sixth_is_not() {
        let mut delays = Delays::default();
        for (days, count) in [(Some(0), 1), (Some(5), 2), (Some(6), 4), (None, 8)] {
            delays.add(days, count);
        }
        assert_eq!(delays, Delays { within_limit: 3, later: 4, unknown: 8, longest_days: 6 });
        assert_eq!((day_of(0), day_of(20_514)), ("19700101".to_owned(), "20260302".to_owned()));
    }
}
