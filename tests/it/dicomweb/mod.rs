//! Tests of the room `dicomweb`.
