//! What `layers` says of images that an engine holds, against sums made here from what the engine saves and exports.

use std::collections::BTreeMap;
use std::io::Read;
use std::process::{Command, Stdio};

use serde_json::Value;

use super::apps::App;
use super::{Built, docker, engine};

/// Images that fixtures are built on.
const BASES: &[&str] = &["debian:bookworm-slim", "python:3.11-slim", "node:20-slim"];
/// Applications with several stages, heredocs, files that are changed later, and settings of every kind.
const APPS: &[&str] = &[
    "apt-clean-later",
    "apt-heredoc",
    "apt-stages",
    "chmod-after-copy",
    "configuration",
];
/// The engine puts files of its own there when it exports a container.
const ENGINES: &[&str] = &[".dockerenv", "etc/hostname", "etc/hosts", "etc/resolv.conf"];

#[test]
fn sums_are_those_of_the_saved_image() {
    let Some(engine) = engine() else { return };
    let apps: Vec<(App, Built)> = App::all()
        .into_iter()
        .filter(|app| APPS.contains(&app.name.as_str()))
        .map(|app| {
            let built = app.build(engine, &["--network=host"]).unwrap();
            (app, built)
        })
        .collect();
    for base in BASES {
        compare(base, &layers(base, &[]));
    }
    for (app, built) in &apps {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), &app.text).unwrap();
        let path = file.path().to_str().unwrap();
        let said = layers(built.image(), &["--dockerfile", path]);
        compare(built.image(), &said);
        let steps = said["steps"].as_array().unwrap();
        let placed = steps.iter().filter(|step| !step["lines"].is_null());
        assert!(placed.count() > 0, "{}: no step has its lines", app.name);
    }
    assert_eq!(apps.len(), APPS.len());
}

fn compare(image: &str, said: &Value) {
    let saved = Saved::read(image);
    let layers = said["layers"].as_array().unwrap();
    assert_eq!(layers.len(), saved.layers.len(), "{image}");
    for (row, layer) in layers.iter().zip(&saved.layers) {
        let shown = &row["number"];
        assert_eq!(row["size"], layer.size, "{image}: size of layer {shown}");
        assert_eq!(
            row["archive"], layer.archive,
            "{image}: archive of layer {shown}"
        );
    }
    let sum: u64 = saved.layers.iter().map(|layer| layer.size).sum();
    assert_eq!(said["size"], sum, "{image}");
    let visible = sum - said["wasted"].as_u64().unwrap();
    assert_eq!(
        visible,
        exported(image) + saved.replaced(),
        "{image}: what is not wasted"
    );
    assert_eq!(created_by(said), history(image), "{image}");
    println!(
        "{image}: {} layers, {sum} bytes, {visible} of them visible",
        layers.len()
    );
}

/// What the engine saves, summed up.
struct Saved {
    layers: Vec<Layer>,
}

#[derive(Clone)]
struct Layer {
    size: u64,
    archive: u64,
    /// The sizes of the files that the engine replaces.
    replaced: BTreeMap<String, u64>,
}

impl Saved {
    fn read(image: &str) -> Self {
        let mut blobs = BTreeMap::new();
        let mut list = Value::Null;
        piped(&["save", image], |output| {
            let mut archive = tar::Archive::new(output);
            for member in archive.entries().unwrap() {
                let mut member = member.unwrap();
                let path = member.path().unwrap().display().to_string();
                if path == "manifest.json" {
                    list = serde_json::from_reader(&mut member).unwrap();
                } else if path.starts_with("blobs/") && member.size() > 0 {
                    blobs.insert(path, Layer::read(&mut member));
                }
            }
        });
        let names = list[0]["Layers"].as_array().unwrap().iter();
        let layer = |name: &Value| blobs[name.as_str().unwrap()].clone().unwrap();
        Self {
            layers: names.map(layer).collect(),
        }
    }

    fn replaced(&self) -> u64 {
        let all = self.layers.iter().flat_map(|layer| layer.replaced.clone());
        all.collect::<BTreeMap<_, _>>().values().sum()
    }
}

impl Layer {
    /// `None` for what is no archive.
    fn read(blob: &mut impl Read) -> Option<Self> {
        let mut bytes = Vec::new();
        blob.read_to_end(&mut bytes).unwrap();
        if bytes.starts_with(b"{") {
            return None;
        }
        let mut layer = Self {
            size: 0,
            archive: bytes.len() as u64,
            replaced: BTreeMap::new(),
        };
        for (path, size) in files(&bytes[..]) {
            layer.size += size;
            if ENGINES.contains(&path.as_str()) {
                layer.replaced.insert(path, size);
            }
        }
        Some(layer)
    }
}

/// The files of an archive, with their sizes.
fn files(archive: impl Read) -> Vec<(String, u64)> {
    let mut archive = tar::Archive::new(archive);
    let members = archive.entries().unwrap().map(|member| member.unwrap());
    let files = members.filter(|member| member.header().entry_type().is_file());
    files
        .map(|file| {
            let path = file.path().unwrap().display().to_string();
            (path.trim_start_matches("./").to_owned(), file.size())
        })
        .collect()
}

/// The bytes of the files that a container of the image sees, but for those that the engine replaces.
fn exported(image: &str) -> u64 {
    let created = docker(&["create", image, "true"]);
    let container = String::from_utf8(created.stdout).unwrap();
    let container = container.trim();
    let mut sum = 0;
    piped(&["export", container], |output| {
        let files = files(output).into_iter();
        let own = files.filter(|(path, _)| !ENGINES.contains(&path.as_str()));
        sum = own.map(|(_, size)| size).sum();
    });
    docker(&["rm", container]);
    sum
}

/// What made each step, the first first: the engine's own list has the last first.
fn history(image: &str) -> Vec<String> {
    let args = [
        "history",
        "--no-trunc",
        "--format",
        "{{json .CreatedBy}}",
        image,
    ];
    let output = docker(&args);
    let lines = str::from_utf8(&output.stdout).unwrap().lines();
    lines
        .rev()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

fn created_by(said: &Value) -> Vec<String> {
    let steps = said["steps"].as_array().unwrap().iter();
    steps
        .map(|step| step["created_by"].as_str().unwrap().to_owned())
        .collect()
}

fn layers(image: &str, args: &[&str]) -> Value {
    let mut command = Command::new(env!("CARGO_BIN_EXE_dockeropt"));
    let command = command.args(["layers", image, "--format=json"]).args(args);
    let output = command.output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success() && errors.is_empty(),
        "{image}: {errors}"
    );
    serde_json::from_slice(&output.stdout).unwrap()
}

fn piped(args: &[&str], read: impl FnOnce(&mut dyn Read)) {
    let mut child = Command::new("docker")
        .args(args)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut output = child.stdout.take().unwrap();
    read(&mut output);
    std::io::copy(&mut output, &mut std::io::sink()).unwrap();
    assert!(child.wait().unwrap().success(), "docker {args:?}");
}
