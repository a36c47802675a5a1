//! `lastra config`: what is in force, and why.

use serde_json::json;

use crate::cli::args::Config;
use crate::cli::args::ConfigAction;
use crate::cli::exit::Exit;
use crate::cli::output::Output;
use crate::cli::run::loaded;

/// Shows the configuration in force.
pub fn run(config: &Config, output: Output) -> anyhow::Result<Exit> {
    let ConfigAction::Show { origin: with_origin, stores } = &config.action;
    let rows = loaded(stores.config.as_deref(), &stores.flags())?.show();
    let width = rows.iter().map(|(key, value, _)| key.len() + value.len()).max().unwrap_or(0);
    for (key, value, origin) in rows {
        let mut text = format!("{key} = {value}");
        if *with_origin {
            let pad = (width + 3).saturating_sub(text.len());
            text = format!("{text}{}  # {origin}", " ".repeat(pad));
        }
        let value = json!({ "key": key, "value": value, "origin": origin.to_string() });
        output.result(&value, &text);
    }
    Ok(Exit::Done)
}
