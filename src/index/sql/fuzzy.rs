//! Names by ear as SQL: the words of a name and how they sound are kept beside it.

use sqlx::QueryBuilder;

use crate::dicom::person_name::fold;
use crate::dicom::phonetic::sound;
use crate::dicom::phonetic::words;
use crate::index::query::Key;
use crate::index::query::Spellings;

use super::condition::push_between;
use super::dialect::Db;
use super::dialect::pattern;
use super::rows::clean;

/// The words of a name with their keys in one text, `|WORD=KEY|WORD=KEY|`, for names that have no
/// table of their words: words hold letters and digits only.
pub(super) fn words_of(name: &str) -> String {
    let words = words(name);
    if words.is_empty() {
        return String::new();
    }
    let kept =
        words.iter().fold("|".to_owned(), |text, word| text + word + "=" + &sound(word) + "|");
    clean(&kept).into_owned()
}

/// Writes a condition on a name; on what is no name it never holds.
pub(super) fn push(sql: &mut QueryBuilder<Db>, key: Key, asked: &[Spellings]) {
    let of_key: fn(&mut QueryBuilder<Db>, &Spellings) = match key {
        Key::PatientName => of_patient,
        Key::ReferringPhysicianName => of_referring,
        _ => {
            sql.push("1 = 0");
            return;
        }
    };
    sql.push("(1 = 1");
    for word in asked {
        sql.push(" AND ");
        of_key(sql, word);
    }
    sql.push(")");
}

fn of_patient(sql: &mut QueryBuilder<Db>, asked: &Spellings) {
    sql.push("(");
    if let (true, Some(first)) = (asked.anywhere, asked.any.first()) {
        pattern(sql, "p.name_folded", &format!("*{}*", clean(&fold(first))));
        sql.push(" OR ");
    }
    sql.push("p.id IN (");
    for (number, spelling) in asked.any.iter().enumerate() {
        let folded = clean(&fold(spelling)).into_owned();
        sql.push(if number > 0 { " UNION ALL " } else { "" });
        sql.push("SELECT w.patient FROM patient_word w WHERE ");
        push_between(sql, "w.word", Some(&folded), Some(&folded));
        let key = sound(spelling);
        if !key.is_empty() {
            sql.push(" UNION ALL SELECT w.patient FROM patient_word w WHERE w.sound = ");
            sql.push_bind(key);
        }
    }
    sql.push(if asked.any.is_empty() { "NULL))" } else { "))" });
}

fn of_referring(sql: &mut QueryBuilder<Db>, asked: &Spellings) {
    sql.push("(");
    if let (true, Some(first)) = (asked.anywhere, asked.any.first()) {
        pattern(sql, "st.referring_folded", &format!("*{}*", clean(&fold(first))));
        sql.push(" OR ");
    }
    sql.push("1 = 0");
    for spelling in &asked.any {
        sql.push(" OR ");
        pattern(sql, "st.referring_words", &format!("*|{}*", clean(&fold(spelling))));
        let key = sound(spelling);
        if !key.is_empty() {
            sql.push(" OR ");
            pattern(sql, "st.referring_words", &format!("*={key}|*"));
        }
    }
    sql.push(")");
}
