//! Opening an index by its address.
