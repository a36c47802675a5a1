//! Storage Commitment over HTTP: the Storage Commitment Request Module, read (PS3.18 §J.1).

use std::sync::LazyLock;

use axum::body::Body;
use bytes::Bytes;
use bytes::BytesMut;
use dicom_core::{Tag, VR};
use dicom_dictionary_std::tags;
use tokio::sync::Semaphore;

use crate::archive::archive::Archive;
use crate::dicom::json_read::JsonReader;
use crate::dicom::limits::Limits;
use crate::dicom::native::Native;
use crate::dicom::uid::Uid;
use crate::dicom::xml_read;
use crate::dicomweb::content_type::ContentType;
use crate::dicomweb::media::{DICOM_JSON, DICOM_XML, JSON};
use crate::dicomweb::related::{Event, Reader};
use crate::dicomweb::stow_body::Incoming;
use crate::http::problem::Problem;
use crate::model::commitment::Reference;

/// The longest request, and how many are read at once.
const MAX_BYTES: usize = 16 * 1024 * 1024;
const AT_ONCE: usize = 8;
static PLACES: LazyLock<Semaphore> = LazyLock::new(|| Semaphore::new(AT_ONCE));
/// Most objects of one request.
pub const MAX_REFERENCES: usize = 100_000;
/// What is made of a request takes a few times its length.
const COST: u64 = 8;

/// What a request asks to be kept safe; 400 says what in it cannot be read.
pub async fn read(
    archive: &Archive,
    content_type: &ContentType,
    body: Body,
) -> Result<Vec<Reference>, Problem> {
    let is_multipart = content_type.media == "multipart/related";
    let media = if is_multipart { &content_type.of_parts } else { &content_type.media };
    if !matches!(media.as_str(), DICOM_JSON | DICOM_XML | JSON) {
        return Err(unsupported());
    }
    let _place =
        PLACES.try_acquire().map_err(|_| Problem::unavailable("too many requests at once"))?;
    let mut body = Incoming::new(body);
    let whole = collect(&mut body).await;
    if whole.is_err() {
        body.discard().await;
    }
    let whole = whole?;
    let cost = u64::try_from(whole.len()).unwrap_or(u64::MAX).saturating_mul(COST);
    let media = media.clone();
    let boundary = is_multipart.then(|| content_type.boundary.clone());
    archive.compute(cost, move || references(&whole, &media, boundary.as_deref())).await?
}

async fn collect(body: &mut Incoming) -> Result<Bytes, Problem> {
    let mut whole = BytesMut::new();
    while let Some(piece) =
        body.next().await.map_err(|failure| Problem::bad_request(failure.comment))?
    {
        if whole.len().saturating_add(piece.len()) > MAX_BYTES {
            return Err(too_large(&format!("a request may have {MAX_BYTES} bytes")));
        }
        whole.extend_from_slice(&piece);
    }
    Ok(whole.freeze())
}

/// What a whole request refers to, in its media type, multipart when there is a boundary.
pub fn references(
    whole: &[u8],
    media: &str,
    boundary: Option<&str>,
) -> Result<Vec<Reference>, Problem> {
    let mut asked = Asked::default();
    match boundary {
        None => document(whole, media, &mut asked)?,
        Some(boundary) => {
            for part in parts(whole, boundary)? {
                document(&part, media, &mut asked)?;
            }
        }
    }
    if asked.found.len() > MAX_REFERENCES {
        return Err(too_large(&format!("a request may name {MAX_REFERENCES} instances")));
    }
    let references: Option<Vec<Reference>> = asked.found.into_iter().map(Found::whole).collect();
    match references {
        Some(references) if !references.is_empty() => Ok(references),
        Some(_) => Err(Problem::bad_request(
            "neither Referenced SOP Sequence (0008,1199) nor Referenced Study Sequence (0008,1110) \
             names an instance",
        )),
        None => Err(Problem::bad_request(
            "a reference lacks one of its UIDs, or has one that is none: Referenced SOP Class UID \
             (0008,1150), Referenced SOP Instance UID (0008,1155), and in a Referenced Study \
             Sequence Study and Series Instance UID",
        )),
    }
}

/// The parts of a multipart body.
fn parts(whole: &[u8], boundary: &str) -> Result<Vec<Bytes>, Problem> {
    let malformed = |error| Problem::bad_request(format!("{error}"));
    let mut reader = Reader::new(boundary).map_err(malformed)?;
    reader.push(whole);
    let (mut parts, mut open) = (Vec::new(), BytesMut::new());
    while let Some(event) = reader.event().map_err(malformed)? {
        match event {
            Event::Part(_) => {}
            Event::Bytes(bytes) => open.extend_from_slice(&bytes),
            Event::PartEnd => parts.push(std::mem::take(&mut open).freeze()),
            Event::End => break,
        }
    }
    reader.finish().map_err(malformed)?;
    Ok(parts)
}

fn document(text: &[u8], media: &str, asked: &mut Asked) -> Result<(), Problem> {
    if media == DICOM_XML {
        return xml_read::read(text, Limits::DEFAULT, asked)
            .map_err(|error| Problem::bad_request(error.to_string()));
    }
    let malformed = |error| Problem::bad_request(format!("{error}"));
    let mut reader = JsonReader::new(text, Limits::DEFAULT).map_err(malformed)?;
    while reader.object(asked).map_err(malformed)? {}
    Ok(())
}

/// Hears a request and keeps what it refers to.
#[derive(Debug, Default)]
struct Asked {
    found: Vec<Found>,
    /// The open sequences.
    open: Vec<Tag>,
    /// The open items: what they say, and the first reference found in each.
    items: Vec<(Found, usize)>,
    now: Option<(Tag, Option<Uid>)>,
}

/// A reference, as far as it was read. Study and series come after what is in them.
#[derive(Debug, Default, Clone)]
struct Found {
    in_study: bool,
    study: Option<Uid>,
    series: Option<Uid>,
    sop_class: Option<Uid>,
    instance: Option<Uid>,
}

impl Found {
    /// The reference; `None` when something is missing.
    fn whole(self) -> Option<Reference> {
        let within = if self.in_study { Some((self.study?, self.series?)) } else { None };
        Some(Reference { within, sop_class: self.sop_class?, instance: self.instance? })
    }
}

impl Native for Asked {
    fn begin(&mut self, tag: Tag, _: VR) {
        self.now = Some((tag, None));
    }

    fn value(&mut self, text: Option<&str>) {
        if let (Some((_, uid)), Some(text)) = (&mut self.now, text) {
            // A space divides the UIDs of a request that is kept.
            *uid = Uid::parse(text).ok().filter(|uid| !uid.as_str().contains(' '));
        }
    }

    fn end(&mut self) {
        let (Some((tag, uid)), Some((item, _))) = (self.now.take(), self.items.last_mut()) else {
            return;
        };
        match tag {
            tags::STUDY_INSTANCE_UID => item.study = uid,
            tags::SERIES_INSTANCE_UID => item.series = uid,
            tags::REFERENCED_SOP_CLASS_UID => item.sop_class = uid,
            tags::REFERENCED_SOP_INSTANCE_UID => item.instance = uid,
            _ => {}
        }
    }

    fn begin_sequence(&mut self, tag: Tag) {
        self.open.push(tag);
    }

    fn begin_item(&mut self) {
        self.items.push((Found::default(), self.found.len()));
    }

    fn end_item(&mut self) {
        let Some((item, first)) = self.items.pop() else { return };
        // One more than may be tells that there were too many.
        let room = self.found.len() <= MAX_REFERENCES;
        let inside = self.found.get_mut(first..).unwrap_or_default();
        match self.open.as_slice() {
            [SOPS] if room => self.found.push(item),
            [STUDIES, SERIES, CLASSES, INSTANCES] if room => {
                self.found.push(Found { in_study: true, ..item });
            }
            [STUDIES, SERIES, CLASSES] => {
                for found in inside.iter_mut() {
                    found.sop_class.clone_from(&item.sop_class);
                }
            }
            [STUDIES, SERIES] => {
                for found in inside.iter_mut() {
                    found.series.clone_from(&item.series);
                }
            }
            [STUDIES] => {
                for found in inside.iter_mut() {
                    found.study.clone_from(&item.study);
                }
            }
            _ => {}
        }
    }

    fn end_sequence(&mut self) {
        self.open.pop();
    }

    fn binary(&mut self, _: &[u8]) {}
    fn bulk(&mut self, _: &str) {}
    fn unusable(&mut self, _: &str) {}
}

const SOPS: Tag = tags::REFERENCED_SOP_SEQUENCE;
const STUDIES: Tag = tags::REFERENCED_STUDY_SEQUENCE;
const SERIES: Tag = tags::REFERENCED_SERIES_SEQUENCE;
const CLASSES: Tag = tags::REFERENCED_INSTANCES_BY_SOP_CLASS_SEQUENCE;
const INSTANCES: Tag = tags::REFERENCED_INSTANCE_SEQUENCE;

fn too_large(detail: &str) -> Problem {
    let status = axum::http::StatusCode::PAYLOAD_TOO_LARGE;
    Problem::new(status, "request-too-large", "Request too large", detail)
}

fn unsupported() -> Problem {
    Problem::new(
        axum::http::StatusCode::UNSUPPORTED_MEDIA_TYPE,
        "unsupported-media-type",
        "Unsupported media type",
        "the request is read as application/dicom+json or application/dicom+xml, by itself or as \
         multipart/related with that type",
    )
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::references;
    use crate::dicomweb::media::{DICOM_JSON, DICOM_XML};

    /// PS3.18 §B.27, shortened; the study's UID stands behind what is in the study.
    const STUDY: &str = r#"{"00081110":{"vr":"SQ","Value":[{
        "00081115":{"vr":"SQ","Value":[{
            "00081112":{"vr":"SQ","Value":[{
                "0008114A":{"vr":"SQ","Value":[
                    {"00081155":{"vr":"UI","Value":["1.5"]}},
                    {"00081155":{"vr":"UI","Value":["1.6"]}}]},
                "00081150":{"vr":"UI","Value":["1.4"]}}]},
            "0020000E":{"vr":"UI","Value":["1.3"]}}]},
        "0020000D":{"vr":"UI","Value":["1.2"]}}]}}"#;

    fn texts(text: &str, media: &str, boundary: Option<&str>) -> Vec<String> {
        let read = references(text.as_bytes(), media, boundary).unwrap();
        read.iter().map(super::Reference::to_text).collect()
    }

    #[test]
    fn both_ways_of_naming_instances_are_read() {
        let flat = r#"{"00081199":{"vr":"SQ","Value":[{"00081150":{"vr":"UI","Value":["1.4"]},
            "00081155":{"vr":"UI","Value":["1.5"]}}]}}"#;
        assert_eq!(texts(flat, DICOM_JSON, None), ["1.4 1.5"]);
        let nested = ["1.4 1.5 1.2 1.3", "1.4 1.6 1.2 1.3"];
        assert_eq!(texts(STUDY, DICOM_JSON, None), nested);
        let xml = r#"<NativeDicomModel><DicomAttribute tag="00081199" vr="SQ"><Item number="1">
            <DicomAttribute tag="00081150" vr="UI"><Value number="1">1.4</Value></DicomAttribute>
            <DicomAttribute tag="00081155" vr="UI"><Value number="1">1.5</Value></DicomAttribute>
            </Item></DicomAttribute></NativeDicomModel>"#;
        assert_eq!(texts(xml, DICOM_XML, None), ["1.4 1.5"]);
        let head = "Content-Type: application/dicom+json";
        let parts = format!("--b\r\n{head}\r\n\r\n{flat}\r\n--b\r\n{head}\r\n\r\n{STUDY}\r\n--b--");
        assert_eq!(texts(&parts, DICOM_JSON, Some("b")).len(), 3);
    }

    #[test]
    fn what_cannot_be_asked_is_refused() {
        for text in [
            "",
            "{}",
            "[]",
            "{",
            r#"{"00081199":{"vr":"SQ"}}"#,
            r#"{"00081199":{"vr":"SQ","Value":[{}]}}"#,
            r#"{"00081199":{"vr":"SQ","Value":[{"00081150":{"vr":"UI","Value":["1.4"]},
                "00081155":{"vr":"UI","Value":[" "]}}]}}"#,
            &STUDY.replace("\"1.2\"", ""),
            &STUDY.replace("\"1.5\"", "\"1.5 1.6\""),
        ] {
            let status = references(text.as_bytes(), DICOM_JSON, None).unwrap_err().status;
            assert_eq!(status, 400, "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_request_makes_it_panic(cut in 0..STUDY.len(), text in "\\PC{0,60}") {
            let _ = references(&STUDY.as_bytes()[..cut], DICOM_JSON, None);
            let _ = references(text.as_bytes(), DICOM_XML, Some("b"));
            let _ = references(text.as_bytes(), DICOM_XML, None);
        }
    }
}
