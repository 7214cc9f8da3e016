//! What the readers share: the words of an install that its early command keeps, and paths seen from its project. Never
//! lets a word through that is known only when the step runs.

use super::{Install, Reads, from_project};
use crate::context::{Entry, path};
use crate::model::managers::Flag;

impl Install<'_> {
    /// The assignments that `keeps` names, and the manager's own word: how an early command begins.
    ///
    /// # Errors
    /// Another command runs it, or a word is not literal.
    pub(super) fn start(&self, keeps: impl Fn(&str) -> bool) -> Result<Vec<String>, String> {
        if let Some(wrapper) = self.invocation.wrappers.first() {
            let shown = &self.command.words[*wrapper].text;
            return Err(format!("it runs behind `{shown}`"));
        }
        let mut words = Vec::new();
        for (name, value) in self.assignments() {
            if keeps(name) {
                let value = value.ok_or_else(|| computed(name))?;
                words.push(format!("{name}={value}"));
            }
        }
        words.push(self.word(self.invocation.command)?);
        Ok(words)
    }

    /// The variables that are set for the command alone, with the values as they stand where those are literal.
    pub(super) fn assignments(&self) -> impl Iterator<Item = (&str, Option<&str>)> {
        let assignments = self.command.assignments.iter();
        assignments.filter_map(|word| {
            let (name, value) = word.text.split_once('=')?;
            Some((name, Some(value).filter(|_| is_plain(&word.text))))
        })
    }

    /// The words of the options that `keeps` names, values included, in their order.
    ///
    /// # Errors
    /// A word is not literal.
    pub(super) fn options(&self, keeps: impl Fn(&Flag) -> bool) -> Result<Vec<String>, String> {
        let mut at = Vec::new();
        for flag in self.invocation.flags.iter().filter(|flag| keeps(flag)) {
            at.push(flag.word);
            at.extend(flag.value.as_ref().map(|value| value.word));
        }
        at.dedup();
        at.into_iter().map(|word| self.word(word)).collect()
    }

    /// The first of these options, and its value.
    ///
    /// # Errors
    /// The value is missing or not literal.
    pub(super) fn option(&self, names: &[&str]) -> Result<Option<&str>, String> {
        let mut flags = self.invocation.flags.iter();
        let Some(flag) = flags.find(|flag| names.contains(&flag.name.as_str())) else {
            return Ok(None);
        };
        let value = flag.text().ok_or_else(|| computed(&flag.name))?;
        Ok(Some(value))
    }

    /// Whether one of these options is given.
    pub(super) fn has(&self, names: &[&str]) -> bool {
        let mut flags = self.invocation.flags.iter();
        flags.any(|flag| names.contains(&flag.name.as_str()))
    }

    /// What stands behind the sub-command and is no option, as far as it is literal.
    pub(super) fn operands(&self) -> impl Iterator<Item = &str> {
        let invocation = self.invocation;
        let at = invocation.packages.iter().chain(&invocation.arguments);
        at.filter_map(|word| self.command.words.get(*word)?.literal.as_deref())
    }

    /// Declines a word that may be anything once the step runs, values of options aside.
    ///
    /// # Errors
    /// There is one that `is_known` does not know by its text.
    pub(super) fn refuse_computed(&self, is_known: impl Fn(&str) -> bool) -> Result<(), String> {
        let flags = &self.invocation.flags;
        let of_option = |at: usize| {
            let mut values = flags.iter().filter_map(|flag| flag.value.as_ref());
            values.any(|value| value.word == at) || flags.iter().any(|flag| flag.word == at)
        };
        let words = self.command.words.iter().enumerate();
        let mut computed_words = words.filter(|(at, word)| {
            word.literal.is_none() && !of_option(*at) && !is_known(&word.text)
        });
        match computed_words.next() {
            Some((_, word)) => Err(computed(&word.text)),
            None => Ok(()),
        }
    }

    /// A word as it stands.
    fn word(&self, at: usize) -> Result<String, String> {
        let word = self.command.words.get(at);
        let word = word.ok_or("a word is missing")?;
        match word.literal {
            Some(_) => Ok(word.text.clone()),
            None => Err(computed(&word.text)),
        }
    }

    /// The path in the context of `relative`, seen from the project; `None` where it leads out of the context.
    pub(super) fn path(&self, relative: &str) -> Option<String> {
        match relative.strip_prefix('/') {
            None => path::resolve_from(self.root, relative),
            Some(_) => {
                let below = path::below(relative, self.directory.trim_end_matches('/'))?;
                Some(path::join(self.root, &path::clean_in_root(below)))
            }
        }
    }

    /// Adds the file or directory at `path` of the context to what is read, where there is one; a directory brings what is
    /// below it.
    pub(super) fn add(&self, path: &str, reads: &mut Reads) -> bool {
        let entry = self.context.entry(path);
        let exists = matches!(entry, Some(Entry::File(_) | Entry::Directory));
        let mut above = path::prefixes(path).map(|prefix| from_project(self, prefix));
        if exists && !above.any(|one| reads.paths.contains(&one)) {
            reads.paths.insert(from_project(self, path));
        }
        exists
    }

    /// Adds the script `name` of the project, where that is what runs, and the files below its directory that it needs.
    ///
    /// # Errors
    /// One of them is not in the context.
    pub(super) fn add_wrapper(
        &self,
        name: &str,
        needs: &[&str],
        reads: &mut Reads,
    ) -> Result<(), String> {
        let command = self.command.words.get(self.invocation.command);
        let command = command.and_then(|word| word.literal.as_deref());
        let Some(command) = command.filter(|command| path::file_name(command) == name) else {
            return Ok(());
        };
        let script = self.path(command);
        let script = script.ok_or_else(|| format!("`{command}` is not a file of the project"))?;
        let directory = path::parent(&script);
        let beside = needs.iter().map(|file| path::join(directory, file));
        for file in [script.clone()].into_iter().chain(beside) {
            if !self.add(&file, reads) {
                return Err(format!("`{file}` is not in the build context"));
            }
        }
        Ok(())
    }

    /// The text of the file at `path` of the context.
    ///
    /// # Errors
    /// It cannot be read, or is larger than a manifest is.
    pub(super) fn text(&self, path: &str) -> Result<String, String> {
        const LIMIT: usize = 1 << 20;
        let bytes = self.context.read(path, LIMIT + 1);
        let bytes = bytes.map_err(|error| format!("`{path}` cannot be read: {error}"))?;
        if bytes.len() > LIMIT {
            return Err(format!("`{path}` is too large"));
        }
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }
}

fn computed(word: &str) -> String {
    format!("`{word}` is known only when the step runs")
}

/// Whether the shell reads the word as it stands, quotes aside.
fn is_plain(word: &str) -> bool {
    !word.contains(['$', '`', '\\'])
}
