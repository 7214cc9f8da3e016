//! What `dotnet publish` publishes: the project or solution, read from the build context.

use crate::context::{BuildContext, Entry, glob, path};
use crate::pass::project_place::Place;
use crate::project::Value;
use crate::project::dotnet::{DotnetProject, dotnet_files, dotnet_project, shared_files};

/// The most entries of the context that are looked at for projects.
const MOST: usize = 20_000;

/// What is published.
pub(super) struct Published {
    /// Where, in the image.
    pub(super) output: String,
    /// The directory of the project in the image; none for a solution.
    pub(super) directory: Option<String>,
    /// The names of what can be started.
    pub(super) names: Vec<String>,
    /// What it is compiled for.
    pub(super) framework: String,
    /// Whether it does without the formats of countries.
    pub(super) invariant: bool,
    /// Whether a project is one of the web, or asks for the web server.
    serves: bool,
    /// The packages of all projects.
    packages: Vec<String>,
}

impl Published {
    /// The first package that one of these patterns stands for.
    pub(super) fn has_any(&self, patterns: &[String]) -> Option<&str> {
        let mut packages = self.packages.iter();
        let found = packages.find(|package| is_any(package, patterns));
        found.map(String::as_str)
    }

    /// Whether it runs without the web server for sure: a package may bring that, unless it is known.
    pub(super) fn is_plain(&self, plain: &[String]) -> bool {
        let mut packages = self.packages.iter();
        !self.serves && packages.all(|package| is_any(package, plain))
    }
}

fn is_any(package: &str, patterns: &[String]) -> bool {
    let package = package.to_ascii_lowercase();
    let mut patterns = patterns.iter().map(|one| one.to_ascii_lowercase());
    patterns.any(|pattern| glob::matches(&pattern, &package) == Ok(true))
}

/// What is published of the project, solution or directory that stands at `target` in the image.
///
/// # Errors
/// Why that is not known.
pub(super) fn published(
    place: Place<'_>,
    target: &str,
    version: &str,
) -> Result<Published, String> {
    let context = place.cx.context;
    let file = file(place, target)?;
    let files = dotnet_files(context, &file).map_err(|error| error.to_string())?;
    let is_solution = file.ends_with(".sln") || file.ends_with(".slnx");
    let mut found = Published {
        output: String::new(),
        directory: None,
        names: Vec::new(),
        framework: String::new(),
        invariant: false,
        serves: false,
        packages: Vec::new(),
    };
    for (at, (file, project)) in files.iter().enumerate() {
        let shared = shared(context, file)?;
        let all = || shared.iter().chain([project]);
        let packages = all().flat_map(|one| one.packages.iter().map(|(name, _)| name.clone()));
        found.packages.extend(packages);
        found.serves |= all().any(|one| {
            let asks = |name: &String| name.starts_with("Microsoft.AspNetCore");
            let is_other = |sdk: &String| {
                !matches!(
                    sdk.as_str(),
                    "Microsoft.NET.Sdk" | "Microsoft.NET.Sdk.Worker"
                )
            };
            one.is_web()
                || one.framework_references.iter().any(asks)
                || one.sdks.iter().any(is_other)
        });
        found.invariant |= all().any(|one| is_true(one.invariant.as_ref()));
        if at > 0 && !is_solution {
            continue;
        }
        if let Some(framework) = compiled_for(file, project, &shared, version, is_solution)? {
            found.framework = framework;
            found.names.push(name_of(file, project)?);
        }
    }
    if !is_solution {
        let directory = match context.entry(&file) {
            Some(_) if target.ends_with(path::file_name(&file)) => path::parent(target),
            _ => target,
        };
        found.directory = Some(directory.to_owned());
    }
    Ok(found)
}

/// What a project is compiled for, where that is what the image runs; `None` for a library of a solution.
fn compiled_for(
    file: &str,
    project: &DotnetProject,
    shared: &[DotnetProject],
    version: &str,
    is_solution: bool,
) -> Result<Option<String>, String> {
    if project.sdks.is_empty() {
        return Err(format!("`{file}` is a project of the old format"));
    }
    let all = || shared.iter().chain([project]);
    let is_odd = |value: &Option<Value>| {
        let literal = value.as_ref().map(Value::literal);
        literal.is_some_and(|text| !text.is_some_and(|text| text.eq_ignore_ascii_case("false")))
    };
    if all()
        .any(|one| is_odd(&one.self_contained) || is_odd(&one.single_file) || is_odd(&one.native))
    {
        return Err(format!("`{file}` is published with what it runs on"));
    }
    let frameworks = all().rfind(|one| !one.frameworks.is_empty());
    let frameworks = frameworks.map(|one| one.frameworks.as_slice());
    let wanted = match version.starts_with('3') {
        true => format!("netcoreapp{version}"),
        false => format!("net{version}"),
    };
    match frameworks {
        Some([Value::Literal(one)]) if *one == wanted => Ok(Some(wanted)),
        _ if is_solution => Ok(None),
        Some([Value::Literal(one)]) => Err(format!(
            "`{file}` is compiled for `{one}`, which the image may not run"
        )),
        _ => Err(format!("what `{file}` is compiled for is not known")),
    }
}

/// The name of the program.
fn name_of(file: &str, project: &DotnetProject) -> Result<String, String> {
    let stem = path::file_name(file);
    let stem = stem.rsplit_once('.').map_or(stem, |(stem, _)| stem);
    match &project.assembly_name {
        None => Ok(stem.to_owned()),
        Some(Value::Literal(name)) => Ok(name.clone()),
        Some(Value::Computed(_)) => Err(format!("how `{file}` calls its program is not known")),
    }
}

fn is_true(value: Option<&Value>) -> bool {
    let text = value.and_then(Value::literal);
    text.is_some_and(|text| text.eq_ignore_ascii_case("true"))
}

/// The files above a project that say what all projects have.
fn shared(context: &dyn BuildContext, project: &str) -> Result<Vec<DotnetProject>, String> {
    let files = shared_files(context, project).into_iter();
    let files = files.filter(|file| {
        let lower = path::file_name(file).to_ascii_lowercase();
        matches!(
            lower.as_str(),
            "directory.build.props" | "directory.build.targets"
        )
    });
    let mut found = Vec::new();
    for file in files {
        let bytes = context
            .read(&file, 1 << 20)
            .map_err(|error| error.to_string())?;
        let shared = dotnet_project(&file, &bytes).map_err(|error| error.to_string())?;
        if shared.assembly_name.is_some() || !shared.imports.is_empty() {
            return Err(format!("`{file}` says more of each project than is read"));
        }
        found.push(shared);
    }
    Ok(found)
}

/// The project or solution in the context: the one at `target` of the image, or the only one in that directory.
fn file(place: Place<'_>, target: &str) -> Result<String, String> {
    let is_project = |name: &str| {
        let endings = [".csproj", ".fsproj", ".vbproj"];
        endings.iter().any(|ending| name.ends_with(ending))
    };
    let is_any = |name: &str| is_project(name) || name.ends_with(".sln") || name.ends_with(".slnx");
    if is_any(target) {
        return place
            .source(target)
            .ok_or_else(|| format!("`{}` is not copied", path::file_name(target)));
    }
    let mut all = Vec::new();
    projects(place.cx.context, "", &is_any, &mut 0, &mut all);
    all.retain(|file| {
        let stands = path::join(target, path::file_name(file));
        place.source(&stands).as_ref() == Some(file)
    });
    let owns: Vec<&String> = all.iter().filter(|file| is_project(file)).collect();
    match (owns.as_slice(), all.as_slice()) {
        ([one], _) => Ok((*one).clone()),
        (_, [one]) => Ok(one.clone()),
        ([], []) => Err(format!("there is no project in `{target}`")),
        _ => Err(format!("there are several projects in `{target}`")),
    }
}

fn projects(
    context: &dyn BuildContext,
    directory: &str,
    is_project: &dyn Fn(&str) -> bool,
    count: &mut usize,
    found: &mut Vec<String>,
) {
    for name in context.list(directory) {
        *count += 1;
        if *count > MOST || name.starts_with('.') || name == "node_modules" {
            continue;
        }
        let file = path::join(directory, &name);
        match context.entry(&file) {
            Some(Entry::Directory) => projects(context, &file, is_project, count, found),
            Some(Entry::File(_)) if is_project(&name) => found.push(file),
            _ => {}
        }
    }
}
