//! Part 10 files: preamble and meta header, read tolerantly and written (PS3.10 §7).
