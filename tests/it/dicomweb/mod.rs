//! DICOMweb as stock clients see it.

mod checklist;
mod clients;
mod commitment;
mod crowds;
mod deletion;
mod described;
mod extended;
mod feed;
mod interop;
mod leaving;
mod looking;
mod manifest;
mod qido;
mod qido_hostile;
mod rendered;
mod rendered_documents;
mod rendered_many;
mod rendered_presentation;
mod stock;
mod stow;
mod stow_hostile;
mod stow_made;
mod transcoding;
mod unreadable;
mod wado_uri;
<<<<<<< HEAD
mod wado_uri_anonymize;
=======
mod zipped;
>>>>>>> weba-untested
