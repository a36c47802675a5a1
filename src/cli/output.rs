//! What a command says: text for people, JSON for programs.

use std::io::IsTerminal;
use std::io::Write;

use indicatif::ProgressBar;
use indicatif::ProgressStyle;
use serde::Serialize;

/// Standard output and standard error, as the command line asked for them.
#[derive(Debug, Clone, Copy)]
pub struct Output {
    /// Results as JSON, one value a line.
    pub json: bool,
}

impl Output {
    /// A result: its text for people, or itself as one line of JSON. A closed pipe is no error:
    /// whoever read has read enough.
    pub fn result(self, value: &impl Serialize, text: &str) {
        let mut out = std::io::stdout().lock();
        let line = if self.json {
            serde_json::to_string(value).unwrap_or_default()
        } else {
            text.to_owned()
        };
        let _ = writeln!(out, "{line}").and_then(|()| out.flush());
    }

    /// A message for people, on standard error, not part of the result.
    pub fn say(self, text: &str) {
        let _ = writeln!(std::io::stderr(), "{text}");
    }

    /// A progress bar on a terminal; hidden elsewhere and with `--json`.
    pub fn progress(self, verb: &str, total: u64) -> ProgressBar {
        if self.json || !std::io::stderr().is_terminal() {
            return ProgressBar::hidden();
        }
        let template = format!(
            "{verb} {{wide_bar}} {{percent}} % {{human_pos}}/{{human_len}} {{per_sec}} ETA {{eta}} {{msg}}"
        );
        let style = ProgressStyle::with_template(&template);
        let bar = ProgressBar::new(total);
        if let Ok(style) = style {
            bar.set_style(style);
        }
        bar
    }
}
