//! Which words differ between lines that go and lines that come in their place.

use std::ops::Range;
use std::time::{Duration, Instant};

use similar::{Algorithm, DiffTag, capture_diff_slices_deadline};

/// More bytes than that are not compared: what changed so much is read as a whole.
const MOST: usize = 20_000;

/// The search ends here.
const SEARCH_TIME: Duration = Duration::from_millis(50);

/// The bytes of `old` and of `new`, each taken together, that the other does not have; none where little is the same.
pub(super) fn differences(old: &[&[u8]], new: &[&[u8]]) -> [Vec<Range<usize>>; 2] {
    let (old, new) = (old.concat(), new.concat());
    if old.len().max(new.len()) > MOST {
        return Default::default();
    }
    let (left, right) = (words(&old), words(&new));
    let deadline = Instant::now() + SEARCH_TIME;
    let ops = capture_diff_slices_deadline(Algorithm::Myers, &left, &right, Some(deadline));
    let (mut gone, mut come) = (Vec::new(), Vec::new());
    let mut same = 0;
    // Where the next word of each side begins.
    let (mut before, mut after) = (0, 0);
    for op in ops {
        let [removed, added] =
            [&left[op.old_range()], &right[op.new_range()]].map(|words| words.concat());
        if op.tag() == DiffTag::Equal {
            same += removed.trim_ascii().len();
        } else {
            gone.push(before..before + removed.len());
            come.push(after..after + added.len());
        }
        before += removed.len();
        after += added.len();
    }
    match 2 * same >= old.len().min(new.len()) {
        true => [gone, come],
        false => Default::default(),
    }
}

/// Words, names of files and flags, and what stands between them, a byte each; together they are the text.
fn words(text: &[u8]) -> Vec<&[u8]> {
    let is_word =
        |byte: u8| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte) || !byte.is_ascii();
    text.chunk_by(|a, b| is_word(*a) && is_word(*b)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The parts that differ.
    fn marked<'a>(old: &'a str, new: &'a str) -> [Vec<&'a str>; 2] {
        let [gone, come] = differences(&[old.as_bytes()], &[new.as_bytes()]);
        let parts = |text: &'a str, marks: Vec<Range<usize>>| {
            let parts = marks.into_iter().map(|mark| &text[mark]);
            parts.filter(|part| !part.is_empty()).collect()
        };
        [parts(old, gone), parts(new, come)]
    }

    #[test]
    fn words_are_compared() {
        let old = "RUN pip install -r requirements.txt\n";
        let new = "RUN pip install --no-cache-dir -r requirements.txt\n";
        let [gone, come] = marked(old, new);
        assert_eq!(
            (gone.concat(), come.concat().trim()),
            (String::new(), "--no-cache-dir")
        );
        let [gone, come] = marked("ADD src /app\n", "COPY src /app\n");
        assert_eq!((gone, come), (vec!["ADD"], vec!["COPY"]));
    }

    #[test]
    fn what_has_little_in_common_is_not_marked() {
        assert_eq!(
            marked("RUN make all\n", "COPY . /app/src\n"),
            [vec![""; 0], Vec::new()]
        );
        let long = "x ".repeat(MOST);
        assert_eq!(
            marked(&long, &(long.clone() + "y")),
            [vec![""; 0], Vec::new()]
        );
    }
}
