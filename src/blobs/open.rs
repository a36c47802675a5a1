//! Opening a store by its address: a folder, `memory:`, or `s3://bucket/prefix`.
