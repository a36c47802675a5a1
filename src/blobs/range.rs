//! Ranged reads: neighbours merged, identical reads shared.
