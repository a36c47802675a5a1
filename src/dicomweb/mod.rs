//! DICOMweb (PS3.18): searching (QIDO-RS), retrieving (WADO-RS), storing (STOW-RS) and deleting,
//! below `/dicom-web`; the URI service (WADO-URI) at `/wado`.
//!
//! Never here: rows, blobs, what a study is. Handlers ask the archive and write what it says.
//! Start at [`routes`]; [`accept`] and [`offer`] decide what a client gets, [`wado`], [`qido`] and
//! [`stow`] answer.

pub mod accept;
pub mod address;
pub mod bin;
pub mod capabilities;
pub mod changes;
pub mod commitment;
pub mod commitment_answer;
pub mod commitment_request;
pub mod content_type;
pub mod deletion;
pub mod door;
pub mod extent;
pub mod frame_list;
pub mod given;
pub mod manifest;
pub mod media;
pub mod multipart;
pub mod offer;
pub mod qido;
pub mod qido_acts;
pub mod qido_answer;
pub mod qido_fields;
pub mod qido_keys;
pub mod qido_params;
pub mod qido_private;
pub mod qido_values;
pub mod related;
pub mod rendered_documents;
pub mod rendered_params;
pub mod rendered_pictures;
pub mod rendered_presentation;
pub mod routes;
pub mod stow;
pub mod stow_answer;
pub mod stow_body;
pub mod stow_intake;
pub mod stow_metadata;
pub mod stow_part;
pub mod stow_waiting;
pub mod stow_zip;
pub mod wadl;
pub mod wado;
pub mod wado_bulk;
pub mod wado_frames;
pub mod wado_metadata;
pub mod wado_pixels;
pub mod wado_rendered;
pub mod wado_uri;
pub mod wado_uri_anonymize;
pub mod wado_uri_params;
pub mod wado_zip;
pub mod webhooks;
pub mod xml_answer;
pub mod zip_format;
