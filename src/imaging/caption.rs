//! What is written into a picture on request (PS3.18 §8.3.5.1.1): who it is of, and how it was made.

use dicom_core::Tag;

use crate::dicom::readable::{readable_date, readable_name, readable_time};
use crate::dicom::tree::Item;
use crate::imaging::encode::Raster;
use crate::imaging::lettering::{fitted, line_height, write};

/// Lines to write into a picture.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Captions {
    /// About the patient: top left.
    pub patient: Vec<String>,
    /// About the procedure: bottom left.
    pub technique: Vec<String>,
}

impl Captions {
    /// Writes the lines into the picture, as large as it lets them be read.
    pub fn draw(&self, raster: &mut Raster) {
        let lines = self.patient.len() + self.technique.len();
        if lines == 0 {
            return;
        }
        let (width, height) = (float(raster.width), float(raster.height));
        let wanted = (width.min(height) / 30.0).clamp(12.0, 48.0);
        // A gap of a line between what is above and what is below.
        let px = wanted.min(height / line_height(1.0) / (lengths(lines) + 1.0)).max(6.0);
        let (margin, step) = (px / 2.0, line_height(px));
        let mut y = margin;
        for line in &self.patient {
            write(raster, &fitted(line, px, width - 2.0 * margin), (margin, y), px, WHITE);
            y += step;
        }
        let mut y = height - margin - step * lengths(self.technique.len());
        for line in &self.technique {
            write(raster, &fitted(line, px, width - 2.0 * margin), (margin, y), px, WHITE);
            y += step;
        }
    }
}

const WHITE: [u8; 3] = [255; 3];

/// Who the picture is of: name, identifier, birth date and sex.
pub fn patient(data_set: Item<'_>) -> Vec<String> {
    let name = data_set.text(Tag(0x0010, 0x0010)).map(|name| readable_name(&name));
    let id = data_set.text(Tag(0x0010, 0x0020)).map(|id| format!("ID {id}"));
    let born = data_set.text(Tag(0x0010, 0x0030)).map(|day| format!("* {}", readable_date(&day)));
    let sex = data_set.text(Tag(0x0010, 0x0040));
    let birth = [born, sex].into_iter().flatten().collect::<Vec<_>>().join("  ");
    [name, id, Some(birth)].into_iter().flatten().filter(|line| !line.is_empty()).collect()
}

/// How the picture was made: series, place in it, the frame's position in the patient, time, exposure.
pub fn technique(
    data_set: Item<'_>,
    frame: u32,
    frames: u32,
    position: Option<[f64; 3]>,
) -> Vec<String> {
    let text = |group, element| data_set.text(Tag(group, element));
    let number = |label: &str, group, element, unit: &str| {
        let value = data_set.number(Tag(group, element))?;
        Some(format!("{label} {} {unit}", rounded(value)))
    };
    let day = text(0x0008, 0x0022).or_else(|| text(0x0008, 0x0020)).map(|day| readable_date(&day));
    let time =
        text(0x0008, 0x0032).or_else(|| text(0x0008, 0x0030)).map(|time| readable_time(&time));
    let description = text(0x0008, 0x103E).or_else(|| text(0x0018, 0x1030));
    let series = text(0x0020, 0x0011).map(|number| format!("Se {number}"));
    let image = text(0x0020, 0x0013).map(|number| format!("Im {number}"));
    let of_frames = (frames > 1).then(|| format!("Fr {frame}/{frames}"));
    let position =
        position.map(|[x, y, z]| format!("Pos {} {} {}", rounded(x), rounded(y), rounded(z)));
    let lines: [Vec<Option<String>>; 4] = [
        vec![text(0x0008, 0x0060), text(0x0018, 0x0015), text(0x0018, 0x5101), description],
        vec![day, time],
        vec![series, image, of_frames, position],
        vec![
            number("", 0x0018, 0x0060, "kV"),
            number("", 0x0018, 0x1151, "mA"),
            number("TR", 0x0018, 0x0080, "ms"),
            number("TE", 0x0018, 0x0081, "ms"),
            number("SL", 0x0018, 0x0050, "mm"),
        ],
    ];
    let lines = lines.into_iter().map(|parts| {
        let parts = parts.into_iter().flatten().map(|part| part.trim().to_owned());
        parts.filter(|part| !part.is_empty()).collect::<Vec<_>>().join("  ")
    });
    lines.filter(|line| !line.is_empty()).collect()
}

/// Two digits after the point at most.
fn rounded(value: f64) -> String {
    let text = format!("{value:.2}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[expect(clippy::cast_precision_loss, reason = "at most 16 bits")]
fn float(size: u32) -> f32 {
    size as f32
}

#[expect(clippy::cast_precision_loss, reason = "a few lines")]
fn lengths(lines: usize) -> f32 {
    lines as f32
}

#[cfg(test)]
mod tests {
    use dicom_core::Tag;

    use super::{Captions, patient, technique};
    use crate::dicom::feed::{element, scan};
    use crate::dicom::syntax::Encoding;
    use crate::dicom::tree::Tree;
    use crate::imaging::encode::Raster;

    #[test]
    fn captions_say_who_and_how_and_leave_out_what_is_not_known() {
        let mut tree = Tree::new(Encoding::ExplicitLittle);
        let elements = [
            element(Tag(0x0008, 0x0020), "DA", b"20260301"),
            element(Tag(0x0008, 0x0060), "CS", b"CT"),
            element(Tag(0x0010, 0x0010), "PN", b"Rossi^Mario "),
            element(Tag(0x0010, 0x0020), "LO", b"ID7 "),
            element(Tag(0x0018, 0x0060), "DS", b"120.000 "),
            element(Tag(0x0020, 0x0013), "IS", b"5 "),
        ];
        scan(&elements, &mut tree);
        assert_eq!(patient(tree.root()), ["Rossi, Mario", "ID ID7"]);
        let lines = technique(tree.root(), 2, 9, Some([-1.5, 0.0, 20.25]));
        assert_eq!(lines, ["CT", "2026-03-01", "Im 5  Fr 2/9  Pos -1.5 0 20.25", "120 kV"]);
    }

    #[test]
    fn captions_fit_into_any_picture() {
        let captions = Captions {
            patient: vec!["A long name, of somebody".into(); 3],
            technique: vec!["CT  HEAD".into(); 4],
        };
        for (width, height) in [(1, 1), (16, 16), (64, 2000), (2000, 64), (512, 512)] {
            let data = vec![90; (width * height) as usize];
            let mut raster = Raster { width, height, channels: 1, data };
            captions.draw(&mut raster);
            assert_eq!(raster.data.len(), (width * height) as usize);
            let bright = raster.data.iter().any(|level| *level > 215);
            assert!(width < 64 || bright, "{width}x{height}");
        }
    }
}
