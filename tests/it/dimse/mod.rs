//! Tests of the room `dimse`.
