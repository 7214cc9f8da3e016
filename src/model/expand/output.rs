//! What an expansion collects.

/// A whole word, expanded.
pub(super) struct Expanded {
    pub(super) text: String,
    pub(super) words: Vec<String>,
}

/// Collects a text and, where they are asked for, the words that it splits into.
#[derive(Default)]
pub(super) struct Output {
    pub(super) text: String,
    split: bool,
    words: Vec<String>,
    word: String,
    unknown: bool,
}

impl Output {
    pub(super) fn new(split: bool) -> Self {
        Self {
            split,
            ..Self::default()
        }
    }

    pub(super) fn literal(&mut self, ch: char) {
        self.text.push(ch);
        if self.split {
            self.word.push(ch);
        }
    }

    pub(super) fn splitting(&mut self, ch: char) {
        self.text.push(ch);
        if !self.split {
            return;
        }
        if !ch.is_whitespace() {
            self.word.push(ch);
        } else if !self.word.is_empty() {
            self.words.push(std::mem::take(&mut self.word));
        }
    }

    pub(super) fn piece(&mut self, piece: Option<String>, splits: bool) {
        let Some(piece) = piece else {
            self.unknown = true;
            return;
        };
        if !self.split {
            self.text.push_str(&piece);
        } else if splits {
            piece.chars().for_each(|ch| self.splitting(ch));
        } else {
            piece.chars().for_each(|ch| self.literal(ch));
        }
    }

    pub(super) fn finish(mut self) -> Option<Expanded> {
        if !self.word.is_empty() {
            self.words.push(self.word);
        }
        let (text, words) = (self.text, self.words);
        (!self.unknown).then_some(Expanded { text, words })
    }
}
