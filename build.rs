//! Turns the TOML of `rules/` into JSON, which a start of the program reads in a tenth of the time. Runs no tools.

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};

fn main() -> Result<(), Box<dyn Error>> {
    let out = PathBuf::from(std::env::var_os("OUT_DIR").ok_or("cargo names no OUT_DIR")?);
    // Cargo reads what a build script prints.
    #[allow(clippy::print_stdout)]
    {
        println!("cargo::rerun-if-changed=rules");
    }
    let mut rules: toml::Table = tables("rules")?.into_iter().collect();
    for (_, rule) in &mut rules {
        // A pass reads it by itself, later: it stays text.
        if let Some(data) = rule.get_mut("data") {
            *data = toml::Value::String(serde_json::to_string(data)?);
        }
    }
    fs::write(out.join("rules.json"), serde_json::to_string(&rules)?)?;
    fs::create_dir_all(out.join("data"))?;
    for (name, table) in tables("rules/data")? {
        let file = out.join("data").join(name + ".json");
        fs::write(file, serde_json::to_string(&table)?)?;
    }
    Ok(())
}

/// Name and content of each TOML file in `folder`.
fn tables(folder: &str) -> Result<Vec<(String, toml::Value)>, Box<dyn Error>> {
    let mut tables = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let Some(name) = path.file_name().and_then(|name| name.to_str()) else {
            continue;
        };
        if let Some(name) = name.strip_suffix(".toml") {
            tables.push((name.to_owned(), table(&path)?));
        }
    }
    Ok(tables)
}

fn table(path: &Path) -> Result<toml::Value, Box<dyn Error>> {
    let table: Result<toml::Table, _> = fs::read_to_string(path)?.parse();
    let table = table.map_err(|error| format!("{}: {error}", path.display()))?;
    Ok(toml::Value::Table(table))
}
