//! .NET: the runtime stage takes over what `dotnet publish` makes, on the image of the same version that only runs.
//!
//! Never takes over what stands among its sources, and never leaves out the web server where it may be needed.

mod project;

use serde::Deserialize;

use super::assets::Sorting;
use super::parts::{self, Parts};
use super::{At, Base, For, Language, Runtime, SplitStages};
use crate::context::path;
use crate::model::image::Distribution;
use crate::model::managers::{Invocation, invocation};
use crate::model::state::Origin;
use crate::pass::PassContext;
use crate::pass::health;
use crate::pass::program::Program;
use crate::pass::project_place::first_words;
use crate::pass::runs::Stage;
use crate::pass::slim_image::named_base;
use crate::syntax::Keyword;
use project::{Published, published};

/// What of `dotnet` leaves nothing behind but what a build reads.
const BUILDS: [&str; 9] = [
    "",
    "build",
    "clean",
    "msbuild",
    "nuget",
    "restore",
    "test",
    "tool install",
    "tool restore",
];

/// Options of `dotnet publish` that make more, or something else, than what `dotnet` runs.
const ODD: [&str; 11] = [
    "--arch",
    "--os",
    "--runtime",
    "--self-contained",
    "--sc",
    "--ucr",
    "--use-current-runtime",
    "-a",
    "-r",
    "--artifacts-path",
    "--framework",
];

/// Properties of that kind.
const ODD_PROPERTIES: [&str; 7] = [
    "aot",
    "artifactspath",
    "assemblyname",
    "outputpath",
    "publishdir",
    "selfcontained",
    "singlefile",
];

/// What the rule knows of .NET.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Knowledge {
    /// Patterns of files that a published program does not read.
    sources: Vec<String>,
    /// Variables that only the build reads.
    compiler_variables: Vec<String>,
    /// What tags of the compiler say behind the version, where the images that only run have it too.
    flavours: Vec<String>,
    /// Packages that do not bring the web server, as patterns.
    plain_packages: Vec<String>,
    /// Packages that need the compiler.
    needs_more: Vec<String>,
}

pub(super) struct Dotnet<'p> {
    rule: &'p SplitStages,
    cx: &'p PassContext<'p>,
    version: &'p str,
    published: Vec<Published>,
}

impl<'p> Dotnet<'p> {
    /// Whether a stage stands on an image that compiles.
    pub(super) fn is_of(stage: &Stage<'_>) -> bool {
        let base = stage.model.end.base();
        let words = stage.model.from.words();
        let is_sdk = words.first().is_some_and(|word| word.text.contains("/sdk"));
        is_sdk && (base.is_family("dotnet") || base.is_family("dotnet-core"))
    }

    pub(super) fn new(
        rule: &'p SplitStages,
        cx: &'p PassContext<'p>,
        stage: &'p Stage<'_>,
    ) -> Self {
        Self {
            rule,
            cx,
            version: stage
                .model
                .end
                .base()
                .version
                .as_deref()
                .unwrap_or_default(),
            published: Vec::new(),
        }
    }

    /// The version of .NET: the compiler's has a third number, which is its own.
    fn release(&self) -> String {
        let numbers: Vec<&str> = self.version.split('.').take(2).collect();
        numbers.join(".")
    }

    /// What `dotnet publish` makes.
    fn publish(&mut self, at: &At<'_, '_>, asked: &Invocation) -> Result<(), String> {
        let command = at.found.command;
        let shown = first_words(&at.place.cx.shown(command.span));
        let unknown = || format!("what `{shown}` makes is not known");
        let words = command.words.iter().skip(2);
        let words: Option<Vec<&str>> = words.map(|word| word.literal.as_deref()).collect();
        let words = words.ok_or_else(unknown)?;
        if let Some(odd) = words.iter().find(|word| is_odd(word)) {
            return Err(format!(
                "`{odd}` makes something else than what `dotnet` runs"
            ));
        }
        let directory = at
            .place
            .started_in(at.script, &at.found)
            .ok_or_else(unknown)?;
        let option = |names: [&str; 2]| {
            let mut flags = asked.flags.iter();
            let flag = flags.find(|flag| names.contains(&flag.name.as_str()))?;
            flag.text().map(str::to_owned)
        };
        let mut named = asked.arguments.iter().chain(&asked.packages);
        let named = named
            .next()
            .map(|index| command.words[*index].text.as_str());
        let target = path::absolute(&directory, named.unwrap_or("."));
        let output = option(["-o", "--output"]).map(|output| path::absolute(&directory, &output));
        let configuration = option(["-c", "--configuration"]);
        let mut found = published(at.place, &target, &self.release())?;
        let default = || {
            let major: u32 = self.version.split('.').next()?.parse().ok()?;
            let made = if major >= 8 { "Release" } else { "Debug" };
            let made = configuration.as_deref().unwrap_or(made);
            let below = format!("bin/{made}/{}/publish", found.framework);
            found
                .directory
                .as_ref()
                .map(|directory| path::join(directory, &below))
        };
        let output = output.or_else(default).ok_or_else(unknown)?;
        if let Some(directory) = &found.directory
            && path::is_at_or_below(directory, &output)
        {
            return Err(format!("`{shown}` publishes among the sources"));
        }
        found.output = output;
        self.published.push(found);
        Ok(())
    }
}

/// Whether an option of `dotnet publish` makes something else than a plain program.
fn is_odd(word: &str) -> bool {
    let lower = word.to_ascii_lowercase();
    let name = lower.split(['=', ':']).next().unwrap_or_default();
    let is_property =
        lower.starts_with("-p") || lower.starts_with("/p") || lower.starts_with("--prop");
    ODD.contains(&name) || is_property && ODD_PROPERTIES.iter().any(|one| lower.contains(one))
}

/// Nothing of the stage that ships is made for the C library of Debian, as far as that is said.
///
/// # Errors
/// What is.
fn fits_alpine(stage: &Stage<'_>, parts: &Parts, program: &Program) -> Result<(), String> {
    let mut runs = stage.steps.iter().filter(|step| step.is_run());
    let names_system = runs.any(|step| {
        let text = String::from_utf8_lossy(step.instruction.args_text());
        text.contains("linux-") || text.contains("--os")
    });
    if program.name != "dotnet" || names_system {
        return Err("the program is published for the C library of Debian".to_owned());
    }
    match parts.runs || !parts.kept.is_empty() {
        true => Err("what runs in the stage that ships is for Debian".to_owned()),
        false => Ok(()),
    }
}

impl Language for Dotnet<'_> {
    fn only_builds(&self, variable: &str) -> bool {
        let mut known = self.rule.dotnet.compiler_variables.iter();
        known.any(|one| one == variable)
    }

    fn command(&mut self, at: &At<'_, '_>) -> Option<Result<For, String>> {
        let found = at.found.command;
        let asked = invocation(&found.words).filter(|asked| asked.manager.name == "dotnet")?;
        if parts::writes(found) {
            return None;
        }
        match asked.subcommand_name.as_str() {
            "publish" => Some(self.publish(at, &asked).map(|()| For::Build)),
            name if BUILDS.contains(&name) => Some(Ok(For::Build)),
            _ => None,
        }
    }

    fn runtime(&mut self, stage: &Stage<'_>, parts: &Parts) -> Result<Runtime, String> {
        let program = Program::of(self.cx, stage)?.within_shell();
        let published = self.started(stage, &program)?;
        health::check(stage, |word| word == "dotnet" || parts.kept.has(word))?;
        if let Some(package) = published.has_any(&self.rule.dotnet.needs_more) {
            return Err(format!("`{package}` needs the compiler when it runs"));
        }
        let is_plain = published.is_plain(&self.rule.dotnet.plain_packages);
        let base = self.base(stage, if is_plain { "runtime" } else { "aspnet" })?;
        let is_suggested = self.goes_to_alpine(stage);
        if is_suggested {
            fits_alpine(stage, parts, &program)?;
        }
        self.has_cultures(stage, published)?;
        let output = published.output.clone();
        let is_inside = stage
            .model
            .end
            .workdir()
            .is_some_and(|workdir| path::is_at_or_below(workdir, &output));
        // Where the program is started among what is published, it does not look at the sources.
        let embedded = match is_inside {
            true => vec![(String::new(), "*".to_owned())],
            false => self.built(),
        };
        let sorting = Sorting {
            rule: self.rule,
            options: self.cx.rule,
            sources: &self.rule.dotnet.sources,
            embedded: &embedded,
        };
        let mut assets = sorting.assets(self.cx, parts, &program)?;
        assets.leave(|asset| path::is_at_or_below(asset, &output));
        let why = match is_plain {
            true => {
                "the same version without the compiler; nothing that is published brings the web server"
            }
            false => "the same version without the compiler, with the web server",
        };
        let mut runtime = Runtime::of_program(Base::new(base, why), output, assets);
        runtime.is_suggested = is_suggested;
        if let Some(line) = self.address(stage, &program, is_plain) {
            runtime.line(line, "the new base sets it, and the old one does not");
        }
        Ok(runtime)
    }
}

impl Dotnet<'_> {
    /// What is published that the container starts.
    fn started(&self, stage: &Stage<'_>, program: &Program) -> Result<&Published, String> {
        let unknown = |what: &str| {
            format!("that `dotnet publish` makes `{what}`, which is started, is not known")
        };
        let mut arguments = program.arguments.iter();
        let file = match program.name.as_str() {
            "dotnet" => arguments
                .next()
                .ok_or("what `dotnet` starts is not known")?,
            name => name,
        };
        if program.name == "dotnet" && !file.ends_with(".dll") {
            return Err(format!(
                "`dotnet {file}` needs all that builds when the container starts"
            ));
        }
        let place = stage
            .model
            .end
            .absolute(file)
            .ok_or_else(|| unknown(file))?;
        let name = path::file_name(&place);
        let name = name.strip_suffix(".dll").unwrap_or(name);
        let mut published = self.published.iter();
        let found = published.find(|one| {
            one.output == path::parent(&place) && one.names.iter().any(|one| one == name)
        });
        found.ok_or_else(|| unknown(file))
    }

    /// The image that only runs.
    fn base(&self, stage: &Stage<'_>, kind: &str) -> Result<String, String> {
        let word = named_base(stage)?;
        let unknown = || format!("no image is known that only runs what `{word}` builds");
        let (image, tag) = word.split_once(':').ok_or_else(unknown)?;
        let registry = image.strip_suffix("/sdk").ok_or_else(unknown)?;
        let flavour = tag.strip_prefix(self.version).ok_or_else(unknown)?;
        let mut numbers = self.version.split('.');
        let is_number = |number: Option<&str>| number.is_some_and(|one| one.parse::<u32>().is_ok());
        let is_release = is_number(numbers.next()) && is_number(numbers.next());
        if !is_release || numbers.next().is_some() {
            return Err(format!(
                "which version of the runtime belongs to `{word}` is not known"
            ));
        }
        let flavours = &self.rule.dotnet.flavours;
        let is_known = flavours
            .iter()
            .any(|one| one == flavour.trim_start_matches('-'));
        match is_known {
            true if self.goes_to_alpine(stage) => {
                Ok(format!("{registry}/{kind}:{}-alpine", self.version))
            }
            true => Ok(format!("{registry}/{kind}:{tag}")),
            false => Err(unknown()),
        }
    }

    /// Whether the user wants the program to leave Debian for Alpine.
    fn goes_to_alpine(&self, stage: &Stage<'_>) -> bool {
        let is_debian = stage.model.end.base().package_manager == Some("apt");
        is_debian && self.cx.rule.text("runtime-dotnet") == Some("alpine")
    }

    /// The images of Alpine that only run know no cultures, those that compile do.
    fn has_cultures(&self, stage: &Stage<'_>, published: &Published) -> Result<(), String> {
        let end = &stage.model.end;
        let is_set = end
            .variable("DOTNET_SYSTEM_GLOBALIZATION_INVARIANT")
            .is_some_and(|one| one.origin == Origin::Env);
        let is_alpine =
            end.distribution() == Some(Distribution::Alpine) || self.goes_to_alpine(stage);
        match is_alpine && !is_set && !published.invariant {
            true => Err(
                "the image of Alpine that only runs does not know the formats of countries"
                    .to_owned(),
            ),
            false => Ok(()),
        }
    }

    /// Up to .NET 7 the image with the web server sets the address that it listens at, and the compiler's does not.
    fn address(&self, stage: &Stage<'_>, program: &Program, is_plain: bool) -> Option<String> {
        const ADDRESS: &str = "ASPNETCORE_URLS";
        let major: u32 = self.version.split('.').next()?.parse().ok()?;
        let mut envs = stage
            .steps
            .iter()
            .filter(|step| step.instruction.keyword == Keyword::Env);
        let is_set = envs.any(|step| {
            let mut pairs = step.instruction.pairs().iter();
            pairs.any(|pair| pair.key.text == ADDRESS)
        });
        let is_said = program
            .arguments
            .iter()
            .any(|word| word.starts_with("--urls"));
        (major < 8 && !is_plain && !is_set && !is_said).then(|| format!("ENV {ADDRESS}="))
    }

    /// What the compiler makes beside the sources, or only it reads there.
    fn built(&self) -> Vec<(String, String)> {
        let above = ["", "*/", "*/*/", "*/*/*/"];
        let names = ["bin", "obj", "Properties"];
        let patterns = above
            .iter()
            .flat_map(|above| names.map(|name| format!("{above}{name}")));
        patterns.map(|pattern| (String::new(), pattern)).collect()
    }
}
