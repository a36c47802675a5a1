//! Tests of the room `dicom`.
