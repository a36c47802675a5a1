"""Writes a grayscale softcopy presentation state: presentation_state.py image.dcm state.dcm kind"""
import sys
import pydicom
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import ExplicitVRLittleEndian, generate_uid

image, out, kind = pydicom.dcmread(sys.argv[1]), sys.argv[2], sys.argv[3]


def item(**values):
    made = Dataset()
    for keyword, value in values.items():
        setattr(made, keyword, value)
    return made


state = Dataset()
state.SOPClassUID = "1.2.840.10008.5.1.4.1.1.11.1"
state.SOPInstanceUID = generate_uid(entropy_srcs=[image.SOPInstanceUID, kind])
for keyword in ("SpecificCharacterSet", "StudyDate", "StudyTime", "AccessionNumber", "ReferringPhysicianName",
                "PatientName", "PatientID", "IssuerOfPatientID", "PatientBirthDate", "PatientSex", "StudyInstanceUID", "StudyID"):
    if keyword in image:
        setattr(state, keyword, image[keyword].value)
state.Modality = "PR"
state.SeriesInstanceUID = generate_uid(entropy_srcs=[image.SeriesInstanceUID, "PR"])
state.SeriesNumber, state.InstanceNumber = 99, 1
state.Manufacturer = "Test"
state.ContentLabel, state.ContentDescription, state.ContentCreatorName = "TEST", "", ""
state.PresentationCreationDate, state.PresentationCreationTime = "20260301", "101500"
reference = item(ReferencedSOPClassUID=image.SOPClassUID, ReferencedSOPInstanceUID=image.SOPInstanceUID)
state.ReferencedSeriesSequence = Sequence([item(SeriesInstanceUID=image.SeriesInstanceUID, ReferencedImageSequence=Sequence([reference]))])
if "RescaleSlope" in image:
    state.RescaleSlope, state.RescaleIntercept, state.RescaleType = image.RescaleSlope, image.RescaleIntercept, "US"
area = item(DisplayedAreaTopLeftHandCorner=[1, 1], DisplayedAreaBottomRightHandCorner=[image.Columns, image.Rows],
            PresentationSizeMode="SCALE TO FIT", PresentationPixelAspectRatio=[1, 1])
state.DisplayedAreaSelectionSequence = Sequence([area])
state.PresentationLUTShape = "IDENTITY"
if kind != "plain":
    state.SoftcopyVOILUTSequence = Sequence([item(WindowCenter=40, WindowWidth=400)])
if kind == "inverse":
    state.PresentationLUTShape = "INVERSE"
if kind in ("turned", "drawn"):
    state.ImageHorizontalFlip, state.ImageRotation = "Y", 90
if kind == "shutter":
    state.ShutterShape = "RECTANGULAR"
    state.ShutterLeftVerticalEdge, state.ShutterRightVerticalEdge = 10, image.Columns - 20
    state.ShutterUpperHorizontalEdge, state.ShutterLowerHorizontalEdge = 30, image.Rows - 40
    state.ShutterPresentationValue = 0
if kind == "circle":
    state.ShutterShape = "CIRCULAR"
    state.CenterOfCircularShutter, state.RadiusOfCircularShutter = [image.Rows // 2, image.Columns // 2], 50
    state.ShutterPresentationValue = 0
if kind == "drawn":
    layer = item(GraphicLayer="NOTES", GraphicLayerOrder=1, GraphicLayerRecommendedDisplayGrayscaleValue=65535)
    state.GraphicLayerSequence = Sequence([layer])
    columns, rows = image.Columns, image.Rows
    circle = item(GraphicAnnotationUnits="PIXEL", GraphicDimensions=2, NumberOfGraphicPoints=2,
                  GraphicData=[columns * 0.6, rows * 0.5, columns * 0.7, rows * 0.5], GraphicType="CIRCLE", GraphicFilled="N")
    line = item(GraphicAnnotationUnits="PIXEL", GraphicDimensions=2, NumberOfGraphicPoints=2,
                GraphicData=[0.0, 0.0, float(columns), float(rows)], GraphicType="POLYLINE", GraphicFilled="N")
    text = item(AnchorPointAnnotationUnits="PIXEL", UnformattedTextValue="Nodulo: 5 mm\nlobo superiore",
                AnchorPoint=[columns * 0.7, rows * 0.5], AnchorPointVisibility="Y")
    state.GraphicAnnotationSequence = Sequence([item(GraphicLayer="NOTES", GraphicObjectSequence=Sequence([circle, line]),
                                                     TextObjectSequence=Sequence([text]))])
state.file_meta = FileMetaDataset()
state.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
state.save_as(out, enforce_file_format=True)
print(state.SeriesInstanceUID, state.SOPInstanceUID)
