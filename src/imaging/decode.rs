//! Decoding one frame to samples.
