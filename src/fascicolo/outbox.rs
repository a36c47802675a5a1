//! What is to be told to the national gateway: entered once a version and operation, taken further step
//! by step. Which steps there are and how they are asked is the gateway's door's (`gateway`).

use bytes::Bytes;
use sha2::Digest;
use sha2::Sha256;

use crate::access::permit::Permit;
use crate::blobs::key::BlobKind;
use crate::documents::pdf::Sheet;
use crate::documents::pdf::with_cda;
use crate::fascicolo::error::FascicoloError;
use crate::fascicolo::fascicolo::Fascicolo;
use crate::fascicolo::fascicolo::may;
use crate::fascicolo::recognise::recognise;
use crate::hl7::cda::document::ClinicalDocument;
use crate::index::outbox::EntriesOf;
use crate::model::document::Document;
use crate::model::document::DocumentKind;
use crate::model::job::JobKind;
use crate::model::job::NewJob;
use crate::model::outbox::Entry;
use crate::model::outbox::Operation;
use crate::model::outbox::Progress;
use crate::model::outbox::SentFile;
use crate::model::outbox::Stage;

/// Who asks for what the settings ask for.
const ITSELF: &str = "lastra";
/// Entries of one document: one an operation.
const OPERATIONS: u32 = 3;
/// Versions before and behind one that are looked at.
const MOST_VERSIONS: u32 = 100;

/// A report as it is handed to the gateway.
#[derive(Debug, Clone)]
pub struct Shipment {
    /// What its CDA says.
    pub cda: ClinicalDocument,
    /// The PDF with the CDA in it.
    pub pdf: Bytes,
}

/// Where a version goes in the national index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// The version before it is on its way: later.
    Later,
    /// It is the first.
    New,
    /// In place of that one.
    InPlaceOf(String),
}

impl Fascicolo {
    /// Asks for a document to be published; gives the entry's id and whether it is new.
    pub async fn publish(
        &self,
        permit: &Permit,
        document: i64,
        actor: &str,
    ) -> Result<(i64, bool), FascicoloError> {
        let found = self.document(permit, document).await?;
        let may_hold_cda = matches!(found.kind, DocumentKind::Cda | DocumentKind::Pdf);
        if found.document_id.is_empty() || !may_hold_cda {
            return Err(FascicoloError::Refused(
                "only a CDA, or a PDF with a CDA in it, can be published",
            ));
        }
        let now = self.now_us();
        let withdrawn = self.inner.index.publish_again(document, actor, now).await?;
        if let Some(id) = withdrawn {
            return Ok((id, true));
        }
        if self.entries_of(permit, document).await?.iter().any(is_being_withdrawn) {
            return Err(FascicoloError::Refused(
                "it is being withdrawn: publish it again once that is done, or set it aside",
            ));
        }
        Ok(self.inner.index.put_entry(document, Operation::Publish, actor, now).await?)
    }

    /// Asks for what was published of a document to be obscured in the national index, or shown there
    /// again; gives the entry's id.
    pub async fn obscure_there(
        &self,
        permit: &Permit,
        document: i64,
        obscured: bool,
        actor: &str,
    ) -> Result<i64, FascicoloError> {
        let entries = self.entries_of(permit, document).await?;
        if !entries.iter().any(is_published) {
            return Err(FascicoloError::Refused("the document is not published from here"));
        }
        if entries.iter().any(|entry| entry.operation == Operation::Delete) {
            return Err(FascicoloError::Refused("the document was withdrawn, or is about to be"));
        }
        let now = self.now_us();
        let put = self.inner.index.put_update(document, obscured, actor, now).await?;
        put.ok_or(FascicoloError::Refused("an earlier update is on its way: ask again after it"))
    }

    /// Whether the last update of a document's metadata obscured it, or else of the version it takes
    /// the place of: published again, or replaced, it stays so.
    pub async fn is_obscured_there(
        &self,
        permit: &Permit,
        document: i64,
    ) -> Result<bool, FascicoloError> {
        let mut entries = self.entries_of(permit, document).await?;
        for _ in 0..MOST_VERSIONS {
            let updates = || entries.iter().filter(|entry| entry.operation == Operation::Update);
            if updates().next().is_some() {
                return Ok(updates().any(|entry| entry.obscured));
            }
            let Some(before) = entries.first().map(|entry| entry.document) else { break };
            let before = EntriesOf::Before(before);
            entries = self.inner.index.entries(before, MOST_VERSIONS).await?;
        }
        Ok(false)
    }

    /// Asks for what was published of a document to be deleted there; it stays here.
    pub async fn withdraw(
        &self,
        permit: &Permit,
        document: i64,
        actor: &str,
    ) -> Result<(i64, bool), FascicoloError> {
        may(permit)?;
        let entries = self.entries_of(permit, document).await?;
        if !entries.iter().any(is_published) {
            return Err(FascicoloError::Refused("the document is not published from here"));
        }
        let now = self.now_us();
        Ok(self.inner.index.put_entry(document, Operation::Delete, actor, now).await?)
    }

    /// Asks for a new document to be published, where the settings want that of its type.
    pub(in crate::fascicolo) async fn publish_new(
        &self,
        id: i64,
        cda: Option<&ClinicalDocument>,
    ) -> Result<(), FascicoloError> {
        if self.inner.publishes && cda.is_some_and(ClinicalDocument::is_radiology_report) {
            let now = self.now_us();
            self.inner.index.put_entry(id, Operation::Publish, ITSELF, now).await?;
        }
        Ok(())
    }

    /// Entries of the outbox, those of a stage or all, after an id.
    pub async fn outbox(
        &self,
        permit: &Permit,
        stage: Option<Stage>,
        after: i64,
        limit: u32,
    ) -> Result<Vec<Entry>, FascicoloError> {
        may(permit)?;
        Ok(self.inner.index.entries(EntriesOf::After(stage, after), limit).await?)
    }

    /// Entries of one document.
    pub async fn entries_of(
        &self,
        permit: &Permit,
        document: i64,
    ) -> Result<Vec<Entry>, FascicoloError> {
        may(permit)?;
        Ok(self.inner.index.entries(EntriesOf::Document(document), OPERATIONS).await?)
    }

    /// How many entries there are of each stage.
    pub async fn outbox_counts(
        &self,
        permit: &Permit,
    ) -> Result<Vec<(Stage, u64)>, FascicoloError> {
        may(permit)?;
        Ok(self.inner.index.entry_counts().await?)
    }

    /// An entry.
    pub async fn entry(&self, permit: &Permit, id: i64) -> Result<Entry, FascicoloError> {
        may(permit)?;
        let found = self.inner.index.entries(EntriesOf::Id(id), 1).await?.pop();
        found.ok_or(FascicoloError::Unknown("this entry"))
    }

    /// Tries a refused or set aside entry again from its beginning, or one that waits at once.
    pub async fn retry_entry(&self, permit: &Permit, id: i64) -> Result<(), FascicoloError> {
        let entry = self.entry(permit, id).await?;
        let stage = match entry.progress.stage {
            Stage::Done => {
                return Err(FascicoloError::Refused("it is done: nothing is left to try"));
            }
            Stage::Refused | Stage::Aside => Stage::Waiting,
            // Whether the gateway took it is still asked first.
            stage => stage,
        };
        // What was made of the document may be what was refused.
        let file = entry.progress.file.clone().filter(|_| stage != Stage::Waiting);
        let progress =
            Progress { stage, file, failures: 0, reason: String::new(), ..entry.progress.clone() };
        self.change(&entry, &progress).await
    }

    /// Sets an entry aside: nothing happens to it until somebody tries it again.
    pub async fn set_entry_aside(&self, permit: &Permit, id: i64) -> Result<(), FascicoloError> {
        let entry = self.entry(permit, id).await?;
        match entry.progress.stage {
            Stage::Sending | Stage::Sent => Err(FascicoloError::Refused(
                "the gateway has it, or may have: what becomes of it is still asked",
            )),
            Stage::Done => Err(FascicoloError::Refused("it is done")),
            _ => {
                let progress = Progress { stage: Stage::Aside, ..entry.progress.clone() };
                self.change(&entry, &progress).await
            }
        }
    }

    async fn change(&self, entry: &Entry, progress: &Progress) -> Result<(), FascicoloError> {
        let now = self.now_us();
        let run = (progress.stage != Stage::Aside).then_some(now);
        if self.inner.index.advance_entry(entry, progress, run, now).await? {
            return Ok(());
        }
        Err(FascicoloError::Refused("it changed just now: look again"))
    }

    /// Records how far an entry is; its next step comes `pause_us` from now where one is to come. False
    /// when somebody else went on with it.
    pub async fn advance(
        &self,
        permit: &Permit,
        entry: &Entry,
        progress: &Progress,
        pause_us: Option<i64>,
    ) -> Result<bool, FascicoloError> {
        may(permit)?;
        let now = self.now_us();
        let run = pause_us.map(|pause| now.saturating_add(pause));
        let advanced = self.inner.index.advance_entry(entry, progress, run, now).await?;
        if advanced && progress.stage.is_final() && entry.operation == Operation::Publish {
            // The versions behind it may have waited for this.
            let behind = EntriesOf::Behind(entry.document);
            for waiting in self.inner.index.entries(behind, MOST_VERSIONS).await? {
                if waiting.progress.stage == Stage::Waiting {
                    let same = waiting.progress.clone();
                    self.inner.index.advance_entry(&waiting, &same, Some(now), now).await?;
                }
            }
        }
        Ok(advanced)
    }

    /// Has an entry looked at again `pause_us` from now, itself unchanged.
    pub async fn look_again(
        &self,
        permit: &Permit,
        entry: &Entry,
        pause_us: i64,
    ) -> Result<(), FascicoloError> {
        may(permit)?;
        let run_us = self.now_us().saturating_add(pause_us);
        let job = NewJob { kind: JobKind::Gateway, subject: entry.id.to_string(), run_us };
        Ok(self.inner.index.enqueue(&[job]).await?)
    }

    /// The report of an entry as the gateway takes it: a PDF that came with its CDA as it came, a CDA
    /// inside a PDF made of it; once made, the one that was kept.
    pub async fn shipment(
        &self,
        permit: &Permit,
        entry: &Entry,
    ) -> Result<Shipment, FascicoloError> {
        let document = self.document(permit, entry.document).await?;
        let bytes = self.document_bytes(permit, entry.document).await?;
        let kept = match &entry.progress.file {
            Some(file) => Some(self.inner.blobs.read(&file.blob_key, 0..file.blob_bytes).await?),
            None => None,
        };
        let weight = document.blob_bytes.saturating_mul(4);
        let make = move || ship(&document, &bytes, kept);
        self.inner.archive.compute(weight, make).await?
    }

    /// Keeps the file that is sent; where it is the document's own no copy is made.
    pub async fn keep_file(
        &self,
        permit: &Permit,
        entry: &Entry,
        pdf: &Bytes,
    ) -> Result<SentFile, FascicoloError> {
        let document = self.document(permit, entry.document).await?;
        let hashed = pdf.clone();
        let hash = move || <[u8; 32]>::from(Sha256::digest(&hashed));
        let sha256 = self.inner.archive.compute(pdf.len() as u64, hash).await?;
        let blob_key = if sha256 == document.sha256 {
            document.blob_key
        } else {
            self.inner.blobs.put(BlobKind::Document, pdf.clone()).await?
        };
        Ok(SentFile { blob_key, blob_bytes: pdf.len() as u64, sha256 })
    }

    /// Whether the version before an entry's was published from here.
    pub async fn published_before(
        &self,
        permit: &Permit,
        entry: &Entry,
    ) -> Result<bool, FascicoloError> {
        may(permit)?;
        let of = EntriesOf::Before(entry.document);
        let before = self.inner.index.entries(of, MOST_VERSIONS).await?;
        Ok(before.iter().any(|other| {
            other.operation == Operation::Publish && other.progress.stage == Stage::Done
        }))
    }

    /// Where a report goes: in place of the version before it, once that one is settled.
    pub async fn place(
        &self,
        permit: &Permit,
        entry: &Entry,
        cda: &ClinicalDocument,
    ) -> Result<Place, FascicoloError> {
        may(permit)?;
        let index = &self.inner.index;
        let before = index.entries(EntriesOf::Before(entry.document), MOST_VERSIONS).await?;
        let mut published: Vec<&Entry> =
            before.iter().filter(|entry| entry.operation == Operation::Publish).collect();
        if published.iter().any(|entry| !entry.progress.stage.is_final()) {
            return Ok(Place::Later);
        }
        published.retain(|entry| entry.progress.stage == Stage::Done);
        // What was deleted there cannot be replaced there.
        published.retain(|one| {
            let deleted = |other: &&Entry| {
                other.operation == Operation::Delete && other.document == one.document
            };
            !before.iter().any(|other| deleted(&other))
        });
        if let Some(entry) = published.pop() {
            return Ok(Place::InPlaceOf(entry.progress.unique_id.clone()));
        }
        if !before.is_empty() {
            return Ok(Place::New);
        }
        // The version before never came here, and may have been published from elsewhere.
        let own = cda.replaces.iter().find(|id| id.is_known());
        Ok(own.map_or(Place::New, |id| Place::InPlaceOf(id.joined())))
    }
}

fn is_published(entry: &Entry) -> bool {
    entry.operation == Operation::Publish && entry.progress.stage == Stage::Done
}

fn is_being_withdrawn(entry: &Entry) -> bool {
    entry.operation == Operation::Delete && !entry.progress.stage.is_final()
}

fn ship(
    document: &Document,
    bytes: &Bytes,
    kept: Option<Bytes>,
) -> Result<Shipment, FascicoloError> {
    let cda = recognise(bytes).cda.ok_or(FascicoloError::Refused("it holds no CDA"))?;
    let pdf = match (kept, document.kind) {
        (Some(kept), _) => kept,
        (None, DocumentKind::Pdf) => bytes.clone(),
        (None, _) => with_cda(&sheet(&cda), bytes)
            .map_err(|_| FascicoloError::Refused("no PDF can be made of it"))?
            .into(),
    };
    Ok(Shipment { cda: *cda, pdf })
}

/// A report as it is set on pages.
fn sheet(cda: &ClinicalDocument) -> Sheet<'_> {
    let patient = &cda.patient;
    let mut heading = vec![format!("Paziente: {} {}", patient.family, patient.given)];
    if !patient.birth_date.is_empty() {
        heading.push(format!("Data di nascita: {}", day(&patient.birth_date)));
    }
    heading.push(format!("Data del referto: {}", day(&cda.effective_time)));
    heading.extend(cda.authors.iter().map(|author| format!("Autore: {author}")));
    if !cda.custodian.name.is_empty() {
        heading.push(cda.custodian.name.clone());
    }
    let sections = cda.sections.iter();
    Sheet {
        title: if cda.title.is_empty() { "Referto" } else { &cda.title },
        made: &cda.effective_time,
        heading,
        sections: sections.map(|s| (s.title.as_str(), s.text.as_str())).collect(),
    }
}

/// `20260302…` as people read it.
fn day(time: &str) -> String {
    match (time.get(..4), time.get(4..6), time.get(6..8)) {
        (Some(year), Some(month), Some(day)) => format!("{day}/{month}/{year}"),
        _ => time.to_owned(),
    }
}
