//! `fix --per-rule-commits`: a commit for each rule, in the order of the chain, that says why and what it saves.
//!
//! The only place that runs git: commits are the user's, with their name, signature and hooks. It never touches a work tree
//! with other changes, and after the last commit the files are as `fix --write` would have made them.

use std::collections::BTreeSet;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

use super::super::Status;
use super::super::changes::changes;
use super::super::claims::Claims;
use super::super::output::Output;
use super::super::run::Done;
use super::super::verify::Trial;
use super::super::write::{self, Change};
use super::{Args, FixFormat, allow};
use crate::render::{human, visible_line};
use crate::report::Finding;
use crate::rule::{Rule, Saving};

pub(super) fn run(args: &Args, output: &mut Output) -> Result<Status> {
    if args.files.is_stdin() || args.format != FixFormat::Text {
        bail!("`--per-rule-commits` goes together neither with `-` nor with `--format`");
    }
    check_clean()?;
    let (mut trials, errors) = Trial::every(&args.files, allow(args))?;
    let mut status = Status::Done;
    for error in &errors {
        output.path_error(error);
        status = Status::Error;
    }
    let mut claims = Claims::default();
    for trial in &mut trials {
        trial.settle(&mut claims)?;
    }
    let mut files: Vec<File> = trials.iter().map(File::of).collect();
    files.retain(|file| !file.rules.is_empty());
    check_tracked(&files)?;
    for rule in rules(&files) {
        let step = Step::of(&rule, &mut files, &mut claims)?;
        if !step.changes.is_empty() {
            output.print(step.commit()?.as_bytes());
            output.flush();
        }
    }
    if files.is_empty() {
        output.say("nothing to change\n");
    }
    Ok(status)
}

/// A Dockerfile on its way.
struct File<'a> {
    trial: &'a Trial,
    /// What is on disk.
    text: Vec<u8>,
    /// The rules that change it, in the order of the chain.
    rules: Vec<&'a Rule>,
}

impl<'a> File<'a> {
    fn of(trial: &'a Trial) -> Self {
        let findings = trial.report.findings.iter();
        let applied: BTreeSet<&str> = findings
            .filter(|finding| finding.applied)
            .map(|finding| finding.rule.as_str())
            .collect();
        let rules = trial.chain.rules().iter();
        Self {
            trial,
            text: trial.source.text.clone(),
            rules: rules
                .filter(|rule| applied.contains(rule.id.as_str()))
                .collect(),
        }
    }

    /// What the rules up to `rule` make of the file; with the last one, what all make of it.
    fn done(&self, rule: &Rule, claims: &mut Claims) -> Result<Done<'a>> {
        let mut done = self.trial.done();
        if self.rules.last().is_none_or(|last| last.id != rule.id) {
            done.report = self.trial.up_to(rule)?;
            claims.settle(&mut done)?;
        }
        Ok(done)
    }
}

/// The rules of all files, in the order of the chain.
fn rules(files: &[File<'_>]) -> Vec<Rule> {
    let rules = files.iter().flat_map(|file| &file.rules);
    let mut rules: Vec<Rule> = rules.map(|rule| (*rule).clone()).collect();
    rules.sort_by(|a, b| (a.phase, &a.id).cmp(&(b.phase, &b.id)));
    rules.dedup_by(|a, b| a.id == b.id);
    rules
}

/// One commit.
struct Step<'a> {
    rule: &'a Rule,
    changes: Vec<Change>,
    findings: Vec<(String, Finding)>,
}

impl<'a> Step<'a> {
    fn of(rule: &'a Rule, files: &mut [File<'_>], claims: &mut Claims) -> Result<Self> {
        let mut step = Self {
            rule,
            changes: Vec::new(),
            findings: Vec::new(),
        };
        for file in files {
            if !file.rules.iter().any(|one| one.id == rule.id) {
                continue;
            }
            let done = file.done(rule, claims)?;
            let text = std::mem::replace(&mut file.text, done.report.output.clone());
            for change in changes(&done)? {
                let is_dockerfile = change.path == done.input.target();
                let before = match is_dockerfile {
                    true => Some(text.clone()),
                    false => change.before,
                };
                if before.as_ref() != Some(&change.after) {
                    step.changes.push(Change { before, ..change });
                }
            }
            let path = visible_line(&done.report.source.path.to_string_lossy());
            let findings = done.report.findings.into_iter();
            let own = findings.filter(|finding| finding.applied && finding.rule == rule.id);
            step.findings
                .extend(own.map(|finding| (path.clone(), finding)));
        }
        Ok(step)
    }

    /// Writes the files and commits them; the commit, on a line.
    fn commit(&self) -> Result<String> {
        write::write(&self.changes)?;
        let paths = self.changes.iter().map(|change| change.path.as_path());
        git_on(&["add", "--"], paths)?;
        let mut command = Command::new("git");
        command.args(["commit", "--quiet", "--file=-"]);
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .context("git")?;
        let written = child
            .stdin
            .take()
            .map(|mut stdin| stdin.write_all(self.message().as_bytes()));
        let status = child.wait().context("git")?;
        if !status.success() {
            bail!(
                "`git commit` ended with {status}: what `{}` changes is written and added, and not committed",
                self.rule.id
            );
        }
        written.transpose().context("git commit")?;
        let id = git(&["rev-parse", "--short", "HEAD"])?;
        Ok(format!("{} {}\n", id.trim(), self.rule.summary))
    }

    /// The rule's summary, why it exists, what it saves, and where.
    fn message(&self) -> String {
        let why = self
            .rule
            .why
            .trim()
            .split("\n\n")
            .next()
            .unwrap_or_default();
        let mut out = format!("{}\n\n{}\n", self.rule.summary, wrapped(why));
        let saving = Saving::sum(self.findings.iter().map(|(_, finding)| finding));
        if let Some(saving) = saving {
            out.push_str(&format!("\nSaves {}.\n", human::saving(saving)));
        }
        out.push('\n');
        let mut said = BTreeSet::new();
        for (path, finding) in &self.findings {
            let told = finding.rebuilds.iter().find(|one| one.differs());
            let told = told.map(|one| format!("; {}", human::rebuild(one)));
            let message = visible_line(&finding.message);
            let line = format!("- {path}: {message}{}\n", told.unwrap_or_default());
            if said.insert(line.clone()) {
                out.push_str(&line);
            }
        }
        out + &format!("\nMade by dockeropt: {}\n", self.rule.id)
    }
}

/// `text` in lines of at most 72 characters, where its words are not longer.
fn wrapped(text: &str) -> String {
    const WIDTH: usize = 72;
    let (mut out, mut width) = (String::new(), 0);
    for word in text.split_whitespace() {
        let length = word.chars().count();
        if width > 0 && width + 1 + length > WIDTH {
            out.push('\n');
            width = 0;
        } else if width > 0 {
            out.push(' ');
            width += 1;
        }
        out.push_str(word);
        width += length;
    }
    out
}

/// # Errors
/// Where there is no repository, or it has changes that are not committed.
fn check_clean() -> Result<()> {
    let changed = git(&["status", "--porcelain", "--untracked-files=no"])?;
    if let Some(first) = changed.lines().next() {
        bail!(
            "the work tree has changes that are not committed (`{first}`): commit or stash them first"
        );
    }
    Ok(())
}

/// # Errors
/// Where git does not know one of the files: its first commit would hold all of it.
fn check_tracked(files: &[File<'_>]) -> Result<()> {
    let dones: Vec<_> = files.iter().map(|file| file.trial.done()).collect();
    let paths = dones.iter().map(|done| done.input.target());
    match files {
        [] => Ok(()),
        _ => git_on(&["ls-files", "--error-unmatch", "--"], paths).map(drop),
    }
}

fn git(args: &[&str]) -> Result<String> {
    git_on(args, std::iter::empty())
}

/// What git prints, with these paths behind its arguments.
fn git_on<'a>(args: &[&str], paths: impl Iterator<Item = &'a Path>) -> Result<String> {
    let output = Command::new("git").args(args).args(paths).output();
    let output = output.context("git")?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        let command = args.first().unwrap_or(&"");
        bail!("`git {command}`: {}", said.trim());
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}
