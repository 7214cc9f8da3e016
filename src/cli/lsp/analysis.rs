//! What the rules make of an open document: its text from the editor, its build context and configuration from disk.

use std::sync::Arc;

use super::document::Document;
use crate::chain::{Build, Chain, optimize};
use crate::cli::chains::Chains;
use crate::cli::compose;
use crate::cli::contexts::{Contexts, Origin};
use crate::cli::inputs::{Input, Selection};
use crate::cli::run;
use crate::report::Report;
use crate::rule::{Applicability, Rule};
use crate::text::Source;
use crate::walk::{PathError, SIZE_LIMIT};

/// What there is to say about one text.
pub(super) struct Analysis {
    pub(super) report: Report,
    chain: Arc<Chain>,
}

impl Analysis {
    /// The rules over `document`, with the safe fixes made and each fix on its own.
    ///
    /// # Errors
    /// What is wrong with its configuration or its size; a bug of ours.
    pub(super) fn of(
        document: &Document,
        selection: &Selection,
        contexts: &mut Contexts,
    ) -> Result<Self, PathError> {
        let input = document.input();
        if document.text.len() as u64 > SIZE_LIMIT {
            let message = format!("is longer than {} MiB", SIZE_LIMIT >> 20);
            return Err(PathError::new(input.path(), message));
        }
        // Read each time, so that no change of a configuration is missed.
        let chains = Chains::new(selection).map_err(|error| PathError::io(".", &error));
        let Some(chain) = chains?.of(input.target())? else {
            return Err(PathError::new(input.path(), "has no configuration"));
        };
        let source = Source {
            path: input.path().to_owned(),
            text: document.text.clone().into_bytes(),
        };
        let origin = contexts.of(&input);
        let report = match input.is_compose() {
            true => {
                let task = compose::Task {
                    chain: &chain,
                    origin: &origin,
                    allow: Applicability::Safe,
                    alone: true,
                };
                compose::done(&input, source, &task)?.report
            }
            false => run::caught(input.path(), || report(&input, source, &chain, &origin))?,
        };
        Ok(Self { report, chain })
    }

    /// The rule with that id.
    pub(super) fn rule(&self, id: &str) -> Option<&Rule> {
        self.chain.rules().iter().find(|rule| rule.id == id)
    }
}

fn report(input: &Input, source: Source, chain: &Chain, origin: &Origin) -> Report {
    let found = origin.context(&source.text);
    let build = Build {
        alone: true,
        ..run::build(&found, input)
    };
    optimize(chain, &build, source, Applicability::Safe)
}
