//! Tests of the room `imaging`.
