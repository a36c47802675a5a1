//! A page's letters: which glyphs a text is of, how wide they are, where lines break. The font is the
//! one pictures are lettered with (`DejaVu Sans`, cut down; its licence lies beside it).

use std::sync::LazyLock;

use ab_glyph::Font;
use ab_glyph::FontRef;

/// The font's file.
pub(in crate::documents) const FILE: &[u8] =
    include_bytes!("../imaging/lettering/DejaVuSans-subset.ttf");

static FONT: LazyLock<Option<FontRef<'static>>> =
    LazyLock::new(|| FontRef::try_from_slice(FILE).ok());

/// A letter as it is set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::documents) struct Glyph {
    /// Its number in the font.
    pub(in crate::documents) id: u16,
    /// The character it stands for.
    pub(in crate::documents) letter: char,
    /// How far it leads, in thousandths of the font's size.
    pub(in crate::documents) advance: u32,
}

/// The glyphs of a text; what the font has no glyph for is a question mark.
pub(in crate::documents) fn glyphs(text: &str) -> Vec<Glyph> {
    let Some(font) = FONT.as_ref() else { return Vec::new() };
    let units = font.units_per_em().unwrap_or(1000.0).max(1.0);
    let glyph = |letter: char| {
        let mut id = font.glyph_id(letter);
        if id.0 == 0 {
            id = font.glyph_id('?');
        }
        let thousandths = (font.h_advance_unscaled(id) * 1000.0 / units).round();
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "clamped to what fits"
        )]
        let advance = thousandths.clamp(0.0, 10_000.0) as u32;
        Glyph { id: id.0, letter, advance }
    };
    text.chars().map(glyph).collect()
}

/// A text in lines no wider than so many thousandths of the font's size, broken between words, or
/// within one that is wider than a line.
pub(in crate::documents) fn lines(text: &str, width: u32) -> Vec<String> {
    let mut lines = Vec::new();
    for paragraph in text.lines() {
        let (mut line, mut used) = (String::new(), 0_u32);
        for word in paragraph.split_whitespace() {
            let wide = measure(word);
            let gap = if line.is_empty() { 0 } else { measure(" ") };
            if !line.is_empty() && used.saturating_add(gap).saturating_add(wide) > width {
                lines.push(std::mem::take(&mut line));
                used = 0;
            }
            if !line.is_empty() {
                line.push(' ');
                used = used.saturating_add(gap);
            }
            for glyph in glyphs(word) {
                if used.saturating_add(glyph.advance) > width && !line.is_empty() {
                    lines.push(std::mem::take(&mut line));
                    used = 0;
                }
                line.push(glyph.letter);
                used = used.saturating_add(glyph.advance);
            }
        }
        lines.push(line);
    }
    lines
}

fn measure(text: &str) -> u32 {
    glyphs(text).iter().fold(0, |sum: u32, glyph| sum.saturating_add(glyph.advance))
}

#[cfg(test)]
mod tests {
    use super::{glyphs, lines, measure};

    #[test]
    fn no_line_is_wider_than_asked_and_no_letter_is_lost() {
        let text =
            "Non si osservano lesioni pleuroparenchimali a focolaio.\nAortaaaaaaaaaaaaaaaaaaaaa.";
        let broken = lines(text, 9000);
        assert!(broken.len() > 4, "{broken:?}");
        assert!(broken.iter().all(|line| measure(line) <= 9000), "{broken:?}");
        let letters = |text: &str| text.chars().filter(|c| !c.is_whitespace()).collect::<String>();
        assert_eq!(letters(&broken.concat()), letters(text));
    }

    #[test]
    fn accented_letters_have_glyphs_and_what_has_none_is_a_question_mark() {
        let set = glyphs("è\u{1F9B4}?");
        assert!(set[0].id != 0 && set[0].id != set[2].id);
        assert_eq!(set[1].id, set[2].id);
    }
}
