//! DICOM JSON in, the Native DICOM Model out.

use super::from_json;
use crate::dicom::limits::Limits;

#[test]
fn each_kind_of_value_has_its_element() {
    let json = r#"{"00080008":{"vr":"CS","Value":["A",null]},"00090010":{"vr":"LO","Value":["AC&ME"]},"00091101":{"vr":"LO"},"00091001":{"vr":"FD","Value":[1.5,"NaN"]},"00100010":{"vr":"PN","Value":[{"Alphabetic":"R^A^^Dr^Jr^x","Phonetic":"y"},null]},"00081140":{"vr":"SQ","Value":[{"00081155":{"vr":"UI","Value":["1.2"]}},{}]},"00281201":{"vr":"OW","InlineBinary":"AQI="},"00104000":{"vr":"LT","Value":["a\r\n\u000c"]},"7FE00010":{"vr":"OW","BulkDataURI":"http://h/?a&b"}}"#;
    let document = from_json(json.as_bytes(), Limits::DEFAULT).unwrap();
    let (head, rest) = document.split_at(document.find("<DicomAttribute").unwrap());
    assert!(head.starts_with(r#"<?xml version="1.0" encoding="UTF-8"?>"#));
    assert!(head.contains(r#"xmlns="http://dicom.nema.org/PS3.19/models/NativeDICOM""#));
    let expected = [
        r#"<DicomAttribute tag="00080008" vr="CS" keyword="ImageType"><Value number="1">A</Value><Value number="2"></Value></DicomAttribute>"#,
        r#"<DicomAttribute tag="00090010" vr="LO"><Value number="1">AC&amp;ME</Value></DicomAttribute>"#,
        // A block that nobody reserved keeps its number.
        r#"<DicomAttribute tag="00091101" vr="LO"></DicomAttribute>"#,
        r#"<DicomAttribute tag="00090001" vr="FD" privateCreator="AC&amp;ME"><Value number="1">1.5</Value><Value number="2">NaN</Value></DicomAttribute>"#,
        r#"<DicomAttribute tag="00100010" vr="PN" keyword="PatientName"><PersonName number="1"><Alphabetic><FamilyName>R</FamilyName><GivenName>A</GivenName><NamePrefix>Dr</NamePrefix><NameSuffix>Jr^x</NameSuffix></Alphabetic><Phonetic><FamilyName>y</FamilyName></Phonetic></PersonName><PersonName number="2"></PersonName></DicomAttribute>"#,
        r#"<DicomAttribute tag="00081140" vr="SQ" keyword="ReferencedImageSequence"><Item number="1"><DicomAttribute tag="00081155" vr="UI" keyword="ReferencedSOPInstanceUID"><Value number="1">1.2</Value></DicomAttribute></Item><Item number="2"></Item></DicomAttribute>"#,
        r#"<DicomAttribute tag="00281201" vr="OW" keyword="RedPaletteColorLookupTableData"><InlineBinary>AQI=</InlineBinary></DicomAttribute>"#,
        "<DicomAttribute tag=\"00104000\" vr=\"LT\" keyword=\"PatientComments\"><Value number=\"1\">a&#13;&#10;\u{FFFD}</Value></DicomAttribute>",
        r#"<DicomAttribute tag="7FE00010" vr="OW" keyword="PixelData"><BulkData uri="http://h/?a&amp;b"/></DicomAttribute>"#,
        "</NativeDicomModel>\n",
    ];
    assert_eq!(rest, expected.concat());
}
