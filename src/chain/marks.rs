//! Whether a file holds one of the texts without which a pass has nothing to do there.

use memchr::memmem;

/// A text, and which bytes stand beside each other in it. Most of what a text lacks is told by that alone.
pub(super) struct Searched<'t> {
    text: &'t [u8],
    /// A bit for each pair.
    pairs: Vec<u64>,
}

impl<'t> Searched<'t> {
    pub(super) fn of(text: &'t [u8]) -> Self {
        let mut pairs = vec![0; 1 << 10];
        for pair in text.windows(2) {
            let (word, bit) = place(pair);
            pairs[word] |= bit;
        }
        Self { text, pairs }
    }

    /// Whether `mark` is part of the text.
    pub(super) fn holds(&self, mark: &str) -> bool {
        let mut pairs = mark.as_bytes().windows(2).map(place);
        pairs.all(|(word, bit)| self.pairs[word] & bit != 0)
            && memmem::find(self.text, mark.as_bytes()).is_some()
    }
}

/// Which of 1024 words has the bit of two bytes, and that bit.
fn place(pair: &[u8]) -> (usize, u64) {
    let pair = usize::from(pair[0]) << 8 | usize::from(pair[1]);
    (pair >> 6, 1 << (pair & 63))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_text_holds() {
        let searched = Searched::of(b"RUN apt-get update");
        for held in ["", "R", "apt-get", "RUN apt-get update", "te"] {
            assert!(searched.holds(held), "{held}");
        }
        for missing in ["x", "apt-gup", "apt-get update ", "\u{ff}\u{ff}"] {
            assert!(!searched.holds(missing), "{missing}");
        }
    }
}
