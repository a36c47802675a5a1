//! What the index keeps of an object's attributes (DICOM JSON, PS3.18 §F.2), read for a few of them.

use serde_json::Value;

/// Attributes of one level.
#[derive(Debug, Clone, Default)]
pub struct Facts(Value);

/// A code of a code sequence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Code {
    /// Code Value (0008,0100).
    pub value: String,
    /// Coding Scheme Designator (0008,0102).
    pub scheme: String,
    /// Code Meaning (0008,0104).
    pub meaning: String,
}

impl Facts {
    /// Reads kept attributes; what is no object says nothing.
    pub fn read(text: &str) -> Self {
        Self(serde_json::from_str(text).unwrap_or_default())
    }

    /// The first value of an attribute as text.
    pub fn text(&self, tag: &str) -> String {
        let first = self.0.get(tag).and_then(|attribute| attribute.get("Value")?.get(0));
        match first {
            Some(Value::String(text)) => text.trim().to_owned(),
            Some(Value::Number(number)) => number.to_string(),
            Some(Value::Object(name)) => {
                name.get("Alphabetic").and_then(Value::as_str).unwrap_or_default().to_owned()
            }
            _ => String::new(),
        }
    }

    /// The items of a code sequence.
    pub fn codes(&self, tag: &str) -> Vec<Code> {
        let items = self.0.get(tag).and_then(|attribute| attribute.get("Value")?.as_array());
        let code = |item: &Value| {
            let item = Self(item.clone());
            Code {
                value: item.text("00080100"),
                scheme: item.text("00080102"),
                meaning: item.text("00080104"),
            }
        };
        items.map(|items| items.iter().map(code).collect()).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::Facts;

    #[test]
    fn texts_numbers_names_and_codes_are_read_and_nonsense_says_nothing() {
        let facts = Facts::read(
            r#"{"00081030":{"vr":"LO","Value":[" TC "]},"00200011":{"vr":"IS","Value":[3]},
            "00080090":{"vr":"PN","Value":[{"Alphabetic":"Bianchi^Luca"}]},"00080080":{"vr":"LO"},
            "00081032":{"vr":"SQ","Value":[{"00080100":{"vr":"SH","Value":["87.41"]}}]}}"#,
        );
        assert_eq!(facts.text("00081030"), "TC");
        assert_eq!(facts.text("00200011"), "3");
        assert_eq!(facts.text("00080090"), "Bianchi^Luca");
        assert_eq!(facts.text("00080080"), "");
        assert_eq!(facts.codes("00081032")[0].value, "87.41");
        assert!(Facts::read("[").codes("00081032").is_empty());
    }
}
