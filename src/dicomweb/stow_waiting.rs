//! STOW-RS: instances whose metadata is here and whose bulk data is still to come, matched by
//! `BulkDataURI` and `Content-Location` (PS3.18 §8.6.1.2).

use std::collections::{BTreeSet, HashMap};

use dicom_dictionary_std::tags;

use crate::archive::make::{BulkPart, Making};
use crate::dicom::write::DataSet;
use crate::dicomweb::stow_intake::MAX_PARTS;

/// Instances that wait.
#[derive(Debug, Default)]
pub struct Waiting {
    entries: Vec<Option<Entry>>,
    by_uri: HashMap<String, Vec<usize>>,
    /// Instances that have everything, unless more frames come.
    ready: BTreeSet<usize>,
    /// Parts given to instances so far.
    given: usize,
    begun: bool,
}

/// Most parts given to instances, each to each: one part may be for many, and many for one.
const MAX_GIVEN: usize = 4 * MAX_PARTS;
/// Most URIs looked through for the one a part without location is for.
const MAX_LOOKED_THROUGH: usize = 64;

#[derive(Debug)]
struct Entry {
    making: Making,
    /// URIs no part came for yet.
    missing: usize,
    /// URI of its pixels.
    pixels: Option<String>,
    /// Number of Frames (0028,0008), where it says.
    frames: Option<usize>,
}

impl Entry {
    /// Whether the pixels come as frames of which not all are known to be here.
    fn may_have_more(&self) -> bool {
        let parts = self.pixels.as_ref().and_then(|uri| self.making.bulk.get(uri));
        let parts = parts.map_or(&[][..], Vec::as_slice);
        let frames = parts.first().is_some_and(|part| part.media.starts_with("image/"));
        frames && self.frames != Some(parts.len())
    }
}

impl Waiting {
    /// Whether any metadata came.
    pub fn has_begun(&self) -> bool {
        self.begun
    }

    /// Takes metadata; gives it back when nothing more belongs to it.
    pub fn add(&mut self, data_set: DataSet) -> Option<Making> {
        self.begun = true;
        let mut uris: Vec<String> = data_set.holes().map(|hole| hole.uri.clone()).collect();
        uris.sort_unstable();
        uris.dedup();
        let making = Making { data_set, bulk: HashMap::new() };
        if uris.is_empty() {
            return Some(making);
        }
        let pixels = making.data_set.hole(tags::PIXEL_DATA).map(|hole| hole.uri.clone());
        let frames = making.data_set.text(tags::NUMBER_OF_FRAMES);
        let frames = frames.and_then(|frames| frames.parse().ok());
        let number = self.entries.len();
        let missing = uris.len();
        for uri in uris {
            self.by_uri.entry(uri).or_default().push(number);
        }
        self.entries.push(Some(Entry { making, missing, pixels, frames }));
        None
    }

    /// The `BulkDataURI` that a part at `location` is for: the same text; the same with the number
    /// of a frame behind; or, of a part that says no location, the only one there is.
    pub fn uri_of(&self, location: &str) -> Option<String> {
        let wanted = |uri: &str| {
            let numbers = self.by_uri.get(uri).map_or(&[][..], Vec::as_slice);
            numbers.iter().any(|number| matches!(self.entries.get(*number), Some(Some(_))))
        };
        if self.given > MAX_GIVEN {
            return None;
        }
        if wanted(location) {
            return Some(location.to_owned());
        }
        if location.is_empty() && self.by_uri.len() <= MAX_LOOKED_THROUGH {
            let mut left = self.by_uri.keys().filter(|uri| wanted(uri));
            return left.next().filter(|_| left.next().is_none()).cloned();
        }
        let (before, number) = location.rsplit_once('/')?;
        let frame = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
        let uri = before.strip_suffix("/frames").unwrap_or(before);
        (frame && wanted(uri)).then(|| uri.to_owned())
    }

    /// Gives a part to those who wait for it; the instances that have everything with it.
    pub fn give(&mut self, uri: &str, part: &BulkPart) -> Vec<Making> {
        let mut whole = Vec::new();
        for number in self.by_uri.get(uri).cloned().unwrap_or_default() {
            let Some(slot) = self.entries.get_mut(number) else { continue };
            let Some(entry) = slot else { continue };
            let parts = entry.making.bulk.entry(uri.to_owned()).or_default();
            entry.missing = entry.missing.saturating_sub(usize::from(parts.is_empty()));
            parts.push(part.clone());
            self.given = self.given.saturating_add(1);
            if entry.missing > 0 {
                continue;
            }
            if entry.may_have_more() {
                // Whoever says how many frames there are waits for them to the end.
                if entry.frames.is_none() {
                    self.ready.insert(number);
                }
            } else {
                whole.extend(slot.take().map(|entry| entry.making));
            }
        }
        whole
    }

    /// A part at another place begins: instances that have everything, and do not say how many
    /// frames they have, have no more.
    pub fn passed(&mut self, uri: Option<&str>) -> Vec<Making> {
        let mut whole = Vec::new();
        let entries = &mut self.entries;
        self.ready.retain(|number| {
            let Some(slot) = entries.get_mut(*number) else { return false };
            let Some(entry) = slot else { return false };
            let stays = entry.pixels.as_deref() == uri;
            if !stays {
                whole.extend(slot.take().map(|entry| entry.making));
            }
            stays
        });
        whole
    }

    /// Takes those out that wait for a part which cannot be had.
    pub fn give_up(&mut self, uri: &str) -> Vec<Making> {
        let numbers = self.by_uri.get(uri).cloned().unwrap_or_default();
        let slots = numbers.into_iter().filter_map(|number| self.entries.get_mut(number)?.take());
        slots.map(|entry| entry.making).collect()
    }

    /// No more parts come: all that are left, whole or not.
    pub fn rest(&mut self) -> Vec<Making> {
        std::mem::take(&mut self.entries).into_iter().flatten().map(|it| it.making).collect()
    }
}
