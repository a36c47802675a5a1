//! DICOM bytes to plain values, and back to DICOM JSON.
//!
//! Lives here: the bounded iterative scanner ([`scan`]) that everything else listens to, Part 10
//! files ([`part10`]), typed header facts ([`header`]), where each frame lies ([`frames`],
//! [`layout`]), both heard in one pass ([`observe`]), the DICOM JSON writer ([`json`]), character
//! sets ([`charset`]).
//!
//! Never here: I/O, async, recursion on input, `unwrap` or indexing on input.
//! Start at [`scan`].
#![deny(clippy::indexing_slicing, clippy::cast_possible_truncation)]

pub mod charset;
mod charset_term;
pub mod date;
#[cfg(test)]
mod feed;
pub mod frames;
pub mod header;
mod header_table;
mod header_text;
pub mod identity;
pub mod json;
mod json_value;
mod latin;
pub mod layout;
pub mod limits;
pub mod observe;
pub mod part10;
pub mod person_name;
pub mod scan;
pub mod syntax;
pub mod uid;
