//! The conformance report names tests that are there.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

fn report(arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_lastra"))
        .arg("conformance")
        .args(arguments)
        .output()
        .unwrap();
    assert!(output.status.success());
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn each_line_of_the_report_names_tests_that_are_there_or_says_what_is_missing() {
    let said = report(&["--report", "--json"]);
    let lines: Vec<Value> = said.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let numbers: Vec<u64> = lines.iter().map(|line| line["number"].as_u64().unwrap()).collect();
    assert_eq!(numbers, (1..=30).collect::<Vec<_>>());
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it");
    for line in &lines {
        let shown_by = line["shown_by"].as_array().unwrap();
        assert!(!shown_by.is_empty() || line["but"] != "", "{line}");
        for test in shown_by {
            let (module, name) = test.as_str().unwrap().rsplit_once("::").unwrap();
            let file = tests.join(module.replace("::", "/")).with_extension("rs");
            let source = std::fs::read_to_string(&file);
            let source = source.unwrap_or_else(|_| panic!("{}: {test}", file.display()));
            assert!(source.contains(&format!("fn {name}(")), "{test} is not there");
        }
    }
}

#[test]
fn people_read_the_same() {
    let short = report(&[]);
    assert!(short.contains("[8.7.3]") && !short.contains("dicomweb::"), "{short}");
    assert!(report(&["--report"]).contains("test dicomweb::checklist::"));
}
