//! The index's face for whoever reads the fascicolo page by page: people, studies, documents, links.
//!
//! A page ends at a [`Place`], and the next begins behind it: what arrives meanwhile moves nothing.
//! Only what is somebody's is found: what waits for a decision is in no fascicolo.

use async_trait::async_trait;

use crate::index::accesses::AccessRule;
use crate::index::error::IndexError;
use crate::index::query::Moment;
use crate::index::texts::Word;
use crate::model::document::Document;
use crate::model::document::Reference;
use crate::model::document::ReferenceKind;
use crate::model::link::Link;
use crate::model::link::Waiting;
use crate::model::person::Person;
use crate::people::patient_id::PatientId;

/// What a page is sorted by; what is alike, by its row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SortBy {
    /// The order in which they came.
    #[default]
    Row,
    /// The date of the study or service; of people that of birth.
    Date,
    /// When they last changed.
    Changed,
}

/// Where a page ended.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Place {
    /// `YYYYMMDD`.
    pub date: String,
    /// `HHMMSS`, of studies.
    pub time: String,
    /// When it changed, µs since 1970.
    pub changed_us: i64,
    /// Its row.
    pub row: i64,
}

/// A page.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Page {
    /// What it is sorted by.
    pub sort: SortBy,
    /// Greatest first.
    pub descending: bool,
    /// Behind which place it begins.
    pub after: Option<Place>,
    /// Its most rows.
    pub limit: u32,
}

/// A span of days and times as values are written: from one, included, to before another.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Days {
    /// From this.
    pub from: Option<Moment>,
    /// Before this.
    pub before: Option<Moment>,
}

/// A span of instants, µs since 1970: from one, included, to before another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Micros {
    /// From this.
    pub from: Option<i64>,
    /// Before this.
    pub before: Option<i64>,
}

/// A number something may be known by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Number {
    /// What it may be.
    pub kinds: Vec<ReferenceKind>,
    /// Who assigned it; `None`: whoever.
    pub assigner: Option<String>,
    /// The number.
    pub value: String,
}

/// A part of a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NamePart {
    /// Family name.
    Family,
    /// Given names, together or one of them.
    Given,
}

impl NamePart {
    /// The stored form.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Family => "family",
            Self::Given => "given",
        }
    }
}

/// How somebody is named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NameAsked {
    /// Which part; `None`: any.
    pub part: Option<NamePart>,
    /// How it begins, without regard to case and accents.
    pub text: String,
    /// Whether it is just so, case and accents too.
    pub exact: bool,
}

/// A condition on people; each holds when any of its values does, and all must hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PersonRule {
    /// One of these, by any of their rows.
    Row(Vec<i64>),
    /// Born then.
    Born(Vec<Days>),
    /// Named so.
    Named(Vec<NameAsked>),
    /// Sex.
    Sex(Vec<String>),
    /// Changed then.
    Changed(Vec<Micros>),
}

/// A condition on studies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StudyRule {
    /// Somebody's, by any of their rows.
    Person(Vec<i64>),
    /// One of these rows.
    Row(Vec<i64>),
    /// Study Instance UID.
    Uid(Vec<String>),
    /// Known by a number.
    Number(Vec<Number>),
    /// Has a series of that modality.
    Modality(Vec<String>),
    /// Has a series of that body part, in upper case.
    BodyPart(Vec<String>),
    /// Has that series.
    Series(Vec<String>),
    /// Has that instance.
    Instance(Vec<String>),
    /// Linked to one of these documents.
    Document(Vec<i64>),
    /// Done then.
    Started(Vec<Days>),
    /// Changed then.
    Changed(Vec<Micros>),
}

/// A condition on documents.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DocumentRule {
    /// Somebody's, by any of their rows.
    Person(Vec<i64>),
    /// One of these rows.
    Row(Vec<i64>),
    /// SHA-256 of its bytes.
    Hash(Vec<[u8; 32]>),
    /// Its own identifier or that of its set, `root^extension`.
    Own(Vec<String>),
    /// The identifier of its set.
    Set(Vec<String>),
    /// Replaced by one of these documents, by row.
    ReplacedBy(Vec<i64>),
    /// Whether an earlier version was here before it.
    Amended(bool),
    /// Came then.
    Received(Vec<Micros>),
    /// Whether it is in force, not replaced.
    Current(bool),
    /// A report: of one of these types, or of no type and linked to a study.
    Report(Vec<String>),
    /// Its type's code.
    Type(Vec<String>),
    /// Its media type, parameters left out.
    Media(Vec<String>),
    /// Linked to one of these studies, by row.
    Study(Vec<i64>),
    /// Names this number, or is linked to a study known by it.
    Number(Vec<Number>),
    /// Linked to a study with a series of that modality.
    Modality(Vec<String>),
    /// Linked to a study with a series of that body part, in upper case.
    BodyPart(Vec<String>),
    /// Of a service done then.
    Date(Vec<Days>),
    /// Holds all words of one of these lists, none of which is empty.
    Words(Vec<Vec<Word>>),
    /// Changed then.
    Changed(Vec<Micros>),
}

/// A condition on links.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LinkRule {
    /// One of these rows.
    Row(Vec<i64>),
    /// Of one of these documents.
    Document(Vec<i64>),
    /// Of one of these studies.
    Study(Vec<i64>),
    /// Of somebody's studies, by any of their rows.
    Person(Vec<i64>),
    /// Made then.
    Made(Vec<Micros>),
}

/// What is to be counted.
#[derive(Debug, Clone, Copy)]
pub enum Counted<'a> {
    /// People.
    People(&'a [PersonRule]),
    /// Studies.
    Studies(&'a [StudyRule]),
    /// Documents.
    Documents(&'a [DocumentRule]),
    /// Links.
    Links(&'a [LinkRule]),
    /// Accesses.
    Accesses(&'a [AccessRule]),
}

/// A person found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PersonFound {
    /// Who.
    pub person: Person,
    /// When they last changed, µs since 1970.
    pub changed_us: i64,
}

/// A study found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StudyFound {
    /// Its row.
    pub row: i64,
    /// Study Instance UID.
    pub uid: String,
    /// The person it is of, merges resolved.
    pub person: i64,
    /// The patient it is kept under.
    pub patient: PatientId,
    /// Study Date.
    pub date: String,
    /// Study Time.
    pub time: String,
    /// Study Description.
    pub description: String,
    /// Accession Number.
    pub accession: String,
    /// Its attributes, DICOM JSON.
    pub attributes: String,
    /// The patient's attributes, DICOM JSON.
    pub patient_attributes: String,
    /// When it last changed, µs since 1970.
    pub changed_us: i64,
}

/// A series of a study found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeriesFound {
    /// Its row.
    pub row: i64,
    /// Row of its study.
    pub study: i64,
    /// Series Instance UID.
    pub uid: String,
    /// Series Number.
    pub number: String,
    /// Modality.
    pub modality: String,
    /// Series Description.
    pub description: String,
    /// Body Part Examined.
    pub body_part: String,
    /// Instances.
    pub instances: u32,
    /// Raised with every instance added or taken away.
    pub revision: i64,
    /// When an instance last came or went, µs since 1970.
    pub changed_us: i64,
    /// Its attributes, DICOM JSON.
    pub attributes: String,
}

/// An instance of a series found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InstanceFound {
    /// Row of its series.
    pub series: i64,
    /// SOP Instance UID.
    pub uid: String,
    /// SOP Class UID.
    pub sop_class: String,
    /// Instance Number.
    pub number: String,
    /// Frames.
    pub frames: u32,
}

/// A document found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DocumentFound {
    /// The document; its person is known.
    pub document: Document,
    /// SHA-256 of the first of its set that came: itself when it has no set.
    pub first: [u8; 32],
    /// N, R or V.
    pub confidentiality: String,
    /// When it last changed, µs since 1970.
    pub changed_us: i64,
}

/// A link found, with what its two ends are known by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkFound {
    /// The link.
    pub link: Link,
    /// SHA-256 of the document.
    pub document: [u8; 32],
    /// SHA-256 of the first of its set that came.
    pub first: [u8; 32],
    /// The document's type.
    pub type_code: String,
    /// The patient the study is kept under.
    pub patient: PatientId,
    /// Whose study it is, by any of their rows.
    pub person: i64,
}

impl StudyFound {
    /// Where it stands among others.
    pub fn place(&self) -> Place {
        Place {
            date: self.date.clone(),
            time: self.time.clone(),
            changed_us: self.changed_us,
            row: self.row,
        }
    }
}

impl DocumentFound {
    /// Where it stands among others.
    pub fn place(&self) -> Place {
        Place {
            date: self.document.service_date.clone(),
            time: String::new(),
            changed_us: self.changed_us,
            row: self.document.id,
        }
    }
}

impl PersonFound {
    /// Where they stand among others.
    pub fn place(&self) -> Place {
        Place {
            date: self.person.birth_date.clone(),
            time: String::new(),
            changed_us: self.changed_us,
            row: self.person.id,
        }
    }
}

/// Reading page by page.
#[async_trait]
pub trait FascicoloPages: Send + Sync {
    /// People, each once, merges resolved; sorted by date, people stand in the order they came.
    async fn people_page(
        &self,
        rules: &[PersonRule],
        page: &Page,
    ) -> Result<Vec<PersonFound>, IndexError>;

    /// Studies that are somebody's.
    async fn studies_page(
        &self,
        rules: &[StudyRule],
        page: &Page,
    ) -> Result<Vec<StudyFound>, IndexError>;

    /// Documents that are somebody's.
    async fn documents_page(
        &self,
        rules: &[DocumentRule],
        page: &Page,
    ) -> Result<Vec<DocumentFound>, IndexError>;

    /// Links between what is somebody's, undone ones too, in the order they were made.
    async fn links_page(
        &self,
        rules: &[LinkRule],
        page: &Page,
    ) -> Result<Vec<LinkFound>, IndexError>;

    /// How many there are, counted up to `at_most`.
    async fn count_page(&self, counted: Counted<'_>, at_most: u32) -> Result<u32, IndexError>;

    /// The series of studies, by the row of the study, then in series number order.
    async fn series_of_studies(&self, studies: &[i64]) -> Result<Vec<SeriesFound>, IndexError>;

    /// The instances of a study, in series and instance number order, at most `limit`.
    async fn instances_of_study(
        &self,
        study: i64,
        limit: u32,
    ) -> Result<Vec<InstanceFound>, IndexError>;

    /// The numbers several are known by; all of them studies, or all documents.
    async fn references_of(&self, of: &[Waiting]) -> Result<Vec<(i64, Reference)>, IndexError>;

    /// The fascicolo saw a study change.
    async fn study_changed(&self, study: i64, now_us: i64) -> Result<(), IndexError>;
}
