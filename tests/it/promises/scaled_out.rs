//! PostgreSQL and S3 keep the same promises as the embedded stores, with two nodes over one archive.
