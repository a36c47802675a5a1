//! The fascicolo as doors and jobs hold it: one handle, cheap to clone.

use std::sync::Arc;

use futures::StreamExt;
use futures::TryStreamExt;

use crate::access::permit::Access;
use crate::access::permit::Permit;
use crate::access::permit::Subject;
use crate::archive::archive::Archive;
use crate::archive::error::ArchiveError;
use crate::archive::kept::Kept;
use crate::archive::retrieve::ByteStream;
use crate::blobs::store::Blobs;
use crate::clock::SharedClock;
use crate::fascicolo::error::FascicoloError;
use crate::fascicolo::issuers::Issuers;
use crate::fascicolo::issuers::Settings;
use crate::index::fascicolo::DocumentsOf;
use crate::index::port::SharedIndex;
use crate::model::document::Document;
use crate::model::organisation::Organisation;
use crate::model::person::Merge;
use crate::model::person::Person;
use crate::people::identifier::Identifier;

/// The fascicolo.
#[derive(Debug, Clone)]
pub struct Fascicolo {
    pub(in crate::fascicolo) inner: Arc<Inner>,
}

/// Room for the names of manifests: some ten thousand studies.
const MANIFESTS_KEPT_BYTES: u64 = 4 * 1024 * 1024;

/// What it stands on.
#[derive(Debug)]
pub(in crate::fascicolo) struct Inner {
    pub(in crate::fascicolo) archive: Archive,
    pub(in crate::fascicolo) index: SharedIndex,
    pub(in crate::fascicolo) blobs: Blobs,
    pub(in crate::fascicolo) clock: SharedClock,
    pub(in crate::fascicolo) issuers: Issuers,
    /// Organisations that feed the archive.
    pub(in crate::fascicolo) organisations: Vec<Organisation>,
    /// Retrieve Location UID of manifests; empty: made of the archive's address.
    pub(in crate::fascicolo) location_uid: String,
    /// Whether new radiology reports go to the national gateway by themselves.
    pub(in crate::fascicolo) publishes: bool,
    /// What the instances of studies make of their manifests' names.
    pub(in crate::fascicolo) manifests: Kept<[u8; 32]>,
}

impl Fascicolo {
    /// The fascicolo over its parts.
    pub fn new(
        settings: &Settings,
        organisations: Vec<Organisation>,
        publishes: bool,
        archive: Archive,
        index: SharedIndex,
        blobs: Blobs,
        clock: SharedClock,
    ) -> Self {
        let issuers = Issuers::new(settings);
        let location_uid = settings.location_uid.clone();
        let inner = Inner {
            archive,
            index,
            blobs,
            clock,
            issuers,
            organisations,
            location_uid,
            publishes,
            manifests: Kept::new(MANIFESTS_KEPT_BYTES).told_by("lastra_manifest_cache_bytes"),
        };
        Self { inner: Arc::new(inner) }
    }

    /// Who decides accesses; doors ask it for their permits.
    pub fn access(&self) -> &Access {
        self.inner.archive.access()
    }

    /// The person somebody means: by our id, or by an identifier with its issuer (`value` or
    /// `issuer|value`).
    pub async fn find(&self, permit: &Permit, text: &str) -> Result<Person, FascicoloError> {
        may(permit)?;
        let unknown = FascicoloError::Unknown("this person");
        if let Some(id) = text.strip_prefix('#').and_then(|id| id.parse().ok()) {
            return self.inner.index.person(id).await?.ok_or(unknown);
        }
        let (assigner, value) = text.rsplit_once('|').unwrap_or(("", text));
        let identifier = Identifier::read(value, assigner).ok_or(unknown.clone())?;
        let identifier = self.inner.issuers.identifiers(&[identifier]).pop();
        let identifier = identifier.ok_or(unknown.clone())?;
        let id = self.inner.index.person_of(&identifier).await?.ok_or(unknown.clone())?;
        self.inner.index.person(id).await?.ok_or(unknown)
    }

    /// A document.
    pub async fn document(&self, permit: &Permit, id: i64) -> Result<Document, FascicoloError> {
        may(permit)?;
        let found = self.inner.index.documents(DocumentsOf::Id(id), 1).await?.pop();
        found.ok_or(FascicoloError::Unknown("this document"))
    }

    /// The bytes of a document as they came.
    pub async fn document_bytes(
        &self,
        permit: &Permit,
        id: i64,
    ) -> Result<bytes::Bytes, FascicoloError> {
        let document = self.document(permit, id).await?;
        Ok(self.inner.blobs.read(&document.blob_key, 0..document.blob_bytes).await?)
    }

    /// The bytes of a document as they came, as a stream.
    pub fn document_stream(
        &self,
        permit: &Permit,
        document: &Document,
    ) -> Result<ByteStream, FascicoloError> {
        may(permit)?;
        let stream = self.inner.blobs.stream(&document.blob_key, 0..document.blob_bytes);
        Ok(stream.map_err(ArchiveError::from).boxed())
    }

    /// Makes `absorbed` one with `survivor`; gives the merge, by which it can be undone.
    pub async fn merge(
        &self,
        permit: &Permit,
        survivor: i64,
        absorbed: i64,
        reason: &str,
        actor: &str,
    ) -> Result<i64, FascicoloError> {
        may(permit)?;
        let now = self.now_us();
        let merge = self.inner.index.merge(survivor, absorbed, reason, actor, now).await?;
        let merge = merge.ok_or(FascicoloError::Refused("they are one already, or not here"))?;
        tracing::info!(merge, "two people were found to be one");
        Ok(merge)
    }

    /// Undoes a merge.
    pub async fn unmerge(
        &self,
        permit: &Permit,
        merge: i64,
        actor: &str,
    ) -> Result<(), FascicoloError> {
        may(permit)?;
        if self.inner.index.unmerge(merge, actor, self.now_us()).await? {
            tracing::info!(merge, "a merge was undone");
            return Ok(());
        }
        Err(FascicoloError::Unknown("this merge, or it is undone already"))
    }

    /// Merges of a person.
    pub async fn merges(&self, permit: &Permit, person: i64) -> Result<Vec<Merge>, FascicoloError> {
        may(permit)?;
        Ok(self.inner.index.merges(person).await?)
    }

    /// Now, µs since 1970.
    pub fn now_us(&self) -> i64 {
        self.inner.clock.now_us()
    }
}

/// Until each person's own permits arrive, only whoever may see the whole archive may look.
pub(in crate::fascicolo) fn may(permit: &Permit) -> Result<(), FascicoloError> {
    match permit.subject() {
        Subject::Archive => Ok(()),
        _ => Err(FascicoloError::Denied),
    }
}
