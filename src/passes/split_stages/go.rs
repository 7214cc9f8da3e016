//! Go: the runtime stage takes over what `go build` and `go install` make.

use serde::Deserialize;

use super::assets::Sorting;
use super::libraries::CERTIFICATES_FILE;
use super::made::Made;
use super::parts::Parts;
use super::{At, Base, For, Language, Runtime, SplitStages, known_to_scratch, small};
use crate::context::path;
use crate::model::expand::Lookup;
use crate::model::managers::{Invocation, Kind, Role, invocation};
use crate::pass::PassContext;
use crate::pass::health;
use crate::pass::program::Program;
use crate::pass::project_place::first_words;
use crate::pass::runs::Stage;
use crate::project::Project;
use crate::project::go::{GoNeed, GoSources};
use crate::syntax::Keyword;
use crate::text::Edit;

/// Directories in which the old base looks for programs, and the new one does not.
const BIN: &str = "/go/bin";

/// What the rule knows of Go.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Knowledge {
    /// Patterns of files that a compiled program does not read.
    sources: Vec<String>,
    /// Variables that only the compiler reads.
    compiler_variables: Vec<String>,
    /// Modules that do not work, or not build, without C.
    cgo: Vec<String>,
}

pub(super) struct Go<'p> {
    rule: &'p SplitStages,
    cx: &'p PassContext<'p>,
    made: Made,
    /// Where a build is to be told to do without C.
    unset: Vec<u32>,
    /// Whether one is told to do with it.
    wants_c: bool,
    /// The directories of the context that the modules stand in.
    modules: Vec<String>,
    /// Whether packages were installed that only a C compiler needs.
    has_system_packages: bool,
}

impl<'p> Go<'p> {
    pub(super) fn new(rule: &'p SplitStages, cx: &'p PassContext<'p>) -> Self {
        Self {
            rule,
            cx,
            made: Made::default(),
            unset: Vec::new(),
            wants_c: false,
            modules: Vec::new(),
            has_system_packages: false,
        }
    }

    /// What `go build` or `go install` makes.
    fn build(&mut self, at: &At<'_, '_>, go: &Invocation) -> Result<(), String> {
        let shown = first_words(&at.place.cx.shown(at.found.command.span));
        let unknown = || format!("what `{shown}` makes is not known");
        if go.dynamic && go.packages.is_empty() && go.flags.iter().all(|flag| flag.name != "-o") {
            return Err(unknown());
        }
        let odd = [
            "-race",
            "-msan",
            "-asan",
            "-buildmode",
            "-linkshared",
            "-C",
            "-toolexec",
        ];
        if let Some(flag) = go
            .flags
            .iter()
            .find(|flag| odd.contains(&flag.name.as_str()))
        {
            return Err(format!("`{}` makes more than a plain program", flag.name));
        }
        let directory = at
            .place
            .started_in(at.script, &at.found)
            .ok_or_else(unknown)?;
        let names = self.names(at, go, &directory).ok_or_else(unknown)?;
        let output = go.flags.iter().find(|flag| flag.name == "-o");
        let target = match (output, go.subcommand_name.as_str()) {
            (Some(output), "build") => {
                let text = output
                    .value
                    .as_ref()
                    .and_then(|value| value.text.as_deref());
                let text = text.ok_or_else(unknown)?;
                let path = path::absolute(&directory, text);
                if !text.ends_with('/') && text != "." {
                    self.made.add(path);
                    return self.c(at, go);
                }
                path
            }
            (_, "install") => self.bin(at).ok_or_else(unknown)?,
            _ if names.len() == 1 => directory,
            _ => return self.c(at, go),
        };
        for name in names {
            self.made.add(path::absolute(&target, &name));
        }
        self.c(at, go)
    }

    /// Where `go install` puts programs.
    fn bin(&self, at: &At<'_, '_>) -> Option<String> {
        let state = at.place.step().before;
        match state.lookup("GOBIN") {
            Lookup::Set(bin) => return Some(path::clean(bin)),
            Lookup::Unset => {}
            Lookup::Unknown if state.variable("GOBIN").is_some() => return None,
            Lookup::Unknown => {}
        }
        let gopath = state.variable("GOPATH")?.value.clone()?;
        (!gopath.contains(':')).then(|| format!("{gopath}/bin"))
    }

    /// The names of the programs of the packages that a command names.
    fn names(&mut self, at: &At<'_, '_>, go: &Invocation, directory: &str) -> Option<Vec<String>> {
        let words = &at.found.command.words;
        let packages: Vec<&str> = go
            .packages
            .iter()
            .map(|index| words[*index].text.as_str())
            .collect();
        let root = at.place.project(directory, "go.mod").ok();
        let module = root.as_ref().and_then(|root| self.module(root));
        if let Some(root) = root {
            self.modules.push(root);
        }
        let of_directory = || match &module {
            Some(module) => Some(last_element(module)),
            None => Some(path::file_name(directory).to_owned()),
        };
        if packages.is_empty() {
            return Some(vec![of_directory()?]);
        }
        let names = packages.into_iter().map(|package| {
            if package.ends_with(".go") {
                return Some(path::file_name(package).trim_end_matches(".go").to_owned());
            }
            if package.contains("...") {
                return None;
            }
            match package {
                "." | "./" => of_directory(),
                _ => Some(last_element(package.trim_end_matches('/'))),
            }
        });
        names.collect()
    }

    fn module(&self, root: &str) -> Option<String> {
        let project = Project::new(self.cx.context, root);
        project.go_mod().ok()??.module.clone()
    }

    /// Whether the build uses C, as far as the command says.
    fn c(&mut self, at: &At<'_, '_>, go: &Invocation) -> Result<(), String> {
        let command = at.found.command;
        let assigned = command.assignments.iter().find_map(|word| {
            let (name, value) = word.text.split_once('=')?;
            (name == "CGO_ENABLED").then(|| value.trim_matches(['"', '\'']).to_owned())
        });
        let state = at.place.step().before;
        let set = state
            .variable("CGO_ENABLED")
            .map(|variable| variable.value.as_deref());
        let exported = at.place.cx.shown(at.place.step().instruction.args_span);
        match (assigned.as_deref(), set) {
            (Some("0"), _) | (None, Some(Some("0"))) => Ok(()),
            (Some("1"), _) | (None, Some(Some("1"))) => {
                self.wants_c = true;
                Ok(())
            }
            (None, None) if !exported.contains("CGO_ENABLED") && go.wrappers.is_empty() => {
                self.unset.push(command.words[go.command].span.start);
                Ok(())
            }
            _ => Err("whether C is used is not known".to_owned()),
        }
    }

    /// Why the program needs C, where it does.
    fn uses_c(&self, sources: &GoSources, root: &str) -> Option<String> {
        if let Some(file) = sources.cgo.first().or(sources.vendored_cgo.first()) {
            return Some(format!("`{file}` imports \"C\""));
        }
        let project = Project::new(self.cx.context, root);
        let go_mod = project.go_mod().ok()??;
        let needs = |module: &str| {
            let mut known = self.rule.go.cgo.iter();
            known.any(|one| path::is_at_or_below(module, one))
        };
        let mut requires = go_mod.requires.iter();
        let found = requires.find(|require| needs(&require.module))?;
        Some(format!("`{}` imports \"C\"", found.module))
    }
}

impl Language for Go<'_> {
    fn only_builds(&self, variable: &str) -> bool {
        let mut known = self.rule.go.compiler_variables.iter();
        known.any(|one| one == variable)
    }

    fn command(&mut self, at: &At<'_, '_>) -> Option<Result<For, String>> {
        let found = at.found.command;
        if let Some(go) = invocation(&found.words) {
            if go.manager.kind == Kind::System && go.role == Role::Install {
                self.has_system_packages = true;
            }
            if go.manager.name != "go" {
                return None;
            }
            return Some(match go.subcommand_name.as_str() {
                "build" | "install" => self.build(at, &go).map(|()| For::Build),
                "run" => Err("`go run` makes a program and throws it away".to_owned()),
                _ => Ok(For::Build),
            });
        }
        self.made.command(at).map(Ok)
    }

    fn runtime(&mut self, stage: &Stage<'_>, parts: &Parts) -> Result<Runtime, String> {
        let cx = self.cx;
        let program = Program::of(cx, stage)?;
        let path = self.made.find(&program, stage.model)?;
        health::check(stage, |word| parts.kept.has(word))?;
        let mut embedded = Vec::new();
        let mut needs_c = self.wants_c.then(|| "`CGO_ENABLED` is set".to_owned());
        let mut roots = std::mem::take(&mut self.modules);
        roots.sort();
        roots.dedup();
        if roots.is_empty() && !self.unset.is_empty() {
            return Err("whether the program needs C is not known without `go.mod`".to_owned());
        }
        for root in &roots {
            let project = Project::new(cx.context, root);
            let sources = project.go_sources().map_err(|error| error.to_string())?;
            if let Some(sources) = sources {
                needs_c = needs_c.or_else(|| self.uses_c(sources, root));
                embedded.extend(sources.embeds.iter().cloned());
            }
        }
        let sorting = Sorting {
            rule: self.rule,
            options: self.cx.rule,
            sources: &self.rule.go.sources,
            embedded: &embedded,
        };
        let assets = sorting.assets(cx, parts, &program)?;
        let base = self.base(stage, parts, &program, needs_c.as_deref())?;
        let is_scratch = base.image == "scratch";
        let certificates = match is_scratch {
            true => self.fits_scratch(stage, &roots)?,
            false => false,
        };
        let unset = if needs_c.is_none() {
            std::mem::take(&mut self.unset)
        } else {
            Vec::new()
        };
        let mut runtime = Runtime::of_program(base, path.clone(), assets).with_certificates();
        runtime.is_suggested = self.flavour() == Some("alpine")
            && stage.model.end.base().package_manager == Some("apt");
        if certificates {
            runtime.carry(
                CERTIFICATES_FILE,
                "servers may be checked, and `scratch` has nothing",
            );
        }
        for line in lines(stage, &program, &path) {
            runtime.line(line, "as in the old base");
        }
        if !unset.is_empty() {
            let why = "neither the module nor what it vendors needs C";
            runtime.reasons.say("CGO_ENABLED=0", why);
        }
        let unset = unset.into_iter();
        let unset = unset.map(|at| Edit::insert(at, "CGO_ENABLED=0 "));
        runtime.edits = unset.collect();
        Ok(runtime)
    }
}

impl Go<'_> {
    /// The image on which the program ships.
    fn base(
        &self,
        stage: &Stage<'_>,
        parts: &Parts,
        program: &Program,
        needs_c: Option<&str>,
    ) -> Result<Base, String> {
        let needs_shell = parts.runs || program.by_shell || !parts.kept.is_empty();
        let flavour = self.flavour().unwrap_or("distroless");
        let is_debian = stage.model.end.base().package_manager == Some("apt");
        if flavour == "alpine" && is_debian {
            return match (needs_c, parts.runs || !parts.kept.is_empty()) {
                (Some(reason), _) => Err(format!("{reason}, and Alpine has another C library")),
                (None, true) => Err("what runs in the stage that ships is for Debian".to_owned()),
                (None, false) => Ok(Base::new("alpine:3", "the option `runtime-go` asks for it")),
            };
        }
        if needs_c.is_none() && !needs_shell && flavour == "scratch" {
            return Ok(Base::new(
                "scratch",
                "the program needs no file of an image",
            ));
        }
        if needs_c.is_none() && !needs_shell && flavour == "distroless" {
            let why = "the program needs neither a C library nor a shell";
            return Ok(Base::new("gcr.io/distroless/static-debian12", why));
        }
        if let Some(reason) = needs_c.filter(|_| self.has_system_packages) {
            return Err(format!(
                "{reason}, and which libraries it takes is not known"
            ));
        }
        let mut base = small(stage)?;
        base.why = match needs_c {
            Some(reason) => format!("{}, for {reason}", base.why),
            None if program.by_shell => "a shell starts the program".to_owned(),
            None if !parts.kept.is_empty() => {
                "it can install the packages that are kept".to_owned()
            }
            None if needs_shell => "a RUN of the stage that ships needs a shell".to_owned(),
            None => "the option `runtime-go` asks for it".to_owned(),
        };
        Ok(base)
    }
}

impl Go<'_> {
    /// On what the user wants programs to ship.
    fn flavour(&self) -> Option<&str> {
        self.cx.rule.text("runtime-go")
    }

    /// The program is known to need no file of an image, but for certificates: whether it may need those.
    ///
    /// # Errors
    /// What it may need, or why that is not known.
    fn fits_scratch(&self, stage: &Stage<'_>, roots: &[String]) -> Result<bool, String> {
        known_to_scratch(stage)?;
        let mut needs_certificates = false;
        for root in roots {
            let project = Project::new(self.cx.context, root);
            let sources = project.go_sources().map_err(|error| error.to_string())?;
            let sources = sources.ok_or("what the program needs of an image is not known")?;
            let go_mod = project.go_mod().map_err(|error| error.to_string())?;
            let mut requires = go_mod.iter().flat_map(|go_mod| &go_mod.requires);
            if let Some(first) = requires.next().filter(|_| !sources.vendored) {
                return Err(format!(
                    "what `{}` needs of an image is not known: `scratch` has no file",
                    first.module
                ));
            }
            for (need, file) in &sources.needs {
                let what = match need {
                    GoNeed::Certificates => {
                        needs_certificates = true;
                        continue;
                    }
                    GoNeed::TemporaryFiles => "a directory for temporary files",
                    GoNeed::TimeZones => "time zones",
                    GoNeed::Users => "the names of users",
                };
                return Err(format!("`{file}` may need {what}, and `scratch` has none"));
            }
        }
        Ok(needs_certificates)
    }
}

/// What the new base does not say by itself.
fn lines(stage: &Stage<'_>, program: &Program, path: &str) -> Vec<String> {
    let mut lines = Vec::new();
    if !program.name.contains('/') && path::parent(path) == BIN {
        lines.push(format!("ENV PATH={BIN}:$PATH"));
    }
    let mut steps = stage.steps.iter();
    if !steps.any(|step| step.instruction.keyword == Keyword::Workdir) {
        let workdir = stage.model.end.workdir().filter(|workdir| *workdir != "/");
        lines.extend(workdir.map(|workdir| format!("WORKDIR {workdir}")));
    }
    lines
}

/// The last element of an import path that is no version (`go help install`).
fn last_element(import: &str) -> String {
    let import = import.split('@').next().unwrap_or(import);
    let is_version = |part: &str| {
        part.strip_prefix('v')
            .is_some_and(|rest| !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_digit()))
    };
    let mut parts = import.rsplit('/').filter(|part| !is_version(part));
    parts.next().unwrap_or(import).to_owned()
}
