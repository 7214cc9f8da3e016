//! What was parsed of one text of a file serves the next one, where an instruction still says the same.

use std::collections::HashMap;

use super::{Dockerfile, Instruction, Item};

impl Dockerfile {
    /// Takes over the scripts that were parsed for `old`, another text of the file.
    pub(crate) fn take_scripts(&mut self, old: Self) {
        let instructions = old.items.into_iter().filter_map(|item| match item {
            Item::Instruction(instruction) if instruction.script.get().is_some() => {
                Some(instruction)
            }
            _ => None,
        });
        let keyed = instructions.map(|one| (one.args_text().to_vec(), one));
        let mut known: HashMap<Vec<u8>, Instruction> = keyed.collect();
        for item in &mut self.items {
            if let Item::Instruction(instruction) = item
                && instruction.script.get().is_none()
                && let Some(old) = known.remove(instruction.args_text())
            {
                instruction.take_script(old);
            }
        }
    }
}

impl Instruction {
    /// Takes the script of `old`, whose arguments are the same, where only its place differs.
    fn take_script(&mut self, mut old: Self) {
        let has_body = !self.heredocs.is_empty() || !old.heredocs.is_empty();
        let Some(by) = self.moved_from(&old).filter(|_| !has_body) else {
            return;
        };
        if let Some(script) = old.script.get_mut().and_then(Option::as_mut) {
            script.shift(by);
        }
        self.script = old.script;
    }

    /// How many bytes further on its arguments stand than those of `old`, wrapping around; `None` where not all of them
    /// moved alike.
    fn moved_from(&self, old: &Self) -> Option<u32> {
        let mut pieces = self.pieces().zip(old.pieces());
        let (first, was) = pieces.next()?;
        let by = first.1.wrapping_sub(was.1);
        let is_alike = pieces.all(|(now, was)| now == (was.0, was.1.wrapping_add(by)));
        (is_alike && self.pieces().count() == old.pieces().count()).then_some(by)
    }

    /// Where each line of the arguments starts in them, and in the file.
    fn pieces(&self) -> impl Iterator<Item = (u32, u32)> {
        let (start, end) = (self.args_start, self.args_end);
        let first = (0, self.logical.to_file(start));
        let later = self.logical.segments.iter();
        let later = later.filter(move |(at, _)| *at > start && *at < end);
        std::iter::once(first).chain(later.map(move |(at, file)| (at - start, *file)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::syntax::Keyword;

    /// How many scripts of `before` serve `after`; all of those there are as if parsed anew.
    fn reused(before: &str, after: &str) -> usize {
        let old = Dockerfile::parse(before.as_bytes());
        old.instructions().for_each(|one| {
            one.script(before.as_bytes());
        });
        let mut new = Dockerfile::parse(after.as_bytes());
        new.take_scripts(old);
        let runs = new.instructions().filter(|one| one.keyword == Keyword::Run);
        let taken = runs.filter(|one| one.script.get().is_some()).count();
        let anew = Dockerfile::parse(after.as_bytes());
        for (one, other) in new.instructions().zip(anew.instructions()) {
            assert_eq!(one.script(after.as_bytes()), other.script(after.as_bytes()));
        }
        taken
    }

    const RUN: &str = "RUN a=1 x \"$(y `z`)\" 2>&1 >f &&\\\n  # no\n  if b; then (c | d; e) & fi\n";

    #[test]
    fn scripts_move_with_their_instructions() {
        assert_eq!(
            reused(
                &format!("FROM a\n{RUN}"),
                &format!("FROM a\nENV A=1\n{RUN}")
            ),
            1
        );
        assert_eq!(
            reused(&format!("FROM abc\n{RUN}{RUN}"), &format!("FROM a\n{RUN}")),
            1
        );
    }

    #[test]
    fn others_are_parsed_anew() {
        let joined = RUN.replace("\\\n  # no", "");
        assert_eq!(
            reused(&format!("FROM a\n{RUN}"), &format!("FROM a\n{joined}")),
            0
        );
        assert_eq!(reused(&format!("FROM a\n{RUN}"), "FROM a\nRUN x\n"), 0);
        let heredoc = "FROM a\nRUN <<E\nx\nE\n";
        assert_eq!(reused(heredoc, &heredoc.replace('x', "y")), 0);
    }
}
