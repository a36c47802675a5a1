//! `DocumentReference` page by page: documents, and the manifests of studies in either form. Each is a list
//! of its own; a page merges them, and its cursor says how far each was read.

use std::cmp::Ordering;

use crate::fascicolo::error::FascicoloError;
use crate::fhir::asked::Asked;
use crate::fhir::bundle::Answer;
use crate::fhir::cursor::Cursor;
use crate::fhir::door::Consultation;
use crate::fhir::include::Rows;
use crate::fhir::manifest::Form;
use crate::fhir::manifest_rules::Manifests;
use crate::fhir::outcome::Refusal;
use crate::fhir::resource::Resource;
use crate::index::pages::Counted;
use crate::index::pages::DocumentFound;
use crate::index::pages::DocumentRule;
use crate::index::pages::Page;
use crate::index::pages::Place;
use crate::index::pages::SortBy;
use crate::index::pages::StudyFound;
use crate::index::pages::StudyRule;

/// Which of `DocumentReference` are listed.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    /// Conditions on documents.
    pub documents: Vec<DocumentRule>,
    /// Manifests.
    pub manifests: Manifests,
}

impl Wanted {
    /// Whether any document can be among them: nothing is read for what cannot be.
    fn has_documents(&self) -> bool {
        !self.documents.contains(&DocumentRule::Row(Vec::new()))
    }
}

/// One of them.
#[derive(Debug, Clone)]
pub enum Listed {
    /// A document.
    Document(Box<DocumentFound>),
    /// A study's manifest.
    Manifest(Box<StudyFound>, Form),
}

/// What is listed, by where it stands.
trait Placed {
    /// Its place among its own kind.
    fn place(&self) -> Place;
    /// Its kind's among those of one date or time: documents come before manifests.
    fn rank(&self) -> u8;
}

impl Placed for Listed {
    fn place(&self) -> Place {
        match self {
            Self::Document(found) => found.place(),
            Self::Manifest(found, _) => found.place(),
        }
    }

    fn rank(&self) -> u8 {
        u8::from(matches!(self, Self::Manifest(..)))
    }
}

/// Which stands first in ascending order; of one kind as its list is sorted.
fn compare(one: &impl Placed, other: &impl Placed, sort: SortBy) -> Ordering {
    let (own, others) = (one.place(), other.place());
    let ranks = one.rank().cmp(&other.rank());
    let by = match sort {
        SortBy::Row => ranks,
        SortBy::Date => own.date.cmp(&others.date).then(ranks).then(own.time.cmp(&others.time)),
        SortBy::Changed => own.changed_us.cmp(&others.changed_us).then(ranks),
    };
    by.then(own.row.cmp(&others.row))
}

/// Merges lists that are each in this order; of equals the earlier list's goes first.
fn merged<T: Placed>(lists: Vec<Vec<T>>, sort: SortBy, descending: bool, most: usize) -> Vec<T> {
    let mut lists: Vec<_> = lists.into_iter().map(|list| list.into_iter().peekable()).collect();
    let mut merged = Vec::new();
    while merged.len() < most {
        let heads = lists.iter_mut().enumerate().filter_map(|(at, list)| Some((at, list.peek()?)));
        let first = heads.min_by(|(_, one), (_, other)| {
            let by = compare(*one, *other, sort);
            if descending { by.reverse() } else { by }
        });
        let Some(at) = first.map(|(at, _)| at) else { break };
        merged.extend(lists.get_mut(at).and_then(Iterator::next));
    }
    merged
}

impl Cursor {
    fn place_of(&mut self, form: Option<Form>) -> &mut Option<Place> {
        let [fhir, dicom] = &mut self.beside;
        match form {
            None => &mut self.after,
            Some(Form::Fhir) => fhir,
            Some(Form::Dicom) => dicom,
        }
    }
}

impl Consultation {
    /// At most `count` of them in a page's order, from where a cursor says; and where the next begin.
    pub async fn list(
        &self,
        wanted: &Wanted,
        order: &Page,
        mut cursor: Cursor,
        count: u32,
    ) -> Result<(Vec<Listed>, Option<Cursor>), FascicoloError> {
        // One more than is given tells whether there are others.
        let limit = count.saturating_add(1);
        let page = |after: Option<Place>| Page { after, limit, ..order.clone() };
        let (fascicolo, permit) = (&self.fascicolo, &self.permit);
        let documents = if wanted.has_documents() {
            let documents = page(cursor.after.clone());
            fascicolo.documents_page(permit, &wanted.documents, &documents).await?
        } else {
            Vec::new()
        };
        let documents = documents.into_iter().map(|found| Listed::Document(Box::new(found)));
        let mut lists = vec![documents.collect::<Vec<_>>()];
        let mut before: Option<(&Vec<StudyRule>, Page, Vec<StudyFound>)> = None;
        for (form, rules) in &wanted.manifests {
            let of_form = page(cursor.place_of(Some(*form)).clone());
            // Mostly the studies of one form are those of the other.
            let studies = match before {
                Some((known, page, studies)) if known == rules && page == of_form => studies,
                _ => fascicolo.studies_page(permit, rules, &of_form).await?,
            };
            let own = studies.iter().map(|found| Listed::Manifest(Box::new(found.clone()), *form));
            lists.push(own.collect());
            before = Some((rules, of_form, studies));
        }
        let most = usize::try_from(limit).unwrap_or(usize::MAX);
        let mut listed = merged(lists, order.sort, order.descending, most);
        if listed.len() < most {
            return Ok((listed, None));
        }
        listed.pop();
        for one in &listed {
            let form = match one {
                Listed::Document(_) => None,
                Listed::Manifest(_, form) => Some(*form),
            };
            *cursor.place_of(form) = Some(one.place());
        }
        Ok((listed, Some(cursor)))
    }

    /// Listed ones as resources, in their order; of what is gone meanwhile there is none.
    pub async fn listed(&self, listed: &[Listed]) -> Result<Vec<Resource>, FascicoloError> {
        let (mut documents, mut manifests) = (Vec::new(), Vec::new());
        for one in listed {
            match one {
                Listed::Document(found) => documents.push((**found).clone()),
                Listed::Manifest(found, form) => manifests.push(((**found).clone(), *form)),
            }
        }
        let mut written = self.document_references(&documents).await?;
        written.extend(self.manifest_references(&manifests).await?);
        let place = |resource: &Resource| {
            listed.iter().position(|one| match one {
                Listed::Document(found) => {
                    resource.id == crate::model::ids::of_document(&found.document.sha256)
                }
                Listed::Manifest(found, form) => resource.id == form.id(found),
            })
        };
        written.sort_by_cached_key(place);
        Ok(written)
    }

    /// Which a search asks for.
    async fn wanted(&self, asked: &Asked) -> Result<Wanted, Refusal> {
        Ok(Wanted {
            documents: self.document_rules(asked).await?,
            manifests: self.manifest_rules(asked).await?,
        })
    }

    /// `GET /fhir/DocumentReference`
    pub async fn search_document_references(&self, asked: &Asked) -> Result<Answer, Refusal> {
        let wanted = self.wanted(asked).await?;
        let total = match asked.at_most() {
            None => None,
            Some(at_most) => {
                let count = self.count_wanted(&wanted, at_most).await?;
                (count < at_most).then_some(count)
            }
        };
        if asked.count == 0 {
            return Ok(Answer { total, ..Answer::default() });
        }
        let (order, cursor) = (asked.page(), asked.cursor.clone());
        let (listed, next) = self.list(&wanted, &order, cursor, asked.count).await?;
        let mut rows = Rows::default();
        for one in &listed {
            match one {
                Listed::Document(found) => {
                    rows.people.extend(found.document.person);
                    rows.documents.push(found.document.id);
                }
                Listed::Manifest(found, _) => {
                    rows.people.insert(found.person);
                    rows.listed_studies.insert(found.row);
                }
            }
        }
        let matches = self.listed(&listed).await?;
        self.answer_with(asked, matches, next, total, &rows).await
    }

    /// How many of `DocumentReference` meet a search, counted up to a bound.
    pub async fn count_document_references(
        &self,
        asked: &Asked,
        at_most: u32,
    ) -> Result<u32, Refusal> {
        let wanted = self.wanted(asked).await?;
        Ok(self.count_wanted(&wanted, at_most).await?)
    }

    async fn count_wanted(&self, wanted: &Wanted, at_most: u32) -> Result<u32, FascicoloError> {
        let (fascicolo, permit) = (&self.fascicolo, &self.permit);
        let documents = Counted::Documents(&wanted.documents);
        let mut count = if wanted.has_documents() {
            fascicolo.count_page(permit, documents, at_most).await?
        } else {
            0
        };
        let mut before: Option<(&Vec<_>, u32)> = None;
        for (_, rules) in &wanted.manifests {
            if count >= at_most {
                break;
            }
            // As many of one form as of the other, unless their ids are asked for.
            let own = match before {
                Some((known, own)) if known == rules => own,
                _ => fascicolo.count_page(permit, Counted::Studies(rules), at_most).await?,
            };
            before = Some((rules, own));
            count = count.saturating_add(own);
        }
        Ok(count.min(at_most))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Placed, compare, merged};
    use crate::index::pages::{Place, SortBy};

    /// A letter for its list, and where it stands.
    #[derive(Debug, Clone, PartialEq)]
    struct One(char, Place);

    impl Placed for One {
        fn place(&self) -> Place {
            self.1.clone()
        }

        fn rank(&self) -> u8 {
            u8::from(self.0 != 'd')
        }
    }

    fn one(list: char, row: i64, date: &str, time: &str) -> One {
        let place =
            Place { date: date.to_owned(), time: time.to_owned(), changed_us: row / 2, row };
        One(list, place)
    }

    fn said(listed: &[One]) -> Vec<String> {
        listed.iter().map(|one| format!("{}{}", one.0, one.1.row)).collect()
    }

    #[test]
    fn both_forms_of_a_study_stand_side_by_side_in_either_direction() {
        let both = |descending: bool| {
            let documents = vec![one('d', 7, "20260101", ""), one('d', 8, "20260301", "")];
            let of = |list| {
                let studies = [(5, "20260101", "08"), (1, "20260101", "09"), (2, "20260201", "")];
                studies.map(|(row, date, time)| one(list, row, date, time)).to_vec()
            };
            let mut lists = vec![documents, of('f'), of('k')];
            if descending {
                for list in &mut lists {
                    list.reverse();
                }
            }
            said(&merged(lists, SortBy::Date, descending, 100))
        };
        assert_eq!(both(false), ["d7", "f5", "k5", "f1", "k1", "f2", "k2", "d8"]);
        assert_eq!(both(true), ["d8", "f2", "k2", "f1", "k1", "f5", "k5", "d7"]);
    }

    proptest! {
        #[test]
        fn nothing_is_lost_and_all_stands_in_order(
            own in proptest::collection::btree_map(0_i64..40, 0..5, 0..12),
            others in proptest::collection::btree_map(0_i64..40, 0..5, 0..12),
            sort in prop_oneof![Just(SortBy::Row), Just(SortBy::Date), Just(SortBy::Changed)],
            descending in any::<bool>(),
            most in 0_usize..40,
        ) {
            let list = |list: char, rows: &std::collections::BTreeMap<i64, i32>| {
                let all = rows.iter().map(|(row, date)| one(list, *row, &date.to_string(), ""));
                let mut all: Vec<One> = all.collect();
                all.sort_by(|one, other| compare(one, other, sort));
                if descending {
                    all.reverse();
                }
                all
            };
            let lists = vec![list('d', &own), list('f', &others), list('k', &others)];
            let whole = merged(lists.clone(), sort, descending, usize::MAX);
            prop_assert_eq!(whole.len(), own.len() + 2 * others.len());
            for pair in whole.windows(2) {
                let by = compare(&pair[0], &pair[1], sort);
                prop_assert!(if descending { by.is_ge() } else { by.is_le() }, "{:?}", pair);
            }
            let cut = merged(lists, sort, descending, most);
            prop_assert_eq!(&cut[..], &whole[..most.min(whole.len())]);
        }
    }
}
