//! All files that a restore of one project or solution reads from the context.

use std::collections::BTreeSet;

use super::project::{DotnetProject, Reference, dotnet_project};
use super::solution::solution;
use crate::context::BuildContext;
use crate::project::{ManifestError, path, read};

/// The most projects of one restore.
const FILES: usize = 2_000;

/// Names of the files that MSBuild and NuGet look for in every directory above a project, in lower case.
const SHARED: [&str; 6] = [
    "directory.build.props",
    "directory.build.targets",
    "directory.packages.props",
    "directory.build.rsp",
    "nuget.config",
    "global.json",
];

/// Names of the files that NuGet looks for beside a project, in lower case.
const OWN: [&str; 2] = ["packages.lock.json", "packages.config"];

/// The projects that a restore of `path`, a project or a solution, reads: path in the context and content, sorted by
/// the order in which they are named.
///
/// # Errors
/// A file is broken, a reference is not in the context or is computed, or there are more than 2000 projects.
pub fn dotnet_files(
    context: &dyn BuildContext,
    path: &str,
) -> Result<Vec<(String, DotnetProject)>, ManifestError> {
    let bytes = read::file(context, path)?
        .ok_or_else(|| ManifestError::new(path, None, "is not in the build context"))?;
    let lower = path.to_ascii_lowercase();
    let mut queue = Vec::new();
    if lower.ends_with(".sln") || lower.ends_with(".slnx") {
        for project in solution(path, &bytes)? {
            queue.push(resolve(context, path, project.line, &project.path)?);
        }
    } else {
        queue.push(path.to_owned());
    }
    let mut seen: BTreeSet<String> = BTreeSet::new();
    let mut files = Vec::new();
    let mut next = 0;
    while let Some(file) = queue.get(next).cloned() {
        next += 1;
        if !seen.insert(file.clone()) {
            continue;
        }
        if files.len() >= FILES {
            return Err(ManifestError::new(
                path,
                None,
                "names more than 2000 projects",
            ));
        }
        let bytes = read::file(context, &file)?.unwrap_or_default();
        let project = dotnet_project(&file, &bytes)?;
        for reference in &project.projects {
            queue.push(referenced(context, &file, reference)?);
        }
        files.push((file, project));
    }
    Ok(files)
}

/// The files beside and above `project` that a restore looks for, such as `Directory.Build.props`, `nuget.config` and
/// `packages.lock.json`; all of them, though MSBuild stops at the nearest. Sorted; names compare without case, as on the file systems of Windows.
pub fn shared_files(context: &dyn BuildContext, project: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut directory = path::parent(project);
    loop {
        for name in context.list(directory) {
            let lower = name.to_ascii_lowercase();
            let is_own = OWN.contains(&lower.as_str()) && directory == path::parent(project);
            if !is_own && !SHARED.contains(&lower.as_str()) {
                continue;
            }
            found.extend(path::join(directory, &name).filter(|path| read::is_file(context, path)));
        }
        if directory.is_empty() {
            break;
        }
        directory = path::parent(directory);
    }
    found.sort();
    found
}

fn referenced(
    context: &dyn BuildContext,
    from: &str,
    reference: &Reference,
) -> Result<String, ManifestError> {
    let Some(relative) = reference.path.literal() else {
        let message = "references a project whose path is computed";
        return Err(ManifestError::new(from, Some(reference.line), message));
    };
    resolve(context, from, reference.line, relative)
}

fn resolve(
    context: &dyn BuildContext,
    from: &str,
    line: u32,
    relative: &str,
) -> Result<String, ManifestError> {
    let target = path::join(path::parent(from), relative);
    target
        .filter(|target| read::is_file(context, target))
        .ok_or_else(|| {
            let message = format!("names `{relative}`, which is not in the build context");
            ManifestError::new(from, Some(line), message)
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::project::testing::files;

    const WEB: &str = "<Project Sdk='Microsoft.NET.Sdk.Web'>\n<ItemGroup>\n\
        <ProjectReference Include='..\\Core\\Core.csproj'/></ItemGroup></Project>";
    const CORE: &str = "<Project Sdk='Microsoft.NET.Sdk'/>";
    const SLN: &str = "Microsoft Visual Studio Solution File\n\
        Project(\"{FAE04EC0-301F-11D3-BF4B-00C04F79EFBC}\") = \"Web\", \"src\\Web\\Web.csproj\", \"{1}\"\n";

    #[test]
    fn follows_solutions_and_references() {
        let context = files(&[
            ("app.sln", SLN),
            ("src/Web/Web.csproj", WEB),
            ("src/Core/Core.csproj", CORE),
        ]);
        let paths = |path| {
            let found = dotnet_files(&context, path).unwrap().into_iter();
            found.map(|(path, _)| path).collect::<Vec<_>>()
        };
        assert_eq!(
            paths("app.sln"),
            ["src/Web/Web.csproj", "src/Core/Core.csproj"]
        );
        assert_eq!(paths("src/Core/Core.csproj"), ["src/Core/Core.csproj"]);
    }

    #[test]
    fn tells_what_is_not_there() {
        let context = files(&[("app.sln", SLN), ("Web/Web.csproj", WEB)]);
        assert_eq!(dotnet_files(&context, "app.sln").unwrap_err().line, Some(2));
        let error = dotnet_files(&context, "Web/Web.csproj").unwrap_err();
        assert_eq!(
            (error.path.as_str(), error.line),
            ("Web/Web.csproj", Some(3))
        );
    }

    #[test]
    fn finds_shared_files_upwards() {
        let context = files(&[
            ("NuGet.Config", ""),
            ("global.json", ""),
            ("src/Directory.Build.props", ""),
            ("src/Web/packages.lock.json", ""),
            ("src/Web/Web.csproj", ""),
            ("src/Core/Directory.Build.props", ""),
            ("src/packages.lock.json", ""),
        ]);
        assert_eq!(
            shared_files(&context, "src/Web/Web.csproj"),
            [
                "NuGet.Config",
                "global.json",
                "src/Directory.Build.props",
                "src/Web/packages.lock.json"
            ]
        );
    }
}
