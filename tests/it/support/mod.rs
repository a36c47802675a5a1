//! What the tests share: folders, tools, an archive to talk to.

pub mod samples;
pub mod tools;
