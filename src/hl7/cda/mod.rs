//! HL7 CDA release 2: a bounded reader without DTD, the facts of a document, its narrative as
//! accessible HTML, and the national rules of the radiology report.
//!
//! Start at [`document`]; [`xml`] is what keeps strangers' documents harmless.

pub mod catalogue;
pub mod document;
pub mod narrative;
pub mod rad;
mod rad_body;
mod rad_header;
pub mod xml;
