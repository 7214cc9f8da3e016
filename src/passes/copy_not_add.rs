//! ADD of local files becomes COPY. Never where ADD does more: downloads, clones, unpacks.

use serde::Deserialize;

use crate::context::{BuildContext, Entry};
use crate::pass::runs::shown_span;
use crate::pass::{Findings, Pass, PassContext};
use crate::syntax::{Instruction, Keyword};
use crate::text::{Edit, Span};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CopyNotAdd {
    /// How sources begin that ADD fetches.
    remote: Vec<String>,
    /// Flags of ADD that COPY does not have.
    flags: Vec<String>,
    /// How the names of archives end.
    archives: Vec<String>,
}

impl Pass for CopyNotAdd {
    fn run(&self, cx: &PassContext<'_>, out: &mut Findings) {
        let adds = cx
            .file
            .instructions()
            .filter(|one| one.keyword == Keyword::Add);
        for add in adds {
            let span = shown_span(add);
            match self.decline(add, cx.context) {
                Some(reason) => out.decline(span, reason),
                None => {
                    let keyword = match add.keyword_span.of(cx.text) {
                        b"add" => "copy",
                        b"ADD" => "COPY",
                        b"Add" => "Copy",
                        word if word.len() == 3 => "COPY",
                        _ => continue,
                    };
                    let mut span_of_keyword = add.keyword_span;
                    let behind = Span::new(span_of_keyword.end, add.span.end).of(cx.text);
                    if behind.starts_with(b"  ") {
                        // The longer keyword takes one of the blanks, so that columns stay in line.
                        span_of_keyword.end += 1;
                    }
                    let edit = Edit::replace(span_of_keyword, keyword);
                    let fix = cx.fix("copy with COPY", vec![edit]);
                    out.report(span, "`ADD` copies local files", fix);
                }
            }
        }
    }
}

impl CopyNotAdd {
    fn decline(&self, add: &Instruction, context: &dyn BuildContext) -> Option<String> {
        let known = |name: &str| {
            self.flags
                .iter()
                .any(|flag| flag.trim_start_matches('-') == name)
        };
        if let Some(flag) = add.flags.iter().find(|flag| known(&flag.name)) {
            return Some(format!("COPY has no `--{}`", flag.name));
        }
        let (_, sources) = add.words().split_last()?;
        sources
            .iter()
            .find_map(|source| self.decline_source(unquoted(&source.text), context))
    }

    fn decline_source(&self, source: &str, context: &dyn BuildContext) -> Option<String> {
        if source.starts_with("<<") {
            return None;
        }
        let lower = source.to_ascii_lowercase();
        let is_git = lower.ends_with(".git") || lower.contains(".git#");
        if is_git || self.remote.iter().any(|prefix| lower.starts_with(prefix)) {
            return Some(format!(
                "`{source}` is fetched: COPY takes files of the context only"
            ));
        }
        if source.contains('$') {
            return Some(format!("what `{source}` expands to is not known"));
        }
        if source.contains(['\\', '\'', '"']) {
            return Some(format!("`{source}` is quoted in a way that is not read"));
        }
        let wildcard = source.contains(['*', '?', '[']);
        let archive = self.archives.iter().any(|ending| lower.ends_with(ending));
        if !context.is_known() {
            // `*.jar` matches no archive.
            let ending = lower.rsplit(['*', '?', ']']).next().unwrap_or_default();
            let wildcard = wildcard && !ending.contains('.');
            return match (wildcard, archive) {
                (true, _) => Some(format!(
                    "`{source}` may match an archive, and the build context is not known"
                )),
                (_, true) => Some(format!(
                    "`{source}` may be an archive, and the build context is not known"
                )),
                _ => None,
            };
        }
        let found = candidates(source, context);
        if let Some(path) = found.iter().find(|path| is_archive(path, context)) {
            return Some(format!("`{path}` is an archive, which ADD unpacks"));
        }
        let missing = found.iter().all(|path| context.entry(path).is_none());
        // What a build makes first is not in the repository.
        (missing && (archive || wildcard)).then(|| {
            format!("`{source}` may be an archive, and the build context does not hold it")
        })
    }
}

/// `word` without the quotes around it, which the builder removes.
fn unquoted(word: &str) -> &str {
    let inner = |quote: char| word.strip_prefix(quote)?.strip_suffix(quote);
    inner('"').or_else(|| inner('\'')).unwrap_or(word)
}

/// The paths of the context that `source` may name. A wildcard is taken to match more than it does.
fn candidates(source: &str, context: &dyn BuildContext) -> Vec<String> {
    let path = source.trim_start_matches("./").trim_matches('/');
    let Some(wildcard) = path.find(['*', '?', '[']) else {
        return vec![path.to_owned()];
    };
    let folder = path[..wildcard]
        .rsplit_once('/')
        .map_or("", |(folder, _)| folder);
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    // A wildcard does not cross `/`: as many levels as the pattern has.
    for _ in 0..=path[folder.len()..].trim_matches('/').matches('/').count() {
        let level = std::mem::take(&mut folders);
        for folder in level {
            for name in context.list(&folder) {
                let path = format!("{folder}/{name}")
                    .trim_start_matches('/')
                    .to_owned();
                match context.entry(&path) {
                    Some(Entry::Directory) => folders.push(path),
                    _ => found.push(path),
                }
            }
        }
    }
    found
}

/// Whether ADD might unpack the file: a tar archive, or anything compressed.
fn is_archive(path: &str, context: &dyn BuildContext) -> bool {
    if !matches!(context.entry(path), Some(Entry::File(_))) {
        return false;
    }
    let Ok(head) = context.read(path, 512) else {
        return true;
    };
    let compressed: [&[u8]; 6] = [
        b"\x1f\x8b",
        b"\x1f\x9d",
        b"BZh",
        b"\xfd7zXZ\0",
        b"\x28\xb5\x2f\xfd",
        b"\x5d\0\0",
    ];
    compressed.iter().any(|magic| head.starts_with(magic)) || is_tar_header(&head)
}

/// Whether a block is the header of a tar archive: its checksum holds.
fn is_tar_header(block: &[u8]) -> bool {
    let Some(field) = block.get(148..156).filter(|_| block.len() == 512) else {
        return false;
    };
    let digits: Vec<u8> = field
        .iter()
        .copied()
        .filter(|byte| (b'0'..=b'7').contains(byte))
        .collect();
    let written = std::str::from_utf8(&digits)
        .ok()
        .and_then(|digits| u32::from_str_radix(digits, 8).ok());
    let sum: u32 = block.iter().map(|byte| u32::from(*byte)).sum();
    let field_sum: u32 = field.iter().map(|byte| u32::from(*byte)).sum();
    written == Some(sum - field_sum + 8 * u32::from(b' '))
}
