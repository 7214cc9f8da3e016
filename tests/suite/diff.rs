//! Diffs for snapshots and for reading.

use similar::TextDiff;

/// The unified diff from `before` to `after` of a file `Dockerfile`.
pub(crate) fn unified(before: &[u8], after: &[u8]) -> Vec<u8> {
    let (before, after) = (readable(before), readable(after));
    let diff = TextDiff::from_lines(&before, &after);
    let mut unified = diff.unified_diff();
    unified
        .header("a/Dockerfile", "b/Dockerfile")
        .to_string()
        .into_bytes()
}

/// The whole file with what changed: each line after ` `, `-` or `+`.
pub(crate) fn whole(before: &[u8], after: &[u8]) -> String {
    let (before, after) = (readable(before), readable(after));
    let diff = TextDiff::from_lines(&before, &after);
    let lines = diff.iter_all_changes();
    lines
        .map(|line| {
            let end = if line.missing_newline() { "∎\n" } else { "" };
            format!("{}{}{end}", line.tag(), line.value())
        })
        .collect()
}

/// The text with a carriage return shown as `␍`, a byte order mark as `<BOM>`, and bytes that are not UTF-8 as `\xNN`.
fn readable(text: &[u8]) -> String {
    let mut out = String::new();
    for chunk in text.utf8_chunks() {
        out.push_str(chunk.valid());
        out.extend(chunk.invalid().iter().map(|byte| format!("\\x{byte:02x}")));
    }
    out.replace('\r', "␍").replace('\u{feff}', "<BOM>")
}
