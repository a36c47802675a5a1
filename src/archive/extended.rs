//! Attributes the administrator declared to be searched: kept of every object that comes, and of
//! those that are here already by a durable job that reads their headers once.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::archive::archive::Archive;
use crate::archive::error::ArchiveError;
use crate::archive::retrieve::hex;
use crate::dicom::date::{date, time};
use crate::dicom::extended::{BadDeclaration, Declared, Extended, ExtendedCollector, Said, merged};
use crate::dicom::header::{Header, HeaderCollector};
use crate::dicom::layout::{Layout, Piece};
use crate::dicom::person_name::fold;
use crate::dicom::syntax::Encoding;
use crate::index::error::IndexError;
use crate::index::port::{CopyRow, Extension};
use crate::index::query::ExtendedKey;
use crate::model::event::Follower;
use crate::model::job::{JobKind, NewJob};
use crate::model::study::{ExtendedFact, NewInstance};
use dicom_core::VR;

/// Copies read again by one job; then others get their turn.
const PAGE: u32 = 50;

/// How far the copies of before have been read again is kept as a follower of that name.
const FOLLOWER: &str = "attributes:";

/// An attribute to be searched beside those the index always keeps.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Declaration {
    /// Keyword or tag, of a sequence path joined by dots.
    pub attribute: String,
    /// Private creator, of private attributes only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub creator: Option<String>,
    /// Whose it is: `patient`, `study`, `series` or `instance`.
    pub level: String,
    /// Value representation; needed of private attributes only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vr: Option<String>,
}

/// The declared attributes with their keys.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Attributes {
    set: Arc<Extended>,
    keys: Vec<ExtendedKey>,
}

impl Attributes {
    /// Reads the settings. What is declared lives as long as the process: keys are cheap to copy.
    pub fn of(declarations: &[Declaration]) -> Result<Self, BadDeclaration> {
        let mut set = Extended::default();
        for Declaration { attribute, creator, level, vr } in declarations {
            set.declare(attribute, creator.as_deref(), level, vr.as_deref())?;
        }
        let key = |declared: &Declared| ExtendedKey {
            name: Box::leak(declared.name.clone().into_boxed_str()),
            owner: declared.owner,
            is_name: declared.vr == VR::PN,
        };
        let keys = set.declared().iter().map(key).collect();
        Ok(Self { set: Arc::new(set), keys })
    }

    /// All declared attributes.
    pub fn set(&self) -> &Arc<Extended> {
        &self.set
    }

    /// The attribute of that path, and its key.
    pub fn find(&self, path: &[dicom_core::Tag]) -> Option<(&Declared, ExtendedKey)> {
        let found = self.set.declared().iter().zip(&self.keys);
        let mut found = found.filter(|(declared, _)| declared.path == path);
        found.next().map(|(declared, key)| (declared, *key))
    }

    /// What tells one set of declarations from another.
    fn fingerprint(&self) -> String {
        let mut hash = Sha256::new();
        for declared in self.set.declared() {
            hash.update(format!("{}/{:?}/{}\n", declared.name, declared.owner, declared.vr));
        }
        hex(&hash.finalize()).chars().take(16).collect()
    }

    fn facts(&self, said: &Said) -> Vec<ExtendedFact> {
        let facts = said.values.iter().filter_map(|(number, value)| {
            let declared = self.set.declared().get(*number)?;
            let value = match declared.vr {
                VR::PN => fold(value),
                VR::DA => date(value),
                VR::TM => time(value),
                _ => value.clone(),
            };
            Some(ExtendedFact { name: declared.name.clone(), owner: declared.owner, value })
        });
        facts.filter(|fact| !fact.value.is_empty()).collect()
    }

    /// Adds what an object says of the declared attributes to what is entered of it.
    pub(in crate::archive) fn extend(&self, instance: &mut NewInstance, said: &Said) {
        instance.extended = self.facts(said);
        let [patient, study, series, own] = &said.attributes;
        for (text, more) in [
            (&mut instance.patient.attributes, patient),
            (&mut instance.study.attributes, study),
            (&mut instance.series.attributes, series),
            (&mut instance.instance.attributes, own),
        ] {
            *text = merged(text, more);
        }
    }
}

impl Archive {
    /// The declared attributes.
    pub fn attributes(&self) -> &Attributes {
        &self.inner.attributes
    }

    /// Sees to it that the objects of before are read again, once for each set of declarations.
    pub async fn index_attributes(&self) -> Result<(), ArchiveError> {
        let index = &self.inner.index;
        let attributes = self.attributes();
        let fingerprint = attributes.fingerprint();
        let name = format!("{FOLLOWER}{fingerprint}");
        index.forget_followers(FOLLOWER, &name).await?;
        if attributes.set.is_empty() || self.attributes_are_complete().await? {
            return Ok(());
        }
        if index.follower(&name).await?.is_none() {
            index.put_follower(&Follower { name, sequence: 0, failures: 0 }).await?;
        }
        self.index_attributes_again(fingerprint).await
    }

    /// Whether every object's attributes are kept: until then a search by them may find too little.
    pub async fn attributes_are_complete(&self) -> Result<bool, ArchiveError> {
        let name = format!("{FOLLOWER}{}", self.attributes().fingerprint());
        let follower = self.inner.index.follower(&name).await?;
        Ok(follower.is_some_and(|follower| follower.sequence == i64::MAX))
    }

    async fn index_attributes_again(&self, subject: String) -> Result<(), ArchiveError> {
        let run_us = self.inner.clock.now_us();
        let job = NewJob { kind: JobKind::Attributes, subject, run_us };
        Ok(self.inner.index.enqueue(&[job]).await?)
    }

    /// One job: the next page of copies.
    pub(in crate::archive) async fn index_attributes_of_page(
        &self,
        fingerprint: &str,
    ) -> Result<(), ArchiveError> {
        if fingerprint != self.attributes().fingerprint() {
            return Ok(());
        }
        let name = format!("{FOLLOWER}{fingerprint}");
        let Some(follower) = self.inner.index.follower(&name).await? else { return Ok(()) };
        let copies = self.inner.index.copies(follower.sequence, PAGE).await?;
        let mut extensions = Vec::new();
        for copy in copies.iter().filter(|copy| copy.served) {
            extensions.extend(self.extension(copy).await);
        }
        self.inner.index.extend(&extensions).await?;
        let sequence = copies.last().map_or(i64::MAX, |copy| copy.id);
        self.inner.index.put_follower(&Follower { sequence, ..follower }).await?;
        if sequence == i64::MAX {
            Ok(())
        } else {
            self.index_attributes_again(fingerprint.to_owned()).await
        }
    }

    /// What one kept object says, from the ranges of its header; `None` where they cannot be read:
    /// `lastra check` tells of such copies, and the others must not wait for them.
    async fn extension(&self, copy: &CopyRow) -> Option<Extension> {
        match self.read_again(copy).await {
            Ok(extension) => Some(extension),
            Err(error) => {
                tracing::warn!(copy = copy.id, %error, "attributes of a copy cannot be read");
                None
            }
        }
    }

    async fn read_again(&self, copy: &CopyRow) -> Result<Extension, ArchiveError> {
        let layout = Layout::from_bytes(&copy.layout).map_err(|error| {
            IndexError::Inconsistent(format!("layout of copy row {}: {error}", copy.id))
        })?;
        let ranges = layout.header_ranges();
        let read = self.inner.blobs.read_ranges(&copy.blob_key, &ranges).await?;
        let pieces: Vec<Piece> = ranges
            .iter()
            .zip(read)
            .map(|(range, bytes)| Piece { start: range.start, bytes })
            .collect();
        let bytes: usize = pieces.iter().map(|piece| piece.bytes.len()).sum();
        let (set, limits) = (Arc::clone(&self.attributes().set), self.inner.settings.limits());
        let encoding = Encoding::of(&copy.transfer_syntax);
        let work = move || {
            let mut said = ExtendedCollector::new(set, encoding);
            let mut header = HeaderCollector::new(encoding);
            layout.scan_header(encoding, limits, &pieces, &mut said)?;
            layout.scan_header(encoding, limits, &pieces, &mut header)?;
            Ok::<_, crate::dicom::scan::ScanError>((said.finish(), header.finish()))
        };
        let run = self
            .inner
            .pool
            .run(bytes as u64, move || Ok::<_, crate::imaging::error::ImagingError>(work()));
        let (said, header) = run.await??;
        Ok(Extension {
            copy: copy.id,
            facts: self.attributes().facts(&said),
            attributes: joined(&header, &said),
        })
    }
}

fn joined(header: &Header, said: &Said) -> [String; 4] {
    let [patient, study, series, own] = &said.attributes;
    [
        merged(&header.patient.attributes, patient),
        merged(&header.study.attributes, study),
        merged(&header.series.attributes, series),
        merged(&header.instance.attributes, own),
    ]
}
