//! What the tests share: folders, tools, an archive to talk to.

pub mod faulty_store;
pub mod s3;
pub mod tools;
