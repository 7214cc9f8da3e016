//! Applications whose stage is split, or goes onto a small image: what ships is smaller, configured as it was but for the variables of the old base,
//! prints the same, and holds nothing that the image before did not hold, each file with the mode that it had.

use std::fmt::Write;

use dockeropt::report::Report;
use rayon::prelude::*;
use serde_json::Value;

use super::apps::{App, output};
use super::config::said;
use super::rewrites::size;
use super::tree::{Tree, differences};
use super::{Built, Engine, engine};
use crate::cli::sandbox::Sandbox;

#[test]
fn split_applications_ship_less_and_do_the_same() {
    let Some(engine) = engine() else { return };
    let mut split: Vec<Split> = App::all()
        .par_iter()
        .filter_map(|app| Split::of(engine, app))
        .collect();
    split.sort_by(|one, other| one.app.cmp(&other.app));
    println!("{}", table(&split));
    let wrong: Vec<String> = split
        .iter()
        .flat_map(|one| {
            one.wrong
                .iter()
                .map(|wrong| format!("{}: {wrong}", one.app))
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(split.len() >= 6, "{} are split", split.len());
}

/// One application that is split.
struct Split {
    app: String,
    /// The sizes of both images, in bytes.
    sizes: [u64; 2],
    wrong: Vec<String>,
}

impl Split {
    fn of(engine: Engine, app: &App) -> Option<Self> {
        let report = app.split();
        // Debian's small image has the same packages: one of those applications speaks for all.
        let on_debian = app.text.windows(11).any(|text| text == b"FROM debian");
        let is_tried = |rule: &str| match rule {
            "split-stages" => true,
            "slim-base" => !on_debian || app.name == "apt-several",
            _ => false,
        };
        let mut findings = report.findings.iter();
        findings.find(|one| one.applied && is_tried(&one.rule))?;
        let built = [
            app.build(engine, &[]),
            app.build_rewritten(engine, &report, &[]),
        ];
        let (sizes, wrong) = match built {
            [Ok(before), Ok(after)] => (
                [&before, &after].map(size),
                complaints([&before, &after], app, &report),
            ),
            built => ([0; 2], built.into_iter().filter_map(Result::err).collect()),
        };
        Some(Self {
            app: app.name.clone(),
            sizes,
            wrong,
        })
    }
}

fn complaints(images: [&Built; 2], app: &App, report: &Report) -> Vec<String> {
    let [before, after] = images.map(|image| said(&image.inspect()));
    let mut wrong = Vec::new();
    for (key, value) in &before {
        // Who runs as root may have no name.
        let is_root = |value: &Value| matches!(value.as_str(), Some("" | "0" | "root"));
        let same = &after[key] == value || *key == "user" && is_root(value) && is_root(&after[key]);
        if !same && *key != "env" {
            wrong.push(format!("{key} is {value}, then {}", after[key]));
        }
    }
    let text = String::from_utf8_lossy(&report.output);
    let workdir = before["workdir"].as_str().unwrap();
    // A program is compiled without C, and npm notes what it deleted.
    let is_built = |path: &str| {
        text.contains(&format!(" {path} {path}\n"))
            || path.ends_with("/node_modules/.package-lock.json")
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
    let [before, after] = images.map(size);
    if after >= before {
        wrong.push(format!("{before} bytes become {after}"));
    }
    wrong
}

fn table(split: &[Split]) -> String {
    let mut table = format!(
        "{:24}{:>10}{:>10}{:>8}\n",
        "application", "MB before", "after", ""
    );
    let mut sum = 0.0;
    for one in split {
        let [before, after] = one.sizes.map(|size| size as f64 / 1e6);
        let change = 100.0 * (after / before - 1.0);
        sum += change;
        writeln!(
            table,
            "{:24}{before:10.1}{after:10.1}{change:7.1}%",
            one.app
        )
        .unwrap();
    }
    writeln!(table, "{:44}{:7.1}%", "mean", sum / split.len() as f64).unwrap();
    table
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
