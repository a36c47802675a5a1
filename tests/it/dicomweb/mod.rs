//! DICOMweb as stock clients see it.

mod interop;
mod looking;
mod rendered;
mod rendered_documents;
mod rendered_many;
mod rendered_presentation;
mod stock;
mod stow;
mod wado_uri;
