//! Person names (PS3.5 §6.2.1): component groups, and the form names are matched in.

/// `name` as it is matched: upper case, accents removed, ligatures opened (ß→SS, æ→AE, ø→O, ł→L, đ→D),
/// runs of spaces made one, trailing empty components (`^`) dropped. `*` and `?` stay, so patterns fold the same way.
pub fn fold(name: &str) -> String {
    todo!("{name}")
}
