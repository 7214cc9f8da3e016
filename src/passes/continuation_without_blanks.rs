//! Blank lines inside a line continuation go. Comment lines stay, and so does the text of here-documents.

use serde::Deserialize;

use crate::pass::{Findings, Pass, PassContext};
use crate::syntax::Instruction;
use crate::text::{Edit, Span};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ContinuationWithoutBlanks {
    /// Keywords that, in capitals and behind a blank line, look like the start of an instruction.
    keywords: Vec<String>,
}

impl Pass for ContinuationWithoutBlanks {
    fn run(&self, cx: &PassContext<'_>, out: &mut Findings) {
        let mut blanks = cx.file.blank_continuations.iter().copied().peekable();
        for instruction in cx.file.instructions() {
            let end = instruction.span.end;
            let mut own = Vec::new();
            while let Some(blank) = blanks.next_if(|blank| blank.start < end) {
                own.push(blank);
            }
            let Some(first) = own.first() else {
                continue;
            };
            let span = first.cover(own[own.len() - 1]);
            if let Some(reason) = self.decline(cx, instruction, &own) {
                out.decline(span, reason);
                continue;
            }
            let edits = own.into_iter().map(Edit::delete).collect();
            let keyword = instruction.keyword;
            let message = format!("a blank line stands inside this {keyword}");
            out.report(span, message, cx.fix("remove the blank lines", edits));
        }
    }
}

impl ContinuationWithoutBlanks {
    fn decline(
        &self,
        cx: &PassContext<'_>,
        instruction: &Instruction,
        blanks: &[Span],
    ) -> Option<String> {
        for blank in blanks {
            let behind = Span::new(blank.end, instruction.span.end).of(cx.text);
            let lines = behind.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii);
            let next = lines
                .into_iter()
                .find(|line| !line.is_empty() && !line.starts_with(b"#"));
            let Some(next) = next else {
                return Some("nothing follows the last line continuation".to_owned());
            };
            let word = next.split(u8::is_ascii_whitespace).next().unwrap_or(next);
            let keyword = self.keywords.iter().find(|one| one.as_bytes() == word);
            if let Some(keyword) = keyword {
                return Some(format!(
                    "`{keyword}` behind the blank line is part of the instruction above it, perhaps by mistake"
                ));
            }
        }
        None
    }
}
