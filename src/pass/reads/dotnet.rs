//! What .NET reads to restore packages: projects, solutions, what those import and reference, and the files that MSBuild
//! and NuGet look for beside and above them. A build reads the source as well, so `dotnet restore` goes before it.

use std::collections::BTreeSet;

use super::{Early, Install, Reads, from_project};
use crate::context::{Entry, path};
use crate::model::managers::Flag;
use crate::project::Value;
use crate::project::dotnet::{
    Reference, dotnet_files, dotnet_project, local_sources, shared_files,
};

/// Options that decide what is restored, and from where; properties besides.
const KEPT: [&str; 18] = [
    "-r",
    "--runtime",
    "-a",
    "--arch",
    "--os",
    "-s",
    "--source",
    "--configfile",
    "--packages",
    "--disable-parallel",
    "--ignore-failed-sources",
    "--use-current-runtime",
    "--ucr",
    "-p",
    "--property",
    "-nologo",
    "--nologo",
    "-v",
];

/// Of these options the next word is the value, whatever it looks like.
const PROJECT_OPTIONS: [&str; 2] = ["--project", "-project"];

/// What MSBuild calls while it restores: a target that hangs on it may do anything.
const RESTORE_TARGETS: [&str; 3] = ["Restore", "CollectPackageReferences", "_GenerateRestore"];

/// Extensions of the files that a restore may be given.
const PROJECTS: [&str; 6] = [".csproj", ".fsproj", ".vbproj", ".sln", ".slnx", ".proj"];

/// See [`super::reads`].
pub(super) fn reads(install: &Install<'_>) -> Option<Result<Reads, String>> {
    if install.invocation.manager.name != "dotnet" || install.has(&["--no-restore"]) {
        return None;
    }
    match install.invocation.subcommand_name.as_str() {
        "restore" => Some(restore(install)),
        "tool restore" => Some(tools(install)),
        "build" | "publish" | "pack" | "run" | "test" => Some(ahead(install)),
        _ => None,
    }
}

/// Of a command that restores and builds.
fn ahead(install: &Install<'_>) -> Result<Reads, String> {
    let mut reads = restore(install)?;
    let mut words =
        install.start(|name| name.starts_with("NUGET_") || name.starts_with("DOTNET_"))?;
    words.push("restore".to_owned());
    words.extend(operand(install)?.map(str::to_owned));
    words.extend(install.options(is_kept)?);
    reads.writes.clear();
    reads.early = Early::Fetch(words.join(" "));
    Ok(reads)
}

fn is_kept(flag: &Flag) -> bool {
    let name = flag.name.as_str();
    let is_property = ["-p:", "/p:", "-property:", "/property:", "--property:"];
    let version = [
        "Version",
        "InformationalVersion",
        "AssemblyVersion",
        "FileVersion",
        "SourceRevisionId",
    ];
    let of_restore = is_property
        .iter()
        .find_map(|start| name.strip_prefix(start));
    KEPT.contains(&name) || of_restore.is_some_and(|name| !version.contains(&name))
}

/// Of `dotnet tool restore`.
fn tools(install: &Install<'_>) -> Result<Reads, String> {
    let mut reads = Reads::of_itself();
    let names = [".config/dotnet-tools.json", "dotnet-tools.json"];
    if !names
        .iter()
        .any(|name| install.add(&path::join(install.root, name), &mut reads))
    {
        return Err("there is no `.config/dotnet-tools.json`".to_owned());
    }
    // Seen from a project that would stand here.
    let beside = path::join(install.root, "x.csproj");
    add_shared(install, &beside, &mut reads)?;
    Ok(reads)
}

/// Of `dotnet restore`.
fn restore(install: &Install<'_>) -> Result<Reads, String> {
    let mut reads = Reads::of_itself();
    if let Some(file) = install.option(&["--configfile"])?
        && !install
            .path(file)
            .is_some_and(|path| install.add(&path, &mut reads))
    {
        return Err(format!("`{file}` is not a file of the project"));
    }
    for target in targets(install)? {
        install.add(&target, &mut reads);
        let projects = dotnet_files(install.context, &target).map_err(|error| error.to_string())?;
        for (file, project) in &projects {
            if file.ends_with(".esproj") {
                return Err(format!("`{file}` installs JavaScript packages"));
            }
            if project.sdks.is_empty() {
                return Err(format!("`{file}` is a project of the old format"));
            }
            install.add(file, &mut reads);
            let objects = path::join(path::parent(file), "obj");
            reads.writes.insert(from_project(install, &objects));
            add_shared(install, file, &mut reads)?;
            add_imports(install, file, &mut reads)?;
        }
    }
    Ok(reads)
}

/// The project, solution or directory that is named.
fn operand<'i>(install: &'i Install<'_>) -> Result<Option<&'i str>, String> {
    let option = install.option(&PROJECT_OPTIONS)?;
    let mut operands = install.operands();
    let first = operands.next();
    install.refuse_computed(|_| false)?;
    // What follows the project of `run` and `test` is for the program.
    let takes_more = matches!(install.invocation.subcommand_name.as_str(), "run" | "test");
    if operands.next().is_some() && !takes_more {
        return Err("more than one project is named".to_owned());
    }
    let runs = install.invocation.subcommand_name == "run";
    Ok(option.or(first.filter(|_| !runs)))
}

/// The projects and solutions in the context that are restored. Where a directory holds one of each, both are read.
fn targets(install: &Install<'_>) -> Result<Vec<String>, String> {
    let named = operand(install)?.unwrap_or(".");
    let outside = || format!("`{named}` is not in the build context");
    let place = install.path(named).ok_or_else(outside)?;
    let directory = match install.context.entry(&place) {
        Some(Entry::File(_)) if is_project(&place) => return Ok(vec![place]),
        Some(Entry::Directory) => place,
        Some(Entry::File(_)) => return Err(format!("`{named}` is no project that can be read")),
        _ => return Err(outside()),
    };
    let names = install.context.list(&directory).into_iter();
    let names = names.filter(|name| is_project(name));
    let found: Vec<String> = names.map(|name| path::join(&directory, &name)).collect();
    let solutions = found.iter().filter(|file| is_solution(file)).count();
    match found.len() {
        0 => Err(format!("there is no project in `{named}`")),
        _ if solutions > 1 || found.len() - solutions > 1 => {
            Err(format!("there are several projects in `{named}`"))
        }
        _ => Ok(found),
    }
}

fn is_project(file: &str) -> bool {
    let lower = file.to_ascii_lowercase();
    PROJECTS.iter().any(|ending| lower.ends_with(ending))
}

fn is_solution(file: &str) -> bool {
    let lower = file.to_ascii_lowercase();
    lower.ends_with(".sln") || lower.ends_with(".slnx")
}

/// The files beside and above a project that a restore looks for, and what they import.
fn add_shared(install: &Install<'_>, project: &str, reads: &mut Reads) -> Result<(), String> {
    for file in shared_files(install.context, project) {
        install.add(&file, reads);
        let lower = path::file_name(&file).to_ascii_lowercase();
        if lower == "packages.config" {
            return Err(format!("`{file}` is of the old format"));
        }
        if lower == "nuget.config" {
            add_sources(install, &file, reads)?;
        }
        if lower.starts_with("directory.") && !lower.ends_with(".rsp") {
            add_imports(install, &file, reads)?;
        }
    }
    Ok(())
}

/// The directories that a `nuget.config` takes packages from.
fn add_sources(install: &Install<'_>, file: &str, reads: &mut Reads) -> Result<(), String> {
    let text = install.text(file)?;
    let sources = local_sources(file, text.as_bytes()).map_err(|error| error.to_string())?;
    for source in sources {
        let place = path::resolve_from(path::parent(file), &source);
        if !place.is_some_and(|place| install.add(&place, reads)) {
            return Err(format!(
                "`{file}` names the source `{source}`, which is not in the build context"
            ));
        }
    }
    Ok(())
}

/// The files that an MSBuild file imports, and those that these import.
fn add_imports(install: &Install<'_>, file: &str, reads: &mut Reads) -> Result<(), String> {
    let mut queue = vec![file.to_owned()];
    let mut seen = BTreeSet::new();
    while let Some(file) = queue.pop() {
        if !seen.insert(file.clone()) {
            continue;
        }
        let text = install.text(&file)?;
        refuse_targets(&file, &text)?;
        let parsed = dotnet_project(&file, text.as_bytes()).map_err(|error| error.to_string())?;
        for import in &parsed.imports {
            let Some(place) = imported(&file, import)? else {
                continue;
            };
            if install.add(&place, reads) {
                queue.push(place);
            } else if !import.conditional {
                return Err(format!(
                    "`{file}` imports `{place}`, which is not in the build context"
                ));
            }
        }
    }
    Ok(())
}

/// The path in the context of an imported file; `None` for one that is copied anyway.
fn imported(file: &str, import: &Reference) -> Result<Option<String>, String> {
    let (Value::Literal(text) | Value::Computed(text)) = &import.path;
    // `$([MSBuild]::GetPathOfFileAbove('Directory.Build.props', …))`: all above are copied.
    let lower = text.to_ascii_lowercase();
    if lower.contains("getpathoffileabove") && lower.contains("directory.") {
        return Ok(None);
    }
    let relative = text
        .strip_prefix("$(MSBuildThisFileDirectory)")
        .unwrap_or(text);
    let relative = relative
        .strip_prefix("$(MSBuildProjectDirectory)/")
        .unwrap_or(relative);
    if relative.contains(['$', '*', '%', '@']) {
        return Err(format!(
            "`{file}` imports a file that is computed (`{text}`)"
        ));
    }
    let outside = || format!("`{file}` imports `{text}`, which is not in the build context");
    let place = path::resolve_from(path::parent(file), relative.trim_start_matches('/'));
    place.map(Some).ok_or_else(outside)
}

/// Declines files whose restore does more than to look at references.
fn refuse_targets(file: &str, text: &str) -> Result<(), String> {
    if text.contains("ReadAllText") || text.contains("ReadAllLines") {
        return Err(format!("`{file}` reads another file"));
    }
    let hooks = ["BeforeTargets=", "AfterTargets="]
        .iter()
        .flat_map(|hook| text.split(*hook).skip(1));
    let values = hooks.filter_map(|rest| rest.get(1..)?.split(['"', '\'']).next());
    let mut names = values.flat_map(|value| value.split(';').map(str::trim));
    match names.find(|name| {
        RESTORE_TARGETS
            .iter()
            .any(|target| name.starts_with(target))
    }) {
        Some(name) => Err(format!("a target of `{file}` runs with `{name}`")),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Expected, check};

    const WEB: &str = "<Project Sdk='Microsoft.NET.Sdk.Web'><ItemGroup>\
        <ProjectReference Include='..\\Core\\Core.csproj'/></ItemGroup></Project>";
    const CORE: &str = "<Project Sdk='Microsoft.NET.Sdk'/>";
    const SLN: &str = "Microsoft Visual Studio Solution File\n\
        Project(\"{FAE04EC0-301F-11D3-BF4B-00C04F79EFBC}\") = \"Web\", \"src\\Web\\Web.csproj\", \"{1}\"\n";

    #[test]
    fn one_project() {
        let files = [("app.csproj", CORE), ("Program.cs", "")];
        let itself = Expected::Itself(&["app.csproj"], &["obj"], None);
        check(&files, "dotnet restore", itself);
        check(&files, "dotnet restore app.csproj", itself);
        check(&files, "dotnet restore /src/app.csproj", itself);
        for (command, fetch) in [
            ("dotnet publish -c Release -o /out", "dotnet restore"),
            (
                "dotnet publish app.csproj -c Release -r linux-x64 --self-contained true",
                "dotnet restore app.csproj -r linux-x64",
            ),
            (
                "dotnet build \"./app.csproj\" -c $CONFIGURATION",
                "dotnet restore ./app.csproj",
            ),
            (
                "dotnet publish -p:PublishReadyToRun=true -p:Version=1",
                "dotnet restore -p:PublishReadyToRun=true",
            ),
            (
                "DOTNET_NOLOGO=1 dotnet test",
                "DOTNET_NOLOGO=1 dotnet restore",
            ),
        ] {
            check(
                &files,
                command,
                Expected::Fetch(&["app.csproj"], fetch, None),
            );
        }
        for command in [
            "dotnet publish --no-restore",
            "dotnet tool install -g x",
            "dotnet app.dll",
            "dotnet --info",
        ] {
            check(&files, command, Expected::Nothing);
        }
    }

    #[test]
    fn a_solution_with_all_that_is_above() {
        let files = [
            ("app.sln", SLN),
            ("src/Web/Web.csproj", WEB),
            ("src/Core/Core.csproj", CORE),
            ("src/Core/packages.lock.json", "{}"),
            (
                "Directory.Build.props",
                "<Project><Import Project='build/common.props'/></Project>",
            ),
            ("build/common.props", "<Project/>"),
            (
                "src/Directory.Build.props",
                "<Project><Import Project=\"$([MSBuild]::GetPathOfFileAbove('Directory.Build.props', '$(MSBuildThisFileDirectory)../'))\"/></Project>",
            ),
            (
                "NuGet.Config",
                "<configuration><packageSources><add key='l' value='.\\packages'/></packageSources></configuration>",
            ),
            ("packages/a.nupkg", ""),
            ("global.json", "{}"),
        ];
        let paths = [
            "Directory.Build.props",
            "NuGet.Config",
            "app.sln",
            "build/common.props",
            "global.json",
            "packages",
            "src/Core/Core.csproj",
            "src/Core/packages.lock.json",
            "src/Directory.Build.props",
            "src/Web/Web.csproj",
        ];
        let itself = Expected::Itself(&paths, &["src/Core/obj", "src/Web/obj"], None);
        check(&files, "dotnet restore", itself);
        check(
            &files,
            "dotnet publish app.sln",
            Expected::Fetch(&paths, "dotnet restore app.sln", None),
        );
    }

    #[test]
    fn a_project_beside_the_one_it_needs() {
        let files = [("src/Web/Web.csproj", WEB), ("src/Core/Core.csproj", CORE)];
        let itself = Expected::Itself(
            &["../Core/Core.csproj", "Web.csproj"],
            &["../Core/obj", "obj"],
            None,
        );
        check(&files, "cd src/Web && dotnet restore", itself);
        let down = ["src/Core/Core.csproj", "src/Web/Web.csproj"];
        check(
            &files,
            "dotnet build src/Web",
            Expected::Fetch(&down, "dotnet restore src/Web", None),
        );
        check(
            &files[..1],
            "dotnet build src/Web",
            Expected::Declined(
                "`src/Web/Web.csproj` line 1: names `../Core/Core.csproj`, which is not in the build context",
            ),
        );
    }

    #[test]
    fn tools_are_a_manifest_of_their_own() {
        let files = [
            (".config/dotnet-tools.json", "{}"),
            ("nuget.config", "<configuration/>"),
        ];
        let paths = [".config/dotnet-tools.json", "nuget.config"];
        check(
            &files,
            "dotnet tool restore",
            Expected::Itself(&paths, &[], None),
        );
        check(
            &files[1..],
            "dotnet tool restore",
            Expected::Declined("there is no `.config/dotnet-tools.json`"),
        );
    }

    #[test]
    fn declines() {
        let project = |inside: &str| format!("<Project Sdk='Microsoft.NET.Sdk'>{inside}</Project>");
        let computed = project("<Import Project='$(X)/a.props'/>");
        let hook = project("<Target Name='N' BeforeTargets='Restore'/>");
        for (project, command, why) in [
            (
                computed.as_str(),
                "dotnet restore",
                "`a.csproj` imports a file that is computed (`$(X)/a.props`)",
            ),
            (
                &hook,
                "dotnet restore",
                "a target of `a.csproj` runs with `Restore`",
            ),
            (
                "<Project/>",
                "dotnet build",
                "`a.csproj` is a project of the old format",
            ),
            (
                CORE,
                "dotnet restore *.csproj",
                "`*.csproj` is known only when the step runs",
            ),
            (
                CORE,
                "dotnet restore b.csproj",
                "`b.csproj` is not in the build context",
            ),
            (
                CORE,
                "dotnet restore /other/a.csproj",
                "`/other/a.csproj` is not in the build context",
            ),
            (
                CORE,
                "dotnet build a.csproj b.csproj",
                "more than one project is named",
            ),
            (CORE, "sudo dotnet build", "it runs behind `sudo`"),
        ] {
            check(&[("a.csproj", project)], command, Expected::Declined(why));
        }
        let two = [("a.csproj", CORE), ("b.csproj", CORE)];
        check(
            &two,
            "dotnet build",
            Expected::Declined("there are several projects in `.`"),
        );
        check(
            &[],
            "dotnet build",
            Expected::Declined("there is no project in `.`"),
        );
    }
}
