//! Grouped commits: many callers, one transaction.
