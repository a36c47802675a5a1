//! Rows against blobs and hashes.
