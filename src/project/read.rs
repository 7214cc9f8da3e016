//! From bytes to documents: what all readers share. Every failure names the file, and the line where there is one.

use roxmltree::Document;
use serde::de::DeserializeOwned;

use super::ManifestError;
use super::xml::excess;
use crate::context::{BuildContext, Entry};
use crate::text::LineIndex;

/// The most bytes of one manifest that are read. The largest lock files of public repositories stay below it.
const LIMIT: usize = 8 << 20;

/// The bytes of the manifest at `path`; `None` where nothing stands there.
///
/// # Errors
/// What stands there is not a regular file of the context, cannot be read, or is larger than [`LIMIT`].
pub(super) fn file(
    context: &dyn BuildContext,
    path: &str,
) -> Result<Option<Vec<u8>>, ManifestError> {
    let large = || ManifestError::new(path, None, "is larger than 8 MiB");
    match context.entry(path) {
        None => return Ok(None),
        Some(Entry::File(size)) if size > LIMIT as u64 => return Err(large()),
        Some(Entry::File(_)) => {}
        Some(Entry::Directory | Entry::Other) => {
            return Err(ManifestError::new(path, None, "is not a regular file"));
        }
    }
    let bytes = context
        .read(path, LIMIT + 1)
        .map_err(|error| ManifestError::new(path, None, format!("cannot be read: {error}")))?;
    if bytes.len() > LIMIT {
        return Err(large());
    }
    Ok(Some(bytes))
}

/// Whether a regular file stands at `path`.
pub(super) fn is_file(context: &dyn BuildContext, path: &str) -> bool {
    matches!(context.entry(path), Some(Entry::File(_)))
}

/// Whether a directory stands at `path`.
pub(super) fn is_directory(context: &dyn BuildContext, path: &str) -> bool {
    matches!(context.entry(path), Some(Entry::Directory))
}

/// The text of a manifest, without a byte order mark.
///
/// # Errors
/// It is not UTF-8; the line is that of the first bad byte.
pub(super) fn text<'b>(path: &str, bytes: &'b [u8]) -> Result<&'b str, ManifestError> {
    let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    std::str::from_utf8(bytes).map_err(|error| {
        let line = line_of(bytes, error.valid_up_to());
        ManifestError::new(path, Some(line), "is not UTF-8")
    })
}

/// A JSON document as `T`.
///
/// # Errors
/// It is not JSON, or not of the shape that its tool asks for.
pub(super) fn json<T: DeserializeOwned>(path: &str, bytes: &[u8]) -> Result<T, ManifestError> {
    serde_json::from_str(text(path, bytes)?).map_err(|error| {
        let line = u32::try_from(error.line()).ok().filter(|line| *line > 0);
        let message = error.to_string();
        let message = message.split(" at line ").next().unwrap_or_default();
        ManifestError::new(path, line, message)
    })
}

/// A TOML document as `T`.
///
/// # Errors
/// It is not TOML, or not of the shape that its tool asks for.
pub(super) fn toml<T: DeserializeOwned>(path: &str, bytes: &[u8]) -> Result<T, ManifestError> {
    let text = text(path, bytes)?;
    ::toml::from_str(text).map_err(|error| {
        let line = error
            .span()
            .map(|span| line_of(text.as_bytes(), span.start));
        ManifestError::new(path, line, one_line(error.message()))
    })
}

/// A YAML document as `T`; an empty one is `T`'s default.
///
/// # Errors
/// It is not YAML, not of the shape that its tool asks for, or exceeds the reader's budget of nodes, depth or aliases.
pub(super) fn yaml<T: DeserializeOwned + Default>(
    path: &str,
    bytes: &[u8],
) -> Result<T, ManifestError> {
    let document: Result<Option<T>, _> = serde_saphyr::from_str(text(path, bytes)?);
    document.map(Option::unwrap_or_default).map_err(|error| {
        let line = error
            .location()
            .and_then(|location| u32::try_from(location.line()).ok())
            .filter(|line| *line > 0);
        let message = error.without_snippet().to_string();
        ManifestError::new(path, line, one_line(&message))
    })
}

/// An XML document.
///
/// # Errors
/// It is not XML, brings its own document type, or has a tag without measure.
pub(super) fn xml<'t>(path: &str, text: &'t str) -> Result<Document<'t>, ManifestError> {
    if let Some(offset) = excess(text) {
        let line = line_of(text.as_bytes(), offset);
        return Err(ManifestError::new(
            path,
            Some(line),
            "has too many attributes",
        ));
    }
    Document::parse(text).map_err(|error| {
        let message = error.to_string();
        let message = message.split(" at ").next().unwrap_or_default();
        ManifestError::new(path, Some(error.pos().row), message)
    })
}

/// Lines of many offsets of one text.
pub(super) struct Lines(LineIndex);

impl Lines {
    /// The lines of `text`.
    pub(super) fn new(text: &str) -> Self {
        Self(LineIndex::new(text.as_bytes()))
    }

    /// The 1-based line of byte `offset`.
    pub(super) fn line(&self, offset: usize) -> u32 {
        self.0.line(u32::try_from(offset).unwrap_or(u32::MAX))
    }
}

/// The 1-based line of byte `offset`.
pub(super) fn line_of(bytes: &[u8], offset: usize) -> u32 {
    let before = bytes.get(..offset).unwrap_or(bytes);
    let ends = before.iter().filter(|byte| **byte == b'\n').count();
    u32::try_from(ends + 1).unwrap_or(u32::MAX)
}

/// `message` with its lines joined: errors are shown in one line.
fn one_line(message: &str) -> String {
    let lines: Vec<&str> = message.lines().map(str::trim).collect();
    lines.join(", ")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::project::testing::files;

    type Map = BTreeMap<String, String>;

    #[test]
    fn names_the_line_of_each_kind_of_mistake() {
        let line = |result: Result<Map, ManifestError>| result.unwrap_err().line;
        assert_eq!(line(json("x", b"{\n\"a\": \"b\",\n\"c\": 1}")), Some(3));
        assert_eq!(line(toml("x", b"a = 'b'\nc = 1\n")), Some(2));
        assert_eq!(line(toml("x", b"a = 'b'\n\n[c\n")), Some(3));
        assert_eq!(line(yaml("x", b"a: b\nc: [1]\n")), Some(2));
        assert_eq!(line(yaml("x", b"a: b\nc: d\n- e\n")), Some(3));
        assert_eq!(text("x", b"a\nb\xFF").unwrap_err().line, Some(2));
        assert_eq!(xml("x", "<a>\n</b>").unwrap_err().line, Some(2));
    }

    #[test]
    fn messages_do_not_repeat_the_line() {
        let error = json::<Map>("x.json", b"{\n\"a\": 1}").unwrap_err();
        assert_eq!(
            error.to_string(),
            "`x.json` line 2: invalid type: integer `1`, expected a string"
        );
        let error = xml("pom.xml", "<a>\n</b>").unwrap_err();
        assert_eq!(
            error.to_string(),
            "`pom.xml` line 2: expected 'a' tag, not 'b'"
        );
    }

    #[test]
    fn accepts_a_byte_order_mark_and_an_empty_yaml() {
        assert_eq!(text("x", b"\xEF\xBB\xBFa"), Ok("a"));
        assert_eq!(yaml::<Map>("x", b""), Ok(Map::new()));
        assert_eq!(yaml::<Map>("x", b"# only a comment\n"), Ok(Map::new()));
    }

    #[test]
    fn bounds_depth_and_aliases() {
        let deep = "[".repeat(100_000);
        assert!(json::<serde_json::Value>("x", deep.as_bytes()).is_err());
        assert!(yaml::<serde_json::Value>("x", deep.as_bytes()).is_err());
        assert!(toml::<::toml::Table>("x", format!("a = {deep}").as_bytes()).is_err());
        assert!(xml("x", &"<a>".repeat(100_000)).is_err());
        let mut bomb = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
        for level in 1..10 {
            let alias = format!("*a{}, ", level - 1).repeat(10);
            bomb.push_str(&format!("a{level}: &a{level} [{alias}]\n"));
        }
        assert!(yaml::<serde_json::Value>("x", bomb.as_bytes()).is_err());
    }

    #[test]
    fn tells_absent_from_unreadable() {
        let context = files(&[("a/b.txt", "b")]);
        assert_eq!(file(&context, "a/b.txt"), Ok(Some(b"b".to_vec())));
        assert_eq!(file(&context, "c"), Ok(None));
        assert!(file(&context, "a").is_err());
        let large = "x".repeat(LIMIT + 1);
        assert!(file(&files(&[("large", &large)]), "large").is_err());
    }
}
