//! `lastra conformance`: what of the standard is held to, and which test shows it.

use crate::cli::args::Conformance;
use crate::cli::checklist::{CHECKLIST, Line};
use crate::cli::exit::Exit;
use crate::cli::output::Output;

/// Prints the report.
pub fn run(conformance: &Conformance, output: Output) -> Exit {
    for line in CHECKLIST {
        output.result(line, &plain(line, conformance.report));
    }
    let held = CHECKLIST.iter().filter(|line| !line.shown_by.is_empty()).count();
    output.say(&format!(
        "{held} of {} lines are shown by tests; `./dev test` runs them. PS3.18 2024e.",
        CHECKLIST.len()
    ));
    Exit::Done
}

/// A line, and below it its tests and what is otherwise.
fn plain(line: &Line, with_tests: bool) -> String {
    let mark = if line.shown_by.is_empty() { '✗' } else { '✓' };
    let mut text = format!("{mark} {:>2}  {}  [{}]", line.number, line.holds, line.section);
    for test in line.shown_by.iter().filter(|_| with_tests) {
        text.push_str("\n      test ");
        text.push_str(test);
    }
    if !line.but.is_empty() {
        text.push_str("\n      but  ");
        text.push_str(line.but);
    }
    text
}
