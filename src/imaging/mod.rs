//! Pixels: decoding one frame, drawing it, thumbnails; all on one bounded pool.
//!
//! Never here: I/O, the global rayon pool. Start at [`render`].

pub mod codec;
pub mod colour;
pub mod decode;
pub mod encode;
pub mod error;
pub mod grey;
pub mod pixels;
pub mod pool;
pub mod render;
pub mod rle;
pub mod scale;
pub mod thumbnail;
