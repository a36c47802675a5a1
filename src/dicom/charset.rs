//! Text in every character set of PS3.5 §6.1, code extensions (ISO/IEC 2022 escapes) included.

/// Decodes text values by an object's Specific Character Set (0008,0005).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Charset {}

impl Charset {
    /// The decoder for the values of (0008,0005); unknown terms fall back to what can be read.
    pub fn parse(specific_character_set: &[u8]) -> Self {
        let _ = specific_character_set;
        todo!()
    }

    /// Decodes one element's text (not a person name), backslashes included.
    pub fn decode(&self, bytes: &[u8]) -> String {
        todo!("{bytes:?}")
    }

    /// Decodes a person name: code extensions reset at `^` and `=` too (PS3.5 §6.1.2.5.3).
    pub fn decode_name(&self, bytes: &[u8]) -> String {
        todo!("{bytes:?}")
    }
}

impl Default for Charset {
    /// The default repertoire, ISO-IR 6.
    fn default() -> Self {
        Self {}
    }
}
