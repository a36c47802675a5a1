//! What the tests share: folders, tools, an archive to talk to.

pub mod corpus;
pub mod faulty_proxy;
pub mod faulty_store;
pub mod objects;
pub mod parrot;
pub mod postgres;
pub mod s3;
pub mod samples;
pub mod server;
pub mod stores;
pub mod tools;
