//! Tests of the room `dicom`.

mod part10;
mod scan_events;
mod scan_hostile;
mod scan_layout;
mod scan_observe;
mod scan_properties;
mod scan_pydicom;
mod scan_quirks;
mod scan_writer;
