//! The fascicolo's port over one database.

use async_trait::async_trait;

use crate::index::error::IndexError;
use crate::index::fascicolo::Alike;
use crate::index::fascicolo::DocumentsOf;
use crate::index::fascicolo::Entered;
use crate::index::fascicolo::FascicoloRows;
use crate::index::fascicolo::Likeness;
use crate::index::fascicolo::Linked;
use crate::index::fascicolo::LinksOf;
use crate::index::fascicolo::StudiesOf;
use crate::model::document::Document;
use crate::model::document::NewDocument;
use crate::model::document::Reference;
use crate::model::link::Item;
use crate::model::link::ItemKind;
use crate::model::link::Link;
use crate::model::link::NewLink;
use crate::model::link::Shared;
use crate::model::link::StudyBrief;
use crate::model::link::Waiting;
use crate::model::order::ImagingOrder;
use crate::model::person::Attached;
use crate::model::person::Demographics;
use crate::model::person::Merge;
use crate::model::person::Person;
use crate::model::person::Sighting;
use crate::people::identifier::Identifier;

use super::adapter::Adapter;
use super::dialect::begin;
use super::dialect::failed;
use super::documents;
use super::links;
use super::people;
use super::people_alike;
use super::people_read;
use super::waiting;

#[async_trait]
impl FascicoloRows for Adapter {
    async fn attach(&self, sighting: &Sighting, now_us: i64) -> Result<Attached, IndexError> {
        let mut tx = begin(&self.write).await?;
        let attached = people::attach(&mut tx, sighting, now_us).await?;
        tx.commit().await.map_err(failed).map(|()| attached)
    }

    async fn assign(
        &self,
        waiting: Waiting,
        person: Option<i64>,
        now_us: i64,
    ) -> Result<(), IndexError> {
        let mut tx = begin(&self.write).await?;
        people::assign(&mut tx, waiting, person, now_us).await?;
        tx.commit().await.map_err(failed)
    }

    async fn person(&self, id: i64) -> Result<Option<Person>, IndexError> {
        people_read::person(&self.read, id).await
    }

    async fn person_of(&self, identifier: &Identifier) -> Result<Option<i64>, IndexError> {
        people_read::person_of(&self.read, identifier).await
    }

    async fn demographics(&self, person: i64) -> Result<Vec<Demographics>, IndexError> {
        people_read::demographics(&self.read, person).await
    }

    async fn people_alike(
        &self,
        wanted: &[Likeness],
        limit: u32,
    ) -> Result<Vec<Alike>, IndexError> {
        people_alike::people_alike(&self.read, wanted, limit).await
    }

    async fn merge(
        &self,
        survivor: i64,
        absorbed: i64,
        reason: &str,
        actor: &str,
        now_us: i64,
    ) -> Result<Option<i64>, IndexError> {
        let mut tx = begin(&self.write).await?;
        let merge = people_read::merge(&mut tx, survivor, absorbed, reason, actor, now_us).await?;
        tx.commit().await.map_err(failed).map(|()| merge)
    }

    async fn unmerge(&self, merge: i64, actor: &str, now_us: i64) -> Result<bool, IndexError> {
        let mut tx = begin(&self.write).await?;
        let done = people_read::unmerge(&mut tx, merge, actor, now_us).await?;
        tx.commit().await.map_err(failed).map(|()| done)
    }

    async fn merges(&self, person: i64) -> Result<Vec<Merge>, IndexError> {
        people_read::merges(&self.read, person).await
    }

    async fn put_document(
        &self,
        document: &NewDocument,
        now_us: i64,
    ) -> Result<Entered, IndexError> {
        let mut tx = begin(&self.write).await?;
        let entered = documents::put(&mut tx, document, now_us).await?;
        tx.commit().await.map_err(failed).map(|()| entered)
    }

    async fn documents(&self, of: DocumentsOf, limit: u32) -> Result<Vec<Document>, IndexError> {
        documents::documents(&self.read, of, limit).await
    }

    async fn studies(&self, of: &StudiesOf, limit: u32) -> Result<Vec<StudyBrief>, IndexError> {
        links::studies(&self.read, of, limit).await
    }

    async fn add_study_references(
        &self,
        study: i64,
        references: &[Reference],
    ) -> Result<(), IndexError> {
        let mut tx = begin(&self.write).await?;
        links::add_references(&mut tx, Waiting::Study(study).kind(), study, references).await?;
        tx.commit().await.map_err(failed)
    }

    async fn references(&self, of: Waiting) -> Result<Vec<Reference>, IndexError> {
        links::references(&self.read, of).await
    }

    async fn studies_sharing(&self, references: &[Reference]) -> Result<Vec<Shared>, IndexError> {
        links::sharing(&self.read, Waiting::Study(0).kind(), references).await
    }

    async fn documents_sharing(&self, references: &[Reference]) -> Result<Vec<Shared>, IndexError> {
        links::sharing(&self.read, Waiting::Document(0).kind(), references).await
    }

    async fn link(&self, link: &NewLink, again: bool, now_us: i64) -> Result<Linked, IndexError> {
        let mut tx = begin(&self.write).await?;
        let linked = links::link(&mut tx, link, again, now_us).await?;
        tx.commit().await.map_err(failed).map(|()| linked)
    }

    async fn unlink(&self, link: i64, actor: &str, now_us: i64) -> Result<bool, IndexError> {
        let mut tx = begin(&self.write).await?;
        let done = links::unlink(&mut tx, link, actor, now_us).await?;
        tx.commit().await.map_err(failed).map(|()| done)
    }

    async fn links(&self, of: LinksOf) -> Result<Vec<Link>, IndexError> {
        links::links(&self.read, of).await
    }

    async fn put_order(&self, order: &ImagingOrder, now_us: i64) -> Result<i64, IndexError> {
        let mut tx = begin(&self.write).await?;
        let id = waiting::put_order(&mut tx, order, now_us).await?;
        tx.commit().await.map_err(failed).map(|()| id)
    }

    async fn orders_sharing(
        &self,
        references: &[Reference],
    ) -> Result<Vec<ImagingOrder>, IndexError> {
        waiting::orders_sharing(&self.read, references).await
    }

    async fn open_item(
        &self,
        kind: ItemKind,
        waiting: Waiting,
        facts: &str,
        now_us: i64,
    ) -> Result<(), IndexError> {
        let mut tx = begin(&self.write).await?;
        waiting::open_item(&mut tx, kind, waiting, facts, now_us).await?;
        tx.commit().await.map_err(failed)
    }

    async fn close_item(
        &self,
        kind: ItemKind,
        waiting: Waiting,
        decision: &str,
        actor: &str,
        now_us: i64,
    ) -> Result<(), IndexError> {
        let mut tx = begin(&self.write).await?;
        waiting::close_item(&mut tx, kind, waiting, decision, actor, now_us).await?;
        tx.commit().await.map_err(failed)
    }

    async fn items(&self, after: i64, limit: u32) -> Result<Vec<Item>, IndexError> {
        waiting::items(&self.read, after, limit).await
    }
}
