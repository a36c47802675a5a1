//! The section that lists DICOM objects (DCM 121181), read by how its entries nest: official samples
//! carry the series' code at the instance's place.

use crate::hl7::cda::xml::Element;

/// A study, with the series and instances named under it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CatalogueStudy {
    /// Study Instance UID.
    pub uid: String,
    /// Its series.
    pub series: Vec<CatalogueSeries>,
}

/// A series, with its instances.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CatalogueSeries {
    /// Series Instance UID.
    pub uid: String,
    /// SOP Instance UIDs.
    pub instances: Vec<String>,
}

/// The studies named in the catalogue sections of a document.
pub fn studies(root: Element<'_>) -> Vec<CatalogueStudy> {
    let sections = root.all("component/structuredBody/component/section[code=121181]");
    let acts = sections.into_iter().flat_map(|section| section.all("entry/act"));
    acts.filter_map(study).take(MOST).collect()
}

fn study(act: Element<'_>) -> Option<CatalogueStudy> {
    let series = act.all("entryRelationship/act").into_iter().filter_map(series).take(MOST);
    Some(CatalogueStudy { uid: uid(act)?, series: series.collect() })
}

fn series(act: Element<'_>) -> Option<CatalogueSeries> {
    let images = act.all("entryRelationship/observation").into_iter();
    let images =
        images.filter(|image| image.attr("classCode").is_none_or(|class| class == "DGIMG"));
    Some(CatalogueSeries { uid: uid(act)?, instances: images.filter_map(uid).take(MOST).collect() })
}

/// The UID of an entry: the root of its id, or the extension where the root says that it is a UID.
fn uid(entry: Element<'_>) -> Option<String> {
    entry.all("id").into_iter().find_map(|id| {
        let text = match (id.attr("root"), id.attr("extension")) {
            (Some("1.2.840.10008.2.16.4" | "1.2.840.10008.2.6.1"), Some(extension)) => extension,
            (Some(root), _) => root,
            (None, _) => return None,
        };
        let text = text.trim();
        let right = (1..=64).contains(&text.len())
            && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
        right.then(|| text.to_owned())
    })
}

/// Studies, series a study, instances a series: more than any report lists.
const MOST: usize = 10_000;
