//! What an order wants examined: the body part and the side of it, from where senders say so.
//!
//! An observation that names the target region; the body site and its modifier of OBR-15 (HL7 v2.5.1
//! §4.5.3.15; IHE RAD TF-2 §4.4 writes the side there, and in OBR-46 from version 2.5 on); and what is asked,
//! where its code is ICD-9-CM's, as in Italian orders. Never the text of what is asked: that is for people.

use crate::hl7::v2::message::Repetition;
use crate::hl7::v2::message::Segment;

/// A code, the modality it implies, and Body Part Examined.
type Procedure = (&'static str, &'static str, &'static str);

/// What is to be examined, as far as an order says.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Examined {
    /// Body part: a term of DICOM's, a SNOMED CT code, or the sender's text; empty when not told, or when
    /// several are.
    pub body_part: String,
    /// `L` or `R`; empty when not told.
    pub side: String,
    /// The modality that the code of what is asked implies; empty when it implies none.
    pub modality: String,
}

impl Examined {
    /// Reads the segments of one order.
    pub fn of(segments: &[Segment<'_>]) -> Self {
        let procedure = segments.iter().filter(|segment| segment.name() == "OBR").find_map(asked);
        let mut parts: Vec<String> = Vec::new();
        let mut name = |part: String| {
            if !part.is_empty() && !parts.contains(&part) && parts.len() < MOST_PARTS {
                parts.push(part);
            }
        };
        let mut side = String::new();
        for segment in segments {
            match segment.name() {
                "OBX" if names_region(*segment) => {
                    segment
                        .repetitions(5)
                        .map(|value| value_of(*segment, value))
                        .for_each(&mut name);
                }
                "OBR" => {
                    if let Some(site) = segment.repetitions(15).next() {
                        name(coded([1, 2, 3].map(|number| site.subcomponent(4, number))));
                    }
                    side = if side.is_empty() { side_of(*segment) } else { side };
                }
                _ => {}
            }
        }
        if let (true, Some((_, _, part))) = (parts.is_empty(), procedure) {
            parts.push((*part).to_owned());
        }
        Self {
            // Of several none is the one.
            body_part: if parts.len() == 1 { parts.swap_remove(0) } else { String::new() },
            side,
            modality: procedure.map(|(_, modality, _)| (*modality).to_owned()).unwrap_or_default(),
        }
    }
}

/// Whether an observation names what is to be examined.
fn names_region(obx: Segment<'_>) -> bool {
    let concept = (obx.component(3, 1), obx.component(3, 3));
    REGION_CONCEPTS.contains(&(concept.0.as_str(), concept.1.as_str()))
}

fn value_of(obx: Segment<'_>, value: Repetition<'_>) -> String {
    if matches!(obx.text(2).as_str(), "CE" | "CWE" | "CNE") {
        return coded([1, 2, 3].map(|number| value.component(number)));
    }
    cut(&value.whole())
}

/// A coded entry as body parts are compared: SNOMED CT's code, a term without coding system, else the
/// text.
fn coded([code, text, system]: [String; 3]) -> String {
    let by_code = matches!(system.as_str(), "" | "SCT") || text.is_empty();
    cut(if by_code { &code } else { &text })
}

fn cut(text: &str) -> String {
    text.trim().chars().take(LONGEST).collect()
}

/// The side an OBR names: the site modifier, else among the modifiers of what is asked.
fn side_of(obr: Segment<'_>) -> String {
    let modifiers = [45, 46].into_iter().flat_map(|field| obr.repetitions(field));
    let site = obr.repetitions(15).map(|site| site.component(5)).take(1);
    let said = site.chain(modifiers.map(|modifier| modifier.component(1)).take(MOST_PARTS));
    let known = |code: String| SIDES.iter().find(|(known, _)| *known == code);
    said.filter_map(known).map(|(_, side)| (*side).to_owned()).next().unwrap_or_default()
}

/// The row of what is asked: OBR-4, both its codes, or OBR-44.
fn asked(obr: &Segment<'_>) -> Option<&'static Procedure> {
    let codes: [(usize, usize); 4] = [(4, 1), (4, 4), (44, 1), (44, 4)];
    codes.into_iter().find_map(|(field, at)| {
        let system = obr.component(field, at.saturating_add(2)).to_ascii_uppercase();
        let code = obr.component(field, at);
        ICD_9_CM.contains(&system.as_str()).then(|| procedure(&code)).flatten()
    })
}

/// A procedure by its code, or by the code that the nation's nomenclature divides further.
fn procedure(code: &str) -> Option<&'static Procedure> {
    PROCEDURES.iter().find(|(known, _, _)| {
        code.strip_prefix(known).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    })
}

/// Body parts and modifiers of one order looked at.
const MOST_PARTS: usize = 16;
/// Characters of a body part kept.
const LONGEST: usize = 64;

/// Target Region (PS3.16 Table D-1), and LOINC's Body site.
const REGION_CONCEPTS: [(&str, &str); 2] = [("123014", "DCM"), ("39111-0", "LN")];

/// Sides as senders code them: IHE's letters, HL7 tables 0163 and 0340, PS3.16 CID 244 and its older codes.
const SIDES: [(&str, &str); 8] = [
    ("L", "L"),
    ("R", "R"),
    ("LT", "L"),
    ("RT", "R"),
    ("7771000", "L"),
    ("24028007", "R"),
    ("G-A101", "L"),
    ("G-A100", "R"),
];

/// How senders name ICD-9-CM (HL7 table 0396, and its OID for procedures).
const ICD_9_CM: [&str; 7] =
    ["I9C", "I9CP", "ICD9", "ICD9CM", "ICD-9", "ICD-9-CM", "2.16.840.1.113883.6.104"];

/// Procedures of ICD-9-CM, volume 3, that image one region and no side.
const PROCEDURES: [Procedure; 9] = [
    ("87.03", "CT", "HEAD"),
    ("87.17", "DX", "SKULL"),
    ("87.22", "DX", "CSPINE"),
    ("87.23", "DX", "TSPINE"),
    ("87.24", "DX", "LSPINE"),
    ("87.41", "CT", "CHEST"),
    ("87.44", "DX", "CHEST"),
    ("88.19", "DX", "ABDOMEN"),
    ("88.91", "MR", "BRAIN"),
];

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::Examined;
    use crate::hl7::v2::message::Message;

    fn read(segments: &str) -> Examined {
        let text = format!("MSH|^~\\&|RIS|OSP|LASTRA|PACS|20260302||ORM^O01|1|P|2.5\r{segments}");
        let message = Message::parse(text.as_bytes()).unwrap();
        Examined::of(&message.segments().collect::<Vec<_>>())
    }

    /// An OBR with fields at their numbers.
    fn obr(fields: &[(usize, &str)]) -> String {
        let mut all = vec![""; 47];
        all[0] = "OBR";
        for (number, text) in fields {
            all[*number] = text;
        }
        all.join("|")
    }

    #[test]
    fn the_body_part_and_its_side_are_read_where_senders_write_them() {
        for (segments, part, side) in [
            (obr(&[(15, "^^^CHEST")]), "CHEST", ""),
            (obr(&[(15, "^^^51185008&Chest&SCT")]), "51185008", ""),
            (obr(&[(15, "^^^T-D3000&Chest&SRT")]), "Chest", ""),
            (obr(&[(15, "^^^KNEE^L")]), "KNEE", "L"),
            (obr(&[(46, "R")]), "", "R"),
            (obr(&[(46, "1^portable~24028007^Right^SCT")]), "", "R"),
            ("OBX|1|CWE|123014^Target Region^DCM||KNEE".to_owned(), "KNEE", ""),
            ("OBX|1|ST|39111-0^Body site^LN||Torace".to_owned(), "Torace", ""),
            ("OBX|1|CE|39111-0^Body site^LN||51185008^Chest^SCT".to_owned(), "51185008", ""),
            ("OBX|1|NM|29463-7^Body weight^LN||72".to_owned(), "", ""),
            // Two that differ: neither is the one.
            (format!("{}\rOBX|1|ST|39111-0^^LN||HAND", obr(&[(15, "^^^CHEST")])), "", ""),
            (format!("{}\rOBX|1|ST|39111-0^^LN||CHEST", obr(&[(15, "^^^CHEST")])), "CHEST", ""),
            (obr(&[(15, &format!("^^^{}", "x".repeat(100)))]), &"x".repeat(64), ""),
        ] {
            let read = read(&segments);
            assert_eq!((read.body_part.as_str(), read.side.as_str()), (part, side), "{segments}");
        }
    }

    #[test]
    fn codes_of_procedures_say_what_they_image_and_texts_do_not() {
        for (fields, modality, part) in [
            (vec![(4, "87.44^RX torace^ICD9")], "DX", "CHEST"),
            (vec![(4, "87.41.1^TC torace senza e con mdc^I9C")], "CT", "CHEST"),
            (vec![(4, "RX12^RX^L^87.44.1^^I9CP")], "DX", "CHEST"),
            (vec![(4, "X^^L"), (44, "88.91.1^^2.16.840.1.113883.6.104")], "MR", "BRAIN"),
            // Another number, and the same one of another system.
            (vec![(4, "87.441^^ICD9")], "", ""),
            (vec![(4, "87.44^RX torace")], "", ""),
            (vec![(4, "^Chest X-ray")], "", ""),
            // What the order says itself counts more.
            (vec![(4, "87.44^^ICD9"), (15, "^^^RIBS")], "DX", "RIBS"),
        ] {
            let read = read(&obr(&fields));
            assert_eq!((read.modality.as_str(), read.body_part.as_str()), (modality, part));
        }
    }

    proptest! {
        #[test]
        fn nothing_panics(fields in ".{0,80}") {
            read(&format!("OBR|{}", fields.replace(['\r', '\n'], " ")));
        }
    }
}
