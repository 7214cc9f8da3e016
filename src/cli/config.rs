//! `dockeropt config`: what is in force for a file, and where each value comes from.

use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use serde_json::{Map, Value, json};

use super::chains::{Chains, InForce};
use super::inputs::Selection;
use super::output::Output;
use super::{Format, Status};
use crate::config::{Decision, Origin, Paths, Place, Placed, Preset};
use crate::render::json::VERSION;
use crate::render::layers::bytes;
use crate::render::{BOLD, Look, RULE, visible_line};
use crate::rule::Action;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// A Dockerfile, or a folder for one in it
    #[arg(value_name = "PATH", default_value = ".")]
    path: PathBuf,
    #[command(flatten)]
    selection: Selection,
    /// How to print
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

pub(super) fn run(args: &Args, output: &mut Output) -> Result<Status> {
    let path = match args.path.is_dir() {
        true => args.path.join("Dockerfile"),
        false if args.path.exists() => args.path.clone(),
        false => bail!("{}: no such file or folder", args.path.display()),
    };
    let found = Chains::in_force(&args.selection, &path)?;
    let path = path.strip_prefix(".").unwrap_or(&path);
    let text = match args.format {
        Format::Text => text(path, &found, output.look),
        Format::Json => format!("{:#}\n", document(path, &found)),
    };
    output.print(text.as_bytes());
    Ok(Status::Done)
}

/// A value that is not one of a rule.
struct Setting {
    key: String,
    value: Value,
    /// The value for people.
    shown: String,
    origin: Origin,
}

impl Setting {
    fn new(key: &str, value: impl Into<Value>, place: Option<&Place>) -> Self {
        let (key, value) = (key.to_owned(), value.into());
        let shown = match &value {
            Value::String(text) => text.clone(),
            Value::Array(all) => {
                let all = all.iter().map(|one| one.as_str().unwrap_or_default());
                all.collect::<Vec<_>>().join(", ")
            }
            other => other.to_string(),
        };
        let origin = place.map_or(Origin::Default, |place| Origin::User {
            key: key.clone(),
            place: place.clone(),
        });
        Self {
            key,
            value,
            shown,
            origin,
        }
    }

    fn size(key: &str, size: &Placed<u64>) -> Self {
        Self {
            shown: bytes(size.value),
            ..Self::new(key, size.value, Some(&size.place))
        }
    }
}

fn settings(found: &InForce) -> Vec<Setting> {
    let config = &found.config;
    let preset = config.preset.as_ref();
    let name = preset.map_or(Preset::Recommended, |preset| preset.value);
    let cache = config.cache.as_ref().map(|cache| &cache.place);
    let mut settings = vec![
        Setting::new("preset", name.to_string(), preset.map(|one| &one.place)),
        Setting::new("cache", config.cache_style().to_string(), cache),
    ];
    settings.extend(config.extend.iter().map(|folder| {
        let shown = folder.value.display().to_string();
        Setting::new("extend", shown, Some(&folder.place))
    }));
    for (key, all) in [("include", &config.include), ("exclude", &config.exclude)] {
        settings.extend(
            all.iter()
                .map(|one| Setting::new(key, one.value.to_string(), Some(&one.place))),
        );
    }
    settings.extend(config.baseline.iter().map(|file| {
        let shown = file.value.display().to_string();
        Setting::new("baseline", shown, Some(&file.place))
    }));
    let overrides = found.overrides.iter();
    let overrides = overrides.filter_map(|at| Some((at + 1, config.overrides.get(*at)?)));
    settings.extend(overrides.map(|(number, one)| {
        let key = format!("override {number}");
        let paths: Vec<String> = one.paths.iter().map(Paths::to_string).collect();
        Setting::new(&key, paths, Some(&one.place))
    }));
    let budget = &config.budget;
    let sizes = budget.sizes();
    settings.extend(sizes.map(|(key, size)| Setting::size(&format!("budget.{key}"), size)));
    let wasted = budget.max_wasted();
    settings.extend(wasted.map(|most| Setting::size("budget.max-wasted", most)));
    let efficiency = budget.min_efficiency();
    settings.extend(
        efficiency
            .map(|least| Setting::new("budget.min-efficiency", least.value, Some(&least.place))),
    );
    settings
}

fn text(path: &Path, found: &InForce, look: Look) -> String {
    let file = found.file.as_deref();
    let shown = visible_line(&path.to_string_lossy());
    let by = match file {
        Some(file) => format!("configured by `{}`", visible_line(&file.to_string_lossy())),
        None => "no `dockeropt.toml` here or above; these are the defaults".to_owned(),
    };
    let mut out = format!("{}: {by}\n\n", look.paint(BOLD, shown));
    let settings = settings(found);
    let rows = settings.iter().map(|one| {
        let origin = origin(&one.origin);
        [visible_line(&one.key), visible_line(&one.shown), origin]
    });
    out.push_str(&columns(&rows.collect::<Vec<_>>(), |_, cell| cell));
    out.push('\n');
    let rows = found.rules.iter().map(|one| {
        let (rule, on) = (&one.rule, if one.rule.enabled { "on" } else { "off" });
        let lowered = match &one.applicability {
            Origin::Default => String::new(),
            other => format!("; {} by {}", rule.applicability, origin(other)),
        };
        let (on, sure) = (on.to_owned(), rule.applicability.to_string());
        [rule.id.clone(), on, sure, origin(&one.enabled) + &lowered]
    });
    let paint = |at, cell: String| match at {
        0 => look.paint(RULE, cell),
        _ => cell,
    };
    out.push_str(&columns(&rows.collect::<Vec<_>>(), paint));
    let options: Vec<_> = found.rules.iter().flat_map(options).collect();
    if !options.is_empty() {
        out.push('\n');
        let rows = options.iter().map(|(rule, name, value, by)| {
            let value = visible_line(&value.to_string());
            [format!("{rule}.{name}"), value, origin(by)]
        });
        out.push_str(&columns(&rows.collect::<Vec<_>>(), |_, cell| cell));
    }
    out
}

/// The options of a rule that runs: its id, each one's name and value, and who set it.
fn options(one: &Decision) -> Vec<(&str, &str, toml::Value, Origin)> {
    let rule = &one.rule;
    let Action::Pass { options, .. } = &rule.action else {
        return Vec::new();
    };
    if !rule.enabled {
        return Vec::new();
    }
    let all = options.iter().map(|(name, value)| {
        let by = one.options.get(name).cloned().unwrap_or(Origin::Default);
        (rule.id.as_str(), name.as_str(), value.clone(), by)
    });
    all.collect()
}

/// Rows whose cells stand below each other; `paint` is told the cell's column and given the cell with what fills it.
fn columns<const N: usize>(
    rows: &[[String; N]],
    paint: impl Fn(usize, String) -> String,
) -> String {
    let width = |at: usize| rows.iter().map(|row| row[at].chars().count()).max();
    let widths: Vec<usize> = (0..N).map(|at| width(at).unwrap_or_default()).collect();
    let lines = rows.iter().map(|row| {
        let cells = row.iter().enumerate().map(|(at, cell)| match at + 1 == N {
            true => paint(at, cell.clone()),
            false => paint(at, format!("{cell:<width$}", width = widths[at])),
        });
        cells.collect::<Vec<_>>().join("  ") + "\n"
    });
    lines.collect()
}

/// `default`, `dockeropt.toml:8`, `--select`.
fn origin(origin: &Origin) -> String {
    match origin {
        Origin::Default => "default".to_owned(),
        Origin::User { key, place } => visible_line(&match place {
            Place::File(..) => format!("{place} (`{key}`)"),
            Place::Flag(flag) => (*flag).to_owned(),
        }),
    }
}

fn document(path: &Path, found: &InForce) -> Value {
    let settings = settings(found).into_iter().map(|one| {
        let from = from(&one.origin);
        json!({"key": one.key, "value": one.value, "from": from})
    });
    let rules = found.rules.iter().map(|one| {
        let rule = &one.rule;
        let valued = |value: Value, by: &Origin| json!({"value": value, "from": from(by)});
        let options = options(one).into_iter();
        let options: Map<_, _> = options
            .map(|(_, name, value, by)| (name.to_owned(), valued(json!(value), &by)))
            .collect();
        json!({
            "id": rule.id,
            "enabled": valued(json!(rule.enabled), &one.enabled),
            "applicability": valued(json!(rule.applicability), &one.applicability),
            "options": options,
        })
    });
    json!({
        "version": VERSION,
        "path": path,
        "file": found.file,
        "settings": settings.collect::<Vec<_>>(),
        "rules": rules.collect::<Vec<_>>(),
    })
}

fn from(origin: &Origin) -> Value {
    match origin {
        Origin::Default => json!({"kind": "default"}),
        Origin::User { key, place } => match place {
            Place::File(path, line) => {
                json!({"kind": "file", "key": key, "path": path, "line": line})
            }
            Place::Flag(flag) => json!({"kind": "flag", "flag": flag}),
        },
    }
}
