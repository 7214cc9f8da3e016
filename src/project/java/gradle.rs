//! `build.gradle(.kts)` and `settings.gradle(.kts)`: the facts that stand in them as plain text.

use super::gradle_tokens::{Token, tokens};
use crate::project::{ManifestError, Value, read};

/// What a settings file says.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct GradleSettings {
    /// `rootProject.name`
    pub name: Option<Value>,
    /// Directories of the included projects, relative to the file; `None` where the file computes or moves them.
    pub includes: Option<Vec<String>>,
    /// `includeBuild`: directories of other builds; `None` where the file computes them.
    pub included_builds: Option<Vec<String>>,
    /// Scripts that are applied, and files that are named by `files(…)`.
    pub files: Vec<Value>,
}

/// What a build file says.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct GradleBuild {
    /// Ids of plugins as they stand: `java`, `org.springframework.boot`, `libs.plugins.shadow` from a catalog, `kotlin:jvm`.
    pub plugins: Vec<String>,
    /// `group` at the top of this file; another file may set it.
    pub group: Option<Value>,
    /// `version` at the top of this file; another file may set it.
    pub version: Option<Value>,
    /// The Java release that is compiled for: a toolchain, else a compatibility; `None` where there is neither, as when a
    /// variable names it.
    pub java_version: Option<String>,
    /// Names that are set for archives.
    pub archives: Vec<GradleArchive>,
    /// `mainClass`, `mainClassName`
    pub main_class: Option<Value>,
    /// Paths of projects of the same build that it depends on, such as `:core`.
    pub projects: Vec<String>,
    /// Scripts that are applied, and files and directories that are named by `files(…)` and `fileTree(…)`.
    pub files: Vec<Value>,
}

/// A name set for what a task archives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GradleArchive {
    /// The name before the block it stands in, such as `bootJar`; empty at the top.
    pub task: String,
    /// `archiveFileName`, `archiveBaseName`, `archiveVersion`, `archiveClassifier` or `archivesBaseName`.
    pub property: String,
    /// What it is set to.
    pub value: Value,
}

/// What the settings file of these bytes says; `path` is for the error only.
///
/// # Errors
/// It is not UTF-8.
pub fn gradle_settings(path: &str, bytes: &[u8]) -> Result<GradleSettings, ManifestError> {
    let tokens = tokens(read::text(path, bytes)?);
    let script = Script::new(&tokens);
    let mut settings = GradleSettings {
        includes: Some(Vec::new()),
        included_builds: Some(Vec::new()),
        ..GradleSettings::default()
    };
    for at in script.words() {
        let plain = script.depth(at) == 0;
        match script.word(at) {
            "name" if script.follows(at, "rootProject") => settings.name = script.assigned(at),
            "include" => extend(
                &mut settings.includes,
                script.texts(at).filter(|_| plain),
                directory,
            ),
            "includeFlat" | "projectDir" => settings.includes = None,
            "includeBuild" => {
                let builds = script.texts(at).filter(|_| plain);
                extend(&mut settings.included_builds, builds, str::to_owned);
            }
            _ => settings.files.extend(script.files(at)),
        }
    }
    Ok(settings)
}

/// What the build file of these bytes says; `path` is for the error only.
///
/// # Errors
/// It is not UTF-8.
pub fn gradle_build(path: &str, bytes: &[u8]) -> Result<GradleBuild, ManifestError> {
    let tokens = tokens(read::text(path, bytes)?);
    let script = Script::new(&tokens);
    let mut build = GradleBuild::default();
    let mut compatibility = None;
    for at in script.words() {
        let (word, block) = (script.word(at), script.block(at));
        match word {
            "group" if script.depth(at) == 0 => build.group = script.assigned(at).or(build.group),
            "version" if script.depth(at) == 0 => {
                build.version = script.assigned(at).or(build.version)
            }
            "plugin" => build
                .plugins
                .extend(script.assigned(at).and_then(into_literal)),
            "archiveFileName" | "archiveBaseName" | "archiveVersion" | "archiveClassifier"
            | "archivesBaseName" => {
                build
                    .archives
                    .extend(script.assigned(at).map(|value| GradleArchive {
                        task: block.to_owned(),
                        property: word.to_owned(),
                        value,
                    }));
            }
            "mainClass" | "mainClassName" => {
                build.main_class = script.assigned(at).or(build.main_class);
            }
            "of" if script.follows(at, "JavaLanguageVersion") => {
                build.java_version = script.number(at).or(build.java_version);
            }
            "jvmToolchain" => build.java_version = script.number(at).or(build.java_version),
            "sourceCompatibility" | "targetCompatibility" => {
                compatibility = script.java_release(at).or(compatibility);
            }
            "project" => build.projects.extend(script.project(at)),
            _ if block == "plugins" => build.plugins.extend(script.plugin(at)),
            _ => build.files.extend(script.files(at)),
        }
    }
    build.java_version = build.java_version.or(compatibility);
    Ok(build)
}

/// Adds what is known; forgets all once something is not.
fn extend(list: &mut Option<Vec<String>>, found: Option<Vec<Value>>, map: fn(&str) -> String) {
    let literals: Option<Vec<String>> = found.and_then(|values| {
        let literals = values.iter().map(|value| value.literal().map(map));
        literals.collect()
    });
    match (list.as_mut(), literals) {
        (Some(list), Some(literals)) => list.extend(literals),
        _ => *list = None,
    }
}

/// `:a:b` is `a/b`.
fn directory(project: &str) -> String {
    project.trim_start_matches(':').replace(':', "/")
}

fn into_literal(value: Value) -> Option<String> {
    match value {
        Value::Literal(text) => Some(text),
        Value::Computed(_) => None,
    }
}

/// The tokens of a file, and the block that each stands in.
struct Script<'s, 't> {
    tokens: &'s [Token<'t>],
    /// Of each token: how many blocks are open, and the name before the innermost.
    blocks: Vec<(usize, &'t str)>,
}

impl<'s, 't> Script<'s, 't> {
    fn new(tokens: &'s [Token<'t>]) -> Self {
        let mut open: Vec<&str> = Vec::new();
        let mut name = "";
        let mut blocks = Vec::with_capacity(tokens.len());
        for token in tokens {
            if *token == Token::Mark('}') {
                open.pop();
            }
            blocks.push((open.len(), open.last().copied().unwrap_or_default()));
            match token {
                Token::Word(word) => name = word,
                Token::Text(text, _) => name = text,
                Token::Mark('{') => open.push(std::mem::take(&mut name)),
                Token::Mark('\n' | ';' | '}') => name = "",
                Token::Mark(_) => {}
            }
        }
        Self { tokens, blocks }
    }

    /// Where words stand.
    fn words(&self) -> impl Iterator<Item = usize> {
        let is_word =
            |(at, token): (usize, &Token<'_>)| matches!(token, Token::Word(_)).then_some(at);
        self.tokens.iter().enumerate().filter_map(is_word)
    }

    fn word(&self, at: usize) -> &'t str {
        match self.tokens.get(at) {
            Some(Token::Word(word)) => word,
            _ => "",
        }
    }

    fn mark(&self, at: usize) -> Option<char> {
        match self.tokens.get(at) {
            Some(Token::Mark(mark)) => Some(*mark),
            _ => None,
        }
    }

    fn value(&self, at: usize) -> Option<Value> {
        match self.tokens.get(at)? {
            Token::Text(text, false) => Some(Value::Literal((*text).to_owned())),
            Token::Text(text, true) => Some(Value::Computed((*text).to_owned())),
            Token::Word(word) => Some(Value::Computed((*word).to_owned())),
            Token::Mark(_) => None,
        }
    }

    fn depth(&self, at: usize) -> usize {
        self.blocks.get(at).map_or(0, |(depth, _)| *depth)
    }

    fn block(&self, at: usize) -> &'t str {
        self.blocks.get(at).map_or("", |(_, name)| name)
    }

    /// Whether the word at `at` is a member of `owner`.
    fn follows(&self, at: usize, owner: &str) -> bool {
        at >= 2 && self.mark(at - 1) == Some('.') && self.word(at - 2) == owner
    }

    /// What the property at `at` is set to: `p = v`, `p: v`, `p v`, `p.set(v)`. A value that goes on after a string, as in
    /// `'a' + b`, is computed.
    fn assigned(&self, at: usize) -> Option<Value> {
        let value = match self.mark(at + 1) {
            Some('=' | ':') if self.mark(at + 2) != Some('=') => at + 2,
            Some('.') if self.word(at + 2) == "set" && self.mark(at + 3) == Some('(') => at + 4,
            None if matches!(self.tokens.get(at + 1), Some(Token::Text(..))) => at + 1,
            _ => return None,
        };
        let ends = matches!(self.mark(value + 1), Some('\n' | ';' | ')' | '}' | ','))
            || self.tokens.get(value + 1).is_none();
        match self.value(value)? {
            Value::Literal(text) if !ends => Some(Value::Computed(text)),
            value => Some(value),
        }
    }

    /// The arguments of the call at `at`, if all are strings: `f 'a', 'b'` or `f("a", "b")`; line ends may follow commas.
    fn texts(&self, at: usize) -> Option<Vec<Value>> {
        let closed = self.mark(at + 1) == Some('(');
        let mut next = at + 1 + usize::from(closed);
        let mut texts = Vec::new();
        loop {
            while self.mark(next) == Some('\n') {
                next += 1;
            }
            if closed && self.mark(next) == Some(')') && !texts.is_empty() {
                return Some(texts);
            }
            let Some(Token::Text(..)) = self.tokens.get(next) else {
                return None;
            };
            texts.extend(self.value(next));
            next += 1;
            while closed && self.mark(next) == Some('\n') {
                next += 1;
            }
            match self.mark(next) {
                Some(',') => next += 1,
                Some(')') if closed => return Some(texts),
                Some('\n' | ';') if !closed => return Some(texts),
                None if !closed && next >= self.tokens.len() => return Some(texts),
                _ => return None,
            }
        }
    }

    /// `(17)`, or `17`.
    fn number(&self, at: usize) -> Option<String> {
        let open = usize::from(self.mark(at + 1) == Some('('));
        let word = self.word(at + 1 + open);
        let digits = !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_digit());
        digits.then(|| word.to_owned())
    }

    /// `= '17'`, `= 17`, `= 1.8` or `= JavaVersion.VERSION_17`.
    fn java_release(&self, at: usize) -> Option<String> {
        let at = at + usize::from(self.mark(at + 1) == Some('='));
        if let Some(Token::Text(text, false)) = self.tokens.get(at + 1) {
            return Some((*text).to_owned());
        }
        if self.word(at + 1) == "JavaVersion" {
            let version = self.word(at + 3).strip_prefix("VERSION_")?;
            return Some(version.replace('_', "."));
        }
        let major = self.number(at)?;
        match (self.mark(at + 2), self.word(at + 3)) {
            (Some('.'), minor) if !minor.is_empty() => Some(format!("{major}.{minor}")),
            _ => Some(major),
        }
    }

    /// `project(':core')` and `project(path: ':core')`, where it is not configured.
    fn project(&self, at: usize) -> Option<String> {
        if self.mark(at + 1) != Some('(') || self.depth(at) == 0 {
            return None;
        }
        let named = self.word(at + 2) == "path";
        let text = at + 2 + 2 * usize::from(named);
        self.value(text)
            .and_then(into_literal)
            .filter(|path| path.starts_with(':'))
    }

    /// An entry of a `plugins` block.
    fn plugin(&self, at: usize) -> Option<String> {
        let starts = at.checked_sub(1).and_then(|before| self.mark(before));
        if !matches!(starts, Some('\n' | '{' | ';')) {
            return None;
        }
        let open = usize::from(self.mark(at + 1) == Some('('));
        let argument = at + 1 + open;
        match self.word(at) {
            "id" => self.value(argument).and_then(into_literal),
            "kotlin" => self
                .value(argument)
                .and_then(into_literal)
                .map(|id| format!("kotlin:{id}")),
            "alias" => {
                let mut name = self.word(argument).to_owned();
                let mut next = argument + 1;
                while self.mark(next) == Some('.') {
                    name.push('.');
                    name.push_str(self.word(next + 1));
                    next += 2;
                }
                Some(name)
            }
            word => Some(word.to_owned()),
        }
    }

    /// `apply from: 'x'`, `apply(from = "x")`, `files('x')`, `fileTree('x')`, `fileTree(dir: 'x')`.
    fn files(&self, at: usize) -> Vec<Value> {
        let of_apply = |from: usize| {
            let owner =
                from.checked_sub(1 + usize::from(self.mark(from.wrapping_sub(1)) == Some('(')));
            owner.is_some_and(|owner| self.word(owner) == "apply")
        };
        match self.word(at) {
            "from" if of_apply(at) => self.assigned(at).into_iter().collect(),
            "files" | "fileTree" if self.mark(at + 1) == Some('(') => {
                let named = self.word(at + 2) == "dir";
                if named {
                    return self.assigned(at + 2).into_iter().collect();
                }
                let computed = || vec![Value::Computed(self.word(at).to_owned())];
                self.texts(at).unwrap_or_else(computed)
            }
            _ => Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests;
