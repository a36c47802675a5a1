//! Cuts an array of JSON objects that arrives in pieces into its objects, without looking into them.
//!
//! For texts this program wrote itself; what is no JSON comes out cut somewhere.

/// Cuts one array.
#[derive(Debug, Default)]
pub struct JsonSplit {
    object: Vec<u8>,
    depth: u32,
    in_string: bool,
    escaped: bool,
}

impl JsonSplit {
    /// Takes the next bytes; hands over each object that is whole with them.
    pub fn push(&mut self, bytes: &[u8], mut whole: impl FnMut(Vec<u8>)) {
        for byte in bytes {
            let outside = self.depth == 0;
            if self.in_string {
                if self.escaped {
                    self.escaped = false;
                } else if *byte == b'\\' {
                    self.escaped = true;
                } else if *byte == b'"' {
                    self.in_string = false;
                }
            } else {
                match byte {
                    b'"' => self.in_string = !outside,
                    b'{' => self.depth = self.depth.saturating_add(1),
                    b'}' => self.depth = self.depth.saturating_sub(1),
                    _ => {}
                }
            }
            if self.depth > 0 || !outside {
                self.object.push(*byte);
            }
            if self.depth == 0 && !outside {
                whole(std::mem::take(&mut self.object));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::JsonSplit;

    #[test]
    fn objects_come_out_whole_whatever_the_cut() {
        let text = br#"[{"a":"}\"]{","b":[{"c":{}}]},{},{"d":1}]"#;
        for size in 1..text.len() {
            let (mut split, mut objects) = (JsonSplit::default(), Vec::new());
            for piece in text.chunks(size) {
                split.push(piece, |object| objects.push(String::from_utf8(object).unwrap()));
            }
            assert_eq!(objects, [r#"{"a":"}\"]{","b":[{"c":{}}]}"#, "{}", r#"{"d":1}"#]);
        }
        JsonSplit::default().push(b"[]", |_| panic!("no object"));
    }
}
