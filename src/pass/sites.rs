//! The steps of a file by families of stages: those that are built on one another.

use super::PassContext;
use super::runs::Step;
use crate::model::Base;

/// The steps of a file, in order. Stages that are built on one another have one root.
pub struct Sites<'a> {
    /// The steps.
    pub all: Vec<Site<'a>>,
    /// The root of each stage.
    pub roots: Vec<usize>,
    /// For each root, its steps, and the steps that take files from one of its stages.
    pub families: Vec<(Vec<usize>, Vec<usize>)>,
}

/// A step, and where it stands.
pub struct Site<'a> {
    /// Its stage.
    pub stage: usize,
    /// The root of its stage.
    pub root: usize,
    /// The step.
    pub step: &'a Step<'a>,
}

impl<'a> Sites<'a> {
    /// Those of the file.
    pub fn of(cx: &PassContext<'a>) -> Self {
        let stages = cx.stages;
        let mut roots: Vec<usize> = Vec::with_capacity(stages.len());
        let mut all = Vec::new();
        for (stage, one) in stages.iter().enumerate() {
            let base = one.base.and_then(|base| roots.get(base).copied());
            let root = base.unwrap_or(stage);
            roots.push(root);
            all.extend(one.steps.iter().map(|step| Site { stage, root, step }));
        }
        let mut families = vec![(Vec::new(), Vec::new()); stages.len()];
        for (index, site) in all.iter().enumerate() {
            families[site.root].0.push(index);
            for source in site.step.sources() {
                if let Base::Stage(stage) = source
                    && let Some(root) = roots.get(*stage)
                {
                    families[*root].1.push(index);
                }
            }
        }
        Self {
            all,
            roots,
            families,
        }
    }
}
