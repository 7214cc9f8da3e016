//! `fix --stdin-jsonl`: a Dockerfile a line in, its report a line out, in the same order; nothing is read from disk but the
//! configuration of the current folder, and nothing is written.
//!
//! For engines that pipe many records through a program: a bad line is answered like any other, and ends nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, BufRead, Read};
use std::path::Path;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

use anyhow::{Context, Result, bail};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::super::chains::Chains;
use super::super::output::Output;
use super::super::{Status, run};
use super::{Args, FixFormat, allow};
use crate::chain::{Build, Chain, optimize};
use crate::context::site::Site;
use crate::context::{BuildContext, Entry, MemoryContext, NoContext, path};
use crate::model::ModelInput;
use crate::render::document::Reported;
use crate::render::{Look, diff, json};
use crate::report::Report;
use crate::rule::Applicability;
use crate::text::Source;
use crate::walk::SIZE_LIMIT;

/// The longest line that is read, in bytes: a Dockerfile and the manifests of its context.
const LINE_LIMIT: u64 = 4 * SIZE_LIMIT;
/// Lines that are worked on at once, and the bytes of text from which on they are fewer.
const BATCH: usize = 128;
const BATCH_BYTES: usize = 16 << 20;

/// What one line asks.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    /// What reports call the Dockerfile.
    path: String,
    text: String,
    /// All files of the build context with their text, or `null` where that is not at hand; without it the context is
    /// not known.
    files: Option<BTreeMap<String, Option<String>>>,
    /// Where the Dockerfile stands in the context: by its own name where nothing is said.
    dockerfile: Option<String>,
}

/// What is answered.
#[derive(Serialize, Default)]
struct Answer<'a> {
    version: u32,
    path: &'a str,
    /// As one of `files` of `--format json`.
    report: Option<Box<RawValue>>,
    /// The Dockerfile as it would be; `None` where it stays.
    text: Option<&'a str>,
    /// The files of the context that would be written, with their text.
    files: BTreeMap<&'a str, &'a str>,
    error: Option<String>,
}

pub(super) fn run(args: &Args, output: &mut Output) -> Result<Status> {
    if args.files.paths != [Path::new(".")] || args.format != FixFormat::Text {
        bail!(
            "`--stdin-jsonl` reads standard input and prints lines of JSON: leave out paths and `--format`"
        );
    }
    let chain = Chains::here(&args.files.selection)?;
    let (send, lines) = sync_channel(BATCH);
    // Not waited for: it may stand in a read that never ends when nobody reads the answers any more.
    thread::spawn(move || read_lines(io::stdin().lock(), &send));
    while let Some(batch) = batch(&lines)? {
        let answers = batch
            .par_iter()
            .map(|line| answer(&chain, allow(args), line));
        for answer in answers.collect::<Vec<_>>() {
            output.print(answer.as_bytes());
        }
        output.flush();
        if output.is_closed() {
            break;
        }
    }
    Ok(Status::Done)
}

type Line = io::Result<Vec<u8>>;

/// Sends the lines of `input`, each without its end; where one is too long, its first bytes.
fn read_lines(mut input: impl BufRead, lines: &SyncSender<Line>) {
    loop {
        let line = read_line(&mut input).transpose();
        let Some(line) = line else { return };
        let is_last = line.is_err();
        if lines.send(line).is_err() || is_last {
            return;
        }
    }
}

fn read_line(input: &mut impl BufRead) -> io::Result<Option<Vec<u8>>> {
    let mut line = Vec::new();
    input.take(LINE_LIMIT + 1).read_until(b'\n', &mut line)?;
    if line.is_empty() {
        return Ok(None);
    }
    match line.last() {
        Some(b'\n') => line.truncate(line.len() - 1),
        _ if line.len() as u64 > LINE_LIMIT => input.skip_until(b'\n').map(drop)?,
        _ => {}
    }
    Ok(Some(line))
}

/// The next lines: one is waited for, and what is there already comes with it. `None` at the end.
fn batch(lines: &Receiver<Line>) -> Result<Option<Vec<Vec<u8>>>> {
    let Ok(first) = lines.recv() else {
        return Ok(None);
    };
    let mut batch = vec![first.context("standard input")?];
    let mut bytes = batch[0].len();
    while batch.len() < BATCH && bytes < BATCH_BYTES {
        let Ok(line) = lines.try_recv() else { break };
        let line = line.context("standard input")?;
        bytes += line.len();
        batch.push(line);
    }
    Ok(Some(batch))
}

/// The answer to one line, as a line.
fn answer(chain: &Chain, allow: Applicability, line: &[u8]) -> String {
    let failed = |path, error: String| Answer {
        version: json::VERSION,
        path,
        error: Some(error),
        ..Answer::default()
    };
    if line.len() as u64 > LINE_LIMIT {
        let message = format!("the line is longer than {} MiB", LINE_LIMIT >> 20);
        return printed(&failed("", message));
    }
    let asked: Asked = match serde_json::from_slice(line) {
        Ok(asked) => asked,
        Err(error) => return printed(&failed("", error.to_string())),
    };
    let shown = Path::new(&asked.path);
    let answered = run::caught(shown, || {
        let context = Listed::of(&asked);
        let report = optimized(chain, allow, &asked, context.as_ref());
        printed(&answered(&asked, &report, context.as_ref()))
    });
    answered.unwrap_or_else(|error| printed(&failed(&asked.path, error.message)))
}

fn optimized(
    chain: &Chain,
    allow: Applicability,
    asked: &Asked,
    context: Option<&Listed>,
) -> Report {
    let known = context.map(|context| context as &dyn BuildContext);
    let build = Build {
        context: known.unwrap_or(&NoContext),
        input: ModelInput::default(),
        site: context.map_or_else(Site::default, |_| Site::at(&asked.inside())),
        writes_files: context.is_some(),
        alone: false,
        choose: None,
    };
    let source = Source {
        path: asked.path.clone().into(),
        text: asked.text.clone().into_bytes(),
    };
    optimize(chain, &build, source, allow)
}

fn answered<'a>(asked: &'a Asked, report: &'a Report, context: Option<&Listed>) -> Answer<'a> {
    let look = Look::default();
    let path = &report.source.path;
    let mut diff = diff::explained(path, Some(&report.source.text), &report.output, &[], look);
    let mut files = BTreeMap::new();
    for (path, after) in report.written() {
        let Some((name, text)) = path.to_str().zip(str::from_utf8(after).ok()) else {
            continue;
        };
        let before = context.and_then(|context| context.read(name, usize::MAX).ok());
        diff.extend(diff::explained(path, before.as_deref(), after, &[], look));
        files.insert(name, text);
    }
    let reported = Reported {
        report,
        place: path,
        diff,
    };
    Answer {
        version: json::VERSION,
        path: &asked.path,
        report: RawValue::from_string((json::DOCUMENT.file)(&reported)).ok(),
        text: str::from_utf8(&report.output)
            .ok()
            .filter(|_| report.is_changed()),
        files,
        error: None,
    }
}

fn printed(answer: &Answer<'_>) -> String {
    json::to_string(answer) + "\n"
}

impl Asked {
    /// Where the Dockerfile stands in its context.
    fn inside(&self) -> String {
        let name = self.dockerfile.as_deref().unwrap_or_else(|| {
            let name = Path::new(&self.path).file_name();
            name.and_then(|name| name.to_str()).unwrap_or(&self.path)
        });
        path::clean_in_root(name)
    }
}

/// A build context as a line names it.
struct Listed {
    files: MemoryContext,
    /// Those whose text is not at hand.
    unread: BTreeSet<String>,
}

impl Listed {
    fn of(asked: &Asked) -> Option<Self> {
        let named = asked.files.as_ref()?;
        let unread = named.iter().filter(|(_, text)| text.is_none());
        let unread = unread.map(|(name, _)| path::clean_in_root(name)).collect();
        let texts = named.iter().map(|(name, text)| {
            let text = text.as_deref().unwrap_or_default();
            (name.as_str(), text)
        });
        let mut files: MemoryContext = texts.collect();
        let own = asked.text.clone().into_bytes();
        files.files.insert(asked.inside(), own);
        Some(Self { files, unread })
    }
}

impl BuildContext for Listed {
    fn is_known(&self) -> bool {
        true
    }

    fn entry(&self, path: &str) -> Option<Entry> {
        self.files.entry(path)
    }

    fn list(&self, path: &str) -> Vec<String> {
        self.files.list(path)
    }

    fn read(&self, path: &str, limit: usize) -> io::Result<Vec<u8>> {
        if self.unread.contains(&path::clean_in_root(path)) {
            let message = format!("the text of `{path}` is not given");
            return Err(io::Error::new(io::ErrorKind::PermissionDenied, message));
        }
        self.files.read(path, limit)
    }
}
