//! Work done after arrival: series thumbnails, series metadata.
