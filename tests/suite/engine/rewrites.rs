//! Every application before and after the whole chain, both built: the image configuration is the same, and so are the
//! files and what the application prints, but for what the effects of the applied rules declare.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::time::Instant;

use dockeropt::report::Report;
use dockeropt::rule::Effect;
use rayon::prelude::*;
use serde_json::Value;

use super::apps::{App, output};
use super::config::said;
use super::declared::Declared;
use super::tree::{Tree, differences};
use super::{Built, Engine, engine};
use crate::run::all_rules;

/// The rules that each application is there for: they change it, whatever others do.
const EXPECTED: &[(&str, &[&str])] = &[
    ("add-local", &["copy-not-add"]),
    ("apt-after-source", &["install-before-copy"]),
    ("apt-clean-later", &["join-cleanup"]),
    (
        "apt-comments",
        &[
            "apt-lists",
            "apt-no-recommends",
            "continuation-without-blanks",
        ],
    ),
    ("apt-companions", &["apt-lists", "apt-no-recommends"]),
    (
        "apt-crlf",
        &[
            "apt-lists",
            "apt-no-recommends",
            "copy-not-add",
            "env-key-value",
        ],
    ),
    ("apt-heredoc", &["apt-no-recommends", "env-key-value"]),
    ("apt-lists-left", &["apt-lists"]),
    ("apt-mount", &["cache-mounts"]),
    ("apt-no-yes", &["apt-yes"]),
    ("apt-purge-later", &["join-cleanup"]),
    (
        "apt-set-e",
        &["apt-lists", "apt-no-recommends", "exec-form"],
    ),
    (
        "apt-several",
        &["apt-lists", "apt-no-recommends", "join-runs"],
    ),
    (
        "apt-spelling",
        &["apt-get", "apt-lists", "apt-no-recommends"],
    ),
    ("apt-stages", &["apt-no-recommends"]),
    (
        "apt-two-steps",
        &["apt-lists", "apt-no-recommends", "join-apt-update"],
    ),
    ("apt-user", &["apt-lists", "apt-no-recommends"]),
    ("archive", &["archive-cleanup"]),
    ("bundler", &["exec-form"]),
    ("c-program", &["apt-lists", "apt-no-recommends"]),
    ("casing", &["as-case", "keyword-case", "stage-name-case"]),
    ("chmod-after-copy", &["copy-chmod"]),
    ("chown-after-copy", &["copy-chown"]),
    ("compose/api", &["copy-manifests-first"]),
    ("compose/worker", &["copy-manifests-first"]),
    ("composer", &["composer-cache", "composer-no-dev"]),
    (
        "configuration",
        &["copy-not-add", "env-key-value", "redundant-platform"],
    ),
    (
        "django",
        &[
            "apt-lists",
            "apt-no-recommends",
            "copy-manifests-first",
            "pip-no-cache",
        ],
    ),
    ("express", &["copy-manifests-first", "npm-cache", "npm-ci"]),
    ("fastapi", &["copy-manifests-first"]),
    ("gem", &["gem-no-document"]),
    ("go-cgo", &["go-modcache"]),
    ("go-modules", &["go-modcache"]),
    ("go-replaced", &["copy-not-add", "go-modcache"]),
    ("go-source-first", &["copy-manifests-first", "go-modcache"]),
    ("go-templates", &["go-modcache"]),
    ("go-vendored", &["go-modcache"]),
    ("junk", &["copy-manifests-first", "dockerignore"]),
    ("legacy", &["env-key-value", "label-maintainer"]),
    (
        "node-full",
        &["copy-manifests-first", "npm-cache", "npm-ci"],
    ),
    ("node-owner", &["npm-cache"]),
    ("npm-build", &["copy-manifests-first", "npm-cache"]),
    (
        "npm-dev-dependencies",
        &["copy-not-add", "npm-cache", "npm-omit-dev"],
    ),
    ("npm-global", &["npm-cache"]),
    ("npm-install", &["npm-cache", "npm-ci"]),
    ("npm-mount", &["cache-mounts"]),
    (
        "npm-postinstall",
        &["copy-manifests-first", "copy-not-add", "npm-cache"],
    ),
    (
        "npm-production",
        &["env-key-value", "exec-form", "npm-cache", "npm-omit-dev"],
    ),
    ("npm-subfolder", &["copy-manifests-first", "npm-cache"]),
    (
        "npm-workspaces",
        &["copy-manifests-first", "npm-cache", "npm-ci"],
    ),
    ("pip-env", &["env-key-value", "exec-form"]),
    ("pip-mount", &["cache-mounts"]),
    (
        "pip-native",
        &["apt-lists", "join-apt-update", "pip-no-cache"],
    ),
    ("pip-owner", &["copy-manifests-first"]),
    (
        "pip-requirements",
        &["copy-manifests-first", "pip-no-cache"],
    ),
    ("pip-several", &["join-runs", "pip-no-cache"]),
    ("pip-user", &["pip-no-cache"]),
    ("pip-venv", &["pip-no-cache"]),
    (
        "pipenv",
        &["copy-manifests-first", "exec-form", "pip-no-cache"],
    ),
    ("pnpm", &["exec-form"]),
    ("pnpm-source-first", &["copy-manifests-first"]),
    ("poetry", &["poetry-without-dev"]),
    (
        "poetry-source-first",
        &["copy-manifests-first", "poetry-without-dev"],
    ),
    ("python-flask", &["copy-manifests-first"]),
    ("python-postgres", &[]),
    ("python-several", &[]),
    ("rust", &["cargo-registry"]),
    ("rust-openssl", &["rust-build-cache"]),
    ("rust-pages", &["rust-build-cache"]),
    ("rust-server", &["rust-build-cache"]),
    ("shell-form", &["exec-form"]),
    ("stages-scratch", &["copy-not-add"]),
    (
        "typescript",
        &["copy-manifests-first", "npm-cache", "npm-ci"],
    ),
    ("typescript-stages", &["copy-manifests-first", "npm-cache"]),
    ("uv", &["pip-no-cache"]),
    (
        "uv-project",
        &["copy-manifests-first", "copy-not-add", "pip-no-cache"],
    ),
    ("uv-pyproject", &["copy-manifests-first"]),
    ("volatile-arguments", &["volatile-last"]),
    ("yarn", &["yarn-cache"]),
    ("yarn-source-first", &["copy-manifests-first"]),
];

#[test]
fn every_application_is_changed_by_the_rules_it_is_there_for() {
    let (mut wrong, mut seen) = (Vec::new(), BTreeSet::new());
    for app in App::all() {
        let Some((_, expected)) = EXPECTED.iter().find(|(name, _)| *name == app.name) else {
            wrong.push(format!("{}: no rule is expected", app.name));
            continue;
        };
        let report = app.rewrite();
        let applied = applied(&report);
        let missing = expected
            .iter()
            .filter(|rule| !applied.iter().any(|one| one == *rule));
        wrong.extend(missing.map(|rule| format!("{}: {rule} changes nothing", app.name)));
        let withheld = report.withheld.iter();
        wrong.extend(
            withheld.map(|one| format!("{}: {} is withheld: {}", app.name, one.rule, one.reason)),
        );
        seen.insert(app.name);
    }
    let gone = EXPECTED.iter().filter(|(name, _)| !seen.contains(*name));
    wrong.extend(gone.map(|(name, _)| format!("{name}: there is no such application")));
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn rewritten_applications_build_the_same_images() {
    let Some(engine) = engine() else { return };
    let apps = App::all();
    let mut compared: Vec<Compared> = apps
        .par_iter()
        .map(|app| Compared::of(engine, app))
        .collect();
    compared.sort_by(|one, other| one.app.cmp(&other.app));
    println!("{}", table(&compared));
    let wrong: Vec<String> = compared.iter().flat_map(Compared::complaints).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(compared.len() >= 60);
}

#[test]
#[ignore = "builds every application twice: for those who change what counts as noise"]
fn builds_of_one_file_differ_in_noise_only() {
    let Some(engine) = engine() else { return };
    let wrong: Vec<String> = App::all()
        .par_iter()
        .flat_map(|app| {
            let built = [&[][..], &["--no-cache"]].map(|args| app.build(engine, args).unwrap());
            let wrong = undeclared([&built[0], &built[1]], app, &[], "");
            wrong
                .into_iter()
                .map(|one| format!("{}: {one}", app.name))
                .collect::<Vec<_>>()
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn planted_differences_are_found() {
    let Some(engine) = engine() else { return };
    let base = [
        "FROM debian:bookworm-slim",
        "LABEL a=b",
        "RUN touch /kept /mode /owner /gone && ln -s kept /link && mkdir /var/lib/apt/lists/x",
    ];
    let plants = [
        ("LABEL a=c", "labels is"),
        ("RUN echo other > /kept", "/kept has another content"),
        ("RUN chmod 600 /mode", "/mode: "),
        ("RUN chown 1 /owner", "/owner: "),
        ("RUN rm /gone", "/gone is gone"),
        ("RUN touch /new", "/new is new"),
        ("RUN ln -sf mode /link", "/link: "),
        (
            "RUN rmdir /var/lib/apt/lists/x",
            "/var/lib/apt/lists/x is gone",
        ),
        ("CMD echo other", "it prints"),
    ];
    let build = |text: &str| {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("Dockerfile"), text).unwrap();
        engine.build(&[], folder.path()).unwrap()
    };
    let planted = plants.iter().map(|(line, _)| *line);
    let text = base
        .iter()
        .copied()
        .chain(planted)
        .collect::<Vec<_>>()
        .join("\n");
    let (before, after) = (build(&base.join("\n")), build(&text));
    let app = App {
        name: "planted".to_owned(),
        folder: std::env::temp_dir(),
        text: Vec::new(),
    };
    let found = undeclared([&before, &after], &app, &[], &text);
    for (line, said) in plants {
        assert!(
            found.iter().any(|one| one.starts_with(said)),
            "{line}: {found:#?}"
        );
    }
    // The command is a further key of the configuration.
    assert_eq!(found.len(), plants.len() + 1, "{found:#?}");
}

/// What came out of one application.
struct Compared {
    app: String,
    rules: Vec<String>,
    /// The sizes of both images, in bytes.
    sizes: [u64; 2],
    seconds: f64,
    /// Differences that nothing declares.
    wrong: Vec<String>,
}

impl Compared {
    fn of(engine: Engine, app: &App) -> Self {
        let start = Instant::now();
        let report = app.rewrite();
        let mut compared = Self {
            app: app.name.clone(),
            rules: applied(&report),
            sizes: [0; 2],
            seconds: 0.0,
            wrong: Vec::new(),
        };
        compared.build(engine, app, &report, &[]);
        if !compared.wrong.is_empty() {
            // Steps may come from the cache of an older build, and a registry may have something newer since then.
            compared.build(engine, app, &report, &["--no-cache"]);
        }
        compared.seconds = start.elapsed().as_secs_f64();
        compared
    }

    fn build(&mut self, engine: Engine, app: &App, report: &Report, args: &[&str]) {
        let built = [
            app.build(engine, args),
            app.build_rewritten(engine, report, args),
        ];
        self.wrong = match built {
            [Ok(before), Ok(after)] => {
                self.sizes = [&before, &after].map(size);
                let text = String::from_utf8_lossy(&report.output);
                undeclared([&before, &after], app, &effects(&self.rules), &text)
            }
            built => built.into_iter().filter_map(Result::err).collect(),
        }
    }

    fn complaints(&self) -> impl Iterator<Item = String> {
        let said = |wrong| format!("{} (rules: {}): {wrong}", self.app, self.rules.join(", "));
        self.wrong.iter().map(said)
    }
}

/// The ids of the rules whose fixes are in the output.
pub(super) fn applied(report: &Report) -> Vec<String> {
    let findings = report.findings.iter().filter(|finding| finding.applied);
    let rules: BTreeSet<&String> = findings.map(|finding| &finding.rule).collect();
    rules.into_iter().cloned().collect()
}

/// What these rules may change.
pub(super) fn effects(rules: &[String]) -> Vec<Effect> {
    let all = all_rules();
    let applied = all.into_iter().filter(|rule| rules.contains(&rule.id));
    applied.flat_map(|rule| rule.effects).collect()
}

/// The size of an image, in bytes.
pub(crate) fn size(built: &Built) -> u64 {
    built.inspect()["Size"].as_u64().unwrap()
}

/// How two images of an application differ, except in what these effects declare.
fn undeclared(images: [&Built; 2], app: &App, effects: &[Effect], text: &str) -> Vec<String> {
    let [before, after] = images.map(|image| said(&image.inspect()));
    let mut wrong = configuration(&before, &after, effects);
    let trees = images.map(|image| Tree::of_image(image.image()));
    let env = before["env"].as_array().into_iter().flatten();
    let env: Vec<&str> = env.filter_map(Value::as_str).collect();
    let declared = Declared::new([&trees[0], &trees[1]], effects, &env, text, &app.folder);
    let files = differences(&trees[0], &trees[1]).into_iter();
    let files = files.filter(|one| !declared.is_noise(one) && !declared.covers(one));
    wrong.extend(files.map(|one| one.to_string()));
    let [before, after] = images.map(|image| output(image.image(), app.smoke()));
    if before != after {
        wrong.push(format!("it prints {before:?}, then {after:?}"));
    }
    wrong
}

/// The keys of two image configurations that differ, and that no effect declares.
pub(super) fn configuration(
    before: &BTreeMap<&'static str, Value>,
    after: &BTreeMap<&'static str, Value>,
    effects: &[Effect],
) -> Vec<String> {
    let declared = |key: &str| effects.contains(&Effect::Config(key.to_owned()));
    let keys = before.iter().filter(|(key, _)| !declared(key));
    keys.filter(|(key, value)| after[*key] != **value)
        .map(|(key, value)| format!("{key} is {value}, then {}", after[key]))
        .collect()
}

fn table(compared: &[Compared]) -> String {
    let mut table = format!(
        "{:24}{:>10}{:>10}{:>9}  rules\n",
        "application", "MB before", "after", "seconds"
    );
    for one in compared {
        let [before, after] = one.sizes.map(|size| size as f64 / 1e6);
        let (app, seconds, rules) = (&one.app, one.seconds, one.rules.join(", "));
        writeln!(
            table,
            "{app:24}{before:10.1}{after:10.1}{seconds:9.1}  {rules}"
        )
        .unwrap();
    }
    table
}
