//! DICOMweb as stock clients see it.

mod interop;
mod stock;
mod stow;
mod transcoding;
