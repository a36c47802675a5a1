//! Pictures to JPEG and PNG.
