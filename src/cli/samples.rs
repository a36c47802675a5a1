//! The sample studies, embedded in the binary so that the demo needs nothing else.

use std::path::Path;

use include_dir::Dir;
use include_dir::include_dir;

/// The repository's `sample-studies/` folder.
static STUDIES: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/sample-studies");

/// One sample study: a folder.
#[derive(Debug, Clone)]
pub struct Study {
    /// The folder's name.
    pub name: String,
    /// Its DICOM files, in the order of their names.
    pub files: Vec<&'static [u8]>,
}

/// All sample studies, in the order of their names.
pub fn studies() -> Vec<Study> {
    let mut studies: Vec<Study> = STUDIES.dirs().map(study).collect();
    studies.retain(|study| !study.files.is_empty());
    studies.sort_by(|a, b| a.name.cmp(&b.name));
    studies
}

fn study(folder: &'static Dir<'static>) -> Study {
    let is_dicom = |path: &Path| path.extension().is_some_and(|extension| extension == "dcm");
    let mut files: Vec<_> = folder.files().filter(|file| is_dicom(file.path())).collect();
    files.extend(folder.dirs().flat_map(Dir::files).filter(|file| is_dicom(file.path())));
    files.sort_by_key(|file| file.path());
    let name = folder.path().to_string_lossy().into_owned();
    Study { name, files: files.into_iter().map(include_dir::File::contents).collect() }
}

#[cfg(test)]
mod tests {
    use super::studies;

    #[test]
    fn every_sample_study_is_embedded() {
        let names: Vec<_> = studies().into_iter().map(|study| study.name).collect();
        for name in ["ct-chest", "mr-head", "dx-chest", "mammo", "us-loop", "enhanced-ct"] {
            assert!(names.iter().any(|found| found == name), "{name} is not among {names:?}");
        }
    }
}
