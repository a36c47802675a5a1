//! Many rows in few statements: lists cut into pieces whose lengths repeat, so that the statements
//! made for them are prepared once.

use std::borrow::Cow;

use sqlx::QueryBuilder;

use super::dialect::Db;

/// The most rows of one statement.
const MOST: usize = 64;

/// `items` in pieces of 64, 32, 16 … 1.
pub(super) fn pieces<T>(items: &[T]) -> impl Iterator<Item = &[T]> {
    let mut rest = items;
    std::iter::from_fn(move || {
        let length = rest.len().min(MOST);
        // The highest bit of the length: the largest power of two within it.
        let length = 1usize.checked_shl(length.checked_ilog2()?)?;
        let (piece, behind) = rest.split_at_checked(length)?;
        rest = behind;
        Some(piece)
    })
}

/// Writes `VALUES (…), (…)`; `bind` binds the columns of one row.
pub(super) fn values<T>(
    sql: &mut QueryBuilder<Db>,
    rows: &[T],
    mut bind: impl FnMut(&mut Columns<'_>, &T),
) {
    for (number, row) in rows.iter().enumerate() {
        sql.push(if number == 0 { "VALUES (" } else { ", (" });
        let mut columns = Columns { sql, first: true };
        bind(&mut columns, row);
        sql.push(")");
    }
}

/// The columns of one row.
pub(super) struct Columns<'q> {
    sql: &'q mut QueryBuilder<Db>,
    first: bool,
}

impl Columns<'_> {
    /// Binds a text.
    pub(super) fn text(&mut self, text: &str) -> &mut Self {
        self.comma();
        self.sql.push_bind(clean(text).into_owned());
        self
    }

    /// Binds a whole number.
    pub(super) fn whole(&mut self, number: i64) -> &mut Self {
        self.comma();
        self.sql.push_bind(number);
        self
    }

    /// Binds a whole number, where there is one.
    pub(super) fn maybe(&mut self, number: Option<i64>) -> &mut Self {
        self.comma();
        self.sql.push_bind(number);
        self
    }

    /// Binds bytes.
    pub(super) fn bytes(&mut self, bytes: &[u8]) -> &mut Self {
        self.comma();
        self.sql.push_bind(bytes.to_vec());
        self
    }

    fn comma(&mut self) {
        if !self.first {
            self.sql.push(", ");
        }
        self.first = false;
    }
}

/// `text` without NUL, which PostgreSQL cannot keep and DICOM knows as padding only.
pub(super) fn clean(text: &str) -> Cow<'_, str> {
    if text.contains('\0') { Cow::Owned(text.replace('\0', "")) } else { Cow::Borrowed(text) }
}

#[cfg(test)]
mod tests {
    use super::pieces;

    #[test]
    fn pieces_are_powers_of_two_and_hold_everything_in_order() {
        for (length, expected) in
            [(0, vec![]), (1, vec![1]), (7, vec![4, 2, 1]), (100, vec![64, 32, 4])]
        {
            let items: Vec<usize> = (0..length).collect();
            let lengths: Vec<usize> = pieces(&items).map(<[usize]>::len).collect();
            assert_eq!(lengths, expected);
            assert_eq!(pieces(&items).flatten().copied().collect::<Vec<_>>(), items);
        }
    }
}
