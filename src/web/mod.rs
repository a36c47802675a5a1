//! Pages for people's browsers. So far one: OHIF, a viewer that whoever runs the archive adds.
//!
//! Never here: patient data (the viewer fetches that over DICOMweb like every other client), and no
//! business rules. Start at [`viewer`].

pub mod ohif;
pub mod prepare;
pub mod viewer;
