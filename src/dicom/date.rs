//! Dates and times as the index compares them (PS3.5 §6.2: DA, TM, DT).

/// A DA value as `YYYYMMDD`; ACR-NEMA's `YYYY.MM.DD` is accepted; anything else trimmed, as it came.
pub fn date(value: &str) -> String {
    todo!("{value}")
}

/// A TM value as `HHMMSS.ffffff` cut where the value cut it; ACR-NEMA's colons dropped; anything else trimmed, as it came.
pub fn time(value: &str) -> String {
    todo!("{value}")
}
