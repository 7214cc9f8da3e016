//! Applications whose stage is split, or goes onto a small image: what ships is smaller, configured as it was but for the variables of the old base,
//! prints the same, and holds nothing that the image before did not hold, each file with the mode that it had.

use std::fmt::Write;
use std::path::{Path, PathBuf};

use dockeropt::report::Report;
use rayon::prelude::*;
use serde_json::Value;

use super::apps::{App, output};
use super::config::said;
use super::rebuilds::Bench;
use super::rewrites::{applied, configuration, effects, size};
use super::tree::{Tree, differences};
use super::{Built, Engine, engine};
use crate::cli::sandbox::Sandbox;
use crate::files::files_under;

/// Applications beside those of `tests/engine/splits` that are counted where it is said how many are split, whether they
/// are or not; what others are split is built all the same.
const COUNTED: [&str; 7] = [
    "c-program",
    "go-cgo",
    "go-templates",
    "python-flask",
    "python-postgres",
    "rust-openssl",
    "rust-server",
];

#[test]
fn split_applications_ship_less_and_do_the_same() {
    let Some(engine) = engine() else { return };
    let own = App::all_in("splits").into_iter().map(|app| (true, app));
    let others = App::all().into_iter().chain(App::all_in("bases"));
    let others = others.map(|app| (COUNTED.contains(&app.name.as_str()), app));
    let apps: Vec<(bool, App)> = own.chain(others).collect();
    let mut built: Vec<Split> = apps
        .par_iter()
        .filter_map(|(is_counted, app)| {
            let report = app.split();
            let is_built = *is_counted || is_tried(&report);
            is_built.then(|| Split::of(engine, app, *is_counted, &report))
        })
        .collect();
    built.sort_by(|one, other| one.app.cmp(&other.app));
    println!("{}", table(&built));
    let wrong: Vec<String> = built.iter().flat_map(Split::complaints).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let counted: Vec<&Split> = built.iter().filter(|one| one.is_counted).collect();
    let split = counted.iter().filter(|one| one.declined.is_none()).count();
    assert!(counted.len() >= 24, "{} are counted", counted.len());
    assert!(split * 5 >= counted.len() * 4, "{split} are split");
    assert!(mean(&built) <= -60.0, "{} percent", mean(&built));
}

/// Whether an application is split, goes onto a small image, or ships without what is for development.
fn is_tried(report: &Report) -> bool {
    let mut findings = report.findings.iter().filter(|one| one.applied);
    findings.any(|one| ["prune-dev", "slim-base", "split-stages"].contains(&one.rule.as_str()))
}

/// One application, built as it is written and as the chain rewrites it.
struct Split {
    app: String,
    is_counted: bool,
    /// Why it stays in one stage; `None` where it is split.
    declined: Option<String>,
    /// The sizes of both images, in bytes.
    sizes: [u64; 2],
    /// How long both builds took, with what was in the cache.
    seconds: [f64; 2],
    /// How many steps ran after an edit of the source, and how long the build took.
    rebuilt: Option<[(usize, f64); 2]>,
    wrong: Vec<String>,
}

impl Split {
    fn of(engine: Engine, app: &App, is_counted: bool, report: &Report) -> Self {
        let mut split = Self {
            app: app.name.clone(),
            is_counted,
            declined: declined(report),
            sizes: [0; 2],
            seconds: [0.0; 2],
            rebuilt: None,
            wrong: Vec::new(),
        };
        if let Err(error) = split.measure(engine, app, report) {
            split.wrong.push(error);
        }
        split
    }

    fn measure(&mut self, engine: Engine, app: &App, report: &Report) -> Result<(), String> {
        let bench = Bench::of(engine, app, report.clone());
        let built = bench.try_build()?;
        let images = built.each_ref().map(|one| &one.built);
        self.sizes = images.map(size);
        self.seconds = built.each_ref().map(|one| one.seconds);
        self.wrong = complaints(images, app, report);
        if self.sizes[1] >= self.sizes[0] && is_tried(report) {
            self.wrong
                .push(format!("its bytes become {:?}", self.sizes));
        }
        if self.is_counted && self.declined.is_none() {
            bench.comment(&source(app));
            let rebuilt = bench.try_build()?;
            self.rebuilt = Some(rebuilt.each_ref().map(|one| (one.ran(), one.seconds)));
        }
        Ok(())
    }

    fn complaints(&self) -> impl Iterator<Item = String> {
        let wrong = self.wrong.iter();
        wrong.map(|wrong| format!("{}: {wrong}", self.app))
    }
}

/// Why the stage is not split; `None` where it is.
fn declined(report: &Report) -> Option<String> {
    let of_rule = |rule: &str| rule == "split-stages";
    let mut findings = report.findings.iter();
    if findings.any(|one| one.applied && of_rule(&one.rule)) {
        return None;
    }
    let mut declined = report.declined.iter();
    let said = declined.find(|one| of_rule(&one.rule));
    Some(said.map_or_else(|| "nothing is said".to_owned(), |one| one.reason.clone()))
}

/// A source file of the application, relative to its context: the one that lies highest.
fn source(app: &App) -> PathBuf {
    let own = app.name.split_once('/').map_or("", |(_, own)| own);
    let files = files_under(&app.folder.join(own)).into_iter();
    let is_source = |file: &Path| {
        let ending = file.extension().and_then(|one| one.to_str());
        ending.is_some_and(|ending| ["c", "cpp", "go", "js", "py", "rs", "ts"].contains(&ending))
    };
    let mut sources: Vec<PathBuf> = files.filter(|file| is_source(file)).collect();
    sources.sort_by_key(|file| (file.components().count(), file.clone()));
    let first = sources.first().unwrap();
    first.strip_prefix(&app.folder).unwrap().to_owned()
}

fn complaints(images: [&Built; 2], app: &App, report: &Report) -> Vec<String> {
    let [mut before, mut after] = images.map(|image| said(&image.inspect()));
    for one in [&mut before, &mut after] {
        // Who runs as root may have no name.
        let user = one.get_mut("user").unwrap();
        if matches!(user.as_str(), Some("0" | "root")) {
            *user = Value::from("");
        }
    }
    let mut wrong = configuration(&before, &after, &effects(&applied(report)));
    let text = String::from_utf8_lossy(&report.output);
    let workdir = before["workdir"].as_str().unwrap();
    // A program is compiled without C, npm and pnpm note what they deleted, and bytecode says when its source was written.
    let notes = [".package-lock.json", ".modules.yaml", ".pnpm/lock.yaml"];
    let is_built = |path: &str| {
        let noted = path.rsplit_once("/node_modules/");
        text.contains(&format!(" {path} {path}\n"))
            || path.ends_with(".pyc")
            || noted.is_some_and(|(_, name)| notes.contains(&name))
    };
    if workdir.len() > 1 {
        let trees = images.map(|image| Tree::of_folder(image.image(), workdir));
        for one in differences(&trees[0], &trees[1]) {
            let path = format!("{workdir}{}", one.path);
            let may_differ = one.is_gone() || one.is_content() && is_built(&path);
            if !may_differ {
                wrong.push(one.to_string());
            }
        }
    }
    let [before, after] = images.map(|image| output(image.image(), app.smoke()));
    if before != after {
        wrong.push(format!("it prints {before:?}, then {after:?}"));
    }
    wrong
}

fn table(built: &[Split]) -> String {
    let mut table = format!(
        "{:24}{:>10}{:>10}{:>8}{:>18}{:>22}{:>18}\n",
        "application", "MB before", "after", "", "seconds", "steps after an edit", "seconds"
    );
    let mut seconds = [0.0; 2];
    for one in built {
        let [before, after] = one.sizes.map(|size| size as f64 / 1e6);
        let first = arrow(one.seconds);
        let rest = match (&one.rebuilt, &one.declined) {
            (Some([before, after]), _) => {
                seconds[1] += before.1 + after.1;
                let steps = format!("{} -> {}", before.0, after.0);
                format!("{steps:>22}{:>18}", arrow([before.1, after.1]))
            }
            (None, Some(reason)) => format!("   {reason}"),
            (None, None) => String::new(),
        };
        seconds[0] += one.seconds.iter().sum::<f64>();
        writeln!(
            table,
            "{:24}{before:10.1}{after:10.1}{:7.1}%{first:>18}{rest}",
            one.app,
            change(one)
        )
        .unwrap();
    }
    let split = built.iter().filter(|one| one.declined.is_none()).count();
    let [first, edited] = seconds;
    writeln!(
        table,
        "{} applications, {split} of them split: {:.1} % on average; builds took {first:.0} s, and {edited:.0} s after an edit",
        built.len(),
        mean(built)
    )
    .unwrap();
    table
}

fn arrow([before, after]: [f64; 2]) -> String {
    format!("{before:.1} -> {after:.1}")
}

/// How much smaller the second image is, in percent, signed.
fn change(split: &Split) -> f64 {
    let [before, after] = split.sizes.map(|size| size as f64);
    100.0 * (after / before - 1.0)
}

/// The same on average over the applications that are split.
fn mean(built: &[Split]) -> f64 {
    let split = built.iter().filter(|one| one.declined.is_none());
    let changes: Vec<f64> = split.map(change).collect();
    changes.iter().sum::<f64>() / changes.len() as f64
}

#[test]
fn a_split_application_is_verified() {
    if engine().is_none() {
        return;
    }
    let app = App::all()
        .into_iter()
        .find(|app| app.name == "go-templates");
    let context = app.unwrap().context(&[]);
    let sandbox = Sandbox::new();
    let mut command = sandbox.command();
    let command = command.current_dir(context.path());
    let output = command
        .args(["verify", "--unsafe", "Dockerfile"])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(said.contains("rules: split-stages"), "{said}");
    assert!(
        said.contains("  verified: nothing differs but what the rules declare"),
        "{said}"
    );
}
