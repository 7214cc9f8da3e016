//! A run over Dockerfiles: in parallel, printed in path order, and no bad file stops another one.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Result;
use rayon::prelude::*;

use super::Status;
use super::chains::Chains;
use super::changes::changes;
use super::claims::Claims;
use super::compose;
use super::contexts::{Contexts, Located, Origin};
use super::inputs::{self, Input};
use super::output::Output;
use super::progress::Files;
use crate::chain::{Build, Chain, Choice, Choose, Offer, optimize};
use crate::context::site::Site;
use crate::context::{BuildContext, NoContext};
use crate::model::ModelInput;
use crate::render::document::{Document, End, Problem, ProblemKind, Reported};
use crate::render::{Look, Tally, diff, human, visible_line};
use crate::report::{Finding, Report};
use crate::rule::{Applicability, Rule};
use crate::text::Source;
use crate::walk::disk::DiskContext;
use crate::walk::{PathError, Root};

/// Files that are worked on before the first of them is printed: what bounds the memory of a run.
const BATCH: usize = 256;

/// What a command makes of the files.
pub(super) struct Work<'a> {
    /// Fixes of at least that applicability are applied.
    pub(super) allow: Applicability,
    /// Whether Dockerfiles inside compose files are worked on as well.
    pub(super) in_compose: bool,
    /// The document that the reports make; `None`: text.
    pub(super) document: Option<&'static Document>,
    /// Who is asked about each fix before it is made; then one file is done after the other.
    pub(super) ask: Option<&'a Ask<'a>>,
    /// Takes from a report what the command does not want to hear of.
    pub(super) narrow: &'a Narrow<'a>,
    /// Writes the changes of one report, where the command does; called on any thread.
    pub(super) write: Option<&'a Write<'a>>,
    /// What is printed of one report as text; called on any thread.
    pub(super) show: &'a Show<'a>,
    /// What is said of it beside that, where there are several files: whole lines; called on any thread.
    pub(super) tell: &'a Tell<'a>,
}

/// One file when the chain has run.
pub(super) struct Done<'a> {
    pub(super) input: &'a Input,
    pub(super) report: Report,
    /// How its build context was found, or why it is not known.
    pub(super) context: String,
    /// The build context's directory.
    pub(super) root: Option<PathBuf>,
    /// What is built and with which arguments.
    pub(super) build: ModelInput,
    /// Where the Dockerfile stands in the build context.
    pub(super) site: Site,
    /// What else is to be said, a line each.
    pub(super) notes: Vec<String>,
    /// Whether the report lacks findings whose fixes are in its output.
    pub(super) is_narrowed: bool,
}

impl Done<'_> {
    /// Keeps these findings, and what is said of them. Says how many are left out.
    pub(super) fn keep(&mut self, keep: impl FnMut(&Finding) -> bool) -> usize {
        let report = &mut self.report;
        let before = report.findings.len();
        report.findings.retain(keep);
        let mut findings = report.findings.iter();
        if findings.all(|finding| finding.rebuilds.is_empty()) {
            report.rebuilds.clear();
        }
        let left_out = before - report.findings.len();
        self.is_narrowed |= left_out > 0;
        left_out
    }
}

/// Called with the file, its build context's directory and the fix.
pub(super) type Ask<'a> = dyn Fn(&Input, Option<&Path>, &Offer<'_>) -> Choice + Sync + 'a;
pub(super) type Narrow<'a> = dyn Fn(&mut Done<'_>) + Sync + 'a;
pub(super) type Write<'a> = dyn Fn(&Done<'_>) -> Result<(), PathError> + Sync + 'a;
pub(super) type Tell<'a> = dyn Fn(&Done<'_>) -> String + Sync + 'a;
pub(super) type Show<'a> = dyn Fn(&Done<'_>, Look) -> Result<Vec<u8>, PathError> + Sync + 'a;

/// Runs the chain over the files of `args` and prints what `work` makes of each.
pub(super) fn run(args: &inputs::Files, work: &Work<'_>, output: &mut Output) -> Result<Tally> {
    let mut chains = Chains::new(&args.selection)?;
    let (inputs, errors) = match work.in_compose {
        true => args.inputs(&mut chains)?,
        false => args.dockerfiles(&mut chains)?,
    };
    if inputs.is_empty() && errors.is_empty() {
        match &args.only_changed {
            Some(name) => output.say(&format!("no Dockerfile differs from `{name}`\n")),
            None => output.warn("no Dockerfiles found"),
        }
    }
    let (look, talk) = (output.look, output.talk);
    let root = Root::here()?;
    let mut printer = Printer::new(work.document, &root, output);
    errors.into_iter().for_each(|error| printer.error(error));
    let jobs = jobs(inputs, chains, args, &mut printer)?;
    let mut claims = Claims::default();
    let batch = if work.ask.is_some() { 1 } else { BATCH };
    let progress = Files::new(jobs.len());
    let one = |job| {
        let done = done(job, work);
        // Who is asked sees where the run is.
        if work.ask.is_none() {
            progress.step();
        }
        done
    };
    for batch in jobs.chunks(batch) {
        let done = side_by_side(batch.iter().collect(), one);
        let mut settled = Vec::new();
        for done in done {
            settled.push(done.and_then(|mut done| {
                claims.settle(&mut done)?;
                (work.narrow)(&mut done);
                Ok(done)
            }));
        }
        let pieces = side_by_side(settled, |done| piece(&done?, work, &root, [look, talk]));
        progress.aside(|| printer.pieces(pieces));
        if printer.output.is_closed() && work.write.is_none() {
            break;
        }
    }
    drop(progress);
    Ok(printer.end(&rules(&jobs)))
}

/// What `make` makes of each of `all`, on all cores. One needs no threads.
fn side_by_side<T: Send, R: Send>(all: Vec<T>, make: impl Fn(T) -> R + Sync) -> Vec<R> {
    match all.len() {
        0 | 1 => all.into_iter().map(make).collect(),
        _ => all.into_par_iter().map(&make).collect(),
    }
}

/// Prints what `show` makes of each file, and of compose files too where `in_compose`, with fixes of at least `allow`
/// applied, and writes nothing.
pub(super) fn show(
    args: &inputs::Files,
    allow: Applicability,
    in_compose: bool,
    show: &Show<'_>,
    output: &mut Output,
) -> Result<Status> {
    let work = Work {
        allow,
        in_compose,
        document: None,
        ask: None,
        narrow: &|_| (),
        write: None,
        show,
        tell: &|_| String::new(),
    };
    Ok(status(&run(args, &work, output)?))
}

/// How a run with these counts ended, apart from what it found.
pub(super) fn status(tally: &Tally) -> Status {
    if tally.errors + tally.refused > 0 {
        Status::Error
    } else {
        Status::Done
    }
}

/// What all files of a run save together; empty for one file, which has said so itself.
pub(super) fn total_saved(tally: &Tally) -> String {
    let saved = human::saved(tally.saving, tally.unsafe_saving);
    match saved.filter(|_| tally.files > 1) {
        Some(saved) => format!("all files together: {saved}\n"),
        None => String::new(),
    }
}

/// A file, the rules that run on it, and where its build context is looked for.
struct Job {
    input: Input,
    chain: Arc<Chain>,
    origin: Origin,
}

/// The inputs with the rules that run on them, without those whose configuration is bad.
fn jobs(
    inputs: Vec<Input>,
    mut chains: Chains,
    args: &inputs::Files,
    printer: &mut Printer<'_>,
) -> Result<Vec<Job>> {
    let mut contexts = Contexts::new(args.context.as_deref())?;
    let jobs = inputs.into_iter().filter_map(|input| {
        let chain = chains.of(input.target());
        let chain = chain.unwrap_or_else(|error| {
            printer.error(error);
            None
        })?;
        let origin = contexts.of(&input);
        Some(Job {
            input,
            chain,
            origin,
        })
    });
    Ok(jobs.collect())
}

/// The rules that ran, each once, by id.
fn rules(jobs: &[Job]) -> Vec<&Rule> {
    let mut chains: Vec<&Arc<Chain>> = jobs.iter().map(|job| &job.chain).collect();
    chains.sort_by_key(|chain| Arc::as_ptr(chain));
    chains.dedup_by_key(|chain| Arc::as_ptr(chain));
    let mut rules: Vec<&Rule> = chains.iter().flat_map(|chain| chain.rules()).collect();
    rules.sort_by_key(|rule| &rule.id);
    rules.dedup_by_key(|rule| &rule.id);
    rules
}

/// What one file adds to the output.
struct Piece {
    shown: Vec<u8>,
    /// What is said beside it.
    told: String,
    withheld: String,
    problems: Vec<Problem>,
    tally: Tally,
}

fn piece(
    done: &Done<'_>,
    work: &Work<'_>,
    root: &Root,
    [look, talk]: [Look; 2],
) -> Result<Piece, PathError> {
    let report = &done.report;
    let place = root.place(&report.source.path);
    // What is shown is the change from what is there: before it is made.
    let shown = match work.document {
        None => (work.show)(done, look)?,
        Some(document) => added(document, done, &place)?.into_bytes(),
    };
    if let Some(write) = work.write {
        write(done)?;
    }
    let notes = done.notes.iter().map(|note| visible_line(note) + "\n");
    let (told, problems) = match work.document {
        None => (notes.collect::<String>() + &(work.tell)(done), Vec::new()),
        Some(_) => (String::new(), Problem::of(report, &place)),
    };
    Ok(Piece {
        shown,
        told: human::refusals(report, talk) + &told,
        withheld: human::withheld(report, talk),
        problems,
        tally: Tally::of(report),
    })
}

/// What one file adds to a document.
fn added(document: &Document, done: &Done<'_>, place: &Path) -> Result<String, PathError> {
    let diff = match document.needs.diff && !done.is_narrowed {
        true => patch(done, Look::default())?,
        false => Vec::new(),
    };
    Ok((document.file)(&Reported {
        report: &done.report,
        place,
        diff,
    }))
}

/// What the fixes change: a unified diff of the Dockerfile and of the files that are written with it.
pub(super) fn patch(done: &Done<'_>, look: Look) -> Result<Vec<u8>, PathError> {
    diffs(done, look, None)
}

/// The same with both sides beside each other, in `width` columns.
pub(super) fn beside(done: &Done<'_>, look: Look, width: usize) -> Result<Vec<u8>, PathError> {
    diffs(done, look, Some(width))
}

fn diffs(done: &Done<'_>, look: Look, width: Option<usize>) -> Result<Vec<u8>, PathError> {
    // What is read by a person is explained; what goes to another program is a patch.
    let notes = match look.is_for_people() {
        true => human::notes(&done.report),
        false => Vec::new(),
    };
    let diffs = changes(done)?.into_iter().map(|change| {
        let is_dockerfile = change.path == done.input.target();
        let notes = if is_dockerfile { &notes[..] } else { &[] };
        let (path, before, after) = (&change.path, change.before.as_deref(), &change.after);
        match width {
            None => diff::explained(path, before, after, notes, look),
            Some(width) => {
                diff::side_by_side(path, before, after, notes, (look, width)).into_bytes()
            }
        }
    });
    Ok(diffs.collect::<Vec<_>>().concat())
}

/// What the chain says about one file.
fn done<'a>(job: &'a Job, work: &Work<'_>) -> Result<Done<'a>, PathError> {
    let input = &job.input;
    let source = input.read()?;
    let alone = work.document.is_some_and(|one| one.needs.alone);
    if input.is_compose() {
        let task = compose::Task {
            chain: &job.chain,
            origin: &job.origin,
            allow: work.allow,
            alone,
        };
        return compose::done(input, source, &task);
    }
    let (report, found) = caught(input.path(), || {
        let found = job.origin.context(&source.text);
        let root = found.disk.as_ref().map(DiskContext::root);
        let ask = work
            .ask
            .map(|ask| move |offer: &Offer<'_>| ask(input, root, offer));
        let build = Build {
            choose: ask.as_ref().map(|ask| ask as &Choose<'_>),
            alone,
            ..build(&found, input)
        };
        (optimize(&job.chain, &build, source, work.allow), found)
    })?;
    Ok(Done {
        input,
        report,
        context: found.how,
        build: found.input,
        site: found.site,
        root: found.disk.map(|disk| disk.root().to_owned()),
        notes: Vec::new(),
        is_narrowed: false,
    })
}

/// What `run` makes of the file at `path`. The last line of defence: a bug that one file uncovers must not keep the
/// others from being done.
pub(super) fn caught<T>(path: &Path, run: impl FnOnce() -> T) -> Result<T, PathError> {
    catch_unwind(AssertUnwindSafe(run)).map_err(|_| {
        let message = "a bug in dockeropt, please report it; the file is left as it is";
        PathError::new(path, message)
    })
}

/// What the chain makes of `source`, which is the text of `input`.
pub(super) fn optimized(
    chain: &Chain,
    found: &Located,
    input: &Input,
    source: Source,
    allow: Applicability,
) -> Report {
    optimize(chain, &build(found, input), source, allow)
}

/// What is known of the build of `input`.
pub(super) fn build<'a>(found: &'a Located, input: &Input) -> Build<'a> {
    let known = found.disk.as_ref().map(|disk| disk as &dyn BuildContext);
    Build {
        context: known.unwrap_or(&NoContext),
        input: found.input.clone(),
        site: found.site.clone(),
        writes_files: matches!(input, Input::File(_)),
        alone: false,
        choose: None,
    }
}

/// Prints pieces as they come, and counts.
struct Printer<'a> {
    output: &'a mut Output,
    document: Option<&'static Document>,
    root: &'a Root,
    /// Whether any file added something.
    has_files: bool,
    /// What files added that is printed at the end, and how many more files did.
    held: Vec<String>,
    left_out: usize,
    problems: Vec<Problem>,
    withheld: String,
    tally: Tally,
}

impl<'a> Printer<'a> {
    fn new(document: Option<&'static Document>, root: &'a Root, output: &'a mut Output) -> Self {
        if let Some(document) = document {
            output.print((document.start)().as_bytes());
        }
        Self {
            output,
            document,
            root,
            has_files: false,
            held: Vec::new(),
            left_out: 0,
            problems: Vec::new(),
            withheld: String::new(),
            tally: Tally::default(),
        }
    }

    fn pieces(&mut self, pieces: Vec<Result<Piece, PathError>>) {
        for piece in pieces {
            match piece {
                Ok(piece) => self.piece(piece),
                Err(error) => self.error(error),
            }
        }
    }

    fn piece(&mut self, piece: Piece) {
        if !piece.shown.is_empty() {
            self.add(piece.shown);
            self.has_files = true;
        }
        // A person reads both in that order, and before the next files are worked on.
        if self.output.look.terminal {
            self.output.flush();
        }
        self.output.say(&piece.told);
        self.withheld.push_str(&piece.withheld);
        self.problems.extend(piece.problems);
        self.tally.add(piece.tally);
    }

    fn add(&mut self, shown: Vec<u8>) {
        match self.document {
            None => self.output.print(&shown),
            Some(document) if document.held == 0 => {
                if self.has_files {
                    self.output.print(document.between.as_bytes());
                }
                self.output.print(&shown);
            }
            Some(document) => {
                let held: usize = self.held.iter().map(String::len).sum();
                match String::from_utf8(shown) {
                    Ok(shown) if held + shown.len() <= document.held => self.held.push(shown),
                    _ => self.left_out += 1,
                }
            }
        }
    }

    fn error(&mut self, error: PathError) {
        self.output.path_error(&error);
        self.tally.errors += 1;
        self.problems.push(Problem {
            kind: ProblemKind::Error,
            place: self.root.place(&error.path),
            path: error.path,
            line: error.line,
            message: error.message,
        });
    }

    fn end(self, rules: &[&Rule]) -> Tally {
        if let Some(document) = self.document {
            let end = (document.end)(&End {
                problems: &self.problems,
                tally: &self.tally,
                rules,
                has_files: self.has_files,
                held: &self.held,
                left_out: self.left_out,
            });
            self.output.print(end.as_bytes());
        }
        self.output.flush();
        if !self.withheld.is_empty() {
            self.output.say(human::WITHHELD_HEADING);
            self.output.say(&self.withheld);
        }
        self.tally
    }
}
