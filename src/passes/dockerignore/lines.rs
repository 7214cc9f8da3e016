//! The text of an ignore file with lines added at its end. What is there stays, byte for byte.

/// `before` with `lines` behind it, which end as its own do.
pub(super) fn completed(before: &[u8], lines: &[String]) -> Vec<u8> {
    let end: &[u8] = match before.iter().position(|byte| *byte == b'\n') {
        Some(at) if before[..at].ends_with(b"\r") => b"\r\n",
        _ => b"\n",
    };
    let mut after = before.to_vec();
    let is_open = !matches!(before, [] | [0xEF, 0xBB, 0xBF]) && !before.ends_with(b"\n");
    if is_open {
        after.extend_from_slice(end);
    }
    for line in lines {
        after.extend_from_slice(line.as_bytes());
        after.extend_from_slice(end);
    }
    after
}

/// Whether a path can stand in an ignore file as it is.
pub(super) fn is_plain(path: &str) -> bool {
    let is_special = |ch: char| ch.is_control() || ch.is_whitespace() || "*?[]\\".contains(ch);
    !path.is_empty() && !path.contains(is_special) && !path.starts_with(['#', '!', '\u{feff}'])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_end_as_those_before_them() {
        let lines = [".git".to_owned(), "a".to_owned()];
        let cases: [(&[u8], &[u8]); 5] = [
            (b"", b".git\na\n"),
            (b"x\n", b"x\n.git\na\n"),
            (b"x", b"x\n.git\na\n"),
            (b"x\r\ny", b"x\r\ny\r\n.git\r\na\r\n"),
            (b"\xef\xbb\xbf", b"\xef\xbb\xbf.git\na\n"),
        ];
        for (before, after) in cases {
            assert_eq!(completed(before, &lines), after);
        }
    }
}
