//! Functional groups of enhanced objects: each frame drawn by its own tables, beside DCMTK's drawing
//! of the same frame as a plain object.

use lastra::imaging::encode::Raster;
use lastra::imaging::render::draw;

use super::dcmtk::drawn_by_dcmtk;
use super::object::open;
use crate::support::tools::run_python;

/// Writes `enhanced.dcm` of four frames, and each frame as a plain object, `1.dcm` to `4.dcm`: a VOI
/// LUT of its own, another one, a Modality LUT of its own with a window, and what all frames share.
const SCRIPT: &str = r#"
import copy, sys, numpy as np
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import UID

def base(name, uid, sop_class):
    meta = FileMetaDataset()
    meta.TransferSyntaxUID = UID("1.2.840.10008.1.2.1")
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = sop_class, uid
    ds = FileDataset(name, {}, file_meta=meta, preamble=b"\0" * 128)
    ds.SOPClassUID, ds.SOPInstanceUID = sop_class, uid
    ds.StudyInstanceUID, ds.SeriesInstanceUID, ds.PatientID, ds.Modality = "2.25.1", "2.25.2", "P", "MR"
    ds.Rows, ds.Columns, ds.SamplesPerPixel, ds.PhotometricInterpretation = 32, 48, 1, "MONOCHROME2"
    ds.BitsAllocated, ds.BitsStored, ds.HighBit, ds.PixelRepresentation = 16, 12, 11, 0
    return ds

def table(entries, first=0):
    item = Dataset()
    item.LUTDescriptor = [len(entries), first, 16]
    item["LUTDescriptor"].VR = "US"
    item.add_new(0x00283006, "OW", np.asarray(entries, "<u2").tobytes())
    return item

def voi(entries, first=0):
    ds = Dataset()
    ds.VOILUTSequence = Sequence([table(entries, first)])
    return ds

def modality(entries, first=0):
    ds = Dataset()
    item = table(entries, first)
    item.ModalityLUTType = "US"
    ds.ModalityLUTSequence = Sequence([item])
    return ds

def window(center, width):
    ds = Dataset()
    ds.WindowCenter, ds.WindowWidth = center, width
    return ds

def rescale(slope, intercept):
    ds = Dataset()
    ds.RescaleSlope, ds.RescaleIntercept, ds.RescaleType = slope, intercept, "US"
    return ds

folder = sys.argv[1]
at = np.arange(4096)
root = (np.sqrt(at / 4095) * 65535).astype(int)
steps = (at // 256 * 4369).astype(int)
square = (at.astype(float) ** 2 / 4095).astype(int)
shared = (rescale(2, -100), window(3000, 5000))
# Pixel Value Transformation and Frame VOI LUT of each frame; None: as shared.
frames = [(None, voi(root)), (None, voi(steps[:3000], 500)), (modality(square), window(1000, 2500)), (None, None)]
pixels = (np.arange(4 * 32 * 48, dtype="<u2") * 37 % 4096).reshape(4, 32, 48)

enhanced = base(folder + "/enhanced.dcm", "2.25.9", "1.2.840.10008.5.1.4.1.1.4.1")
enhanced.NumberOfFrames = 4
item = Dataset()
item.PixelValueTransformationSequence = Sequence([shared[0]])
item.FrameVOILUTSequence = Sequence([shared[1]])
enhanced.SharedFunctionalGroupsSequence = Sequence([item])
groups = []
for number, (transformation, frame_voi) in enumerate(frames):
    item = Dataset()
    if transformation is not None:
        item.PixelValueTransformationSequence = Sequence([transformation])
    if frame_voi is not None:
        item.FrameVOILUTSequence = Sequence([frame_voi])
    groups.append(item)
    plain = base(f"{folder}/{number + 1}.dcm", f"2.25.1{number}", "1.2.840.10008.5.1.4.1.1.7")
    for part in (transformation or shared[0], frame_voi or shared[1]):
        for element in part:
            plain.add(copy.deepcopy(element))
    plain.PixelData = pixels[number].tobytes()
    plain.save_as(plain.filename, enforce_file_format=True)
enhanced.PerFrameFunctionalGroupsSequence = Sequence(groups)
enhanced.PixelData = pixels.tobytes()
enhanced.save_as(enhanced.filename, enforce_file_format=True)
"#;

/// The largest difference of two pictures of one size.
fn difference(one: &Raster, other: &Raster) -> u8 {
    assert_eq!((one.width, one.height, one.channels), (other.width, other.height, other.channels));
    one.data.iter().zip(&other.data).map(|(one, other)| one.abs_diff(*other)).max().unwrap()
}

#[test]
fn frames_are_drawn_by_the_tables_of_their_functional_groups() {
    let folder = tempfile::tempdir().unwrap();
    run_python(SCRIPT, &[folder.path().to_str().unwrap()]);
    let object = open(&folder.path().join("enhanced.dcm")).unwrap();
    let options: [&[&str]; 4] = [&["+Wl", "1"], &["+Wl", "1"], &["+Wi", "1"], &["+Wi", "1"]];
    let mut pictures = Vec::new();
    for (number, options) in (1_u32..).zip(options) {
        let drawn = draw(&object.attributes, &object.frame(number - 1), None, None).unwrap();
        let plain = folder.path().join(format!("{number}.dcm"));
        let theirs = drawn_by_dcmtk(&plain, 1, options).unwrap();
        let most = difference(&drawn, &theirs);
        assert!(most <= 1, "frame {number} differs by {most} from DCMTK's plain one");
        let own = open(&plain).unwrap();
        let own = draw(&own.attributes, &own.frame(0), None, None).unwrap();
        assert_eq!(drawn, own, "frame {number} beside the plain object");
        pictures.push(drawn);
    }
    // They are four different drawings: of other tables they would differ by much.
    let by_shared = open(&folder.path().join("enhanced.dcm")).unwrap();
    let mut attributes = by_shared.attributes.clone();
    attributes.frame_tables.clear();
    for index in 0..3_u32 {
        let shared = draw(&attributes, &by_shared.frame(index), None, None).unwrap();
        assert!(difference(&pictures[index as usize], &shared) > 20, "frame {index}");
    }
}
