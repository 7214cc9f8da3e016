//! How a rewrite is done: a pass reads one Dockerfile and reports findings with patches, or declines with reasons.
//!
//! A pass never writes, never reads the disk and never sees what another pass of the same phase reported.

pub mod cache_folder;
pub mod cache_paths;
pub mod cargo_packages;
pub mod command;
pub mod development;
pub mod download;
pub mod ending;
pub mod frontend;
pub mod health;
pub mod java_runtime;
pub mod known_programs;
pub mod landed;
pub mod later;
pub mod layout;
pub mod list;
pub mod moves;
pub mod node_packages;
pub mod node_prune;
pub mod node_version;
pub mod own_python;
pub mod program;
pub mod project_place;
pub mod python_packages;
pub mod python_project;
pub mod reads;
pub mod reasons;
pub mod run_flags;
pub mod runs;
pub mod sites;
pub mod slim_image;
pub mod touched;

use crate::context::BuildContext;
use crate::context::site::Site;
use crate::model::Model;
use crate::model::state::State;
use crate::report::Fix;
use crate::rule::Rule;
use crate::syntax::Dockerfile;
use crate::text::{Edit, Patch, Span};
use runs::Stage;

/// A rewrite.
pub trait Pass: Send + Sync {
    /// Looks at one file and says what it would change.
    fn run(&self, cx: &PassContext<'_>, out: &mut Findings);

    /// Texts without any of which a file has nothing for the pass, which then need not run; empty: it always runs.
    fn marks(&self) -> Vec<&str> {
        Vec::new()
    }
}

/// What a pass may look at.
pub struct PassContext<'a> {
    /// The rule that runs: its data and its options.
    pub rule: &'a Rule,
    /// The file.
    pub text: &'a [u8],
    /// Its tree.
    pub file: &'a Dockerfile,
    /// Its meaning.
    pub model: &'a Model<'a>,
    /// Its stages with their steps and scripts.
    pub stages: &'a [Stage<'a>],
    /// The build context.
    pub context: &'a dyn BuildContext,
    /// Where the file stands, and who else builds from the context.
    pub site: &'a Site,
}

/// What a pass has to say, in the order in which it says it. Spans are those of the text that it saw.
#[derive(Debug, Default)]
pub struct Findings {
    /// What would change: where, what is there, and how to mend it.
    pub reported: Vec<(Span, String, Option<Fix>)>,
    /// What was left alone: where, and why.
    pub declined: Vec<(Span, String)>,
}

impl Findings {
    /// Reports something, with the way to mend it where there is one.
    pub fn report(&mut self, span: Span, message: impl Into<String>, fix: Option<Fix>) {
        self.reported.push((span, message.into(), fix));
    }

    /// Says that something was looked at and left alone.
    pub fn decline(&mut self, span: Span, reason: impl Into<String>) {
        self.declined.push((span, reason.into()));
    }
}

impl PassContext<'_> {
    /// A fix of this Dockerfile with the rule's own applicability; `None` where the edits overlap.
    pub fn fix(&self, title: impl Into<String>, edits: Vec<Edit>) -> Option<Fix> {
        Some(Fix {
            title: title.into(),
            applicability: self.rule.applicability,
            patch: Patch::new(edits).ok()?,
            files: Vec::new(),
            sent: None,
            saving: None,
            reasons: Vec::new(),
        })
    }

    /// The release of the distribution in `state`, where it is one of `releases` (`debian jessie`, `ubuntu 14.04`).
    pub fn old_release(&self, state: &State, releases: &[String]) -> Option<String> {
        let release = format!("{} {}", state.distribution()?.name(), state.release()?);
        releases.contains(&release).then_some(release)
    }

    /// The bytes of `span` as text.
    pub fn shown(&self, span: Span) -> String {
        String::from_utf8_lossy(span.of(self.text)).into_owned()
    }
}
