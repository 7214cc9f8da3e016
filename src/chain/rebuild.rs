//! What changes cost in the next build, before and after a rewrite that reorders steps.
//!
//! From the cache chain alone: an edit of a source file, an edit of a manifest, other values of build arguments. Says
//! nothing where the rewrite makes no difference, nor of files where the build context is not known.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use super::Build;
use crate::model::cache::{self, NoFiles};
use crate::model::{Model, ModelInput};
use crate::pass::touched::{Touched, typicals};
use crate::report::{Changed, Rebuild, Steps};
use crate::rule::{Effect, Rule};
use crate::syntax::{Dockerfile, Keyword};

/// As many build arguments are looked at: each costs four readings of the file.
const MOST_ARGUMENTS: usize = 24;

/// As many findings that are not applied are told apart by what they cost: each takes readings of the whole file.
pub(super) const MOST_FINDINGS: usize = 16;

/// Of as many steps a source file is looked at.
const MOST_SOURCES: usize = 8;

/// Whether a rule changes what makes steps run.
pub(super) fn concerns(rule: &Rule) -> bool {
    let reorders = |effect: &Effect| {
        matches!(
            effect,
            Effect::Order | Effect::Sources | Effect::Prefetch | Effect::Stages
        )
    };
    rule.effects.iter().any(reorders)
}

/// What changes cost with the text `before` and with the text `after`; empty where none of them differs.
pub(super) fn rebuilds(build: &Build<'_>, before: &[u8], after: &[u8]) -> Vec<Rebuild> {
    let sides = Sides {
        build,
        before: (before, &Dockerfile::parse(before)),
        after: (after, &Dockerfile::parse(after)),
    };
    let mut rebuilds = sides.files().unwrap_or_default();
    let arguments = sides.arguments();
    rebuilds.extend(arguments.into_iter().filter(Rebuild::differs));
    match rebuilds.iter().any(Rebuild::differs) {
        true => rebuilds,
        false => Vec::new(),
    }
}

/// A text, and its tree.
type Text<'a> = (&'a [u8], &'a Dockerfile);

/// A Dockerfile before and after a rewrite.
struct Sides<'a> {
    build: &'a Build<'a>,
    before: Text<'a>,
    after: Text<'a>,
}

impl Sides<'_> {
    /// After an edit of a source file, the one that tells most, and of a manifest. `None` where the ignore file cannot
    /// be read.
    fn files(&self) -> Option<Vec<Rebuild>> {
        let Build { context, input, .. } = self.build;
        let ignore = self.build.ignore()?;
        let models = [self.before, self.after].map(|(text, file)| Model::of(file, text, input));
        // The rewrite names the manifests that count.
        let found = typicals(&models[1], *context, &ignore);
        let cost = |changed: Changed, file: String| {
            let touched = Touched::new(*context, &ignore, vec![file]);
            let [before, after] =
                [&models[0], &models[1]].map(|model| steps(model.after_change(&touched).rebuild()));
            Rebuild {
                changed,
                before,
                after,
            }
        };
        let sources = found.sources.into_iter().take(MOST_SOURCES);
        let sources = sources.map(|file| cost(Changed::Source(file.clone()), file));
        let spared = |one: &Rebuild| {
            let after = one.after.not_cached();
            one.before.not_cached().saturating_sub(after)
        };
        // Of equals the first.
        let source = sources.min_by_key(|one| Reverse(spared(one)));
        let manifest = found.manifest;
        let manifest = manifest.map(|file| cost(Changed::Manifest(file.clone()), file));
        Some(source.into_iter().chain(manifest).collect())
    }

    /// After another value of each build argument.
    fn arguments(&self) -> Vec<Rebuild> {
        let (_, file) = self.before;
        let arguments = file
            .instructions()
            .filter(|one| one.keyword == Keyword::Arg)
            .flat_map(|one| one.words())
            .filter_map(|word| word.text.split('=').next());
        let names: BTreeSet<&str> = arguments.collect();
        let names = names.into_iter().take(MOST_ARGUMENTS);
        names.map(|name| self.argument(name)).collect()
    }

    fn argument(&self, name: &str) -> Rebuild {
        let with = |value: &str| {
            let mut input: ModelInput = self.build.input.clone();
            input.build_args.insert(name.to_owned(), value.to_owned());
            input
        };
        let (last, next) = (with("1"), with("2"));
        let steps = |(text, file): Text<'_>| {
            let last = Model::of(file, text, &last);
            let next = Model::of(file, text, &next);
            steps(next.after_build(&last, &NoFiles).rebuild())
        };
        Rebuild {
            changed: Changed::Argument(name.to_owned()),
            before: steps(self.before),
            after: steps(self.after),
        }
    }
}

fn steps(counts: cache::Rebuild) -> Steps {
    let cache::Rebuild {
        cached,
        may_run,
        run,
    } = counts;
    Steps {
        cached,
        may_run,
        run,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chain::{Chain, optimize};
    use crate::context::{BuildContext, MemoryContext, NoContext};
    use crate::pass::{Findings, Pass, PassContext};
    use crate::report::Report;
    use crate::rule::{self, Applicability};
    use crate::text::{Edit, Source};

    const BEFORE: &str =
        "FROM node\nARG SHA\nENV SHA=$SHA\nCOPY . .\nRUN npm ci\nRUN npm run build\n";
    const AFTER: &str = "FROM node\nCOPY package.json .\nRUN npm ci\nCOPY . .\nARG SHA\nENV SHA=$SHA\nRUN npm run build\n";

    fn context() -> MemoryContext {
        let files = [
            "README.md",
            "package.json",
            "src/a.js",
            "lib/x",
            ".git/HEAD",
        ];
        files.map(|file| (file, "x")).into()
    }

    /// `source src/a.js: 1+0+2 -> …`: cached, may run, run.
    fn told(context: &dyn BuildContext, before: &str, after: &str) -> Vec<String> {
        let build = Build::of(context);
        let rebuilds = rebuilds(&build, before.as_bytes(), after.as_bytes());
        let steps = |steps: Steps| format!("{}+{}+{}", steps.cached, steps.may_run, steps.run);
        let rows = rebuilds.into_iter().map(|one| {
            let (before, after) = (steps(one.before), steps(one.after));
            format!("{:?}: {before} -> {after}", one.changed)
        });
        rows.collect()
    }

    #[test]
    fn manifests_first_and_arguments_last() {
        let expected = [
            "Source(\"lib/x\"): 0+0+3 -> 2+0+2",
            "Manifest(\"package.json\"): 0+0+3 -> 0+0+4",
            "Argument(\"SHA\"): 1+0+2 -> 3+0+1",
        ];
        assert_eq!(told(&context(), BEFORE, AFTER), expected);
    }

    #[test]
    fn without_a_context_only_arguments_count() {
        let expected = ["Argument(\"SHA\"): 1+0+2 -> 3+0+1"];
        assert_eq!(told(&NoContext, BEFORE, AFTER), expected);
    }

    #[test]
    fn what_makes_no_difference_is_not_told() {
        assert_eq!(told(&context(), BEFORE, BEFORE), [""; 0]);
        let joined = BEFORE.replace("\nRUN npm run", " && npm run");
        assert_eq!(told(&context(), BEFORE, &joined), [""; 0]);
    }

    #[test]
    fn the_source_that_tells_most_is_taken() {
        let before = "FROM a AS web\nCOPY src /\nRUN x\nFROM a\nCOPY README.md lib/ /\nRUN pip install -r r\n";
        let after = before.replace(
            "COPY README.md lib/ /\nRUN pip install -r r\n",
            "RUN y\nCOPY lib/ /\n",
        );
        let rows = told(&context(), before, &after);
        assert_eq!(rows, ["Source(\"lib/x\"): 0+0+2 -> 1+0+1"]);
    }

    #[test]
    fn an_ignore_file_that_cannot_be_read_leaves_files_out() {
        let mut context = context();
        let ignored = |context: &mut MemoryContext, text: &str| {
            let file = (".dockerignore".to_owned(), text.as_bytes().to_vec());
            context.files.extend([file]);
        };
        ignored(&mut context, "src\nlib\n");
        assert!(told(&context, BEFORE, AFTER)[0].starts_with("Source(\".dockerignore\")"));
        ignored(&mut context, "!\n");
        assert_eq!(told(&context, BEFORE, AFTER).len(), 1);
    }

    /// Moves what the second instruction is behind the third one.
    struct Swap;

    impl Pass for Swap {
        fn run(&self, cx: &PassContext<'_>, out: &mut Findings) {
            let instructions: Vec<_> = cx.file.instructions().collect();
            let [_, second, third] = instructions[..] else {
                return;
            };
            if !cx.text.starts_with(b"FROM a\nCOPY src") {
                return;
            }
            let text = [b"\n", second.span.of(cx.text)].concat();
            let edits = vec![
                Edit::delete(second.span),
                Edit::insert(third.span.end, text),
            ];
            out.report(second.span, "", cx.fix("", edits));
        }
    }

    fn swapped(allow: Applicability) -> Report {
        let mut rule = rule::builtin()[0].clone();
        rule.effects = vec![Effect::Order];
        rule.applicability = Applicability::Unsafe;
        let chain = Chain {
            rules: vec![rule],
            passes: vec![Box::new(Swap)],
            marks: vec![Vec::new()],
        };
        let source = Source {
            path: "Dockerfile".into(),
            text: b"FROM a\nCOPY src /src/\nCOPY package.json /p/\n".to_vec(),
        };
        optimize(&chain, &Build::of(&context()), source, allow)
    }

    #[test]
    fn findings_say_what_they_spare_and_the_file_what_all_do() {
        let applied = swapped(Applicability::Unsafe);
        let [source, manifest] = &applied.rebuilds[..] else {
            panic!("{applied:#?}")
        };
        assert_eq!(applied.findings[0].rebuilds, applied.rebuilds);
        assert_eq!(source.changed, Changed::Source("src/a.js".to_owned()));
        assert_eq!((source.before.run, source.after.run), (2, 1));
        assert_eq!((manifest.before.run, manifest.after.run), (1, 2));
        let left = swapped(Applicability::Safe);
        assert_eq!(left.findings[0].rebuilds, applied.rebuilds);
        assert_eq!(left.rebuilds, []);
    }
}
