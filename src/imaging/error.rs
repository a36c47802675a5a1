//! Why a picture could not be made.

/// A pixel failure.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ImagingError {
    /// The object has no pixels to draw (report, waveform).
    #[error("the object has no pixel data")]
    NoPixels,
    /// No such frame; frames count from 1.
    #[error("frame {frame} is not among the object's {frames}")]
    NoSuchFrame {
        /// Frame asked for.
        frame: u32,
        /// Frames there are.
        frames: u32,
    },
    /// The transfer syntax or pixel format has no decoder here.
    #[error("cannot decode: {0}")]
    Unsupported(String),
    /// The pixels are a video, whose pictures are not decoded here; the kind of video.
    #[error("{0} video is not decoded here: no picture of it; fetch the object as it is stored")]
    Video(&'static str),
    /// The frame's bytes do not decode; the codec's own words.
    #[error("frame does not decode: {0}")]
    Damaged(String),
    /// The picture would take more memory than the pool admits.
    #[error("picture of {bytes} bytes is over the limit")]
    TooLarge {
        /// Bytes it would take.
        bytes: u64,
    },
    /// A moving picture of more frames than are put into one.
    #[error("{frames} frames are more than the {most} one moving picture may have")]
    TooManyFrames {
        /// Frames asked for.
        frames: usize,
        /// Frames there may be.
        most: u64,
    },
    /// Nothing of the picture lies in the part asked for.
    #[error("the part asked for lies outside the picture, which has {width} by {height} pixels")]
    OutsidePicture {
        /// Pixels across.
        width: u32,
        /// Pixels down.
        height: u32,
    },
    /// The pool is stopping.
    #[error("the imaging pool is stopping")]
    Stopped,
}

impl ImagingError {
    /// The frame is damaged, in these words.
    pub(in crate::imaging) fn damaged(words: impl std::fmt::Display) -> Self {
        Self::Damaged(words.to_string())
    }

    /// There is no decoder, in these words.
    pub(in crate::imaging) fn unsupported(words: impl std::fmt::Display) -> Self {
        Self::Unsupported(words.to_string())
    }
}
