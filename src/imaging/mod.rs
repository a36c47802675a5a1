//! Pixels: decoding one frame, drawing it, re-encoding it, thumbnails; all on one bounded pool.
//!
//! Never here: I/O, async I/O, the global rayon pool. Start at [`render`].

pub mod decode;
pub mod encode;
pub mod error;
pub mod pixels;
pub mod pool;
pub mod render;
pub mod thumbnail;
pub mod transcode;
