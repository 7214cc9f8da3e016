//! `go.mod` and `go.work`.

use super::words;
use crate::project::{ManifestError, read};

/// What a `go.mod` says. Directives that no rule asks for are passed over.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct GoMod {
    /// Path of the module.
    pub module: Option<String>,
    /// `go`: the language version.
    pub go: Option<String>,
    /// `toolchain`
    pub toolchain: Option<String>,
    /// `require`
    pub requires: Vec<GoRequire>,
    /// `replace`
    pub replaces: Vec<GoReplace>,
    /// `tool`: packages that `go tool` builds.
    pub tools: Vec<String>,
}

/// What a `go.work` says.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct GoWork {
    /// `go`: the language version.
    pub go: Option<String>,
    /// `use`: directories of modules, relative to the file.
    pub uses: Vec<String>,
    /// `replace`
    pub replaces: Vec<GoReplace>,
}

/// A required module.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GoRequire {
    /// 1-based line.
    pub line: u32,
    /// Path of the module.
    pub module: String,
    /// Its version.
    pub version: String,
    /// Whether only other modules need it.
    pub indirect: bool,
}

/// A module that another stands in for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GoReplace {
    /// 1-based line.
    pub line: u32,
    /// Path of the module that is replaced.
    pub module: String,
    /// Path of the other module, or a directory relative to the file.
    pub target: String,
    /// The other module's version; `None` for a directory.
    pub version: Option<String>,
}

impl GoReplace {
    /// The directory that stands in, if it is one: `go mod download` needs its `go.mod`, a build needs all of it.
    pub fn directory(&self) -> Option<&str> {
        let starts = ["./", "../", "/"]
            .iter()
            .any(|start| self.target.starts_with(start));
        (starts || matches!(self.target.as_str(), "." | "..")).then_some(self.target.as_str())
    }
}

/// What the `go.mod` of these bytes says; `path` is for the error only.
///
/// # Errors
/// A directive is not of the shape that the Go modules reference asks for, or a block is not closed.
pub fn go_mod(path: &str, bytes: &[u8]) -> Result<GoMod, ManifestError> {
    let mut file = GoMod::default();
    for directive in directives(path, bytes)? {
        let error = || directive.error(path);
        match (directive.verb.as_str(), directive.arguments.as_slice()) {
            ("module", [module]) => file.module = Some(module.clone()),
            ("go", [version]) => file.go = Some(version.clone()),
            ("toolchain", [name]) => file.toolchain = Some(name.clone()),
            ("tool", [package]) => file.tools.push(package.clone()),
            ("require", [module, version]) => file.requires.push(GoRequire {
                line: directive.line,
                module: module.clone(),
                version: version.clone(),
                indirect: directive.indirect,
            }),
            ("replace", arguments) => {
                let replace = replace(directive.line, arguments).ok_or_else(error)?;
                file.replaces.push(replace);
            }
            ("module" | "go" | "toolchain" | "tool" | "require", _) => return Err(error()),
            _ => {}
        }
    }
    Ok(file)
}

/// What the `go.work` of these bytes says; `path` is for the error only.
///
/// # Errors
/// As [`go_mod`].
pub fn go_work(path: &str, bytes: &[u8]) -> Result<GoWork, ManifestError> {
    let mut file = GoWork::default();
    for directive in directives(path, bytes)? {
        let error = || directive.error(path);
        match (directive.verb.as_str(), directive.arguments.as_slice()) {
            ("go", [version]) => file.go = Some(version.clone()),
            ("use", [directory]) => file.uses.push(directory.clone()),
            ("replace", arguments) => {
                let replace = replace(directive.line, arguments).ok_or_else(error)?;
                file.replaces.push(replace);
            }
            ("go" | "use", _) => return Err(error()),
            _ => {}
        }
    }
    Ok(file)
}

/// `module [version] => target [version]`
fn replace(line: u32, arguments: &[String]) -> Option<GoReplace> {
    let arrow = arguments.iter().position(|word| word == "=>")?;
    let (old, new) = (arguments.get(..arrow)?, arguments.get(arrow + 1..)?);
    let ([module] | [module, _]) = old else {
        return None;
    };
    let (target, version) = match new {
        [target] => (target, None),
        [target, version] => (target, Some(version.clone())),
        _ => return None,
    };
    Some(GoReplace {
        line,
        module: module.clone(),
        target: target.clone(),
        version,
    })
}

/// A directive of its own line, or one line of a block.
struct Directive {
    line: u32,
    verb: String,
    arguments: Vec<String>,
    /// Its comment is `// indirect`.
    indirect: bool,
}

impl Directive {
    fn error(&self, path: &str) -> ManifestError {
        let message = format!("`{}` is malformed", self.verb);
        ManifestError::new(path, Some(self.line), message)
    }
}

fn directives(path: &str, bytes: &[u8]) -> Result<Vec<Directive>, ManifestError> {
    let text = read::text(path, bytes)?;
    let mut directives = Vec::new();
    let mut block: Option<(u32, String)> = None;
    for (line, text) in (1..).zip(text.lines()) {
        let (code, comment) = split_comment(text);
        let error = |message: &str| ManifestError::new(path, Some(line), message);
        let mut words = words(code).ok_or_else(|| error("has a quote that is not closed"))?;
        if words.is_empty() {
            continue;
        }
        if block.is_some() && matches!(words.as_slice(), [word] if word == ")") {
            block = None;
            continue;
        }
        if let Some((_, verb)) = &block {
            words.insert(0, verb.clone());
        } else if words.last().is_some_and(|word| word.ends_with('(')) {
            let verb = code.trim().trim_end_matches('(').trim_end();
            block = Some((line, verb.to_owned()));
            continue;
        } else if matches!(words.as_slice(), [_, brackets] if brackets == "()") {
            continue;
        }
        let verb = words.remove(0);
        let indirect = comment.split([';', ' ']).any(|word| word == "indirect");
        directives.push(Directive {
            line,
            verb,
            arguments: words,
            indirect,
        });
    }
    match block {
        Some((line, _)) => Err(ManifestError::new(
            path,
            Some(line),
            "is a block that is not closed",
        )),
        None => Ok(directives),
    }
}

/// The line before `//` and what follows it. A `//` inside a word, as in a URL, is no comment.
fn split_comment(line: &str) -> (&str, &str) {
    let starts = |at: &usize| {
        let before = line
            .get(..*at)
            .and_then(|before| before.chars().next_back());
        before.is_none_or(|char| char.is_whitespace() || matches!(char, ')' | '('))
    };
    let at = line.match_indices("//").map(|(at, _)| at).find(starts);
    let split = at.and_then(|at| line.split_at_checked(at));
    split.unwrap_or((line, ""))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::project::testing::survives;

    const MOD: &str = r#"// the service
module "example.com/acme/service" // quoted

go 1.22.1

toolchain go1.22.4

require (
	github.com/gin-gonic/gin v1.9.1
	golang.org/x/sys v0.15.0 // indirect
)

require github.com/mattn/go-sqlite3 v1.14.22

replace (
	example.com/acme/lib => ../lib
	example.com/old v1.0.0 => example.com/new v1.1.0
)
replace example.com/acme/api v1.2.3 => ./api

exclude example.com/bad v0.1.0
retract [v1.0.0, v1.0.5] // mistakes
tool golang.org/x/tools/cmd/stringer
tool (
	example.com/a
)
"#;

    #[test]
    fn reads_a_module() {
        let file = go_mod("go.mod", MOD.as_bytes()).unwrap();
        assert_eq!(file.module.as_deref(), Some("example.com/acme/service"));
        assert_eq!(file.go.as_deref(), Some("1.22.1"));
        assert_eq!(file.toolchain.as_deref(), Some("go1.22.4"));
        let requires: Vec<_> = file
            .requires
            .iter()
            .map(|r| (r.line, r.module.as_str(), r.indirect))
            .collect();
        assert_eq!(
            requires,
            [
                (9, "github.com/gin-gonic/gin", false),
                (10, "golang.org/x/sys", true),
                (13, "github.com/mattn/go-sqlite3", false),
            ]
        );
        let directories: Vec<_> = file.replaces.iter().map(GoReplace::directory).collect();
        assert_eq!(directories, [Some("../lib"), None, Some("./api")]);
        assert_eq!(file.replaces[1].version.as_deref(), Some("v1.1.0"));
        assert_eq!(
            file.tools,
            ["golang.org/x/tools/cmd/stringer", "example.com/a"]
        );
    }

    #[test]
    fn reads_a_workspace() {
        let text = "go 1.21\n\nuse (\n\t./service\n\t./lib // here\n)\nuse .\nreplace a => ./b\n";
        let file = go_work("go.work", text.as_bytes()).unwrap();
        assert_eq!(file.uses, ["./service", "./lib", "."]);
        assert_eq!(file.replaces[0].directory(), Some("./b"));
    }

    #[test]
    fn names_the_line_of_a_mistake() {
        let line = |text: &str| go_mod("go.mod", text.as_bytes()).unwrap_err().line;
        assert_eq!(line("module a\nrequire (\n\tb v1\n"), Some(2));
        assert_eq!(line("module a\nrequire b\n"), Some(2));
        assert_eq!(line("module a\n\nreplace b c\n"), Some(3));
        assert_eq!(line("module \"a\n"), Some(1));
    }

    #[test]
    fn never_panics() {
        survives(&[MOD], |bytes| {
            drop(go_mod("go.mod", bytes));
            drop(go_work("go.work", bytes));
        });
    }
}
