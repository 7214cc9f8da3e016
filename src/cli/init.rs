//! `dockeropt init`: a `dockeropt.toml` with comments, and what goes into hooks and CI. It asks nothing, and writes over
//! nothing unless told to.

mod hadolint;

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use super::Status;
use super::output::Output;
use crate::config;
use crate::rule;
use hadolint::Taken;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Ignore the rules that correspond to what hadolint's configuration ignores: `.hadolint.yaml` here, or FILE
    #[arg(long, value_name = "FILE", num_args = 0..=1)]
    from_hadolint: Option<Option<PathBuf>>,
    /// Replace the `dockeropt.toml` that is there
    #[arg(long)]
    force: bool,
}

const TEMPLATE: &str = include_str!("init/dockeropt.toml");
const NEXT: &str = include_str!("init/next.txt");

pub(super) fn run(args: &Args, output: &mut Output) -> Result<Status> {
    let taken = match &args.from_hadolint {
        None => Taken::default(),
        Some(path) => {
            let path = match path {
                None => hadolint::find(Path::new(""))?,
                Some(path) => path.clone(),
            };
            hadolint::read(&path, rule::builtin())?
        }
    };
    write(&TEMPLATE.replace("IGNORE\n", &ignored(&taken)), args.force)?;
    output.say(&format!(
        "`{}` is written\n{}",
        config::FILE_NAME,
        told(&taken)
    ));
    output.print(NEXT.as_bytes());
    Ok(Status::Done)
}

fn write(text: &str, force: bool) -> Result<()> {
    let path = Path::new(config::FILE_NAME);
    if force {
        return std::fs::write(path, text).with_context(|| path.display().to_string());
    }
    match std::fs::File::create_new(path) {
        Ok(mut file) => {
            let written = std::io::Write::write_all(&mut file, text.as_bytes());
            written.with_context(|| path.display().to_string())
        }
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            bail!(
                "`{}` is there already; `--force` replaces it",
                path.display()
            )
        }
        Err(error) => Err(error).with_context(|| path.display().to_string()),
    }
}

/// The `ignore` of the file: a line for each code of hadolint.
fn ignored(taken: &Taken) -> String {
    if taken.rules.is_empty() {
        return "# ignore = [\"copy-not-add\"]\n".to_owned();
    }
    let lines = taken.rules.iter().map(|(code, rules)| {
        let rules: Vec<String> = rules.iter().map(|rule| format!("\"{rule}\"")).collect();
        format!("    {}, # {code}\n", rules.join(", "))
    });
    format!("ignore = [\n{}]\n", lines.collect::<String>())
}

/// What of hadolint's configuration was not taken over.
fn told(taken: &Taken) -> String {
    let listed = |names: &[String]| {
        let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
        names.join(", ")
    };
    let mut told = String::new();
    if !taken.without.is_empty() {
        let codes = listed(&taken.without);
        told.push_str(&format!(
            "codes of hadolint that no rule corresponds to: {codes}\n"
        ));
    }
    if !taken.others.is_empty() {
        let keys = listed(&taken.others);
        told.push_str(&format!(
            "settings of hadolint without a counterpart: {keys}\n"
        ));
    }
    told
}
