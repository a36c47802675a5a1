//! Claims due jobs and runs them, a bounded number at once.
