//! What becomes of each attribute under the Basic Application Level Confidentiality Profile
//! (PS3.15 Table E.1-1, column "Basic Prof."), by tag. Where the table leaves a choice by the type of
//! the attribute in its IOD, the one that is right for every type is taken: D of X/D, Z/D and X/Z/D, Z
//! of X/Z. Repeating groups and private attributes are rules of `deidentify`.

use crate::dicom::deidentify::Action::{self, Dummy, Empty, Inside, Remove, Uid};

/// Tag (group, then element) and action.
#[rustfmt::skip]
pub const TABLE: &[(u32, Action)] = &[
    (0x0000_1000, Remove), // X Affected SOP Instance UID
    (0x0000_1001, Uid), // U Requested SOP Instance UID
    (0x0002_0003, Uid), // U Media Storage SOP Instance UID
    (0x0004_1511, Uid), // U Referenced SOP Instance UID in File
    (0x0008_0012, Dummy), // X/D Instance Creation Date
    (0x0008_0013, Dummy), // X/Z/D Instance Creation Time
    (0x0008_0014, Uid), // U Instance Creator UID
    (0x0008_0015, Remove), // X Instance Coercion DateTime
    (0x0008_0017, Uid), // U Acquisition UID
    (0x0008_0018, Uid), // U SOP Instance UID
    (0x0008_0019, Uid), // U Pyramid UID
    (0x0008_0020, Empty), // Z Study Date
    (0x0008_0021, Dummy), // X/D Series Date
    (0x0008_0022, Empty), // X/Z Acquisition Date
    (0x0008_0023, Dummy), // Z/D Content Date
    (0x0008_0024, Remove), // X Overlay Date
    (0x0008_0025, Remove), // X Curve Date
    (0x0008_002A, Dummy), // X/Z/D Acquisition DateTime
    (0x0008_0030, Empty), // Z Study Time
    (0x0008_0031, Dummy), // X/D Series Time
    (0x0008_0032, Empty), // X/Z Acquisition Time
    (0x0008_0033, Dummy), // Z/D Content Time
    (0x0008_0034, Remove), // X Overlay Time
    (0x0008_0035, Remove), // X Curve Time
    (0x0008_0050, Empty), // Z Accession Number
    (0x0008_0054, Remove), // X Retrieve AE Title
    (0x0008_0055, Remove), // X Station AE Title
    (0x0008_0058, Uid), // U Failed SOP Instance UID List
    (0x0008_0080, Dummy), // X/Z/D Institution Name
    (0x0008_0081, Remove), // X Institution Address
    (0x0008_0082, Dummy), // X/Z/D Institution Code Sequence
    (0x0008_0090, Empty), // Z Referring Physician's Name
    (0x0008_0092, Remove), // X Referring Physician's Address
    (0x0008_0094, Remove), // X Referring Physician's Telephone Numbers
    (0x0008_0096, Remove), // X Referring Physician Identification Sequence
    (0x0008_009C, Empty), // Z Consulting Physician's Name
    (0x0008_009D, Remove), // X Consulting Physician Identification Sequence
    (0x0008_0106, Dummy), // D Context Group Version
    (0x0008_0107, Dummy), // D Context Group Local Version
    (0x0008_0201, Remove), // X Timezone Offset From UTC
    (0x0008_1000, Remove), // X Network ID
    (0x0008_1010, Dummy), // X/Z/D Station Name
    (0x0008_1030, Remove), // X Study Description
    (0x0008_103E, Remove), // X Series Description
    (0x0008_1040, Remove), // X Institutional Department Name
    (0x0008_1041, Remove), // X Institutional Department Type Code Sequence
    (0x0008_1048, Remove), // X Physician(s) of Record
    (0x0008_1049, Remove), // X Physician(s) of Record Identification Sequence
    (0x0008_1050, Remove), // X Performing Physician's Name
    (0x0008_1052, Remove), // X Performing Physician Identification Sequence
    (0x0008_1060, Remove), // X Name of Physician(s) Reading Study
    (0x0008_1062, Remove), // X Physician(s) Reading Study Identification Sequence
    (0x0008_1070, Dummy), // X/Z/D Operators' Name
    (0x0008_1072, Dummy), // X/D Operator Identification Sequence
    (0x0008_1080, Remove), // X Admitting Diagnoses Description
    (0x0008_1084, Remove), // X Admitting Diagnoses Code Sequence
    (0x0008_1088, Remove), // X Pyramid Description
    (0x0008_1110, Empty), // X/Z Referenced Study Sequence
    (0x0008_1111, Dummy), // X/Z/D Referenced Performed Procedure Step Sequence
    (0x0008_1120, Remove), // X Referenced Patient Sequence
    (0x0008_1140, Inside), // X/Z/U* Referenced Image Sequence
    (0x0008_1155, Uid), // U Referenced SOP Instance UID
    (0x0008_1195, Uid), // U Transaction UID
    (0x0008_2111, Remove), // X Derivation Description
    (0x0008_2112, Inside), // X/Z/U* Source Image Sequence
    (0x0008_3010, Uid), // U Irradiation Event UID
    (0x0008_4000, Remove), // X Identifying Comments
    (0x0010_0010, Empty), // Z Patient's Name
    (0x0010_0020, Dummy), // Z/D Patient ID
    (0x0010_0021, Remove), // X Issuer of Patient ID
    (0x0010_0030, Empty), // Z Patient's Birth Date
    (0x0010_0032, Remove), // X Patient's Birth Time
    (0x0010_0040, Empty), // Z Patient's Sex
    (0x0010_0050, Remove), // X Patient's Insurance Plan Code Sequence
    (0x0010_0101, Remove), // X Patient's Primary Language Code Sequence
    (0x0010_0102, Remove), // X Patient's Primary Language Modifier Code Sequence
    (0x0010_1000, Remove), // X Other Patient IDs
    (0x0010_1001, Remove), // X Other Patient Names
    (0x0010_1002, Remove), // X Other Patient IDs Sequence
    (0x0010_1005, Remove), // X Patient's Birth Name
    (0x0010_1010, Remove), // X Patient's Age
    (0x0010_1020, Remove), // X Patient's Size
    (0x0010_1030, Remove), // X Patient's Weight
    (0x0010_1040, Remove), // X Patient's Address
    (0x0010_1050, Remove), // X Insurance Plan Identification
    (0x0010_1060, Remove), // X Patient's Mother's Birth Name
    (0x0010_1080, Remove), // X Military Rank
    (0x0010_1081, Remove), // X Branch of Service
    (0x0010_1090, Remove), // X Medical Record Locator
    (0x0010_1100, Remove), // X Referenced Patient Photo Sequence
    (0x0010_2000, Remove), // X Medical Alerts
    (0x0010_2110, Remove), // X Allergies
    (0x0010_2150, Remove), // X Country of Residence
    (0x0010_2152, Remove), // X Region of Residence
    (0x0010_2154, Remove), // X Patient's Telephone Numbers
    (0x0010_2155, Remove), // X Patient's Telecom Information
    (0x0010_2160, Remove), // X Ethnic Group
    (0x0010_2180, Remove), // X Occupation
    (0x0010_21A0, Remove), // X Smoking Status
    (0x0010_21B0, Remove), // X Additional Patient History
    (0x0010_21C0, Remove), // X Pregnancy Status
    (0x0010_21D0, Remove), // X Last Menstrual Date
    (0x0010_21F0, Remove), // X Patient's Religious Preference
    (0x0010_2203, Empty), // X/Z Patient's Sex Neutered
    (0x0010_2297, Remove), // X Responsible Person
    (0x0010_2299, Remove), // X Responsible Organization
    (0x0010_4000, Remove), // X Patient Comments
    (0x0012_0010, Dummy), // D Clinical Trial Sponsor Name
    (0x0012_0020, Dummy), // D Clinical Trial Protocol ID
    (0x0012_0021, Empty), // Z Clinical Trial Protocol Name
    (0x0012_0022, Remove), // X Issuer of Clinical Trial Protocol ID
    (0x0012_0023, Remove), // X Other Clinical Trial Protocol IDs Sequence
    (0x0012_0030, Empty), // Z Clinical Trial Site ID
    (0x0012_0031, Empty), // Z Clinical Trial Site Name
    (0x0012_0032, Remove), // X Issuer of Clinical Trial Site ID
    (0x0012_0040, Dummy), // D Clinical Trial Subject ID
    (0x0012_0041, Remove), // X Issuer of Clinical Trial Subject ID
    (0x0012_0042, Dummy), // D Clinical Trial Subject Reading ID
    (0x0012_0043, Remove), // X Issuer of Clinical Trial Subject Reading ID
    (0x0012_0050, Empty), // Z Clinical Trial Time Point ID
    (0x0012_0051, Remove), // X Clinical Trial Time Point Description
    (0x0012_0055, Remove), // X Issuer of Clinical Trial Time Point ID
    (0x0012_0060, Empty), // Z Clinical Trial Coordinating Center Name
    (0x0012_0071, Remove), // X Clinical Trial Series ID
    (0x0012_0072, Remove), // X Clinical Trial Series Description
    (0x0012_0073, Remove), // X Issuer of Clinical Trial Series ID
    (0x0012_0081, Dummy), // D Clinical Trial Protocol Ethics Committee Name
    (0x0012_0082, Remove), // X Clinical Trial Protocol Ethics Committee Approval Number
    (0x0012_0086, Remove), // X Ethics Committee Approval Effectiveness Start Date
    (0x0012_0087, Remove), // X Ethics Committee Approval Effectiveness End Date
    (0x0014_407C, Remove), // X Calibration Time
    (0x0014_407E, Remove), // X Calibration Date
    (0x0016_002B, Remove), // X Maker Note
    (0x0016_004B, Remove), // X Device Setting Description
    (0x0016_004D, Remove), // X Camera Owner Name
    (0x0016_004E, Remove), // X Lens Specification
    (0x0016_004F, Remove), // X Lens Make
    (0x0016_0050, Remove), // X Lens Model
    (0x0016_0051, Remove), // X Lens Serial Number
    (0x0016_0070, Remove), // X GPS Version ID
    (0x0016_0071, Remove), // X GPS Latitude Ref
    (0x0016_0072, Remove), // X GPS Latitude
    (0x0016_0073, Remove), // X GPS Longitude Ref
    (0x0016_0074, Remove), // X GPS Longitude
    (0x0016_0075, Remove), // X GPS Altitude Ref
    (0x0016_0076, Remove), // X GPS Altitude
    (0x0016_0077, Remove), // X GPS Time Stamp
    (0x0016_0078, Remove), // X GPS Satellites
    (0x0016_0079, Remove), // X GPS Status
    (0x0016_007A, Remove), // X GPS Measure Mode
    (0x0016_007B, Remove), // X GPS DOP
    (0x0016_007C, Remove), // X GPS Speed Ref
    (0x0016_007D, Remove), // X GPS Speed
    (0x0016_007E, Remove), // X GPS Track Ref
    (0x0016_007F, Remove), // X GPS Track
    (0x0016_0080, Remove), // X GPS Img Direction Ref
    (0x0016_0081, Remove), // X GPS Img Direction
    (0x0016_0082, Remove), // X GPS Map Datum
    (0x0016_0083, Remove), // X GPS Dest Latitude Ref
    (0x0016_0084, Remove), // X GPS Dest Latitude
    (0x0016_0085, Remove), // X GPS Dest Longitude Ref
    (0x0016_0086, Remove), // X GPS Dest Longitude
    (0x0016_0087, Remove), // X GPS Dest Bearing Ref
    (0x0016_0088, Remove), // X GPS Dest Bearing
    (0x0016_0089, Remove), // X GPS Dest Distance Ref
    (0x0016_008A, Remove), // X GPS Dest Distance
    (0x0016_008B, Remove), // X GPS Processing Method
    (0x0016_008C, Remove), // X GPS Area Information
    (0x0016_008D, Remove), // X GPS Date Stamp
    (0x0016_008E, Remove), // X GPS Differential
    (0x0018_0010, Dummy), // Z/D Contrast/Bolus Agent
    (0x0018_0027, Remove), // X Intervention Drug Stop Time
    (0x0018_0035, Remove), // X Intervention Drug Start Time
    (0x0018_1000, Dummy), // X/Z/D Device Serial Number
    (0x0018_1002, Uid), // U Device UID
    (0x0018_1004, Remove), // X Plate ID
    (0x0018_1005, Remove), // X Generator ID
    (0x0018_1007, Remove), // X Cassette ID
    (0x0018_1008, Remove), // X Gantry ID
    (0x0018_1009, Remove), // X Unique Device Identifier
    (0x0018_100A, Remove), // X UDI Sequence
    (0x0018_100B, Uid), // U Manufacturer's Device Class UID
    (0x0018_1012, Remove), // X Date of Secondary Capture
    (0x0018_1014, Remove), // X Time of Secondary Capture
    (0x0018_1030, Dummy), // X/D Protocol Name
    (0x0018_1042, Remove), // X Contrast/Bolus Start Time
    (0x0018_1043, Remove), // X Contrast/Bolus Stop Time
    (0x0018_1072, Remove), // X Radiopharmaceutical Start Time
    (0x0018_1073, Remove), // X Radiopharmaceutical Stop Time
    (0x0018_1078, Remove), // X Radiopharmaceutical Start DateTime
    (0x0018_1079, Remove), // X Radiopharmaceutical Stop DateTime
    (0x0018_11BB, Dummy), // D Acquisition Field Of View Label
    (0x0018_1200, Remove), // X Date of Last Calibration
    (0x0018_1201, Remove), // X Time of Last Calibration
    (0x0018_1202, Remove), // X DateTime of Last Calibration
    (0x0018_1203, Empty), // Z Calibration DateTime
    (0x0018_1204, Remove), // X Date of Manufacture
    (0x0018_1205, Remove), // X Date of Installation
    (0x0018_1400, Dummy), // X/D Acquisition Device Processing Description
    (0x0018_2042, Uid), // U Target UID
    (0x0018_4000, Remove), // X Acquisition Comments
    (0x0018_5011, Remove), // X Transducer Identification Sequence
    (0x0018_700A, Dummy), // X/D Detector ID
    (0x0018_700C, Dummy), // X/D Date of Last Detector Calibration
    (0x0018_700E, Dummy), // X/D Time of Last Detector Calibration
    (0x0018_9074, Dummy), // D Frame Acquisition DateTime
    (0x0018_9151, Dummy), // D Frame Reference DateTime
    (0x0018_9185, Remove), // X Respiratory Motion Compensation Technique Description
    (0x0018_9367, Dummy), // D X-Ray Source ID
    (0x0018_9369, Dummy), // D Source Start DateTime
    (0x0018_936A, Dummy), // D Source End DateTime
    (0x0018_9371, Dummy), // D X-Ray Detector ID
    (0x0018_9373, Remove), // X X-Ray Detector Label
    (0x0018_937B, Remove), // X Multi-energy Acquisition Description
    (0x0018_937F, Remove), // X Decomposition Description
    (0x0018_9424, Remove), // X Acquisition Protocol Description
    (0x0018_9516, Dummy), // X/D Start Acquisition DateTime
    (0x0018_9517, Dummy), // X/D End Acquisition DateTime
    (0x0018_9623, Dummy), // D Functional Sync Pulse
    (0x0018_9701, Dummy), // D Decay Correction DateTime
    (0x0018_9804, Dummy), // D Exclusion Start DateTime
    (0x0018_9919, Dummy), // Z/D Instruction Performed DateTime
    (0x0018_9937, Remove), // X Requested Series Description
    (0x0018_A002, Remove), // X Contribution DateTime
    (0x0018_A003, Remove), // X Contribution Description
    (0x0020_000D, Uid), // U Study Instance UID
    (0x0020_000E, Uid), // U Series Instance UID
    (0x0020_0010, Empty), // Z Study ID
    (0x0020_0027, Remove), // X Pyramid Label
    (0x0020_0052, Uid), // U Frame of Reference UID
    (0x0020_0200, Uid), // U Synchronization Frame of Reference UID
    (0x0020_3401, Remove), // X Modifying Device ID
    (0x0020_3403, Remove), // X Modified Image Date
    (0x0020_3405, Remove), // X Modified Image Time
    (0x0020_3406, Remove), // X Modified Image Description
    (0x0020_4000, Remove), // X Image Comments
    (0x0020_9158, Remove), // X Frame Comments
    (0x0020_9161, Uid), // U Concatenation UID
    (0x0020_9164, Uid), // U Dimension Organization UID
    (0x0028_1199, Uid), // U Palette Color Lookup Table UID
    (0x0028_1214, Uid), // U Large Palette Color Lookup Table UID
    (0x0028_4000, Remove), // X Image Presentation Comments
    (0x0032_0012, Remove), // X Study ID Issuer
    (0x0032_0032, Remove), // X Study Verified Date
    (0x0032_0033, Remove), // X Study Verified Time
    (0x0032_0034, Remove), // X Study Read Date
    (0x0032_0035, Remove), // X Study Read Time
    (0x0032_1000, Remove), // X Scheduled Study Start Date
    (0x0032_1001, Remove), // X Scheduled Study Start Time
    (0x0032_1010, Remove), // X Scheduled Study Stop Date
    (0x0032_1011, Remove), // X Scheduled Study Stop Time
    (0x0032_1020, Remove), // X Scheduled Study Location
    (0x0032_1021, Remove), // X Scheduled Study Location AE Title
    (0x0032_1030, Remove), // X Reason for Study
    (0x0032_1032, Remove), // X Requesting Physician
    (0x0032_1033, Remove), // X Requesting Service
    (0x0032_1040, Remove), // X Study Arrival Date
    (0x0032_1041, Remove), // X Study Arrival Time
    (0x0032_1050, Remove), // X Study Completion Date
    (0x0032_1051, Remove), // X Study Completion Time
    (0x0032_1060, Empty), // X/Z Requested Procedure Description
    (0x0032_1066, Remove), // X Reason for Visit
    (0x0032_1067, Remove), // X Reason for Visit Code Sequence
    (0x0032_1070, Remove), // X Requested Contrast Agent
    (0x0032_4000, Remove), // X Study Comments
    (0x0034_0001, Dummy), // D Flow Identifier Sequence
    (0x0034_0002, Dummy), // D Flow Identifier
    (0x0034_0005, Dummy), // D Source Identifier
    (0x0034_0007, Dummy), // D Frame Origin Timestamp
    (0x0038_0004, Remove), // X Referenced Patient Alias Sequence
    (0x0038_0010, Remove), // X Admission ID
    (0x0038_0011, Remove), // X Issuer of Admission ID
    (0x0038_0014, Remove), // X Issuer of Admission ID Sequence
    (0x0038_001A, Remove), // X Scheduled Admission Date
    (0x0038_001B, Remove), // X Scheduled Admission Time
    (0x0038_001C, Remove), // X Scheduled Discharge Date
    (0x0038_001D, Remove), // X Scheduled Discharge Time
    (0x0038_001E, Remove), // X Scheduled Patient Institution Residence
    (0x0038_0020, Remove), // X Admitting Date
    (0x0038_0021, Remove), // X Admitting Time
    (0x0038_0030, Remove), // X Discharge Date
    (0x0038_0032, Remove), // X Discharge Time
    (0x0038_0040, Remove), // X Discharge Diagnosis Description
    (0x0038_0050, Remove), // X Special Needs
    (0x0038_0060, Remove), // X Service Episode ID
    (0x0038_0061, Remove), // X Issuer of Service Episode ID
    (0x0038_0062, Remove), // X Service Episode Description
    (0x0038_0064, Remove), // X Issuer of Service Episode ID Sequence
    (0x0038_0300, Remove), // X Current Patient Location
    (0x0038_0400, Remove), // X Patient's Institution Residence
    (0x0038_0500, Remove), // X Patient State
    (0x0038_4000, Remove), // X Visit Comments
    (0x003A_0310, Uid), // U Multiplex Group UID
    (0x003A_0314, Dummy), // D Impedance Measurement DateTime
    (0x003A_0329, Remove), // X Waveform Filter Description
    (0x003A_032B, Remove), // X Filter Lookup Table Description
    (0x0040_0001, Remove), // X Scheduled Station AE Title
    (0x0040_0002, Remove), // X Scheduled Procedure Step Start Date
    (0x0040_0003, Remove), // X Scheduled Procedure Step Start Time
    (0x0040_0004, Remove), // X Scheduled Procedure Step End Date
    (0x0040_0005, Remove), // X Scheduled Procedure Step End Time
    (0x0040_0006, Remove), // X Scheduled Performing Physician's Name
    (0x0040_0007, Remove), // X Scheduled Procedure Step Description
    (0x0040_0009, Remove), // X Scheduled Procedure Step ID
    (0x0040_000B, Remove), // X Scheduled Performing Physician Identification Sequence
    (0x0040_0010, Remove), // X Scheduled Station Name
    (0x0040_0011, Remove), // X Scheduled Procedure Step Location
    (0x0040_0012, Remove), // X Pre-Medication
    (0x0040_0241, Remove), // X Performed Station AE Title
    (0x0040_0242, Remove), // X Performed Station Name
    (0x0040_0243, Remove), // X Performed Location
    (0x0040_0244, Remove), // X Performed Procedure Step Start Date
    (0x0040_0245, Remove), // X Performed Procedure Step Start Time
    (0x0040_0250, Remove), // X Performed Procedure Step End Date
    (0x0040_0251, Remove), // X Performed Procedure Step End Time
    (0x0040_0253, Remove), // X Performed Procedure Step ID
    (0x0040_0254, Remove), // X Performed Procedure Step Description
    (0x0040_0275, Remove), // X Request Attributes Sequence
    (0x0040_0280, Remove), // X Comments on the Performed Procedure Step
    (0x0040_0310, Remove), // X Comments on Radiation Dose
    (0x0040_050A, Remove), // X Specimen Accession Number
    (0x0040_0512, Dummy), // D Container Identifier
    (0x0040_0513, Empty), // Z Issuer of the Container Identifier Sequence
    (0x0040_051A, Remove), // X Container Description
    (0x0040_0551, Dummy), // D Specimen Identifier
    (0x0040_0554, Uid), // U Specimen UID
    (0x0040_0555, Empty), // X/Z Acquisition Context Sequence
    (0x0040_0562, Empty), // Z Issuer of the Specimen Identifier Sequence
    (0x0040_0600, Remove), // X Specimen Short Description
    (0x0040_0602, Remove), // X Specimen Detailed Description
    (0x0040_0610, Empty), // Z Specimen Preparation Sequence
    (0x0040_06FA, Remove), // X Slide Identifier
    (0x0040_1001, Remove), // X Requested Procedure ID
    (0x0040_1002, Remove), // X Reason for the Requested Procedure
    (0x0040_1004, Remove), // X Patient Transport Arrangements
    (0x0040_1005, Remove), // X Requested Procedure Location
    (0x0040_100A, Remove), // X Reason for Requested Procedure Code Sequence
    (0x0040_1010, Remove), // X Names of Intended Recipients of Results
    (0x0040_1011, Remove), // X Intended Recipients of Results Identification Sequence
    (0x0040_1101, Dummy), // D Person Identification Code Sequence
    (0x0040_1102, Remove), // X Person's Address
    (0x0040_1103, Remove), // X Person's Telephone Numbers
    (0x0040_1104, Remove), // X Person's Telecom Information
    (0x0040_1400, Remove), // X Requested Procedure Comments
    (0x0040_2001, Remove), // X Reason for the Imaging Service Request
    (0x0040_2004, Remove), // X Issue Date of Imaging Service Request
    (0x0040_2005, Remove), // X Issue Time of Imaging Service Request
    (0x0040_2008, Remove), // X Order Entered By
    (0x0040_2009, Remove), // X Order Enterer's Location
    (0x0040_2010, Remove), // X Order Callback Phone Number
    (0x0040_2011, Remove), // X Order Callback Telecom Information
    (0x0040_2016, Empty), // Z Placer Order Number / Imaging Service Request
    (0x0040_2017, Empty), // Z Filler Order Number / Imaging Service Request
    (0x0040_2400, Remove), // X Imaging Service Request Comments
    (0x0040_3001, Remove), // X Confidentiality Constraint on Patient Data Description
    (0x0040_4005, Remove), // X Scheduled Procedure Step Start DateTime
    (0x0040_4008, Remove), // X Scheduled Procedure Step Expiration DateTime
    (0x0040_4010, Remove), // X Scheduled Procedure Step Modification DateTime
    (0x0040_4011, Remove), // X Expected Completion DateTime
    (0x0040_4023, Uid), // U Referenced General Purpose Scheduled Procedure Step Transaction UID
    (0x0040_4025, Remove), // X Scheduled Station Name Code Sequence
    (0x0040_4027, Remove), // X Scheduled Station Geographic Location Code Sequence
    (0x0040_4028, Remove), // X Performed Station Name Code Sequence
    (0x0040_4030, Remove), // X Performed Station Geographic Location Code Sequence
    (0x0040_4034, Remove), // X Scheduled Human Performers Sequence
    (0x0040_4035, Remove), // X Actual Human Performers Sequence
    (0x0040_4036, Remove), // X Human Performer's Organization
    (0x0040_4037, Remove), // X Human Performer's Name
    (0x0040_4050, Remove), // X Performed Procedure Step Start DateTime
    (0x0040_4051, Remove), // X Performed Procedure Step End DateTime
    (0x0040_4052, Remove), // X Procedure Step Cancellation DateTime
    (0x0040_A023, Remove), // X Findings Group Recording Date (Trial)
    (0x0040_A024, Remove), // X Findings Group Recording Time (Trial)
    (0x0040_A027, Dummy), // D Verifying Organization
    (0x0040_A030, Dummy), // D Verification DateTime
    (0x0040_A032, Dummy), // X/D Observation DateTime
    (0x0040_A033, Remove), // X Observation Start DateTime
    (0x0040_A073, Dummy), // D Verifying Observer Sequence
    (0x0040_A075, Dummy), // D Verifying Observer Name
    (0x0040_A078, Remove), // X Author Observer Sequence
    (0x0040_A07A, Remove), // X Participant Sequence
    (0x0040_A07C, Remove), // X Custodial Organization Sequence
    (0x0040_A082, Empty), // Z Participation DateTime
    (0x0040_A088, Empty), // Z Verifying Observer Identification Code Sequence
    (0x0040_A110, Remove), // X Date of Document or Verbal Transaction (Trial)
    (0x0040_A112, Remove), // X Time of Document Creation or Verbal Transaction (Trial)
    (0x0040_A120, Dummy), // D DateTime
    (0x0040_A121, Dummy), // D Date
    (0x0040_A122, Dummy), // D Time
    (0x0040_A123, Dummy), // D Person Name
    (0x0040_A124, Uid), // U UID
    (0x0040_A13A, Dummy), // D Referenced DateTime
    (0x0040_A171, Uid), // U Observation UID
    (0x0040_A172, Uid), // U Referenced Observation UID (Trial)
    (0x0040_A192, Remove), // X Observation Date (Trial)
    (0x0040_A193, Remove), // X Observation Time (Trial)
    (0x0040_A307, Remove), // X Current Observer (Trial)
    (0x0040_A352, Remove), // X Verbal Source (Trial)
    (0x0040_A353, Remove), // X Address (Trial)
    (0x0040_A354, Remove), // X Telephone Number (Trial)
    (0x0040_A358, Remove), // X Verbal Source Identifier Code Sequence (Trial)
    (0x0040_A402, Uid), // U Observation Subject UID (Trial)
    (0x0040_A730, Dummy), // D Content Sequence
    (0x0040_DB06, Remove), // X Template Version
    (0x0040_DB07, Remove), // X Template Local Version
    (0x0040_DB0C, Uid), // U Template Extension Organization UID
    (0x0040_DB0D, Uid), // U Template Extension Creator UID
    (0x0040_E004, Remove), // X HL7 Document Effective Time
    (0x0042_0011, Dummy), // D Encapsulated Document
    (0x0044_0004, Remove), // X Approval Status DateTime
    (0x0044_000B, Remove), // X Product Expiration DateTime
    (0x0044_0010, Remove), // X Substance Administration DateTime
    (0x0044_0104, Dummy), // D Assertion DateTime
    (0x0044_0105, Remove), // X Assertion Expiration DateTime
    (0x0050_001B, Remove), // X Container Component ID
    (0x0050_0020, Remove), // X Device Description
    (0x0050_0021, Remove), // X Long Device Description
    (0x0062_0021, Uid), // U Tracking UID
    (0x0064_0003, Uid), // U Source Frame of Reference UID
    (0x0068_6226, Dummy), // D Effective DateTime
    (0x0068_6270, Dummy), // D Information Issue DateTime
    (0x006A_0003, Dummy), // D Annotation Group UID
    (0x006A_0005, Dummy), // D Annotation Group Label
    (0x006A_0006, Remove), // X Annotation Group Description
    (0x0070_0001, Dummy), // D Graphic Annotation Sequence
    (0x0070_0082, Remove), // X Presentation Creation Date
    (0x0070_0083, Remove), // X Presentation Creation Time
    (0x0070_0084, Dummy), // Z/D Content Creator's Name
    (0x0070_0086, Remove), // X Content Creator's Identification Code Sequence
    (0x0070_031A, Uid), // U Fiducial UID
    (0x0070_1101, Uid), // U Presentation Display Collection UID
    (0x0070_1102, Uid), // U Presentation Sequence Collection UID
    (0x0072_000A, Dummy), // D Hanging Protocol Creation DateTime
    (0x0072_005E, Dummy), // D Selector AE Value
    (0x0072_005F, Dummy), // D Selector AS Value
    (0x0072_0061, Dummy), // D Selector DA Value
    (0x0072_0063, Dummy), // D Selector DT Value
    (0x0072_0065, Dummy), // D Selector OB Value
    (0x0072_0066, Dummy), // D Selector LO Value
    (0x0072_0068, Dummy), // D Selector LT Value
    (0x0072_006A, Dummy), // D Selector PN Value
    (0x0072_006B, Dummy), // D Selector TM Value
    (0x0072_006C, Dummy), // D Selector SH Value
    (0x0072_006D, Dummy), // D Selector UN Value
    (0x0072_006E, Dummy), // D Selector ST Value
    (0x0072_0070, Dummy), // D Selector UT Value
    (0x0072_0071, Dummy), // D Selector UR Value
    (0x0074_1234, Remove), // X Receiving AE
    (0x0074_1236, Remove), // X Requesting AE
    (0x0088_0140, Uid), // U Storage Media File-set UID
    (0x0088_0200, Remove), // X Icon Image Sequence
    (0x0088_0904, Remove), // X Topic Title
    (0x0088_0906, Remove), // X Topic Subject
    (0x0088_0910, Remove), // X Topic Author
    (0x0088_0912, Remove), // X Topic Keywords
    (0x0100_0420, Remove), // X SOP Authorization DateTime
    (0x0400_0100, Uid), // U Digital Signature UID
    (0x0400_0105, Dummy), // D Digital Signature DateTime
    (0x0400_0115, Dummy), // D Certificate of Signer
    (0x0400_0310, Remove), // X Certified Timestamp
    (0x0400_0402, Remove), // X Referenced Digital Signature Sequence
    (0x0400_0403, Remove), // X Referenced SOP Instance MAC Sequence
    (0x0400_0404, Remove), // X MAC
    (0x0400_0550, Remove), // X Modified Attributes Sequence
    (0x0400_0551, Remove), // X Nonconforming Modified Attributes Sequence
    (0x0400_0552, Remove), // X Nonconforming Data Element Value
    (0x0400_0561, Remove), // X Original Attributes Sequence
    (0x0400_0562, Dummy), // D Attribute Modification DateTime
    (0x0400_0563, Dummy), // D Modifying System
    (0x0400_0564, Empty), // Z Source of Previous Values
    (0x0400_0565, Dummy), // D Reason for the Attribute Modification
    (0x0400_0600, Remove), // X Instance Origin Status
    (0x2030_0020, Remove), // X Text String
    (0x2100_0040, Remove), // X Creation Date
    (0x2100_0050, Remove), // X Creation Time
    (0x2100_0070, Remove), // X Originator
    (0x2100_0140, Dummy), // D Destination AE
    (0x2200_0002, Empty), // X/Z Label Text
    (0x2200_0005, Empty), // X/Z Barcode Value
    (0x3002_0121, Remove), // X Position Acquisition Template Name
    (0x3002_0123, Remove), // X Position Acquisition Template Description
    (0x3006_0002, Dummy), // D Structure Set Label
    (0x3006_0004, Remove), // X Structure Set Name
    (0x3006_0006, Remove), // X Structure Set Description
    (0x3006_0008, Empty), // Z Structure Set Date
    (0x3006_0009, Empty), // Z Structure Set Time
    (0x3006_0024, Uid), // U Referenced Frame of Reference UID
    (0x3006_0026, Empty), // Z ROI Name
    (0x3006_0028, Remove), // X ROI Description
    (0x3006_002D, Remove), // X ROI DateTime
    (0x3006_002E, Remove), // X ROI Observation DateTime
    (0x3006_0038, Remove), // X ROI Generation Description
    (0x3006_004D, Remove), // X ROI Creator Sequence
    (0x3006_004E, Remove), // X ROI Interpreter Sequence
    (0x3006_0085, Remove), // X ROI Observation Label
    (0x3006_0088, Remove), // X ROI Observation Description
    (0x3006_00A6, Empty), // Z ROI Interpreter
    (0x3006_00C2, Uid), // U Related Frame of Reference UID
    (0x3008_0024, Dummy), // D Treatment Control Point Date
    (0x3008_0025, Dummy), // D Treatment Control Point Time
    (0x3008_0054, Dummy), // X/D First Treatment Date
    (0x3008_0056, Dummy), // X/D Most Recent Treatment Date
    (0x3008_0105, Empty), // X/Z Source Serial Number
    (0x3008_0162, Dummy), // D Safe Position Exit Date
    (0x3008_0164, Dummy), // D Safe Position Exit Time
    (0x3008_0166, Dummy), // D Safe Position Return Date
    (0x3008_0168, Dummy), // D Safe Position Return Time
    (0x3008_0250, Dummy), // X/D Treatment Date
    (0x3008_0251, Dummy), // X/D Treatment Time
    (0x300A_0002, Dummy), // D RT Plan Label
    (0x300A_0003, Remove), // X RT Plan Name
    (0x300A_0004, Remove), // X RT Plan Description
    (0x300A_0006, Dummy), // X/D RT Plan Date
    (0x300A_0007, Dummy), // X/D RT Plan Time
    (0x300A_000B, Remove), // X Treatment Sites
    (0x300A_000E, Remove), // X Prescription Description
    (0x300A_0013, Uid), // U Dose Reference UID
    (0x300A_0016, Remove), // X Dose Reference Description
    (0x300A_0072, Remove), // X Fraction Group Description
    (0x300A_0083, Uid), // U Referenced Dose Reference UID
    (0x300A_00B2, Empty), // X/Z Treatment Machine Name
    (0x300A_00C3, Remove), // X Beam Description
    (0x300A_00DD, Remove), // X Bolus Description
    (0x300A_0196, Remove), // X Fixation Device Description
    (0x300A_01A6, Remove), // X Shielding Device Description
    (0x300A_01B2, Remove), // X Setup Technique Description
    (0x300A_0216, Remove), // X Source Manufacturer
    (0x300A_022C, Dummy), // D Source Strength Reference Date
    (0x300A_022E, Dummy), // D Source Strength Reference Time
    (0x300A_02EB, Remove), // X Compensator Description
    (0x300A_0608, Dummy), // D Treatment Position Group Label
    (0x300A_0609, Uid), // U Treatment Position Group UID
    (0x300A_0611, Empty), // Z RT Accessory Holder Slot ID
    (0x300A_0615, Empty), // Z RT Accessory Device Slot ID
    (0x300A_0619, Dummy), // D Radiation Dose Identification Label
    (0x300A_0623, Dummy), // D Radiation Dose In-Vivo Measurement Label
    (0x300A_062A, Dummy), // D RT Tolerance Set Label
    (0x300A_0650, Uid), // U Patient Setup UID
    (0x300A_0676, Remove), // X Equipment Frame of Reference Description
    (0x300A_067C, Dummy), // D Radiation Generation Mode Label
    (0x300A_067D, Empty), // Z Radiation Generation Mode Description
    (0x300A_0700, Uid), // U Treatment Session UID
    (0x300A_0734, Dummy), // D Treatment Tolerance Violation Description
    (0x300A_0736, Dummy), // D Treatment Tolerance Violation DateTime
    (0x300A_073A, Dummy), // D Recorded RT Control Point DateTime
    (0x300A_0741, Dummy), // D Interlock DateTime
    (0x300A_0742, Dummy), // D Interlock Description
    (0x300A_0760, Dummy), // D Override DateTime
    (0x300A_0783, Dummy), // D Interlock Origin Description
    (0x300A_0785, Uid), // U Referenced Treatment Position Group UID
    (0x300A_078E, Remove), // X Patient Treatment Preparation Procedure Parameter Description
    (0x300A_0792, Remove), // X Patient Treatment Preparation Method Description
    (0x300A_0794, Remove), // X Patient Setup Photo Description
    (0x300A_079A, Remove), // X Displacement Reference Label
    (0x300C_0113, Remove), // X Reason for Omission Description
    (0x300C_0127, Dummy), // D Beam Hold Transition DateTime
    (0x300E_0004, Empty), // Z Review Date
    (0x300E_0005, Empty), // Z Review Time
    (0x300E_0008, Empty), // X/Z Reviewer Name
    (0x3010_0006, Uid), // U Conceptual Volume UID
    (0x3010_000B, Uid), // U Referenced Conceptual Volume UID
    (0x3010_000F, Empty), // Z Conceptual Volume Combination Description
    (0x3010_0013, Uid), // U Constituent Conceptual Volume UID
    (0x3010_0015, Uid), // U Source Conceptual Volume UID
    (0x3010_0017, Empty), // Z Conceptual Volume Description
    (0x3010_001B, Empty), // Z Device Alternate Identifier
    (0x3010_002D, Dummy), // D Device Label
    (0x3010_0031, Uid), // U Referenced Fiducials UID
    (0x3010_0033, Dummy), // D User Content Label
    (0x3010_0034, Dummy), // D User Content Long Label
    (0x3010_0035, Dummy), // D Entity Label
    (0x3010_0036, Remove), // X Entity Name
    (0x3010_0037, Remove), // X Entity Description
    (0x3010_0038, Dummy), // D Entity Long Label
    (0x3010_003B, Uid), // U RT Treatment Phase UID
    (0x3010_0043, Empty), // Z Manufacturer's Device Identifier
    (0x3010_004C, Dummy), // X/D Intended Phase Start Date
    (0x3010_004D, Dummy), // X/D Intended Phase End Date
    (0x3010_0054, Dummy), // D RT Prescription Label
    (0x3010_0056, Dummy), // X/D RT Treatment Approach Label
    (0x3010_005A, Empty), // Z RT Physician Intent Narrative
    (0x3010_005C, Empty), // Z Reason for Superseding
    (0x3010_0061, Remove), // X Prior Treatment Dose Description
    (0x3010_006E, Uid), // U Dosimetric Objective UID
    (0x3010_006F, Uid), // U Referenced Dosimetric Objective UID
    (0x3010_0077, Dummy), // X/D Treatment Site
    (0x3010_007A, Empty), // Z Treatment Technique Notes
    (0x3010_007B, Empty), // Z Prescription Notes
    (0x3010_007F, Empty), // Z Fractionation Notes
    (0x3010_0081, Empty), // Z Prescription Notes Sequence
    (0x3010_0085, Remove), // X Intended Fraction Start Time
    (0x4000_0010, Remove), // X Arbitrary
    (0x4000_4000, Remove), // X Text Comments
    (0x4008_0040, Remove), // X Results ID
    (0x4008_0042, Remove), // X Results ID Issuer
    (0x4008_0100, Remove), // X Interpretation Recorded Date
    (0x4008_0101, Remove), // X Interpretation Recorded Time
    (0x4008_0102, Remove), // X Interpretation Recorder
    (0x4008_0108, Remove), // X Interpretation Transcription Date
    (0x4008_0109, Remove), // X Interpretation Transcription Time
    (0x4008_010A, Remove), // X Interpretation Transcriber
    (0x4008_010B, Remove), // X Interpretation Text
    (0x4008_010C, Remove), // X Interpretation Author
    (0x4008_0111, Remove), // X Interpretation Approver Sequence
    (0x4008_0112, Remove), // X Interpretation Approval Date
    (0x4008_0113, Remove), // X Interpretation Approval Time
    (0x4008_0114, Remove), // X Physician Approving Interpretation
    (0x4008_0115, Remove), // X Interpretation Diagnosis Description
    (0x4008_0118, Remove), // X Results Distribution List Sequence
    (0x4008_0119, Remove), // X Distribution Name
    (0x4008_011A, Remove), // X Distribution Address
    (0x4008_0200, Remove), // X Interpretation ID
    (0x4008_0202, Remove), // X Interpretation ID Issuer
    (0x4008_0300, Remove), // X Impressions
    (0x4008_4000, Remove), // X Results Comments
    (0xFFFA_FFFA, Remove), // X Digital Signatures Sequence
    (0xFFFC_FFFC, Remove), // X Data Set Trailing Padding
];
