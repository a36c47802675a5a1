//! The description of a document that came as bulk data (PS3.3 §C.24.2).

use std::collections::HashMap;

use dicom_core::VR;
use dicom_dictionary_std::tags;

use crate::archive::make::BulkPart;
use crate::dicom::write::DataSet;

/// Fills in what the metadata leaves out of an Encapsulated Document (0042,0011): its MIME type,
/// and its length without padding.
pub(in crate::archive) fn describe_document(
    data_set: &mut DataSet,
    bulk: &HashMap<String, Vec<BulkPart>>,
) {
    let document = data_set.hole(tags::ENCAPSULATED_DOCUMENT);
    let Some(parts) = document.and_then(|hole| bulk.get(&hole.uri)) else { return };
    if let Some(media) = parts.first().map(|part| mime(&part.media)).filter(|mime| !mime.is_empty())
    {
        let media = media.to_owned();
        data_set.put_missing(tags::MIME_TYPE_OF_ENCAPSULATED_DOCUMENT, VR::LO, media.as_bytes());
    }
    let bytes: u64 = parts.iter().map(|part| part.bytes.bytes()).sum();
    if let Ok(bytes) = u32::try_from(bytes) {
        data_set.put_missing(tags::ENCAPSULATED_DOCUMENT_LENGTH, VR::UL, &bytes.to_le_bytes());
    }
}

/// A media type as MIME Type of Encapsulated Document (0042,0012) has it; nothing when it says
/// nothing.
fn mime(media: &str) -> &str {
    match media {
        // CDA has a defined term of its own (PS3.3 §A.45.2).
        "text/xml" | "application/xml" | "application/cda+xml" | "application/hl7-cda+xml" => {
            "text/XML"
        }
        "application/sla" | "application/vnd.ms-pki.stl" => "model/stl",
        "application/octet-stream" => "",
        media => media,
    }
}
