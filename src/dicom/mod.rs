//! DICOM bytes to plain values, and back to DICOM JSON.
//!
//! Lives here: the bounded iterative scanner ([`scan`]) that everything else listens to, Part 10
//! files ([`part10`]), typed header facts ([`header`]), where each frame lies ([`frames`],
//! [`layout`]), both heard in one pass ([`observe`]), the DICOM JSON writer ([`json`]), small data
//! sets to walk in any order ([`tree`]), character sets ([`charset`]); and the way back: DICOM JSON and Native DICOM Model documents read
//! ([`json_read`], [`xml_read`]) by whatever is a [`native::Native`], a data set ([`write`](mod@write)) or XML
//! ([`xml`]).
//!
//! Never here: I/O, async, recursion on input, `unwrap` or indexing on input.
//! Start at [`scan`].
#![deny(clippy::indexing_slicing, clippy::cast_possible_truncation)]

pub mod charset;
mod charset_term;
pub mod date;
pub mod deidentify;
mod deidentify_items;
pub mod deidentify_table;
pub mod dicomdir;
pub mod dicomdir_table;
pub mod extended;
#[cfg(test)]
pub(crate) mod feed;
pub mod frames;
pub mod header;
mod header_table;
mod header_text;
pub mod identity;
pub mod json;
pub mod json_read;
pub mod json_split;
mod json_value;
pub mod key_objects;
mod latin;
pub mod layout;
pub mod limits;
pub mod native;
pub mod observe;
pub mod part10;
pub mod person_name;
pub mod phonetic;
pub mod readable;
pub mod rewrite;
pub mod scan;
pub mod syntax;
pub mod tree;
pub mod uid;
pub mod write;
mod write_value;
pub mod xml;
pub mod xml_read;
