//! `*.csproj`, `*.fsproj` and `*.vbproj`, and the `*.props` and `*.targets` that they import: one file at a time.

use roxmltree::Node;

use super::slashes;
use crate::project::{ManifestError, Value, read, xml};

/// What a project file says. Paths have `/` and are relative to it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DotnetProject {
    /// `Sdk`, of the project or of an element; none for the old format, which needs the .NET Framework.
    pub sdks: Vec<String>,
    /// `TargetFramework` or the entries of `TargetFrameworks`; a `Directory.Build.props` may set it too.
    pub frameworks: Vec<Value>,
    /// `AssemblyName`; the file's stem where it is not set.
    pub assembly_name: Option<Value>,
    /// `OutputType`
    pub output_type: Option<Value>,
    /// `SelfContained`
    pub self_contained: Option<Value>,
    /// `PublishSingleFile`
    pub single_file: Option<Value>,
    /// `PublishAot`
    pub native: Option<Value>,
    /// `RestorePackagesWithLockFile`
    pub lock_file: Option<Value>,
    /// `InvariantGlobalization`
    pub invariant: Option<Value>,
    /// `FrameworkReference`
    pub framework_references: Vec<String>,
    /// `ProjectReference`
    pub projects: Vec<Reference>,
    /// `PackageReference`: names and versions; the version may stand in `Directory.Packages.props`.
    pub packages: Vec<(String, Option<String>)>,
    /// `Import` of files.
    pub imports: Vec<Reference>,
}

/// Another file that a project names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference {
    /// 1-based line.
    pub line: u32,
    /// Its path, or an expression or glob.
    pub path: Value,
    /// Whether a condition decides.
    pub conditional: bool,
}

impl DotnetProject {
    /// Whether it is a web project: it runs on the ASP.NET Core runtime.
    pub fn is_web(&self) -> bool {
        let web = |sdk: &String| {
            sdk.starts_with("Microsoft.NET.Sdk.Web") || sdk.contains("BlazorWebAssembly")
        };
        self.sdks.iter().any(web)
    }
}

/// What the project file of these bytes says; `path` is for the error only.
///
/// # Errors
/// It is not XML in UTF-8, or its root is no `Project`.
pub fn dotnet_project(path: &str, bytes: &[u8]) -> Result<DotnetProject, ManifestError> {
    let text = read::text(path, bytes)?;
    let document = read::xml(path, text)?;
    let root = document.root_element();
    if !xml::is(root, "Project") {
        return Err(ManifestError::new(path, Some(1), "is no MSBuild project"));
    }
    let lines = read::Lines::new(text);
    let mut project = DotnetProject::default();
    if let Some(sdk) = root.attribute("Sdk") {
        project.sdks.extend(sdk.split(';').map(without_version));
    }
    for node in root.descendants().filter(Node::is_element) {
        let reference = |attribute: &str| {
            let line = lines.line(node.range().start);
            references(node, line, attribute)
        };
        match node.tag_name().name() {
            "Sdk" => project
                .sdks
                .extend(node.attribute("Name").map(without_version)),
            "Import" => match node.attribute("Sdk") {
                Some(sdk) => project.sdks.push(without_version(sdk)),
                None => project.imports.extend(reference("Project")),
            },
            "TargetFramework" | "TargetFrameworks" => {
                let value = value(node);
                project.frameworks.extend(value.into_iter().flat_map(split));
            }
            "AssemblyName" => set(&mut project.assembly_name, node),
            "OutputType" => set(&mut project.output_type, node),
            "SelfContained" => set(&mut project.self_contained, node),
            "PublishSingleFile" => set(&mut project.single_file, node),
            "PublishAot" => set(&mut project.native, node),
            "RestorePackagesWithLockFile" => set(&mut project.lock_file, node),
            "InvariantGlobalization" => set(&mut project.invariant, node),
            "FrameworkReference" => {
                let name = node.attribute("Include").map(str::to_owned);
                project.framework_references.extend(name);
            }
            "ProjectReference" => project.projects.extend(reference("Include")),
            "PackageReference" => project.packages.extend(package(node)),
            _ => {}
        }
    }
    project.sdks.dedup();
    Ok(project)
}

/// `Name/1.0` without the version.
fn without_version(sdk: &str) -> String {
    sdk.split('/').next().unwrap_or_default().trim().to_owned()
}

/// A property that is set twice depends on MSBuild's order and conditions: it is computed.
fn set(property: &mut Option<Value>, node: Node<'_, '_>) {
    let Some(value) = value(node) else {
        return;
    };
    *property = match property.take() {
        None => Some(value),
        Some(before) if before == value => Some(before),
        Some(Value::Literal(text) | Value::Computed(text)) => Some(Value::Computed(text)),
    };
}

/// The text of a property, computed where it holds an expression or hangs on a condition.
fn value(node: Node<'_, '_>) -> Option<Value> {
    let text = xml::text(node)?;
    if is_expression(&text) || is_conditional(node) {
        Some(Value::Computed(text))
    } else {
        Some(Value::Literal(text))
    }
}

fn split(value: Value) -> Vec<Value> {
    match value {
        Value::Computed(_) => vec![value],
        Value::Literal(text) => {
            let parts = text
                .split(';')
                .map(str::trim)
                .filter(|part| !part.is_empty());
            parts.map(|part| Value::Literal(part.to_owned())).collect()
        }
    }
}

/// `$(Property)`, `@(Item)` or `%(Metadata)`.
fn is_expression(text: &str) -> bool {
    ["$(", "@(", "%("].iter().any(|start| text.contains(start))
}

/// Whether the element, or one around it, has a `Condition` or stands in a `Target` or `Choose`.
fn is_conditional(node: Node<'_, '_>) -> bool {
    node.ancestors().take(16).any(|node| {
        node.has_attribute("Condition")
            || matches!(node.tag_name().name(), "Target" | "When" | "Otherwise")
    })
}

/// The files of a `;` list in an attribute.
fn references(node: Node<'_, '_>, line: u32, attribute: &str) -> Vec<Reference> {
    let list = node.attribute(attribute).unwrap_or_default();
    let paths = list
        .split(';')
        .map(str::trim)
        .filter(|path| !path.is_empty());
    let conditional = is_conditional(node);
    let reference = |path: &str| {
        let text = slashes(path);
        Reference {
            line,
            path: if is_expression(&text) || text.contains(['*', '?']) {
                Value::Computed(text)
            } else {
                Value::Literal(text)
            },
            conditional,
        }
    };
    paths.map(reference).collect()
}

fn package(node: Node<'_, '_>) -> Option<(String, Option<String>)> {
    let name = node
        .attribute("Include")
        .or_else(|| node.attribute("Update"))?;
    let version = node.attribute("Version").map(str::to_owned);
    let version = version.or_else(|| xml::child_text(node, "Version"));
    Some((name.to_owned(), version))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::project::testing::survives;

    const PROJECT: &str = r#"<Project Sdk="Microsoft.NET.Sdk.Web">
  <Sdk Name="Aspire.AppHost.Sdk" Version="9.0.0" />
  <PropertyGroup>
    <TargetFramework>net8.0</TargetFramework>
    <AssemblyName>Shop.Web</AssemblyName>
    <OutputType>Exe</OutputType>
    <SelfContained Condition="'$(Configuration)' == 'Release'">true</SelfContained>
    <PublishSingleFile>$(Single)</PublishSingleFile>
    <InvariantGlobalization>true</InvariantGlobalization>
  </PropertyGroup>
  <Import Project="..\..\build\common.props" />
  <Import Project="$(Extra)" Condition="Exists('$(Extra)')" />
  <ItemGroup>
    <PackageReference Include="Serilog" Version="3.1.1" />
    <PackageReference Include="Npgsql"><Version>8.0.0</Version></PackageReference>
    <PackageReference Include="Central" />
    <FrameworkReference Include="Microsoft.AspNetCore.App" />
    <ProjectReference Include="..\Core\Core.csproj" />
    <ProjectReference Include="../A/A.csproj; ../B/B.fsproj" />
  </ItemGroup>
</Project>
"#;

    fn read(text: &str) -> DotnetProject {
        dotnet_project("Web.csproj", text.as_bytes()).unwrap()
    }

    fn literal(text: &str) -> Value {
        Value::Literal(text.to_owned())
    }

    #[test]
    fn reads_a_project() {
        let project = read(&format!("\u{feff}{PROJECT}"));
        assert_eq!(
            project.sdks,
            ["Microsoft.NET.Sdk.Web", "Aspire.AppHost.Sdk"]
        );
        assert!(project.is_web());
        assert_eq!(project.frameworks, [literal("net8.0")]);
        assert_eq!(project.assembly_name, Some(literal("Shop.Web")));
        assert_eq!(project.invariant, Some(literal("true")));
        assert_eq!(project.framework_references, ["Microsoft.AspNetCore.App"]);
        assert!(matches!(project.self_contained, Some(Value::Computed(_))));
        assert!(matches!(project.single_file, Some(Value::Computed(_))));
        let paths: Vec<_> = project
            .projects
            .iter()
            .filter_map(|found| found.path.literal())
            .collect();
        assert_eq!(
            paths,
            ["../Core/Core.csproj", "../A/A.csproj", "../B/B.fsproj"]
        );
        assert_eq!(project.projects[0].line, 18);
        assert_eq!(project.imports[0].path, literal("../../build/common.props"));
        assert!(project.imports[1].conditional && project.imports[1].path.literal().is_none());
        assert_eq!(
            project.packages[1],
            ("Npgsql".to_owned(), Some("8.0.0".to_owned()))
        );
        assert_eq!(project.packages[2].1, None);
    }

    #[test]
    fn what_conditions_decide_is_computed() {
        let project = read(
            "<Project Sdk='Microsoft.NET.Sdk'><PropertyGroup Condition='x'><OutputType>Exe</OutputType></PropertyGroup>\
             <PropertyGroup><AssemblyName>A</AssemblyName></PropertyGroup>\
             <PropertyGroup><AssemblyName>B</AssemblyName>\
             <TargetFrameworks>net6.0;net8.0;</TargetFrameworks></PropertyGroup></Project>",
        );
        assert!(matches!(project.output_type, Some(Value::Computed(_))));
        assert!(matches!(project.assembly_name, Some(Value::Computed(_))));
        assert_eq!(project.frameworks, [literal("net6.0"), literal("net8.0")]);
        assert!(!project.is_web());
    }

    #[test]
    fn reads_the_old_format() {
        let project = read(
            "<Project ToolsVersion='15.0' xmlns='http://schemas.microsoft.com/developer/msbuild/2003'>\
             <ItemGroup><ProjectReference Include='..\\L\\L.csproj'/></ItemGroup></Project>",
        );
        assert!(project.sdks.is_empty());
        assert_eq!(project.projects[0].path, literal("../L/L.csproj"));
    }

    #[test]
    fn names_the_line_of_a_mistake() {
        let error = dotnet_project("a.csproj", b"<Project>\n<A>\n</Project>").unwrap_err();
        assert_eq!((error.path.as_str(), error.line), ("a.csproj", Some(3)));
        assert!(dotnet_project("a.csproj", b"<packages/>").is_err());
    }

    #[test]
    fn never_panics() {
        survives(&[PROJECT], |bytes| drop(dotnet_project("a.csproj", bytes)));
    }
}
