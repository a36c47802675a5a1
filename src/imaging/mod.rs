//! Pixels: decoding one frame, drawing it, re-encoding it, thumbnails; all on one bounded pool.
//!
//! Never here: I/O, async I/O, the global rayon pool. Start at [`render`].

pub mod caption;
pub mod cine;
pub mod decode;
pub mod encode;
pub mod error;
pub mod gif;
pub mod jp2;
pub mod lettering;
pub mod overlay;
pub mod pixels;
pub mod png;
pub mod pool;
pub mod presentation;
pub mod profile;
pub mod render;
pub mod resample;
pub mod shapes;
pub mod subtraction;
pub mod thumbnail;
pub mod transcode;
pub mod video;
pub mod view;
