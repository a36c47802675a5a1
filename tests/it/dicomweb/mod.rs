//! DICOMweb as stock clients see it.

mod deletion;
mod interop;
mod stock;
mod stow;
mod stow_hostile;
mod stow_made;
