//! A file with one stage that builds and runs becomes two: a builder, which does what the file did, and a runtime stage,
//! which takes over what the program needs, each file at the path where it was.
//!
//! Robust, not clever: the builder is the old stage up to its last build step, and what configures the image is said in
//! the runtime stage word for word. Never splits where a step may leave something behind that nobody can tell.

mod again;
mod assets;
mod c;
mod dotnet;
mod go;
mod java;
mod kept;
mod libraries;
mod made;
mod node;
mod parts;
mod python;
mod rust;
mod write;

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use crate::pass::project_place::Place;
use crate::pass::reasons::Reasons;
use crate::pass::runs::{Stage, shown_span};
use crate::pass::{Findings, Pass, PassContext};
use crate::report::Fix;
use crate::rule::{Applicability, Saving};
use crate::syntax::shell::{CommandAt, Script};
use crate::syntax::{Instruction, Keyword};
use crate::text::Edit;
use assets::Assets;
use kept::Kept;
use parts::Parts;

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct SplitStages {
    /// Packages of distributions that only builds need.
    build_packages: Vec<String>,
    /// Patterns of names that are there for people and tools.
    aside: Vec<String>,
    /// Directories of that kind.
    aside_directories: Vec<String>,
    /// The libraries behind packages for building that are called the same in all releases.
    libraries: Table,
    /// Those that are not, by release.
    libraries_of: BTreeMap<String, Table>,
    /// How many bytes fewer ship than on the full image of a family: the least, and the most.
    saves: BTreeMap<String, [u64; 2]>,
    c: c::Knowledge,
    dotnet: dotnet::Knowledge,
    go: go::Knowledge,
    java: java::Knowledge,
    node: node::Knowledge,
    python: python::Knowledge,
    rust: rust::Knowledge,
}

/// Packages, and those that hold the libraries which programs that are built with them need.
type Table = BTreeMap<String, Vec<String>>;

/// A command of a RUN, and where it stands.
struct At<'s, 'a> {
    place: Place<'a>,
    script: &'s Script,
    found: CommandAt<'s>,
}

/// What a step is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum For {
    /// The build.
    Build,
    /// What runs too: it is said in both stages.
    Both,
}

/// What a language makes of a stage.
trait Language {
    /// What a command is for, where the language knows it.
    fn command(&mut self, at: &At<'_, '_>) -> Option<Result<For, String>>;

    /// Whether only builds in this language need a package of the distribution.
    fn builds_with(&self, _package: &str) -> bool {
        false
    }

    /// Packages that the runtime stage installs too, of those that the language takes a look at itself.
    fn kept(&self) -> Kept {
        Kept::default()
    }

    /// Whether only the build reads a variable.
    fn only_builds(&self, variable: &str) -> bool;

    /// Whether the runtime stage says a COPY of the builder again, to take its files from where the builder does.
    fn repeats(&self, _copy: &Instruction) -> bool {
        false
    }

    /// What the runtime stage is, once all commands were looked at.
    fn runtime(&mut self, stage: &Stage<'_>, parts: &Parts) -> Result<Runtime, String>;
}

/// The stage that ships.
struct Runtime {
    /// Its base image.
    base: Base,
    /// What it takes over from the builder: absolute paths.
    carried: Vec<String>,
    /// What it has elsewhere than the builder: where it is there, and here.
    moved: Option<[&'static str; 2]>,
    /// Whom the first of them belongs to, where that is not root.
    owner: Option<String>,
    /// The last step of the builder, where it gets one more.
    last: Option<String>,
    /// Whether what is taken over, and the lines, come before what is said again.
    first: bool,
    /// Packages of Debian that it installs, first of all: a USER may install nothing.
    packages: BTreeSet<String>,
    /// Lines that its base makes necessary.
    lines: Vec<String>,
    /// What changes in the builder.
    edits: Vec<Edit>,
    /// Whether it is for the user to make.
    is_suggested: bool,
    /// Why it is so.
    reasons: Reasons,
}

/// The image that a stage is built on.
struct Base {
    image: String,
    /// Why this one.
    why: String,
}

impl Base {
    fn new(image: impl Into<String>, why: impl Into<String>) -> Self {
        Self {
            image: image.into(),
            why: why.into(),
        }
    }
}

impl Runtime {
    /// A stage on this base that holds nothing yet.
    fn new(base: Base) -> Self {
        Self {
            base,
            carried: Vec::new(),
            moved: None,
            owner: None,
            last: None,
            first: false,
            packages: BTreeSet::new(),
            lines: Vec::new(),
            edits: Vec::new(),
            is_suggested: false,
            reasons: Reasons::default(),
        }
    }

    /// A stage that ships a compiled program and what it may read.
    fn of_program(base: Base, program: String, assets: Assets) -> Self {
        let mut runtime = Self::new(base);
        runtime.carry(program, "what the container starts");
        runtime.carried.extend(assets.carried);
        runtime.reasons.append(assets.reasons);
        runtime
    }

    /// Takes a path over from the builder.
    fn carry(&mut self, path: impl Into<String>, why: &str) {
        let path = path.into();
        self.reasons
            .say(path.clone(), format!("carried over: {why}"));
        self.carried.push(path);
    }

    /// A line that the base makes necessary.
    fn line(&mut self, line: String, why: &str) {
        self.reasons.say(line.clone(), why);
        self.lines.push(line);
    }

    /// Distroless images and those of Alpine hold the certificates of authorities; the small ones of Debian do not.
    fn with_certificates(mut self) -> Self {
        if self.base.image.starts_with("debian:") {
            let why = "the small image has no certificates to check servers with";
            self.carry(libraries::CERTIFICATES_FILE, why);
        }
        self
    }
}

impl Pass for SplitStages {
    fn run(&self, cx: &PassContext<'_>, out: &mut Findings) {
        let [stage] = cx.stages else {
            return;
        };
        let Some(mut language) = self.language(cx, stage) else {
            return;
        };
        let span = shown_span(stage.model.from);
        match self.split(cx, stage, &mut *language) {
            Err(reason) => out.decline(span, reason),
            Ok((parts, mut runtime)) => {
                let image = stage.model.from.words().first().map(|word| &word.text);
                let image = image.map(String::as_str).unwrap_or_default();
                let message = format!("the image ships all that `{image}` builds with");
                let title = format!(
                    "build in a stage of its own, and ship on `{}`",
                    runtime.base.image
                );
                let mut reasons = Reasons::default();
                reasons.say(runtime.base.image.clone(), runtime.base.why.clone());
                reasons.append(std::mem::take(&mut runtime.reasons));
                if let Some(owner) = &runtime.owner {
                    reasons.say(owner, "owns what is carried over, as in the build stage");
                }
                let spoken = span.cover(shown_span(stage.steps[parts.last].instruction));
                let is_suggested = runtime.is_suggested;
                let edits = write::edits(cx, stage, &parts, runtime);
                reasons.append(parts.reasons);
                let fix = cx.fix(title, edits);
                let because = |fix: Fix| fix.because(reasons.sentences());
                let mut fix = fix.map(|fix| because(fix).saves(self.saving(stage)));
                if let Some(fix) = fix.as_mut().filter(|_| is_suggested) {
                    fix.applicability = Applicability::Suggestion;
                }
                out.report(spoken, message, fix);
            }
        }
    }
}

impl SplitStages {
    /// What is saved where the stage is on a full image of which that is known.
    fn saving(&self, stage: &Stage<'_>) -> Option<Saving> {
        let base = stage.model.end.base();
        let is_full = base.package_manager == Some("apt") && !base.has_word("slim");
        let family = base.family.filter(|_| is_full)?;
        let [low, high] = *self.saves.get(&family.name)?;
        Some(Saving { low, high })
    }

    fn language<'p>(
        &'p self,
        cx: &'p PassContext<'_>,
        stage: &'p Stage<'_>,
    ) -> Option<Box<dyn Language + 'p>> {
        let base = stage.model.end.base();
        if base.is_family("golang") {
            return Some(Box::new(go::Go::new(self, cx)));
        }
        if base.is_family("rust") {
            return Some(Box::new(rust::Rust::new(self, cx)));
        }
        if c::C::is_of(stage) {
            return Some(Box::new(c::C::new(self, cx)));
        }
        if dotnet::Dotnet::is_of(stage) {
            return Some(Box::new(dotnet::Dotnet::new(self, cx, stage)));
        }
        if java::Java::is_of(stage) {
            return Some(Box::new(java::Java::new(self, cx)));
        }
        if base.is_family("node") {
            return Some(Box::new(node::Node::new(self, cx, stage)));
        }
        if base.is_family("python") {
            return Some(Box::new(python::Python::new(self, cx)));
        }
        None
    }

    fn split(
        &self,
        cx: &PassContext<'_>,
        stage: &Stage<'_>,
        language: &mut dyn Language,
    ) -> Result<(Parts, Runtime), String> {
        if stage.model.from.flag("platform").is_some() {
            return Err("the stage asks for a platform".to_owned());
        }
        if !cx.context.is_known() {
            return Err("the build context is not known".to_owned());
        }
        for step in &stage.steps {
            match step.instruction.keyword {
                Keyword::Onbuild | Keyword::Shell => {
                    return Err(format!("the stage has {}", step.instruction.keyword));
                }
                _ => {}
            }
        }
        let mut parts = Parts::of(self, cx, language)?;
        let said_again = parts.both.iter().map(|at| stage.steps[*at].instruction);
        let texts = said_again.map(|one| shown_span(one).of(cx.text));
        if texts.map(str::from_utf8).any(|text| text.is_err()) {
            return Err("what both stages would say is not UTF-8".to_owned());
        }
        let mut runtime = language.runtime(stage, &parts)?;
        let mut kept = std::mem::take(&mut parts.kept);
        kept.append(language.kept());
        kept.install(cx, stage, &mut runtime)?;
        Ok((parts, runtime))
    }
}

/// The command that installs packages of Debian, and does nothing else.
fn install(packages: &BTreeSet<String>) -> Option<String> {
    let names: Vec<&str> = packages.iter().map(String::as_str).collect();
    (!names.is_empty()).then(|| {
        format!(
            "apt-get update && apt-get install -y --no-install-recommends {} && rm -rf /var/lib/apt/lists/*",
            names.join(" ")
        )
    })
}

/// No instruction names what an image without files does not have.
///
/// # Errors
/// A user by its name, or a time zone.
fn known_to_scratch(stage: &Stage<'_>) -> Result<(), String> {
    let user = stage.model.end.user().unwrap_or_default();
    let mut bytes = user.bytes();
    if !bytes.all(|byte| byte.is_ascii_digit() || byte == b':') {
        return Err(format!("`scratch` does not know the user `{user}`"));
    }
    match stage.model.end.variable("TZ") {
        Some(_) => Err("`TZ` names a time zone, and `scratch` has none".to_owned()),
        None => Ok(()),
    }
}

/// Why the small image of the builder's own release.
const SAME: &str = "the builder's release, so its C library";

/// The small image of the distribution on which the stage stands. A tag that moves stands on Debian's stable release, or
/// on an older one: what is compiled there runs on the stable one, whose C library is not older.
fn small(stage: &Stage<'_>) -> Result<Base, String> {
    let facts = stage.model.end.base();
    let release = facts.release.as_deref();
    match (facts.package_manager, release) {
        (Some("apt"), None) => Ok(Base::new(
            "debian:stable-slim",
            "its C library is not older than the builder's",
        )),
        (Some("apt"), Some(release)) => Ok(Base::new(format!("debian:{release}-slim"), SAME)),
        (Some("apk"), Some(release)) => Ok(Base::new(format!("alpine:{release}"), SAME)),
        (Some("apk"), None) => Err("the release of the base image is not known".to_owned()),
        _ => Err("the distribution of the base image is not known".to_owned()),
    }
}
