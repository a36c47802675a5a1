//! Letters in pictures: white with a dark outline, so that they read on any ground.
//!
//! The font is `DejaVu Sans`, cut down to Latin, Greek and Cyrillic; its licence lies beside it. Marks
//! are not shaped and nothing runs from right to left: other scripts show as boxes.

use std::sync::LazyLock;

use ab_glyph::{Font, FontRef, ScaleFont, point};

use crate::imaging::encode::Raster;

static FONT: LazyLock<Option<FontRef<'static>>> = LazyLock::new(|| {
    FontRef::try_from_slice(include_bytes!("lettering/DejaVuSans-subset.ttf")).ok()
});

/// Letters of one line that are drawn; what is longer is cut.
const MAX_LETTERS: usize = 200;

/// Height of a line of letters of `px` pixels, with the space to the next.
pub fn line_height(px: f32) -> f32 {
    px * 1.25
}

/// How wide a text is in letters of `px` pixels.
pub fn width(text: &str, px: f32) -> f32 {
    let Some(font) = FONT.as_ref() else { return 0.0 };
    let font = font.as_scaled(px);
    letters(text).map(|letter| font.h_advance(font.glyph_id(letter))).sum()
}

/// The text cut so that it is at most `most` pixels wide, with an ellipsis where it was.
pub fn fitted(text: &str, px: f32, most: f32) -> String {
    if width(text, px) <= most {
        return text.to_owned();
    }
    let mut cut: String = letters(text).collect();
    while cut.pop().is_some() {
        let shown = format!("{}…", cut.trim_end());
        if width(&shown, px) <= most {
            return shown;
        }
    }
    String::new()
}

fn letters(text: &str) -> impl Iterator<Item = char> {
    text.chars().filter(|letter| !letter.is_control()).take(MAX_LETTERS)
}

/// Draws one line, its top left corner at `(x, y)`, in letters of `px` pixels and a colour.
pub fn write(raster: &mut Raster, text: &str, (x, y): (f32, f32), px: f32, ink: [u8; 3]) {
    let outline = outline(px);
    let mut stencil = Stencil::new(width(text, px), line_height(px), outline);
    stencil.letters(text, px);
    let dark = stencil.widened(outline);
    let left = x - float(outline);
    let top = y - float(outline);
    stencil.paint(raster, &dark, (left, top), [0; 3]);
    stencil.paint(raster, &stencil.ink, (left, top), ink);
}

/// Pixels the outline is wide.
fn outline(px: f32) -> usize {
    if px < 18.0 { 1 } else { whole(px / 12.0).max(1) }
}

/// How much of each pixel is covered, 0 to 1.
struct Stencil {
    width: usize,
    margin: usize,
    ink: Vec<f32>,
}

impl Stencil {
    fn new(width: f32, height: f32, margin: usize) -> Self {
        let width = whole(width.clamp(0.0, 20_000.0)) + 2 + 2 * margin;
        let height = whole(height.clamp(0.0, 2000.0)) + 2 + 2 * margin;
        Self { width, margin, ink: vec![0.0; width * height] }
    }

    fn letters(&mut self, text: &str, px: f32) {
        let Some(font) = FONT.as_ref() else { return };
        let scaled = font.as_scaled(px);
        let margin = float(self.margin);
        let mut pen = margin;
        for letter in letters(text) {
            let id = scaled.glyph_id(letter);
            let glyph = id.with_scale_and_position(px, point(pen, margin + scaled.ascent()));
            pen += scaled.h_advance(id);
            let Some(outlined) = font.outline_glyph(glyph) else { continue };
            let bounds = outlined.px_bounds();
            outlined.draw(|x, y, covered| {
                let (x, y) = (bounds.min.x + small(x), bounds.min.y + small(y));
                if x < 0.0 || y < 0.0 || whole(x) >= self.width {
                    return;
                }
                if let Some(pixel) = self.ink.get_mut(whole(y) * self.width + whole(x)) {
                    // Thin strokes are made fuller, so that small letters are white and not grey.
                    *pixel = (*pixel + covered * 1.5).min(1.0);
                }
            });
        }
    }

    /// The stencil with every mark widened by a disc of `radius` pixels.
    fn widened(&self, radius: usize) -> Vec<f32> {
        let reach = i32::try_from(radius).unwrap_or(1);
        let disc: Vec<(i32, i32)> = (-reach..=reach)
            .flat_map(|y| (-reach..=reach).map(move |x| (x, y)))
            .filter(|(x, y)| x * x + y * y <= reach * reach + reach)
            .collect();
        let mut wide = vec![0.0_f32; self.ink.len()];
        for (at, covered) in self.ink.iter().enumerate().filter(|(_, covered)| **covered > 0.0) {
            let (x, y) = (at % self.width, at / self.width);
            for (across, down) in &disc {
                let x = x.checked_add_signed(*across as isize).filter(|x| *x < self.width);
                let y = y.checked_add_signed(*down as isize);
                let place = x.zip(y).and_then(|(x, y)| wide.get_mut(y * self.width + x));
                if let Some(pixel) = place {
                    *pixel = pixel.max(*covered);
                }
            }
        }
        wide
    }

    fn paint(&self, raster: &mut Raster, cover: &[f32], (left, top): (f32, f32), ink: [u8; 3]) {
        for (at, covered) in cover.iter().enumerate().filter(|(_, covered)| **covered > 0.0) {
            let x = left.round() + float(at % self.width);
            let y = top.round() + float(at / self.width);
            if x >= 0.0 && y >= 0.0 {
                raster.mix(unsigned(x), unsigned(y), ink, *covered);
            }
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "pixels of a line of text")]
fn float(size: usize) -> f32 {
    size as f32
}

#[expect(clippy::cast_precision_loss, reason = "pixels of a letter")]
fn small(size: u32) -> f32 {
    size as f32
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "not below zero")]
fn whole(size: f32) -> usize {
    size.ceil() as usize
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "not below zero")]
fn unsigned(size: f32) -> u32 {
    size as u32
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{fitted, width, write};
    use crate::imaging::encode::Raster;

    fn ground(level: u8) -> Raster {
        Raster { width: 120, height: 30, channels: 1, data: vec![level; 3600] }
    }

    #[test]
    fn letters_read_on_black_and_on_white() {
        for level in [0, 255, 128] {
            let mut raster = ground(level);
            write(&mut raster, "Nicolò Ž", (4.0, 4.0), 16.0, [255; 3]);
            let count = |like: fn(&u8) -> bool| raster.data.iter().filter(|l| like(l)).count();
            assert!(count(|level| *level > 215) > 60, "white letters on {level}");
            assert!(count(|level| *level < 40) > 60, "dark outline on {level}");
        }
    }

    #[test]
    fn accented_letters_are_in_the_font_and_differ_from_plain_ones() {
        let drawn = |text: &str| {
            let mut raster = ground(0);
            write(&mut raster, text, (4.0, 4.0), 16.0, [255; 3]);
            raster.data
        };
        let missing = drawn("\u{E000}");
        for pair in ["òo", "Ùu", "ñn", "Žz", "ßs", "łl", "őo", "αa", "Ж*", "ệe"] {
            let mut letters = pair.chars().map(String::from);
            let (accented, plain) = (letters.next().unwrap(), letters.next().unwrap());
            assert_ne!(drawn(&accented), drawn(&plain), "{pair}");
            assert_ne!(drawn(&accented), missing, "{pair} is a box");
        }
    }

    #[test]
    fn long_lines_are_cut_with_an_ellipsis() {
        let long = "A name that goes on and on and on";
        let cut = fitted(long, 16.0, 100.0);
        assert!(cut.ends_with('…') && width(&cut, 16.0) <= 100.0, "{cut}");
        assert_eq!(fitted("short", 16.0, 100.0), "short");
        assert_eq!(fitted(long, 16.0, 1.0), "");
    }

    proptest! {
        #[test]
        fn no_text_and_no_place_panics(
            text in ".{0,40}", x in -200.0_f32..200.0, y in -200.0_f32..200.0, px in 4.0_f32..60.0,
        ) {
            let mut raster = ground(9);
            write(&mut raster, &text, (x, y), px, [255; 3]);
            prop_assert_eq!(raster.data.len(), 3600);
        }
    }
}
