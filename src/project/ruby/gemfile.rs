//! `Gemfile`.

use super::gemfile_tokens::{ARROW, Token, statements};
use crate::project::{ManifestError, Value, read};

/// The most blocks inside each other.
const DEPTH: usize = 32;

/// The most arguments of one call, options aside.
const ARGUMENTS: usize = 64;

/// What a `Gemfile` says. Paths are relative to it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Gemfile {
    /// Gems, in their order.
    pub gems: Vec<Gem>,
    /// `gemspec`: the directory of the gem whose dependencies it takes, `.` unless it says otherwise.
    pub gemspecs: Vec<Value>,
    /// `ruby`
    pub ruby: Option<RubyVersion>,
    /// `eval_gemfile`
    pub included: Vec<Value>,
    /// 1-based line of the first statement that computes, such as a condition, a loop or `File.read`.
    pub computed: Option<u32>,
}

/// A gem.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gem {
    /// 1-based line.
    pub line: u32,
    /// Its name.
    pub name: Value,
    /// Its groups; `default` where there is none, and none at all where they are computed.
    pub groups: Vec<String>,
    /// Where it comes from.
    pub origin: GemOrigin,
    /// Whether a condition decides.
    pub conditional: bool,
}

/// Where a gem comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GemOrigin {
    /// A gem server.
    Server,
    /// A directory.
    Path(Value),
    /// A repository: the install needs git.
    Git(Value),
}

/// `ruby`: what the install refuses to run with another version of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RubyVersion {
    /// This version or requirement.
    Literal(String),
    /// What this file says: `.ruby-version` or `.tool-versions`.
    File(String),
    /// An expression.
    Computed,
}

impl Gemfile {
    /// The groups that it names, sorted.
    pub fn groups(&self) -> Vec<&str> {
        let mut groups: Vec<&str> = self
            .gems
            .iter()
            .flat_map(|gem| &gem.groups)
            .map(String::as_str)
            .collect();
        groups.sort_unstable();
        groups.dedup();
        groups
    }

    /// The directories that gems and gemspecs come from.
    pub fn local_paths(&self) -> impl Iterator<Item = &Value> {
        let gems = self.gems.iter().filter_map(|gem| match &gem.origin {
            GemOrigin::Path(path) => Some(path),
            _ => None,
        });
        gems.chain(&self.gemspecs)
    }
}

/// What the `Gemfile` of these bytes says; `path` is for the error only.
///
/// # Errors
/// It is not UTF-8, a block is not closed, or an `end` closes none.
pub fn gemfile(path: &str, bytes: &[u8]) -> Result<Gemfile, ManifestError> {
    let mut reader = Reader::default();
    for (line, tokens) in statements(read::text(path, bytes)?) {
        reader
            .statement(line, &tokens)
            .map_err(|message| ManifestError::new(path, Some(line), message))?;
    }
    match reader.blocks.last() {
        Some(block) => Err(ManifestError::new(
            path,
            Some(block.line),
            "is a block that is not closed",
        )),
        None => Ok(reader.file),
    }
}

/// A block that is open, and what it says of the gems inside.
struct Block {
    line: u32,
    groups: Vec<String>,
    origin: Option<GemOrigin>,
    conditional: bool,
    /// `group`
    is_group: bool,
    /// A definition, whose body says nothing of gems.
    opaque: bool,
}

#[derive(Default)]
struct Reader {
    file: Gemfile,
    blocks: Vec<Block>,
}

impl Reader {
    fn statement(&mut self, line: u32, tokens: &[Token]) -> Result<(), &'static str> {
        let Some(Token::Word(verb)) = tokens.first() else {
            self.computes(line);
            return Ok(());
        };
        let arguments = Arguments::new(tokens.get(1..).unwrap_or_default());
        if verb != "end" && self.blocks.len() >= DEPTH {
            return Err("is too deep");
        }
        if arguments.positional.len() > ARGUMENTS {
            return Err("has too many arguments");
        }
        match verb.as_str() {
            "end" => {
                self.blocks.pop().ok_or("closes no block")?;
                return Ok(());
            }
            "if" | "unless" | "case" | "while" | "until" | "begin" | "def" | "for" => {
                self.computes(line);
                let one_line = tokens.iter().any(|token| is_word(token, "end"));
                if !one_line {
                    self.open(line, Vec::new(), None, true);
                }
                return Ok(());
            }
            "else" | "elsif" | "when" | "in" | "rescue" | "ensure" => return Ok(()),
            _ => {}
        }
        if arguments.opens_block {
            self.block(line, verb, &arguments);
            return Ok(());
        }
        self.call(line, verb, &arguments);
        Ok(())
    }

    /// `verb … do`
    fn block(&mut self, line: u32, verb: &str, arguments: &Arguments) {
        let value = || arguments.positional.first().cloned();
        let plain = arguments
            .positional
            .iter()
            .all(|value| value.literal().is_some());
        if verb == "group" && !plain {
            self.computes(line);
        }
        let (mut groups, mut origin, mut conditional) = (Vec::new(), None, false);
        match verb {
            "group" => groups = arguments.names(),
            "path" => origin = value().map(GemOrigin::Path),
            "git" | "github" | "gist" | "bitbucket" => origin = value().map(GemOrigin::Git),
            "source" | "platforms" | "platform" | "git_source" => {}
            "install_if" => conditional = true,
            _ => {
                self.computes(line);
                conditional = true;
            }
        }
        self.open(line, groups, origin, conditional);
        if let Some(block) = self.blocks.last_mut() {
            block.opaque = verb == "git_source";
            block.is_group = verb == "group";
        }
    }

    fn call(&mut self, line: u32, verb: &str, arguments: &Arguments) {
        let value = arguments.positional.first().cloned();
        match verb {
            "gem" => self.gem(line, arguments),
            "source" | "git_source" | "plugin" | "platforms" => {}
            "gemspec" => {
                let here = || Value::Literal(".".to_owned());
                self.file
                    .gemspecs
                    .push(arguments.option("path").unwrap_or_else(here));
            }
            "ruby" => self.file.ruby = Some(arguments.ruby()),
            "eval_gemfile" => {
                let computed = || Value::Computed("eval_gemfile".to_owned());
                self.file.included.push(value.unwrap_or_else(computed));
            }
            _ => self.computes(line),
        }
        if arguments.conditional {
            self.computes(line);
        }
    }

    fn gem(&mut self, line: u32, arguments: &Arguments) {
        let Some(name) = arguments.positional.first().cloned() else {
            self.computes(line);
            return;
        };
        let (groups, known) = self.groups(arguments);
        if !known {
            self.computes(line);
        }
        let git = ["git", "github", "gist", "bitbucket"].iter();
        let git = git
            .filter_map(|key| arguments.option(key))
            .next()
            .map(GemOrigin::Git);
        let own = arguments.option("path").map(GemOrigin::Path).or(git);
        let around = || {
            self.blocks
                .iter()
                .rev()
                .find_map(|block| block.origin.clone())
        };
        let origin = own.or_else(around).unwrap_or(GemOrigin::Server);
        let conditional =
            arguments.conditional || self.blocks.iter().any(|block| block.conditional);
        self.file.gems.push(Gem {
            line,
            name,
            groups,
            origin,
            conditional,
        });
    }

    /// The groups of a gem, from the blocks around it and its own options, and whether they are known.
    fn groups(&self, arguments: &Arguments) -> (Vec<String>, bool) {
        let around = self.blocks.iter().flat_map(|block| block.groups.clone());
        let mut groups: Vec<String> = around.collect();
        for (key, names) in &arguments.options {
            if !matches!(key.as_str(), "group" | "groups") {
                continue;
            }
            match names {
                Some(names) => groups.extend(names.clone()),
                None => return (Vec::new(), false),
            }
        }
        let in_group = self.blocks.iter().any(|block| block.is_group);
        if groups.is_empty() && !in_group {
            groups.push("default".to_owned());
        }
        (groups, true)
    }

    fn open(
        &mut self,
        line: u32,
        groups: Vec<String>,
        origin: Option<GemOrigin>,
        conditional: bool,
    ) {
        self.blocks.push(Block {
            line,
            groups,
            origin,
            conditional,
            is_group: false,
            opaque: false,
        });
    }

    fn computes(&mut self, line: u32) {
        if self.blocks.iter().any(|block| block.opaque) {
            return;
        }
        self.file.computed.get_or_insert(line);
    }
}

/// The arguments of a call.
#[derive(Default)]
struct Arguments {
    /// Strings, symbols and expressions before the options.
    positional: Vec<Value>,
    /// Options, and the strings and symbols of each; `None` is an expression.
    options: Vec<(String, Option<Vec<String>>)>,
    /// It ends with `do`, with or without parameters.
    opens_block: bool,
    /// `if` or `unless` follows.
    conditional: bool,
}

impl Arguments {
    fn new(tokens: &[Token]) -> Self {
        let mut arguments = Self::default();
        let mut at = 0;
        while let Some(token) = tokens.get(at) {
            let is_pair = matches!(tokens.get(at + 1), Some(Token::Mark(ARROW)));
            match token {
                Token::Key(name) => arguments.start(name),
                Token::Symbol(name) | Token::Text(name) if is_pair => {
                    arguments.start(name);
                    at += 1;
                }
                Token::Text(text) | Token::Symbol(text) => arguments.literal(text),
                Token::Computed(text) => arguments.computed(text),
                Token::Word(word) if word == "do" => {
                    arguments.opens_block = true;
                    break;
                }
                Token::Word(word) if matches!(word.as_str(), "if" | "unless") => {
                    arguments.conditional = true;
                    break;
                }
                Token::Word(word) => arguments.computed(word),
                Token::Mark(_) => {}
            }
            at += 1;
        }
        arguments
    }

    fn start(&mut self, key: &str) {
        self.options.push((key.to_owned(), Some(Vec::new())));
    }

    /// Options come last: what follows the first belongs to one.
    fn literal(&mut self, text: &str) {
        match self.options.last_mut() {
            Some((_, Some(list))) => list.push(text.to_owned()),
            Some((_, None)) => {}
            None => self.positional.push(Value::Literal(text.to_owned())),
        }
    }

    fn computed(&mut self, text: &str) {
        match self.options.last_mut() {
            Some((_, list)) => *list = None,
            None => self.positional.push(Value::Computed(text.to_owned())),
        }
    }

    /// The value of an option; computed where it is no string.
    fn option(&self, key: &str) -> Option<Value> {
        let (_, list) = self.options.iter().find(|(name, _)| name == key)?;
        Some(match list.as_deref() {
            Some([text]) => Value::Literal(text.clone()),
            _ => Value::Computed(key.to_owned()),
        })
    }

    /// The names of groups.
    fn names(&self) -> Vec<String> {
        let literals = self.positional.iter().filter_map(Value::literal);
        literals.map(str::to_owned).collect()
    }

    fn ruby(&self) -> RubyVersion {
        if let Some(file) = self.option("file") {
            return match file {
                Value::Literal(file) => RubyVersion::File(file),
                Value::Computed(_) => RubyVersion::Computed,
            };
        }
        match self.positional.as_slice() {
            [Value::Literal(version)] => RubyVersion::Literal(version.clone()),
            _ => RubyVersion::Computed,
        }
    }
}

fn is_word(token: &Token, word: &str) -> bool {
    matches!(token, Token::Word(found) if found == word)
}

#[cfg(test)]
mod tests;
