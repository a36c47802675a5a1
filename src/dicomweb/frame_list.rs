//! Frame lists of the path: `frames/1,3,2` (PS3.18 §10.4.1.1.6).

use crate::http::problem::Problem;

/// Most frames one request may name.
pub const MAX_FRAMES: usize = 100_000;

/// Reads a list of frame numbers, from 1, in any order, repeats allowed; the answer keeps the
/// order asked. Whether the object has them is the archive's to say.
pub fn parse(list: &str) -> Result<Vec<u32>, Problem> {
    let mut frames = Vec::new();
    for piece in list.split(',') {
        if frames.len() == MAX_FRAMES {
            let reason = format!("at most {MAX_FRAMES} frames may be named");
            return Err(Problem::bad_parameter("frames", reason));
        }
        let piece = piece.trim();
        let digits = !piece.is_empty() && piece.bytes().all(|byte| byte.is_ascii_digit());
        match piece.parse::<u32>() {
            Ok(frame) if frame > 0 && digits => frames.push(frame),
            // A number too big is a frame no object has: not found, not malformed.
            Err(_) if digits => return Err(Problem::not_found()),
            _ => {
                let reason = "not a comma-separated list of frame numbers from 1";
                return Err(Problem::bad_parameter("frames", reason));
            }
        }
    }
    Ok(frames)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::parse;

    #[test]
    fn lists_keep_their_order_and_repeats() {
        for (list, expected) in [
            ("1", Ok(vec![1])),
            ("1,2,3", Ok(vec![1, 2, 3])),
            ("3,1,3", Ok(vec![3, 1, 3])),
            (" 7 , 190123", Ok(vec![7, 190_123])),
            ("99999999999", Err(404)),
            ("0", Err(400)),
            ("1,,2", Err(400)),
            ("1,", Err(400)),
            ("", Err(400)),
            ("+1", Err(400)),
            ("-1", Err(400)),
            ("1-3", Err(400)),
            ("one", Err(400)),
        ] {
            let parsed = parse(list).map_err(|problem| problem.status.as_u16());
            assert_eq!(parsed, expected, "{list}");
        }
    }

    proptest! {
        #[test]
        fn no_list_panics(list in ".*") {
            if let Ok(frames) = parse(&list) {
                prop_assert!(frames.iter().all(|frame| *frame > 0));
            }
        }
    }
}
