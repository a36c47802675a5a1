//! DICOMweb as stock clients see it.

mod described;
mod extended;
mod feed;
mod interop;
mod qido;
mod qido_hostile;
mod stock;
mod stow;
