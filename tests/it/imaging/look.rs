//! Pictures for the eye: drawn as PNG into the folder `LASTRA_LOOK` names, when it is set.

use std::path::{Path, PathBuf};

use lastra::imaging::render::{Dressing, Format, RenderRequest, render};
use lastra::imaging::thumbnail::{Placeholder, placeholder, thumbnail};

use super::object::{files, open, pydicom_data};

/// Every sample is drawn, at its own size and as a thumbnail.
#[test]
fn everything_that_decodes_is_drawn() {
    let folder = std::env::var_os("LASTRA_LOOK").map(PathBuf::from);
    let mut paths = files(&pydicom_data().join("test_files"));
    paths.extend(files(&pydicom_data().join("palettes")));
    paths.extend(files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("sample-studies")));
    let mut drawn = 0;
    for path in paths {
        let Ok(object) = open(&path) else { continue };
        if object.frames() == 0 {
            continue;
        }
        let stored = object.frame(object.frames() / 2);
        let request = RenderRequest { format: Format::Png, ..RenderRequest::default() };
        let name = path.file_stem().unwrap().to_str().unwrap();
        match render(&object.attributes, &stored, &request, &Dressing::default()) {
            Ok(png) => {
                let small = thumbnail(&object.attributes, &stored).unwrap();
                assert_eq!(small[..2], [0xFF, 0xD8]);
                drawn += 1;
                if let Some(folder) = &folder {
                    std::fs::write(folder.join(format!("{name}.png")), png).unwrap();
                    let small = image::load_from_memory(&small).unwrap();
                    small.save(folder.join(format!("{name}.small.png"))).unwrap();
                }
            }
            Err(error) => println!("{name}: {error}"),
        }
    }
    if let Some(folder) = &folder {
        for kind in [Placeholder::Document, Placeholder::Unreadable] {
            let picture = image::load_from_memory(&placeholder(kind, (192, 192)).unwrap()).unwrap();
            picture.save(folder.join(format!("placeholder-{kind:?}.png"))).unwrap();
        }
    }
    assert!(drawn > 100, "only {drawn}");
}
