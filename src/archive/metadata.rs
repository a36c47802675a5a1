//! Metadata as DICOM JSON: precomputed once a series is quiet, else written from header ranges.

use std::io::Read;
use std::io::Write;

use bytes::Bytes;
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use futures::StreamExt;
use futures::TryStreamExt;
use futures::stream;
use sha2::Digest;
use sha2::Sha256;

use crate::access::permit::Permit;
use crate::archive::archive::Archive;
use crate::archive::error::ArchiveError;
use crate::archive::retrieve::ByteStream;
use crate::archive::retrieve::hex;
use crate::archive::retrieve::layout_of;
use crate::blobs::error::BlobError;
use crate::dicom::json::JsonTooLong;
use crate::dicom::json::JsonWriter;
use crate::dicom::layout::Piece;
use crate::dicom::syntax::Encoding;
use crate::imaging::error::ImagingError;
use crate::index::port::Derived;
use crate::index::port::DerivedKind;
use crate::index::port::Located;
use crate::index::port::SeriesState;
use crate::model::path::Scope;
use crate::steps::Step;
use crate::steps::come_to;

/// Headers read at once while a series' metadata is written.
const READ_AHEAD: usize = 16;

/// Instances whose metadata is written together, as one piece of the answer.
const CHUNK: usize = 16;

/// The most a precomputed object may inflate to.
const MAX_INFLATED_BYTES: u64 = 1 << 30;

/// Metadata of a study, series or instance: one JSON array.
pub enum Metadata {
    /// Precomputed, gzip-compressed.
    Gzipped(Bytes),
    /// Written now, plain JSON, in pieces; an error ends it, and whoever passes it on must abort.
    Plain(ByteStream),
}

impl std::fmt::Debug for Metadata {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Gzipped(_) => "Gzipped",
            Self::Plain(_) => "Plain",
        })
    }
}

impl Archive {
    /// Strong validator (without quotes) of a scope's metadata; changes when any instance of it
    /// comes, goes or changes, and with the base URL.
    pub async fn metadata_etag(
        &self,
        permit: &Permit,
        scope: &Scope,
        base: &str,
    ) -> Result<String, ArchiveError> {
        let mut hash = Sha256::new();
        hash.update(base);
        if scope.instance.is_some() {
            hash.update(self.locate_scope(permit, scope).await?.data_set_sha256);
        } else {
            for series in self.series_states(permit, scope).await? {
                hash.update(series.id.to_le_bytes());
                hash.update(series.revision.to_le_bytes());
            }
        }
        Ok(hex(&hash.finalize()).chars().take(32).collect())
    }

    /// Metadata of a scope, every BulkDataURI below `base` (`http://host/dicom-web`).
    pub async fn metadata(
        &self,
        permit: &Permit,
        scope: &Scope,
        base: &str,
    ) -> Result<Metadata, ArchiveError> {
        if scope.instance.is_some() {
            let located = self.locate_scope(permit, scope).await?;
            let mut json = vec![b'['];
            json.extend(self.instance_json(&located, base).await?);
            json.push(b']');
            return Ok(Metadata::Plain(stream::iter([Ok(json.into())]).boxed()));
        }
        let series = self.series_states(permit, scope).await?;
        if let [only] = series.as_slice()
            && let Some(gzipped) = self.precomputed(only, base).await?
        {
            return Ok(Metadata::Gzipped(gzipped));
        }
        Ok(Metadata::Plain(self.written_now(permit.clone(), series, base.to_owned())))
    }

    /// The series' precomputed metadata, if it is there, of this revision, and for this base URL.
    async fn precomputed(
        &self,
        series: &SeriesState,
        base: &str,
    ) -> Result<Option<Bytes>, ArchiveError> {
        let found = self.inner.index.derived(series.id, DerivedKind::Metadata).await?;
        let Some(derived) = found.filter(|derived| derived.revision == series.revision) else {
            return Ok(None);
        };
        let read = self.inner.blobs.read(&derived.blob_key, 0..derived.blob_bytes).await;
        let gzipped = match read {
            // Replaced by a newer one between the row and the read: write it now instead.
            Err(BlobError::Missing(_)) => return Ok(None),
            read => read?,
        };
        if derived.note == base {
            return Ok(Some(gzipped));
        }
        let (from, to) = (derived.note, base.to_owned());
        let bytes = derived.blob_bytes.saturating_mul(20);
        let rebased = self.inner.pool.run(bytes, move || rebase(&gzipped, &from, &to)).await?;
        Ok(Some(rebased))
    }

    fn written_now(&self, permit: Permit, series: Vec<SeriesState>, base: String) -> ByteStream {
        let archive = self.clone();
        let of_series = stream::iter(series).then(move |series| {
            let (archive, permit) = (archive.clone(), permit.clone());
            async move { archive.instances(&permit, &series.scope).await }
        });
        let archive = self.clone();
        let instances = of_series.try_flatten().map(move |located| {
            let (archive, base) = (archive.clone(), base.clone());
            async move { archive.instance_json(&located?, &base).await }
        });
        let chunks = instances.buffered(READ_AHEAD).try_chunks(CHUNK).map_err(|error| error.1);
        let body = chunks.scan(true, |first, chunk| {
            let joined = chunk.map(|objects| {
                let mut text = Vec::with_capacity(objects.iter().map(|o| o.len() + 1).sum());
                for object in objects {
                    text.push(if std::mem::replace(first, false) { b'[' } else { b',' });
                    text.extend_from_slice(&object);
                }
                Bytes::from(text)
            });
            std::future::ready(Some(joined))
        });
        body.chain(stream::iter([Ok(Bytes::from_static(b"]"))])).boxed()
    }

    /// One instance's metadata object, from its header's ranges alone.
    async fn instance_json(&self, located: &Located, base: &str) -> Result<Vec<u8>, ArchiveError> {
        let layout = layout_of(located)?;
        let pieces = self.header_pieces(located, &layout).await?;
        let encoding = Encoding::of(&located.transfer_syntax);
        let mut json = JsonWriter::new(encoding, &format!("{base}{}/bulkdata/", url_of(located)));
        let limits = self.inner.settings.limits();
        let bytes: usize = pieces.iter().map(|piece| piece.bytes.len()).sum();
        if bytes <= INLINE_HEADER_BYTES && !layout.deflated {
            layout.scan_header(encoding, limits, &pieces, &mut json)?;
            return json.finish().map_err(too_long);
        }
        // Over half a millisecond of work: off the async threads.
        let work = move || {
            let scanned = layout.scan_header(encoding, limits, &pieces, &mut json);
            Ok::<_, ImagingError>(scanned.map(|()| json.finish()))
        };
        self.inner.pool.run(bytes as u64, work).await??.map_err(too_long)
    }

    /// The bytes of an object's header, bulk values left out.
    pub(in crate::archive) async fn header_pieces(
        &self,
        located: &Located,
        layout: &crate::dicom::layout::Layout,
    ) -> Result<Vec<Piece>, ArchiveError> {
        let ranges = layout.header_ranges();
        let read = self.inner.blobs.read_ranges(&located.blob_key, &ranges).await?;
        let pieces = ranges.iter().zip(read);
        Ok(pieces.map(|(range, bytes)| Piece { start: range.start, bytes }).collect())
    }

    /// Writes a quiet series' metadata once, gzipped, for all who will ask.
    pub(in crate::archive) async fn precompute_metadata(
        &self,
        permit: &Permit,
        series: &SeriesState,
        base: &str,
    ) -> Result<(), ArchiveError> {
        let mut plain = self.written_now(permit.clone(), vec![series.clone()], base.to_owned());
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        while let Some(piece) = plain.try_next().await? {
            let compress = move || {
                let written = encoder.write_all(&piece);
                written.map(|()| encoder).map_err(|e| ImagingError::Damaged(e.to_string()))
            };
            encoder = self.inner.pool.run(CHUNK as u64 * 4096, compress).await?;
        }
        let gzipped = encoder.finish().map_err(|e| BlobError::Unavailable(e.to_string()))?;
        self.put_derived(series, DerivedKind::Metadata, gzipped.into(), base).await
    }

    /// Keeps an object made from a series, in place of the older one of its kind.
    pub(in crate::archive) async fn put_derived(
        &self,
        series: &SeriesState,
        kind: DerivedKind,
        bytes: Bytes,
        note: &str,
    ) -> Result<(), ArchiveError> {
        let blob_bytes = bytes.len() as u64;
        let kind_of_blob = crate::blobs::key::BlobKind::Derived;
        let blob_key = self.inner.blobs.put(kind_of_blob, bytes).await?;
        come_to(Step::DerivedDurable);
        let derived = Derived {
            series_id: series.id,
            kind,
            revision: series.revision,
            blob_key,
            blob_bytes,
            note: note.to_owned(),
        };
        let replaced = self.inner.index.put_derived(&derived).await?;
        come_to(Step::DerivedEntered);
        if let Some(replaced) = replaced {
            // Whoever read its row a moment ago finds it missing and makes it anew.
            self.inner.blobs.delete(&replaced).await?;
        }
        Ok(())
    }
}

/// Metadata longer than the writer's bound: the object stays whole and can be fetched as stored.
fn too_long(JsonTooLong(bytes): JsonTooLong) -> ArchiveError {
    ImagingError::TooLarge { bytes: bytes as u64 }.into()
}

/// The path of an instance below the DICOMweb base URL (PS3.18 §10.1).
pub(in crate::archive) fn url_of(located: &Located) -> String {
    let path = &located.path;
    let [study, series, instance] = [&path.study, &path.series, &path.instance]
        .map(|uid| percent_encoding::utf8_percent_encode(uid.as_str(), SEGMENT).to_string());
    format!("/studies/{study}/series/{series}/instances/{instance}")
}

/// What RFC 3986 §3.3 lets stand in a path segment, of what identifiers may hold.
const SEGMENT: &percent_encoding::AsciiSet =
    &percent_encoding::NON_ALPHANUMERIC.remove(b'.').remove(b'-').remove(b'_').remove(b'~');

/// Headers up to so many bytes are turned into JSON on the async thread: well under 0.5 ms.
const INLINE_HEADER_BYTES: usize = 64 * 1024;

/// The same metadata below another base URL, gzipped again.
fn rebase(gzipped: &[u8], from: &str, to: &str) -> Result<Bytes, ImagingError> {
    let damaged = |error: std::io::Error| ImagingError::Damaged(error.to_string());
    let mut plain = String::new();
    let mut decoder = GzDecoder::new(gzipped).take(MAX_INFLATED_BYTES);
    decoder.read_to_string(&mut plain).map_err(damaged)?;
    let quoted = |base: &str| format!("\"BulkDataURI\":\"{base}/");
    let rebased = plain.replace(&quoted(from), &quoted(to));
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(rebased.as_bytes()).map_err(damaged)?;
    Ok(encoder.finish().map_err(damaged)?.into())
}

#[cfg(test)]
mod tests {
    use super::{Compression, GzDecoder, GzEncoder, Read, Write, rebase};

    #[test]
    fn precomputed_metadata_serves_every_base_url() {
        let text = r#"[{"7FE00010":{"vr":"OW","BulkDataURI":"http://a/dicom-web/studies/1"}}]"#;
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(text.as_bytes()).unwrap();
        let gzipped = encoder.finish().unwrap();

        let rebased = rebase(&gzipped, "http://a/dicom-web", "https://b/x").unwrap();

        let mut plain = String::new();
        GzDecoder::new(&rebased[..]).read_to_string(&mut plain).unwrap();
        assert_eq!(plain, text.replace("http://a/dicom-web", "https://b/x"));
    }
}
