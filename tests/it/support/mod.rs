//! What the tests share: folders, tools, an archive to talk to.

pub mod corpus;
pub mod objects;
pub mod server;
pub mod tools;
