//! What `docker image inspect` says of every stage of every Dockerfile in `tests/engine/config`, and what the model
//! says of it. A line `# build-arg: NAME=VALUE` gives a build argument, `# unknown: FIELD` names a field that the model
//! cannot know of all stages.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use dockeropt::model::config::{Collection, Config, Healthcheck};
use dockeropt::model::{Model, ModelInput};
use dockeropt::syntax::Dockerfile;
use rayon::prelude::*;
use serde_json::{Value, json};

use super::{Engine, engine, fixtures};
use crate::files::{files_under, name_of};

#[test]
fn configurations_are_those_that_the_engine_makes() {
    let Some(engine) = engine() else { return };
    let files = files_under(&fixtures("config"));
    let results = files.par_iter().map(|path| compare(engine, path));
    let results: Vec<Compared> = results.collect();
    let images: usize = results.iter().map(|one| one.images).sum();
    println!("{images} images of {} Dockerfiles compared", files.len());
    let wrong: Vec<String> = results.into_iter().flat_map(|one| one.wrong).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(files.len() >= 30 && images > files.len());
}

struct Compared {
    images: usize,
    wrong: Vec<String>,
}

fn compare(engine: Engine, path: &Path) -> Compared {
    let text = fs::read_to_string(path).unwrap();
    let given = notes(&text, "# build-arg: ");
    let unknown: BTreeSet<&str> = notes(&text, "# unknown: ").collect();
    let input = ModelInput {
        build_args: given
            .clone()
            .map(|pair| pair.split_once('=').unwrap())
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect(),
        build_args_complete: true,
        ..ModelInput::default()
    };
    let file = Dockerfile::parse(text.as_bytes());
    assert!(file.is_accepted(), "{}: {:?}", name_of(path), file.errors);
    let model = Model::of(&file, text.as_bytes(), &input);
    let empty = tempfile::tempdir().unwrap();
    let mut args = vec!["--file", path.to_str().unwrap()];
    args.extend(given.flat_map(|pair| ["--build-arg", pair]));
    let mut wrong = Vec::new();
    for stage in &model.stages {
        let name = format!("{} stage {}", name_of(path), stage.index);
        // A target has a name; the last stage needs none.
        let target = stage.name.iter().flat_map(|name| ["--target", name]);
        let args: Vec<&str> = args.iter().copied().chain(target).collect();
        let built = engine.build(&args, empty.path());
        let built = match built {
            Ok(built) => built,
            Err(error) => {
                wrong.push(format!("{name}: {error}"));
                continue;
            }
        };
        let said = said(&built.inspect());
        for (field, predicted) in predicted(&model.config(stage.index).unwrap()) {
            if predicted.is_none() && unknown.contains(field) {
                continue;
            }
            let engine = &said[field];
            if predicted.as_ref() != Some(engine) {
                wrong.push(format!(
                    "{name}, {field}: model {predicted:?}, engine {engine}"
                ));
            }
        }
    }
    let images = model.stages.len();
    Compared { images, wrong }
}

fn notes<'t>(text: &'t str, prefix: &'static str) -> impl Iterator<Item = &'t str> + Clone {
    text.lines()
        .filter_map(move |line| line.strip_prefix(prefix))
}

/// The configuration by key of `config:<key>`, as the engine says it; `None` where the model does not know all of it.
fn predicted(config: &Config) -> BTreeMap<&'static str, Option<Value>> {
    let pairs =
        |(key, value): &(String, Option<String>)| Some(format!("{key}={}", value.as_ref()?));
    let env = config
        .env
        .known
        .iter()
        .map(pairs)
        .collect::<Option<Vec<_>>>();
    let labels = config.labels.known.iter();
    let labels = labels.map(|(key, value)| Some((key.clone(), Value::from(value.clone()?))));
    let labels = labels.collect::<Option<serde_json::Map<_, _>>>();
    [
        ("env", env.filter(|_| config.env.complete).map(Value::from)),
        ("cmd", config.cmd.clone().map(Value::from)),
        ("entrypoint", config.entrypoint.clone().map(Value::from)),
        ("user", config.user.clone().map(Value::from)),
        ("workdir", config.workdir.clone().map(Value::from)),
        ("expose", set(&config.exposed_ports)),
        ("volumes", set(&config.volumes)),
        (
            "labels",
            labels.filter(|_| config.labels.complete).map(Value::from),
        ),
        ("stopsignal", config.stop_signal.clone().map(Value::from)),
        ("healthcheck", config.healthcheck.as_ref().map(healthcheck)),
        ("shell", config.shell.clone().map(Value::from)),
        (
            "onbuild",
            complete(&config.on_build).cloned().map(Value::from),
        ),
        ("author", config.author.clone().map(Value::from)),
    ]
    .into()
}

fn set(set: &Collection<BTreeSet<String>>) -> Option<Value> {
    complete(set).map(|known| known.iter().cloned().collect())
}

fn complete<T>(collection: &Collection<T>) -> Option<&T> {
    collection.complete.then_some(&collection.known)
}

fn healthcheck(check: &Healthcheck) -> Value {
    json!([
        check.test,
        check.interval,
        check.timeout,
        check.start_period,
        check.start_interval,
        check.retries,
    ])
}

/// The same keys of what the engine says. It leaves out what is empty.
pub(super) fn said(image: &Value) -> BTreeMap<&'static str, Value> {
    let config = &image["Config"];
    let or = |value: &Value, empty: Value| match value {
        Value::Null => empty,
        value => value.clone(),
    };
    let list = |name: &str| or(&config[name], json!([]));
    let text = |name: &str| or(&config[name], json!(""));
    let keys = |name: &str| {
        let keys = config[name].as_object().into_iter().flatten();
        let keys: BTreeSet<&String> = keys.map(|(key, _)| key).collect();
        json!(keys)
    };
    let check = &config["Healthcheck"];
    let number = |name: &str| or(&check[name], json!(0));
    let check = json!([
        or(&check["Test"], json!([])),
        number("Interval"),
        number("Timeout"),
        number("StartPeriod"),
        number("StartInterval"),
        number("Retries"),
    ]);
    [
        ("env", list("Env")),
        ("cmd", list("Cmd")),
        ("entrypoint", list("Entrypoint")),
        ("user", text("User")),
        ("workdir", text("WorkingDir")),
        ("expose", keys("ExposedPorts")),
        ("volumes", keys("Volumes")),
        ("labels", or(&config["Labels"], json!({}))),
        ("stopsignal", text("StopSignal")),
        ("healthcheck", check),
        ("shell", list("Shell")),
        ("onbuild", list("OnBuild")),
        ("author", or(&image["Author"], json!(""))),
    ]
    .into()
}
