//! The index's face for the fascicolo: who is who, documents, links, what waits for a decision.

use async_trait::async_trait;

use crate::index::error::IndexError;
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

/// What became of a document that was entered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Entered {
    /// First of its bytes.
    New(i64),
    /// The same bytes are here already; the new blob is an orphan to be deleted.
    Known(i64),
}

/// What became of a link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Linked {
    /// Made now, or made again.
    Made(i64),
    /// There already.
    Known(i64),
    /// Undone before by somebody: only somebody may make it again.
    Undone(i64),
}

/// Whom studies of a search belong to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StudiesOf {
    /// One study, by row id.
    Row(i64),
    /// The studies of that UID: more than one when it is kept under several patients.
    Uid(String),
    /// Several, by row id.
    Rows(Vec<i64>),
    /// Those of several people, newest first.
    People(Vec<i64>),
    /// The study a series is of, by the series' row id.
    Series(i64),
    /// A person's, newest first; after the date and row id given.
    Person(i64, Option<(String, i64)>),
}

/// Whose documents, or which.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DocumentsOf {
    /// One, by id.
    Id(i64),
    /// Several, by id.
    Rows(Vec<i64>),
    /// A person's, newest first, replaced ones too.
    Person(i64),
}

/// Whom others are compared with.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Likeness {
    /// How their name sounds (`people::phonetic::key`); empty: nobody knows.
    pub sound: String,
    /// When they were born, `YYYYMMDD`; empty: nobody knows.
    pub birth_date: String,
}

/// Somebody like one of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alike {
    /// Which of them, by place.
    pub number: usize,
    /// The person.
    pub person: i64,
    /// Their name.
    pub name: String,
    /// Their date of birth.
    pub birth_date: String,
    /// Their sex.
    pub sex: String,
    /// Their codice fiscale; empty when none is known.
    pub code: String,
}

/// Which links.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LinksOf {
    /// One, by id.
    Id(i64),
    /// A document's.
    Document(i64),
    /// A study's, by row id.
    Study(i64),
    /// All of a person's studies.
    Person(i64),
}

/// Rows of the fascicolo, durable when a call returns `Ok`. A person named by any of the rows that
/// are one is that one.
#[async_trait]
pub trait FascicoloRows: Send + Sync {
    /// Finds or makes the person a sighting is of, and gives them its subject. Identifiers that
    /// identify decide; nothing is given to anybody in a conflict. Done again it changes nothing.
    async fn attach(&self, sighting: &Sighting, now_us: i64) -> Result<Attached, IndexError>;

    /// Gives a study or document to a person because somebody said so, or to nobody.
    async fn assign(
        &self,
        waiting: Waiting,
        person: Option<i64>,
        now_us: i64,
    ) -> Result<(), IndexError>;

    /// A person.
    async fn person(&self, id: i64) -> Result<Option<Person>, IndexError>;

    /// The person an identifier is of.
    async fn person_of(&self, identifier: &Identifier) -> Result<Option<i64>, IndexError>;

    /// What was said of a person's name and birth, oldest first.
    async fn demographics(&self, person: i64) -> Result<Vec<Demographics>, IndexError>;

    /// For each of several: people who sound so or were born then, at most `limit` of each, those who
    /// are alike in both first, of the others the nearest by the alphabet or the calendar.
    async fn people_alike(&self, wanted: &[Likeness], limit: u32)
    -> Result<Vec<Alike>, IndexError>;

    /// Makes `absorbed` one with `survivor`; `None` when they are one already.
    async fn merge(
        &self,
        survivor: i64,
        absorbed: i64,
        reason: &str,
        actor: &str,
        now_us: i64,
    ) -> Result<Option<i64>, IndexError>;

    /// Undoes a merge: what was each one's before is again, and so is what came since by each one's
    /// identifiers. False when there is no such merge, or it is undone.
    async fn unmerge(&self, merge: i64, actor: &str, now_us: i64) -> Result<bool, IndexError>;

    /// Merges of a person, undone ones too, oldest first.
    async fn merges(&self, person: i64) -> Result<Vec<Merge>, IndexError>;

    /// Enters a document whose blob is durable, and works out which versions it replaces and is
    /// replaced by, whatever came first.
    async fn put_document(
        &self,
        document: &NewDocument,
        now_us: i64,
    ) -> Result<Entered, IndexError>;

    /// Documents, at most `limit`.
    async fn documents(&self, of: DocumentsOf, limit: u32) -> Result<Vec<Document>, IndexError>;

    /// Studies as linking sees them, at most `limit`.
    async fn studies(&self, of: &StudiesOf, limit: u32) -> Result<Vec<StudyBrief>, IndexError>;

    /// Adds what a study may have in common with documents.
    async fn add_study_references(
        &self,
        study: i64,
        references: &[Reference],
    ) -> Result<(), IndexError>;

    /// What a study or document may have in common with others.
    async fn references(&self, of: Waiting) -> Result<Vec<Reference>, IndexError>;

    /// Studies that have one of these numbers, whoever assigned it.
    async fn studies_sharing(&self, references: &[Reference]) -> Result<Vec<Shared>, IndexError>;

    /// Documents that have one of these numbers, whoever assigned it.
    async fn documents_sharing(&self, references: &[Reference]) -> Result<Vec<Shared>, IndexError>;

    /// Makes a link; `again` makes one that was undone.
    async fn link(&self, link: &NewLink, again: bool, now_us: i64) -> Result<Linked, IndexError>;

    /// Undoes a link; false when there is no such link, or it is undone.
    async fn unlink(&self, link: i64, actor: &str, now_us: i64) -> Result<bool, IndexError>;

    /// Links, undone ones too, oldest first.
    async fn links(&self, of: LinksOf) -> Result<Vec<Link>, IndexError>;

    /// Enters an order, or what is new of one that is known by any of its numbers.
    async fn put_order(&self, order: &ImagingOrder, now_us: i64) -> Result<i64, IndexError>;

    /// Orders that have one of these numbers or name one of these studies.
    async fn orders_sharing(
        &self,
        references: &[Reference],
    ) -> Result<Vec<ImagingOrder>, IndexError>;

    /// Lets something wait for a decision, with what is known now; what somebody decided stays.
    async fn open_item(
        &self,
        kind: ItemKind,
        waiting: Waiting,
        facts: &str,
        now_us: i64,
    ) -> Result<(), IndexError>;

    /// It waits no longer. `actor` is empty when nobody decided and it solved itself.
    async fn close_item(
        &self,
        kind: ItemKind,
        waiting: Waiting,
        decision: &str,
        actor: &str,
        now_us: i64,
    ) -> Result<(), IndexError>;

    /// What waits, after item `after`, at most `limit`.
    async fn items(&self, after: i64, limit: u32) -> Result<Vec<Item>, IndexError>;
}
