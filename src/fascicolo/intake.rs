//! Documents come in: bytes durable with their hash, then rows, then whose they are and what they
//! belong to. In any order, any number of times.

use bytes::Bytes;
use futures::TryStreamExt;
use sha2::Digest;
use sha2::Sha256;

use crate::access::permit::Permit;
use crate::archive::document::Reading;
use crate::blobs::key::BlobKind;
use crate::dicom::identity::Identity;
use crate::fascicolo::error::FascicoloError;
use crate::fascicolo::fascicolo::Fascicolo;
use crate::fascicolo::fascicolo::may;
use crate::fascicolo::identity::identifiers;
use crate::fascicolo::recognise::Recognised;
use crate::fascicolo::recognise::fhir_references;
use crate::fascicolo::recognise::fhir_subject;
use crate::fascicolo::recognise::recognise;
use crate::fascicolo::recognise::references;
use crate::fascicolo::recognise::subject;
use crate::fascicolo::search::words;
use crate::hl7::v2::types::date;
use crate::index::fascicolo::DocumentsOf;
use crate::index::fascicolo::Entered;
use crate::index::port::Located;
use crate::model::document::Document;
use crate::model::document::DocumentKind;
use crate::model::document::DocumentSubject;
use crate::model::document::NEXT_VERSION;
use crate::model::document::NewDocument;
use crate::model::document::Reference;
use crate::model::document::ReferenceKind;
use crate::model::link::StudyBrief;
use crate::model::link::Waiting;
use crate::model::person::Attached;
use crate::model::person::Origin;
use crate::model::person::Sighted;
use crate::model::person::Sighting;

/// The most bytes of a document kept.
pub const MAX_BYTES: usize = 64 * 1024 * 1024;
/// Characters of a document's text kept for searching.
const MOST_TEXT: usize = 200_000;

/// A document as it arrives.
#[derive(Debug, Clone, Default)]
pub struct Arriving {
    /// Its bytes.
    pub bytes: Bytes,
    /// Where from; no patient data.
    pub source: String,
    /// Whom the sender says it is about, used where the document itself says nothing.
    pub subject: DocumentSubject,
    /// What the sender says it belongs to, beside what the document says.
    pub references: Vec<Reference>,
    /// Its title, where the document has none.
    pub title: String,
    /// Date of the service, where the document has none.
    pub service_date: String,
    /// The DICOM instance it came in, by row.
    pub instance: Option<i64>,
    /// What its bringer says it is and how it reads, where its bytes alone do not tell.
    pub as_read: Option<AsRead>,
    /// What the sender says of it, where the document itself says nothing.
    pub described: Described,
}

/// How a document reads whose bytes alone do not tell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AsRead {
    /// What it is.
    pub kind: DocumentKind,
    /// Its own identifier, `root^extension`.
    pub document_id: String,
    /// Its text.
    pub text: String,
}

/// What a sender says of a document.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Described {
    /// The identifier of all its versions, `root^extension`: each that comes is the next. Empty:
    /// it has no versions.
    pub set_id: String,
    /// Its type's code.
    pub type_code: String,
    /// When it was made, as HL7 writes times.
    pub effective: String,
    /// Its text, for searching.
    pub text: String,
}

/// What became of a document, once it is durable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Taken {
    /// Its row.
    pub document: Document,
    /// Whether the same bytes were here already.
    pub known: bool,
    /// Whose it is.
    pub attached: Attached,
}

impl Fascicolo {
    /// Takes a document somebody brings.
    pub async fn take(&self, permit: &Permit, arriving: Arriving) -> Result<Taken, FascicoloError> {
        may(permit)?;
        self.take_in(arriving).await
    }

    /// Takes the document an instance encapsulates.
    pub(in crate::fascicolo) async fn take_encapsulated(
        &self,
        permit: &Permit,
        study: &StudyBrief,
        located: &Located,
        identity: &Identity,
    ) -> Result<(), FascicoloError> {
        let bytes = match &identity.document {
            Some(bytes) => Bytes::from(bytes.clone()),
            None => self.bulk_document(permit, located).await?,
        };
        // A value of odd length was padded with one byte; its true length may be told.
        let told = usize::try_from(identity.document_bytes).unwrap_or(0);
        let bytes = match told {
            0 => bytes.strip_suffix(&[0]).map_or_else(|| bytes.clone(), |cut| bytes.slice_ref(cut)),
            told => bytes.slice(..told.min(bytes.len())),
        };
        if bytes.is_empty() {
            return Ok(());
        }
        let title = study.description.clone();
        let arriving = Arriving { bytes, title, ..of_instance(study, located, identity) };
        self.take_in(arriving).await.map(drop)
    }

    /// Takes the structured report an instance is: its file, and its text as people read it.
    pub(in crate::fascicolo) async fn take_structured(
        &self,
        permit: &Permit,
        study: &StudyBrief,
        located: &Located,
        identity: &Identity,
    ) -> Result<(), FascicoloError> {
        let archive = &self.inner.archive;
        if usize::try_from(located.blob_bytes).map_or(true, |bytes| bytes > MAX_BYTES) {
            return Err(FascicoloError::TooLong(MAX_BYTES));
        }
        let mut file = archive.file(permit, located)?;
        let mut bytes = Vec::new();
        while let Some(piece) = file.try_next().await? {
            bytes.extend_from_slice(&piece);
        }
        let page = archive.report(permit, located, Reading::Plain).await?;
        let text = String::from_utf8_lossy(&page.bytes).into_owned();
        let arriving = Arriving {
            bytes: bytes.into(),
            title: text.lines().next().unwrap_or_default().to_owned(),
            as_read: Some(AsRead {
                kind: DocumentKind::Sr,
                document_id: format!("{}^", located.path.instance.as_str()),
                text,
            }),
            ..of_instance(study, located, identity)
        };
        self.take_in(arriving).await.map(drop)
    }

    async fn bulk_document(
        &self,
        permit: &Permit,
        located: &Located,
    ) -> Result<Bytes, FascicoloError> {
        let archive = &self.inner.archive;
        let bulk = archive.bulk(permit, &located.path, "00420011").await?;
        let length = usize::try_from(bulk.bytes).unwrap_or(usize::MAX);
        if length > MAX_BYTES {
            return Err(FascicoloError::TooLong(MAX_BYTES));
        }
        let mut stream = archive.read_bulk(permit, &bulk.place, 0, bulk.bytes)?;
        let mut bytes = Vec::with_capacity(length);
        while let Some(piece) = stream.try_next().await? {
            bytes.extend_from_slice(&piece);
        }
        Ok(bytes.into())
    }

    pub(in crate::fascicolo) async fn take_in(
        &self,
        arriving: Arriving,
    ) -> Result<Taken, FascicoloError> {
        if arriving.bytes.len() > MAX_BYTES {
            return Err(FascicoloError::TooLong(MAX_BYTES));
        }
        let bytes = arriving.bytes.clone();
        let weight = u64::try_from(bytes.len().saturating_mul(4)).unwrap_or(u64::MAX);
        // Parsing and hashing take more than half a millisecond: off the async threads.
        let look = move || (recognise(&bytes), <[u8; 32]>::from(Sha256::digest(&bytes)));
        let (found, sha256) = self.inner.archive.compute(weight, look).await?;
        let cda = found.cda.clone();
        let (index, now) = (&self.inner.index, self.now_us());
        let blob_key = self.inner.blobs.put(BlobKind::Document, arriving.bytes.clone()).await?;
        let mut new = new_document(&arriving, found, sha256, blob_key.clone());
        new.references = self.inner.issuers.references(&new.references);
        new.patient.identifiers = self.inner.issuers.identifiers(&new.patient.identifiers);
        let said = words(&format!("{} {}", new.title, new.text));
        let entered = index.put_document(&new, now).await?;
        let (id, known) = match entered {
            Entered::New(id) => (id, false),
            Entered::Known(id) => {
                // The same bytes are here under another key; if this copy cannot be deleted now,
                // the sweep will.
                let _ = self.inner.blobs.delete(&blob_key).await;
                (id, true)
            }
        };
        index.put_words(id, &said).await?;
        self.mark_document(id, cda.as_deref(), &arriving.source, &new.patient).await?;
        let sighting = Sighting {
            subject: Sighted::Document(id),
            identifiers: new.patient.identifiers,
            name: new.patient.name,
            birth_date: new.patient.birth_date,
            sex: new.patient.sex,
            origin: Origin::Document,
        };
        let attached = self.identify(&sighting, Waiting::Document(id)).await?;
        self.link_document(id).await?;
        self.publish_new(id, cda.as_deref()).await?;
        let document = index.documents(DocumentsOf::Id(id), 1).await?.pop();
        let document = document.ok_or(FascicoloError::Unknown("this document"))?;
        Ok(Taken { document, known, attached })
    }
}

/// What an instance says of the document it is or holds: whom it is about, and its study.
fn of_instance(study: &StudyBrief, located: &Located, identity: &Identity) -> Arriving {
    Arriving {
        source: "dicom".to_owned(),
        subject: DocumentSubject {
            identifiers: identifiers(&identity.patient_ids),
            name: identity.name.clone(),
            birth_date: identity.birth_date.clone(),
            sex: identity.sex.clone(),
        },
        references: vec![Reference {
            kind: ReferenceKind::Study,
            assigner: String::new(),
            value: study.uid.clone(),
        }],
        service_date: study.date.clone(),
        instance: Some(located.id),
        ..Arriving::default()
    }
}

fn new_document(
    arriving: &Arriving,
    found: Recognised,
    sha256: [u8; 32],
    blob_key: String,
) -> NewDocument {
    let cda = found.cda.as_deref();
    let id = |id: &crate::hl7::cda::document::InstanceId| {
        if id.is_known() { id.joined() } else { String::new() }
    };
    let own = |text: Option<&String>, other: &str| {
        text.filter(|text| !text.is_empty()).cloned().unwrap_or_else(|| other.to_owned())
    };
    let (fhir, as_read) = (found.fhir.as_deref(), arriving.as_read.as_ref());
    let described = if cda.is_none() && fhir.is_none() {
        arriving.described.clone()
    } else {
        Described::default()
    };
    let numbered = if described.set_id.is_empty() { 0 } else { NEXT_VERSION };
    let text = match (cda, as_read) {
        (Some(cda), _) => cda.plain_text(),
        (None, Some(read)) => read.text.clone(),
        (None, None) if found.text.is_empty() => described.text.clone(),
        (None, None) => found.text.clone(),
    };
    let service = cda.map(|cda| &cda.service_time).or(fhir.map(|fhir| &fhir.service_time));
    let service = service.map(|time| date(time));
    let effective = cda
        .map(|cda| cda.effective_time.clone())
        .or(fhir.map(|fhir| fhir.issued.clone()))
        .unwrap_or(described.effective);
    let made = (!effective.is_empty()).then(|| date(&effective));
    let mut references = cda.map(references).unwrap_or_default();
    references.extend(fhir.map(fhir_references).unwrap_or_default());
    references.extend(arriving.references.iter().cloned());
    references.sort();
    references.dedup();
    NewDocument {
        kind: as_read.map_or(found.kind, |read| read.kind),
        media_type: found.media_type,
        sha256,
        blob_key,
        blob_bytes: arriving.bytes.len() as u64,
        source: arriving.source.clone(),
        document_id: cda
            .map(|cda| id(&cda.id))
            .or(fhir.map(|fhir| fhir.id.clone()))
            .or(as_read.map(|read| read.document_id.clone()))
            .unwrap_or_default(),
        set_id: cda.and_then(|cda| cda.set_id.as_ref()).map_or(described.set_id, id),
        version: cda.map_or(numbered, |cda| cda.version.unwrap_or(0)),
        replaces: cda.map(|cda| cda.replaces.iter().map(id).collect()).unwrap_or_default(),
        type_code: cda
            .map(|cda| &cda.code.code)
            .or(fhir.map(|fhir| &fhir.code))
            .cloned()
            .unwrap_or(described.type_code),
        title: own(cda.map(|cda| &cda.title).or(fhir.map(|fhir| &fhir.title)), &arriving.title),
        effective,
        service_date: own(service.as_ref(), &own(made.as_ref(), &arriving.service_date)),
        confidentiality: cda.map(|cda| cda.confidentiality.clone()).unwrap_or_default(),
        findings: found.findings,
        text: text.chars().take(MOST_TEXT).collect(),
        patient: match (cda, fhir) {
            (Some(cda), _) => subject(cda),
            (None, Some(fhir)) if !fhir.identifiers.is_empty() => fhir_subject(fhir),
            (None, _) => arriving.subject.clone(),
        },
        references,
        instance: arriving.instance,
    }
}
