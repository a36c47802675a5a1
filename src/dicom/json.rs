//! DICOM JSON, written (PS3.18 Annex F).
