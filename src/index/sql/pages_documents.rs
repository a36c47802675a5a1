//! Documents and links page by page, and the port's face of all pages.

use async_trait::async_trait;
use sqlx::QueryBuilder;

use crate::index::error::IndexError;
use crate::index::pages::Counted;
use crate::index::pages::DocumentFound;
use crate::index::pages::DocumentRule;
use crate::index::pages::FascicoloPages;
use crate::index::pages::InstanceFound;
use crate::index::pages::LinkFound;
use crate::index::pages::LinkRule;
use crate::index::pages::Page;
use crate::index::pages::PersonFound;
use crate::index::pages::PersonRule;
use crate::index::pages::SeriesFound;
use crate::index::pages::StudyFound;
use crate::index::pages::StudyRule;
use crate::model::document::Reference;
use crate::model::document::ReferenceKind;
use crate::model::event::EventKind;
use crate::model::link::Waiting;
use crate::people::patient_id::PatientId;

use super::accesses::push_access_rules;
use super::adapter::Adapter;
use super::dialect::Db;
use super::dialect::begin;
use super::dialect::failed;
use super::dialect::within;
use super::documents;
use super::happenings::Concerned;
use super::happenings::tell;
use super::links;
use super::pages;
use super::pages::Columns;
use super::pages::push_any;
use super::pages::push_days;
use super::pages::push_list;
use super::pages::push_micros;
use super::pages::push_numbers;
use super::pages::push_page;
use super::pages::push_people;
use super::pages::push_rows;
use super::pages::push_texts;
use super::people;
use super::records::get;
use super::records::hash;
use super::texts::are_common;
use super::texts::push_words;

type DbRow = <Db as sqlx::Database>::Row;

const DOCUMENT: Columns =
    Columns { date: Some("d.service_date"), time: None, changed: "d.changed_us", row: "d.id" };

const LINK: Columns = Columns { date: None, time: None, changed: "l.made_us", row: "l.id" };

/// SHA-256 of the first that came of a document's set.
const FIRST: &str = "CASE WHEN d.set_id = '' THEN d.sha256 ELSE
  (SELECT f.sha256 FROM document f WHERE f.set_id = d.set_id ORDER BY f.id LIMIT 1) END";

/// Documents linked to a study that…
const LINKED: &str = "d.id IN (SELECT l.document FROM document_link l WHERE l.undone_us = 0 AND ";

fn push_document_rules(sql: &mut QueryBuilder<Db>, rules: &[DocumentRule], each: bool) {
    sql.push(" FROM document d JOIN person p ON p.id = d.person WHERE 1 = 1");
    for rule in rules {
        sql.push(" AND ");
        push_document_rule(sql, rule, each);
    }
}

fn push_document_rule(sql: &mut QueryBuilder<Db>, rule: &DocumentRule, each: bool) {
    match rule {
        DocumentRule::Person(people) => push_people(sql, "d.person", people),
        DocumentRule::Row(rows) => push_rows(sql, "d.id", rows),
        DocumentRule::Hash(hashes) => push_list(sql, "d.sha256", hashes, |sql, hash| {
            sql.push_bind(hash.to_vec());
        }),
        DocumentRule::Own(ids) => {
            sql.push("(");
            push_texts(sql, "d.document_id", ids);
            sql.push(" OR ");
            push_texts(sql, "d.set_id", ids);
            sql.push(")");
        }
        DocumentRule::Set(ids) => push_texts(sql, "d.set_id", ids),
        DocumentRule::ReplacedBy(rows) => {
            // Said so that the index of those that are replaced serves.
            sql.push("d.superseded_by > 0 AND ");
            push_rows(sql, "d.superseded_by", rows);
        }
        DocumentRule::Amended(amended) => {
            sql.push(if *amended { "d.version > 1" } else { "d.version <= 1" });
        }
        DocumentRule::Received(spans) => push_micros(sql, "d.received_us", spans),
        DocumentRule::Current(true) => {
            sql.push("d.superseded_by = 0");
        }
        DocumentRule::Current(false) => {
            sql.push("d.superseded_by > 0");
        }
        DocumentRule::Report(types) => {
            sql.push("(");
            push_texts(sql, "d.type_code", types);
            sql.push(
                // Said so that each is looked up, and the links of all are not gathered.
                " OR (d.type_code = '' AND (SELECT 1 FROM document_link l
                   WHERE l.document = d.id AND l.undone_us = 0 LIMIT 1) = 1))",
            );
        }
        DocumentRule::Type(types) => push_texts(sql, "d.type_code", types),
        DocumentRule::Media(types) => push_any(sql, types, |sql, media| {
            sql.push("(d.media_type = ").push_bind(media.clone());
            sql.push(" OR (d.media_type >= ").push_bind(format!("{media};"));
            sql.push(" AND d.media_type < ").push_bind(format!("{media}<")).push("))");
        }),
        DocumentRule::Study(rows) => {
            sql.push(LINKED);
            push_rows(sql, "l.study", rows);
            sql.push(")");
        }
        DocumentRule::Number(numbers) => {
            sql.push("(");
            push_numbers(sql, "d.id", "document", numbers);
            sql.push(" OR ").push(LINKED);
            push_numbers(sql, "l.study", "study", numbers);
            sql.push("))");
        }
        DocumentRule::Modality(texts) => {
            sql.push(LINKED)
                .push("EXISTS (SELECT 1 FROM study_modality m WHERE m.study = l.study AND ");
            push_texts(sql, "m.modality", texts);
            sql.push("))");
        }
        DocumentRule::BodyPart(texts) => {
            sql.push(LINKED).push("EXISTS (SELECT 1 FROM series e WHERE e.study = l.study AND ");
            push_texts(sql, "upper(e.body_part)", texts);
            sql.push("))");
        }
        DocumentRule::Words(texts) => push_any(sql, texts, |sql, words| {
            push_words(sql, words, each);
        }),
        DocumentRule::Date(days) => push_days(sql, "d.service_date", None, days),
        DocumentRule::Changed(spans) => push_micros(sql, "d.changed_us", spans),
    }
}

fn push_link_rules(sql: &mut QueryBuilder<Db>, rules: &[LinkRule]) {
    sql.push(
        " FROM document_link l JOIN document d ON d.id = l.document AND d.person IS NOT NULL
           JOIN study st ON st.id = l.study JOIN person_study s ON s.study = st.id
           JOIN patient pa ON pa.id = st.patient WHERE 1 = 1",
    );
    for rule in rules {
        sql.push(" AND ");
        match rule {
            LinkRule::Row(rows) => push_rows(sql, "l.id", rows),
            LinkRule::Document(rows) => push_rows(sql, "l.document", rows),
            LinkRule::Study(rows) => push_rows(sql, "l.study", rows),
            LinkRule::Person(people) => push_people(sql, "s.person", people),
            LinkRule::Made(spans) => push_micros(sql, "l.made_us", spans),
        }
    }
}

fn document(row: &DbRow) -> Result<DocumentFound, IndexError> {
    Ok(DocumentFound {
        document: documents::document(row)?,
        first: hash(row, 20)?,
        confidentiality: get(row, 21)?,
        changed_us: get(row, 22)?,
    })
}

fn link(row: &DbRow) -> Result<LinkFound, IndexError> {
    Ok(LinkFound {
        link: links::read_link(row)?,
        document: hash(row, 10)?,
        first: hash(row, 11)?,
        type_code: get(row, 12)?,
        patient: PatientId { issuer: get(row, 13)?, value: get(row, 14)? },
        person: get(row, 15)?,
    })
}

/// Whether a condition leaves few rows, found by an index.
fn is_narrow(rule: &DocumentRule) -> bool {
    matches!(
        rule,
        DocumentRule::Person(_)
            | DocumentRule::Row(_)
            | DocumentRule::Hash(_)
            | DocumentRule::Own(_)
            | DocumentRule::Set(_)
            | DocumentRule::Study(_)
            | DocumentRule::ReplacedBy(_)
            | DocumentRule::Number(_)
    )
}

impl Adapter {
    /// Whether each document is asked for words, and those that hold them are not listed.
    async fn asks_each(&self, rules: &[DocumentRule]) -> Result<bool, IndexError> {
        if rules.iter().any(is_narrow) {
            return Ok(true);
        }
        for rule in rules {
            let DocumentRule::Words(texts) = rule else { continue };
            for words in texts {
                if !are_common(self, words).await? {
                    return Ok(false);
                }
            }
        }
        Ok(true)
    }
}

#[async_trait]
impl FascicoloPages for Adapter {
    async fn people_page(
        &self,
        rules: &[PersonRule],
        page: &Page,
    ) -> Result<Vec<PersonFound>, IndexError> {
        pages::people(&self.read, rules, page, self.search_within).await
    }

    async fn studies_page(
        &self,
        rules: &[StudyRule],
        page: &Page,
    ) -> Result<Vec<StudyFound>, IndexError> {
        let bound = (!rules.iter().any(pages::is_narrow)).then_some(self.search_within);
        let rows = within(&self.read, pages::studies(rules, page), bound).await?;
        rows.iter().map(pages::study).collect()
    }

    async fn documents_page(
        &self,
        rules: &[DocumentRule],
        page: &Page,
    ) -> Result<Vec<DocumentFound>, IndexError> {
        let mut sql = QueryBuilder::<Db>::new(documents::COLUMNS);
        sql.push(", ").push(FIRST).push(", d.confidentiality, d.changed_us");
        push_document_rules(&mut sql, rules, self.asks_each(rules).await?);
        push_page(&mut sql, page, DOCUMENT);
        let bound = (!rules.iter().any(is_narrow)).then_some(self.search_within);
        let rows = within(&self.read, sql, bound).await?;
        rows.iter().map(document).collect()
    }

    async fn links_page(
        &self,
        rules: &[LinkRule],
        page: &Page,
    ) -> Result<Vec<LinkFound>, IndexError> {
        let mut sql = QueryBuilder::<Db>::new(links::COLUMNS);
        sql.push(", d.sha256, ")
            .push(FIRST)
            .push(", d.type_code, pa.issuer, pa.patient_id, s.person");
        push_link_rules(&mut sql, rules);
        push_page(&mut sql, page, LINK);
        let rows = within(&self.read, sql, Some(self.search_within)).await?;
        rows.iter().map(link).collect()
    }

    async fn count_page(&self, counted: Counted<'_>, at_most: u32) -> Result<u32, IndexError> {
        let mut sql = QueryBuilder::<Db>::new("SELECT count(*) FROM (SELECT 1 AS one");
        match counted {
            Counted::People(rules) => pages::push_person_rules(&mut sql, rules),
            Counted::Studies(rules) => pages::push_study_rules(&mut sql, rules),
            Counted::Documents(rules) => {
                push_document_rules(&mut sql, rules, self.asks_each(rules).await?);
            }
            Counted::Links(rules) => push_link_rules(&mut sql, rules),
            Counted::Accesses(rules) => push_access_rules(&mut sql, rules),
        }
        sql.push(" LIMIT CAST(").push_bind(i64::from(at_most)).push(" AS BIGINT)) AS counted");
        let rows = within(&self.read, sql, Some(self.search_within)).await?;
        let count: i64 = rows.first().map(|row| get(row, 0)).transpose()?.unwrap_or_default();
        Ok(u32::try_from(count).unwrap_or(u32::MAX))
    }

    async fn series_of_studies(&self, studies: &[i64]) -> Result<Vec<SeriesFound>, IndexError> {
        pages::series(&self.read, studies).await
    }

    async fn instances_of_study(
        &self,
        study: i64,
        limit: u32,
    ) -> Result<Vec<InstanceFound>, IndexError> {
        pages::instances(&self.read, study, limit).await
    }

    async fn references_of(&self, of: &[Waiting]) -> Result<Vec<(i64, Reference)>, IndexError> {
        let Some(first) = of.first() else { return Ok(Vec::new()) };
        let mut sql = QueryBuilder::<Db>::new(
            "SELECT owner_id, kind, assigner, value FROM shared_reference WHERE owner = ",
        );
        sql.push_bind(first.kind()).push(" AND ");
        let rows: Vec<i64> = of.iter().map(|waiting| waiting.id()).collect();
        push_rows(&mut sql, "owner_id", &rows);
        sql.push(" ORDER BY owner_id, kind, assigner, value");
        let rows: Vec<(i64, String, String, String)> =
            sql.build_query_as().persistent(false).fetch_all(&self.read).await.map_err(failed)?;
        let read = |(id, kind, assigner, value): (i64, String, String, String)| {
            Some((id, Reference { kind: ReferenceKind::parse(&kind)?, assigner, value }))
        };
        Ok(rows.into_iter().filter_map(read).collect())
    }

    async fn study_changed(&self, study: i64, now_us: i64) -> Result<(), IndexError> {
        let mut tx = begin(&self.write).await?;
        people::lock(&mut tx).await?;
        if pages::study_changed(&mut tx, study, now_us).await? {
            tell(&mut tx, EventKind::StudyChanged, Concerned::study(study), now_us).await?;
        }
        tx.commit().await.map_err(failed)
    }
}
