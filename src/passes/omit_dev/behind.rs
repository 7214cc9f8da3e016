//! All that follows an install, in its stage and in those that are built on it, as far as the file tells: none of it
//! needs what is only for development.

use std::collections::BTreeSet;

use super::{Install, OmitDev};
use crate::model::Base;
use crate::pass::development::{Development, Uses, When, tokens};
use crate::pass::project_place::Place;
use crate::syntax::Keyword;

pub(super) struct Behind<'a> {
    rule: &'a OmitDev,
    install: &'a Install<'a>,
    development: &'a Development,
    uses: Uses<'a>,
}

impl<'a> Behind<'a> {
    pub(super) fn new(
        rule: &'a OmitDev,
        install: &'a Install<'a>,
        development: &'a Development,
    ) -> Self {
        Self {
            rule,
            install,
            development,
            uses: Uses::new(rule.tools(), development),
        }
    }

    /// Nothing that is seen to run behind the install needs what is for development.
    ///
    /// # Errors
    /// What does, or may.
    pub(super) fn check(&self) -> Result<(), String> {
        for (name, text) in &self.development.lifecycle {
            let shown = format!("the script `{name}`, which the install runs,");
            self.uses.read(text, &shown, When::Install)?;
            if self.rule.manager == "npm" && tokens(text).contains(&"node") {
                return Err(format!("{shown} may need development packages"));
            }
        }
        let behind = self.install.found.command.span.end;
        for at in self.install.script.commands() {
            if at.command.span.start > behind {
                self.uses.command(at.command, self.install.place)?;
            }
        }
        let (stages, own) = (self.install.place.cx.stages, self.install.place.stage);
        let mut built_on = BTreeSet::from([own]);
        let mut says = false;
        for (number, stage) in stages.iter().enumerate() {
            let is_base = stage.base.is_some_and(|base| built_on.contains(&base));
            if is_base {
                built_on.insert(number);
            }
            let from = match number == own {
                true => self.install.place.step + 1,
                false if is_base => 0,
                false => {
                    self.not_copied_into(number)?;
                    continue;
                }
            };
            for step in from..stage.steps.len() {
                let place = Place {
                    stage: number,
                    step,
                    ..self.install.place
                };
                self.uses.step(place)?;
            }
            says |= stage
                .steps
                .iter()
                .any(|step| matches!(step.instruction.keyword, Keyword::Cmd | Keyword::Entrypoint));
        }
        match self.rule.program && !says {
            true => Err("neither CMD nor ENTRYPOINT says what runs".to_owned()),
            false => Ok(()),
        }
    }

    /// Another stage that takes files of this one may build with them.
    fn not_copied_into(&self, number: usize) -> Result<(), String> {
        let stage = self.install.place.cx.stages[number].model;
        let own = self.install.place.stage;
        let sources = stage.steps.iter().flat_map(|step| &step.sources);
        match sources
            .into_iter()
            .any(|one| matches!(one, Base::Stage(from) if *from == own))
        {
            true => Err("another stage copies from this one".to_owned()),
            false => Ok(()),
        }
    }
}
