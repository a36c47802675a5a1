//! Tests of the promises, one file each.
