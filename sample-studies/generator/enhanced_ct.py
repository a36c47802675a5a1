"""enhanced-ct: an abdomen as one Enhanced CT object of 24 frames, RLE lossless."""

from datetime import datetime, timedelta

import numpy as np
from pydicom.dataset import Dataset
from pydicom.tag import Tag
from pydicom.uid import EnhancedCTImageStorage, RLELossless

from . import abdomen, dicom, field, people
from .ct_chest import scan_noise, stored

EXAM = dicom.Exam(
    name="enhanced-ct", person=people.NICOLO, when=datetime(2026, 6, 3, 9, 15, 20), accession="TC2600187",
    description="TC addome superiore con mdc", zone="+0200", patient_id="cf",
    referrer=people.REFERRER.dicom_name, reader=people.RADIOLOGIST.dicom_name, reason="Calcolosi della colecisti",
)
FRAMES, SIZE, SPACING, STEP, TOP, CENTRE_Y = 24, 128, 2.8125, 6.0, 80.0, 12.0


def build():
    rng = np.random.default_rng(187)
    x, y = field.grid(SIZE, SIZE, SPACING, (0, CENTRE_Y))
    texture = field.blobs(rng, (FRAMES, SIZE, SIZE), 3)
    bowel = field.blobs(rng, (FRAMES, SIZE, SIZE), 8)
    frames = []
    for n in range(FRAMES):
        z = TOP - STEP * n
        cut = abdomen.slice_at(x, y, z, texture[n], bowel[n])
        values = field.blur(cut, 0.35) + scan_noise(rng, x, y, 6.5, 2.0)
        frames.append(stored(values, x, y, SIZE * SPACING / 2 - 2))
    folder = dicom.Folder(
        "enhanced-ct", "Upper abdomen, Enhanced CT",
        "One Enhanced CT Image Storage object: 24 axial frames of an upper abdomen with contrast (liver, "
        "spleen, kidneys, stomach with a fluid level, bowel, aorta, spine). What is alike in all frames "
        "stands in the shared functional groups; position and frame content stand in each frame's own.",
        [
            "One instance, 24 frames of 128 × 128, RLE lossless, from head to feet.",
            "Position, orientation, spacing, rescale and window are found only in the functional groups.",
            "Dimension organisation: stack, then position in the stack; both values run in step with the frame number.",
            "Window 50/350; rescale −1024. Liver (left of the picture) about 112, a small dark cyst in it on frames 8 to 10.",
            "Identified by the codice fiscale; the same person has a hospital number in `us-loop`.",
        ],
    )
    folder.instances.append(("ct-enhanced.dcm", _object(np.stack(frames))))
    folder.looks.append(dicom.window(frames[11].astype(float) - 1024, 50, 350))
    return folder


def _group(**values):
    item = Dataset()
    for name, value in values.items():
        setattr(item, name, value)
    return [item]


def _object(frames):
    ds = dicom.instance(EXAM, EnhancedCTImageStorage, 2, 1, "CT", RLELossless)
    ds.ContentDate, ds.ContentTime = ds.SeriesDate, ds.SeriesTime
    start = EXAM.when + timedelta(minutes=2, seconds=9)
    ds.AcquisitionDateTime = f"{start:%Y%m%d%H%M%S}.000000"
    ds.AcquisitionNumber, ds.AcquisitionDuration = 1, 6.0
    ds.ImageType = ["ORIGINAL", "PRIMARY", "VOLUME", "NONE"]
    ds.SeriesDescription = "Addome 6 mm portale"
    ds.ProtocolName = "Addome superiore"
    ds.BodyPartExamined = "ABDOMEN"
    ds.PatientPosition = "HFS"
    ds.PatientAge = "069Y"
    ds.OperatorsName = people.TECHNICIAN.dicom_name
    ds.PixelPresentation, ds.VolumetricProperties, ds.VolumeBasedCalculationTechnique = "MONOCHROME", "VOLUME", "NONE"
    ds.ContentQualification = "RESEARCH"
    ds.MultienergyCTAcquisition = "NO"
    ds.LossyImageCompression, ds.BurnedInAnnotation, ds.PresentationLUTShape = "00", "NO", "IDENTITY"
    ds.FrameOfReferenceUID = dicom.uid("enhanced-ct/frame of reference")
    ds.PositionReferenceIndicator = ""
    ds.AcquisitionContextSequence = []
    agent = dicom.code("109219006", "SCT", "Non-ionic iodinated contrast agent")
    agent.ContrastBolusAgentNumber = 1
    agent.ContrastBolusAdministrationRouteSequence = [dicom.code("47625008", "SCT", "Intravenous route")]
    agent.ContrastBolusIngredientCodeSequence = [dicom.code("44588005", "SCT", "Iodine")]
    agent.ContrastBolusVolume, agent.ContrastBolusIngredientConcentration = 100.0, 350.0
    ds.ContrastBolusAgentSequence = [agent]
    _dimensions(ds)
    ds.NumberOfFrames = FRAMES
    ds.SharedFunctionalGroupsSequence = [_shared()]
    ds.PerFrameFunctionalGroupsSequence = [_own(n, start) for n in range(FRAMES)]
    return dicom.pixels(ds, frames, 12)


def _dimensions(ds):
    organisation = dicom.uid("enhanced-ct/dimensions")
    ds.DimensionOrganizationType = "3D"
    ds.DimensionOrganizationSequence = _group(DimensionOrganizationUID=organisation)
    ds.DimensionIndexSequence = [
        _group(
            DimensionOrganizationUID=organisation, DimensionIndexPointer=Tag(0x0020, element),
            FunctionalGroupPointer=Tag(0x0020, 0x9111), DimensionDescriptionLabel=label,
        )[0]
        for element, label in ((0x9056, "Stack ID"), (0x9057, "In-Stack Position Number"))
    ]


def _shared():
    shared = Dataset()
    shared.PixelMeasuresSequence = _group(PixelSpacing=[f"{SPACING}"] * 2, SliceThickness="6", SpacingBetweenSlices="6")
    shared.PlaneOrientationSequence = _group(ImageOrientationPatient=["1", "0", "0", "0", "1", "0"])
    shared.FrameAnatomySequence = _group(
        AnatomicRegionSequence=[dicom.code("818983003", "SCT", "Abdomen")], FrameLaterality="U")
    shared.PixelValueTransformationSequence = _group(RescaleIntercept="-1024", RescaleSlope="1", RescaleType="HU")
    shared.FrameVOILUTSequence = _group(WindowCenter="50", WindowWidth="350", WindowCenterWidthExplanation="ABDOMEN")
    shared.CTImageFrameTypeSequence = _group(
        FrameType=["ORIGINAL", "PRIMARY", "VOLUME", "NONE"], PixelPresentation="MONOCHROME",
        VolumetricProperties="VOLUME", VolumeBasedCalculationTechnique="NONE")
    shared.CTAcquisitionTypeSequence = _group(
        AcquisitionType="SPIRAL", ConstantVolumeFlag="NO", FluoroscopyFlag="NO")
    shared.CTAcquisitionDetailsSequence = _group(
        RotationDirection="CW", RevolutionTime=0.5, SingleCollimationWidth=0.6, TotalCollimationWidth=38.4,
        TableHeight="140", GantryDetectorTilt="0", DataCollectionDiameter="500")
    shared.CTTableDynamicsSequence = _group(TableSpeed=46.0, TableFeedPerRotation=23.0, SpiralPitchFactor=0.6)
    shared.CTGeometrySequence = _group(DistanceSourceToDetector="1040", DistanceSourceToDataCollectionCenter=570.0)
    shared.CTReconstructionSequence = _group(
        ReconstructionAlgorithm="FILTER_BACK_PROJ", ConvolutionKernel="SOFT", ConvolutionKernelGroup="SOFT_TISSUE",
        ReconstructionDiameter="360", ReconstructionPixelSpacing=[SPACING, SPACING], ReconstructionAngle=360.0, ImageFilter="NONE")
    shared.CTExposureSequence = _group(
        ExposureTimeInms=500.0, XRayTubeCurrentInmA=220.0, ExposureInmAs=110.0, ExposureModulationType="NONE")
    shared.CTXRayDetailsSequence = _group(KVP="120", FocalSpots=["1.2"], FilterType="FLAT", FilterMaterial=["ALUMINUM"])
    shared.IrradiationEventIdentificationSequence = _group(IrradiationEventUID=dicom.uid("enhanced-ct/irradiation event"))
    shared.ContrastBolusUsageSequence = _group(
        ContrastBolusAgentNumber=1, ContrastBolusAgentAdministered="YES", ContrastBolusAgentDetected="YES", ContrastBolusAgentPhase="PORTAL_VENOUS")
    return shared


def _own(n, start):
    z = TOP - STEP * n
    half = (SIZE - 1) / 2 * SPACING
    at = start + timedelta(milliseconds=250 * n)
    when = f"{at:%Y%m%d%H%M%S}.{at.microsecond:06}"
    own = Dataset()
    own.FrameContentSequence = _group(
        FrameAcquisitionNumber=1, FrameReferenceDateTime=when, FrameAcquisitionDateTime=when, FrameAcquisitionDuration=500.0,
        DimensionIndexValues=[1, n + 1], StackID="1", InStackPositionNumber=n + 1)
    own.PlanePositionSequence = _group(ImagePositionPatient=[f"{-half:.6g}", f"{CENTRE_Y - half:.6g}", f"{z:g}"])
    own.CTPositionSequence = _group(
        TablePosition=z, DataCollectionCenterPatient=[0.0, CENTRE_Y, z], ReconstructionTargetCenterPatient=[0.0, CENTRE_Y, z])
    return own
