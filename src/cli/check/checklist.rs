//! `check --format checklist`: what a guide to small images would ask of each file, and the rule that would do it.

use crate::cli::run::Done;
use crate::model::managers::{Kind, Role, invocation};
use crate::model::{Base, Model, Stage};
use crate::pass::runs;
use crate::render::{BOLD, Look, RULE, visible_line};
use crate::report::Report;
use crate::syntax::{Args, Dockerfile, Keyword};

/// A line of the list: what is asked, and the rules that would do it.
struct Item {
    title: &'static str,
    rules: &'static [&'static str],
    /// Whether it concerns the file, and is done where no rule finds anything.
    done: fn(&Facts<'_>) -> Option<bool>,
}

/// What the list asks of a file.
struct Facts<'a> {
    file: &'a Dockerfile,
    model: &'a Model<'a>,
    /// The kinds of package managers that install something.
    installs: Vec<Kind>,
    has_ignore_file: bool,
}

const ITEMS: [Item; 11] = [
    Item {
        title: "multi-stage build",
        rules: &["split-stages"],
        done: |facts| (facts.model.stages.len() > 1).then_some(true),
    },
    Item {
        title: "slim base image",
        rules: &["slim-base", "split-stages"],
        done: |facts| Some(is_small(facts.shipped()?)).filter(|small| *small),
    },
    Item {
        title: "combined RUN commands",
        rules: &["join-apt-update", "join-cleanup", "join-runs"],
        done: |facts| facts.has(Keyword::Run).then_some(true),
    },
    Item {
        title: "no cache of the language's package manager",
        rules: &[
            "cargo-registry",
            "composer-cache",
            "conda-clean",
            "gem-cache",
            "go-modcache",
            "npm-cache",
            "pip-no-cache",
            "pnpm-store",
            "yarn-cache",
        ],
        done: |facts| facts.installs_for_language(),
    },
    Item {
        title: "package lists removed",
        rules: &["apk-no-cache", "apt-lists", "dnf-clean"],
        done: |facts| facts.installs.contains(&Kind::System).then_some(true),
    },
    Item {
        title: "dependency manifests copied first",
        rules: &["copy-manifests-first", "rust-build-cache"],
        done: |facts| facts.installs_for_language(),
    },
    Item {
        title: "production dependencies only",
        rules: &[
            "bundle-without-dev",
            "composer-no-dev",
            "npm-omit-dev",
            "poetry-without-dev",
            "split-stages",
        ],
        done: |facts| {
            let concerned = [Kind::Node, Kind::Php, Kind::Python, Kind::Ruby];
            let mut kinds = facts.installs.iter();
            kinds.any(|kind| concerned.contains(kind)).then_some(true)
        },
    },
    Item {
        title: ".dockerignore",
        rules: &["dockerignore"],
        done: |facts| facts.has_ignore_file.then_some(true),
    },
    Item {
        title: "non-root user",
        rules: &["nonroot-user"],
        done: |facts| facts.shipped()?.end.is_root().map(|root| !root),
    },
    Item {
        title: "exec-form CMD",
        rules: &["exec-form"],
        done: |facts| {
            let last = facts.shipped()?.steps.iter().rev();
            let mut last = last.map(|step| step.instruction);
            let command =
                last.find(|one| matches!(one.keyword, Keyword::Cmd | Keyword::Entrypoint))?;
            Some(matches!(command.args, Args::Exec(_)))
        },
    },
    Item {
        title: "pinned base",
        rules: &["pin-base"],
        done: |facts| {
            let mut stages = facts.model.stages.iter();
            stages
                .any(|stage| matches!(stage.base, Base::Image(_)))
                .then_some(true)
        },
    },
];

impl Facts<'_> {
    /// The stage that ships.
    fn shipped(&self) -> Option<&Stage<'_>> {
        self.model.stages.last()
    }

    fn has(&self, keyword: Keyword) -> bool {
        self.file.instructions().any(|one| one.keyword == keyword)
    }

    fn installs_for_language(&self) -> Option<bool> {
        let mut kinds = self.installs.iter();
        kinds.any(|kind| *kind != Kind::System).then_some(true)
    }
}

fn is_small(stage: &Stage<'_>) -> bool {
    let facts = stage.end.base();
    let words = ["alpine", "jre", "runtime", "slim", "tiny"];
    matches!(stage.base, Base::Scratch)
        || words.iter().any(|word| facts.has_word(word))
        || facts
            .distribution
            .is_some_and(|one| matches!(one.name(), "alpine" | "distroless" | "busybox"))
}

/// The list of one file: `[x]` done, `[ ]` the rule would do it, `[-]` does not concern the file or is left alone.
pub(super) fn list(done: &Done<'_>, look: Look) -> String {
    let report = &done.report;
    let path = visible_line(&report.source.path.to_string_lossy());
    let mut out = format!("{}\n", look.paint(BOLD, &path));
    if !report.refused.is_empty() {
        return out + "  BuildKit refuses this file\n";
    }
    let text = &report.source.text;
    let file = Dockerfile::parse(text);
    let model = Model::of(&file, text, &done.build);
    let facts = Facts {
        file: &file,
        model: &model,
        installs: installs(&model),
        has_ignore_file: has_ignore_file(done),
    };
    for item in &ITEMS {
        out.push_str(&line(item, &facts, report, look));
    }
    out
}

fn line(item: &Item, facts: &Facts<'_>, report: &Report, look: Look) -> String {
    let is_of_item = |rule: &str| item.rules.contains(&rule);
    if let Some(found) = report.findings.iter().find(|one| is_of_item(&one.rule)) {
        return format!("  [ ] {}: {}\n", item.title, look.paint(RULE, &found.rule));
    }
    let declined = report.declined.iter().find(|one| is_of_item(&one.rule));
    let why = declined.map(|one| {
        format!(
            ": {}: left alone: {}",
            look.paint(RULE, &one.rule),
            visible_line(&one.reason)
        )
    });
    let why = why.unwrap_or_default();
    match (item.done)(facts) {
        Some(true) => format!("  [x] {}\n", item.title),
        Some(false) => format!("  [ ] {}{why}\n", item.title),
        None => format!("  [-] {}{why}\n", item.title),
    }
}

fn installs(model: &Model<'_>) -> Vec<Kind> {
    let mut kinds = Vec::new();
    for stage in runs::stages(model) {
        for step in stage.steps.iter() {
            let commands = step.script().map(|script| script.commands());
            for found in commands.unwrap_or_default() {
                let asked = invocation(&found.command.words);
                let asked = asked.filter(|asked| matches!(asked.role, Role::Install | Role::Build));
                kinds.extend(asked.map(|asked| asked.manager.kind));
            }
        }
    }
    kinds
}

fn has_ignore_file(done: &Done<'_>) -> bool {
    let beside = done.report.source.path.as_os_str().to_owned();
    let mut own = beside;
    own.push(".dockerignore");
    let of_context = done.root.as_ref().map(|root| root.join(".dockerignore"));
    of_context.is_some_and(|path| path.is_file()) || std::path::Path::new(&own).is_file()
}
