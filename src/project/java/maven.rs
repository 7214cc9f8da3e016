//! `pom.xml`, one file at a time: what a parent outside of it says is unknown.

use std::collections::BTreeMap;

use roxmltree::Node;

use crate::project::{ManifestError, Value, read, xml};

/// The longest text that properties are put into.
const LENGTH: usize = 4096;

/// How often properties are replaced by properties.
const ROUNDS: usize = 8;

/// What a `pom.xml` says. Properties that it defines itself are put in; texts with others are computed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Pom {
    /// `groupId`, or the parent's.
    pub group_id: Option<Value>,
    /// `artifactId`
    pub artifact_id: Option<Value>,
    /// `version`, or the parent's.
    pub version: Option<Value>,
    /// `packaging`; `None` is `jar`.
    pub packaging: Option<Value>,
    /// `build/finalName`; a parent may set it too.
    pub final_name: Option<Value>,
    /// `parent`
    pub parent: Option<PomParent>,
    /// `modules`
    pub modules: Vec<PomModule>,
    /// `modules` of profiles, which may or may not be active.
    pub profile_modules: Vec<PomModule>,
    /// Own properties, as they stand.
    pub properties: BTreeMap<String, String>,
    /// The Java release that is compiled for, from the compiler's properties, its plugin or `java.version`.
    pub java_version: Option<Value>,
    /// Artifact ids of `build/plugins`, profiles aside.
    pub plugins: Vec<String>,
    /// Artifact ids of `dependencies` that the program needs when it runs, those of profiles too.
    pub dependencies: Vec<String>,
    /// `descriptorRef` of the assembly plugin, such as `jar-with-dependencies`.
    pub descriptors: Vec<String>,
    /// Whether what the assembly plugin makes is called like the archive of the project (`appendAssemblyId`).
    pub replaces_archive: bool,
    /// Whether a manifest that it asks for names other archives.
    pub sets_class_path: bool,
    /// `systemPath` of dependencies: archives that may lie in the project, as they stand.
    pub system_paths: Vec<String>,
    /// `url` of repositories for artifacts and plugins, profiles included, as they stand.
    pub repositories: Vec<String>,
    /// Whether a profile is active where a file exists, or is missing.
    pub files_activate: bool,
}

/// The `parent` of a POM.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PomParent {
    /// `groupId`
    pub group_id: Option<String>,
    /// `artifactId`
    pub artifact_id: Option<String>,
    /// `version`
    pub version: Option<String>,
    /// Where the parent's file or directory may be, relative to the POM: `..` unless it says otherwise, `None` where an
    /// empty element sends Maven to the repository.
    pub relative_path: Option<String>,
}

/// A module: a directory, or a file, relative to the POM.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PomModule {
    /// 1-based line.
    pub line: u32,
    /// As it stands.
    pub path: String,
}

impl Pom {
    /// The archive that `package` makes, relative to the POM: `target/<finalName>.<jar or war>`. `None` where a part of it
    /// is computed or the packaging makes none. A parent could still set another `finalName`.
    pub fn artifact(&self) -> Option<String> {
        let packaging = match &self.packaging {
            Some(packaging) => packaging.literal()?,
            None => "jar",
        };
        if !matches!(packaging, "jar" | "war" | "ear") {
            return None;
        }
        let name = match &self.final_name {
            Some(name) => name.literal()?.to_owned(),
            None => {
                let (id, version) = (self.artifact_id.as_ref()?, self.version.as_ref()?);
                format!("{}-{}", id.literal()?, version.literal()?)
            }
        };
        Some(format!("target/{name}.{packaging}"))
    }

    /// Whether the Spring Boot plugin repackages the archive so that `java -jar` runs it.
    pub fn is_spring_boot(&self) -> bool {
        self.plugins
            .iter()
            .any(|plugin| plugin == "spring-boot-maven-plugin")
    }
}

/// What the `pom.xml` of these bytes says; `path` is for the error only.
///
/// # Errors
/// It is not XML in UTF-8, or its root is no `project`.
pub fn pom(path: &str, bytes: &[u8]) -> Result<Pom, ManifestError> {
    let text = read::text(path, bytes)?;
    let document = read::xml(path, text)?;
    let root = document.root_element();
    if !xml::is(root, "project") {
        return Err(ManifestError::new(path, Some(1), "is no Maven project"));
    }
    let parent = xml::child(root, "parent").map(parent);
    let properties = properties(root);
    let reader = Reader {
        lines: read::Lines::new(text),
        values: known_values(root, parent.as_ref(), &properties),
    };
    let inherited = |name, from: fn(&PomParent) -> Option<&String>| {
        let own = xml::child_text(root, name);
        let text = own.or_else(|| parent.as_ref().and_then(from).cloned());
        text.map(|text| reader.value(&text))
    };
    let build = xml::child(root, "build");
    let value = |node: Option<Node<'_, '_>>| Some(reader.value(&xml::text(node?)?));
    Ok(Pom {
        group_id: inherited("groupId", |parent| parent.group_id.as_ref()),
        artifact_id: value(xml::child(root, "artifactId")),
        version: inherited("version", |parent| parent.version.as_ref()),
        packaging: value(xml::child(root, "packaging")),
        final_name: value(build.and_then(|build| xml::child(build, "finalName"))),
        modules: reader.modules(root),
        profile_modules: profiles(root)
            .flat_map(|profile| reader.modules(profile))
            .collect(),
        java_version: reader.java_version(root),
        plugins: plugins(root)
            .filter_map(|plugin| xml::child_text(plugin, "artifactId"))
            .collect(),
        dependencies: dependencies(root),
        descriptors: texts(root, "descriptorRef"),
        replaces_archive: texts(root, "appendAssemblyId") == ["false"],
        sets_class_path: ["addClasspath", "classpathPrefix", "Class-Path"]
            .iter()
            .any(|name| texts(root, name).iter().any(|text| text != "false")),
        system_paths: texts(root, "systemPath"),
        repositories: repositories(root),
        files_activate: root
            .descendants()
            .any(|node| xml::is(node, "activation") && xml::child(node, "file").is_some()),
        parent,
        properties,
    })
}

struct Reader {
    lines: read::Lines,
    /// What `${…}` may name.
    values: BTreeMap<String, String>,
}

impl Reader {
    fn modules(&self, node: Node<'_, '_>) -> Vec<PomModule> {
        let modules = xml::child(node, "modules").into_iter();
        let modules =
            modules.flat_map(|modules| xml::children(modules, "module").collect::<Vec<_>>());
        let module = |node: Node<'_, '_>| {
            Some(PomModule {
                line: self.line(node),
                path: xml::text(node)?,
            })
        };
        modules.filter_map(module).collect()
    }

    fn line(&self, node: Node<'_, '_>) -> u32 {
        self.lines.line(node.range().start)
    }

    fn java_version(&self, root: Node<'_, '_>) -> Option<Value> {
        let compiler = plugins(root).find(|plugin| {
            xml::child_text(*plugin, "artifactId").as_deref() == Some("maven-compiler-plugin")
        });
        let configured = compiler.and_then(|plugin| {
            let configuration = xml::child(plugin, "configuration")?;
            let names = ["release", "target", "source"].iter();
            names
                .filter_map(|name| xml::child_text(configuration, name))
                .next()
        });
        const PROPERTIES: [&str; 4] = [
            "maven.compiler.release",
            "java.version",
            "maven.compiler.target",
            "maven.compiler.source",
        ];
        let property = || {
            PROPERTIES
                .iter()
                .find_map(|name| self.values.get(*name))
                .cloned()
        };
        configured.or_else(property).map(|text| self.value(&text))
    }

    /// `text` with properties put in.
    fn value(&self, text: &str) -> Value {
        let mut current = text.to_owned();
        for _ in 0..ROUNDS {
            if !current.contains("${") {
                return Value::Literal(current);
            }
            match replace_properties(&current, &self.values) {
                Some(replaced) if replaced.len() <= LENGTH => current = replaced,
                _ => break,
            }
        }
        Value::Computed(text.to_owned())
    }
}

/// `text` with each `${name}` replaced once; `None` where a name is not known.
fn replace_properties(text: &str, values: &BTreeMap<String, String>) -> Option<String> {
    let mut parts = text.split("${");
    let mut replaced = parts.next()?.to_owned();
    for part in parts {
        let (name, rest) = part.split_once('}')?;
        replaced.push_str(values.get(name)?);
        replaced.push_str(rest);
        if replaced.len() > LENGTH {
            return None;
        }
    }
    Some(replaced)
}

fn parent(node: Node<'_, '_>) -> PomParent {
    let relative_path = match xml::child(node, "relativePath") {
        Some(path) => xml::text(path),
        None => Some("..".to_owned()),
    };
    PomParent {
        group_id: xml::child_text(node, "groupId"),
        artifact_id: xml::child_text(node, "artifactId"),
        version: xml::child_text(node, "version"),
        relative_path,
    }
}

fn properties(root: Node<'_, '_>) -> BTreeMap<String, String> {
    let nodes = xml::child(root, "properties").into_iter();
    let nodes = nodes.flat_map(|properties| properties.children().filter(Node::is_element));
    nodes
        .map(|node| {
            (
                node.tag_name().name().to_owned(),
                xml::text(node).unwrap_or_default(),
            )
        })
        .collect()
}

/// The properties, and the elements of the POM that Maven lets texts name.
fn known_values(
    root: Node<'_, '_>,
    parent: Option<&PomParent>,
    properties: &BTreeMap<String, String>,
) -> BTreeMap<String, String> {
    let mut values = properties.clone();
    let own = |name| xml::child_text(root, name);
    let from_parent = |text: fn(&PomParent) -> Option<&String>| parent.and_then(text).cloned();
    let parent_version = from_parent(|parent| parent.version.as_ref());
    let parent_group = from_parent(|parent| parent.group_id.as_ref());
    let elements = [
        ("artifactId", own("artifactId")),
        ("version", own("version").or_else(|| parent_version.clone())),
        ("groupId", own("groupId").or_else(|| parent_group.clone())),
        ("name", own("name")),
        (
            "packaging",
            own("packaging").or_else(|| Some("jar".to_owned())),
        ),
        ("parent.version", parent_version),
        ("parent.groupId", parent_group),
        (
            "parent.artifactId",
            from_parent(|parent| parent.artifact_id.as_ref()),
        ),
    ];
    for (name, text) in elements {
        let Some(text) = text else {
            continue;
        };
        values.insert(format!("project.{name}"), text.clone());
        values.insert(format!("pom.{name}"), text);
    }
    values
}

fn profiles<'a, 'i: 'a>(root: Node<'a, 'i>) -> impl Iterator<Item = Node<'a, 'i>> + 'a {
    let profiles = xml::child(root, "profiles").into_iter();
    profiles.flat_map(|profiles| xml::children(profiles, "profile"))
}

fn plugins<'a, 'i: 'a>(root: Node<'a, 'i>) -> impl Iterator<Item = Node<'a, 'i>> + 'a {
    let plugins = xml::at(root, &["build", "plugins"]).into_iter();
    plugins.flat_map(|plugins| xml::children(plugins, "plugin"))
}

/// The texts of all elements that are called `name`.
fn texts(root: Node<'_, '_>, name: &str) -> Vec<String> {
    let nodes = root.descendants().filter(|node| xml::is(*node, name));
    nodes.filter_map(xml::text).collect()
}

fn dependencies(root: Node<'_, '_>) -> Vec<String> {
    let places = std::iter::once(root).chain(profiles(root));
    let lists = places.filter_map(|place| xml::child(place, "dependencies"));
    let nodes = lists.flat_map(|list| xml::children(list, "dependency").collect::<Vec<_>>());
    let runs = nodes.filter(|node| {
        let scope = xml::child_text(*node, "scope");
        !matches!(scope.as_deref(), Some("test" | "provided"))
    });
    runs.filter_map(|node| xml::child_text(node, "artifactId"))
        .collect()
}

fn repositories(root: Node<'_, '_>) -> Vec<String> {
    let is_repository =
        |node: &Node<'_, '_>| xml::is(*node, "repository") || xml::is(*node, "pluginRepository");
    // What `distributionManagement` names is written to, and never read.
    let is_read = |node: &Node<'_, '_>| {
        let mut above = node.ancestors();
        !above.any(|node| xml::is(node, "distributionManagement"))
    };
    let nodes = root.descendants().filter(is_repository).filter(is_read);
    nodes
        .filter_map(|node| xml::child_text(node, "url"))
        .collect()
}

#[cfg(test)]
mod tests;
