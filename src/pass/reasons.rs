//! Why a fix is as it is: a sentence for each decision. Names of which the same is said share one.
//!
//! A pass says a reason where it decides, and is free to say none.

/// As many sentences are told; the others are counted.
const MOST: usize = 12;

/// As many names stand in one of them; the others are counted.
const MOST_NAMES: usize = 4;

/// What is said of names, in the order in which it was said first.
#[derive(Debug, Default)]
pub struct Reasons(Vec<(String, Vec<String>)>);

impl Reasons {
    /// Says `why` of something that has this name in the file, in the image or in a registry.
    pub fn say(&mut self, name: impl Into<String>, why: impl Into<String>) {
        let (name, why) = (name.into(), why.into());
        match self.0.iter_mut().find(|(said, _)| *said == why) {
            Some((_, names)) if names.contains(&name) => {}
            Some((_, names)) => names.push(name),
            None => self.0.push((why, vec![name])),
        }
    }

    /// These, and then others.
    pub fn append(&mut self, others: Self) {
        for (why, names) in others.0 {
            for name in names {
                self.say(name, why.clone());
            }
        }
    }

    /// Says nothing of the other names.
    pub fn retain(&mut self, keeps: impl Fn(&str) -> bool) {
        for (_, names) in &mut self.0 {
            names.retain(|name| keeps(name));
        }
        self.0.retain(|(_, names)| !names.is_empty());
    }

    /// ``"`gcc`, `make` and 2 more: left behind, for the build alone"``.
    pub fn sentences(self) -> Vec<String> {
        let count = self.0.len();
        let told = if count > MOST { MOST - 1 } else { count };
        let all = self.0.into_iter().take(told);
        let mut sentences: Vec<String> = all
            .map(|(why, names)| format!("{}: {why}", list(&names)))
            .collect();
        if told < count {
            sentences.push(format!("and {} more", count - told));
        }
        sentences
    }
}

/// Names with commas between them.
fn list(names: &[String]) -> String {
    let count = names.len();
    // One more is as short as its number.
    let told = if count > MOST_NAMES + 1 {
        MOST_NAMES
    } else {
        count
    };
    let shown: Vec<String> = names
        .iter()
        .take(told)
        .map(|name| format!("`{name}`"))
        .collect();
    match told < count {
        true => format!("{} and {} more", shown.join(", "), count - told),
        false => shown.join(", "),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_share_what_is_said_of_them() {
        let mut reasons = Reasons::default();
        reasons.say("gcc", "for the build");
        reasons.say("libpq5", "installed");
        reasons.say("make", "for the build");
        reasons.say("gcc", "for the build");
        let expected = ["`gcc`, `make`: for the build", "`libpq5`: installed"];
        assert_eq!(reasons.sentences(), expected);
    }

    #[test]
    fn what_is_too_much_is_counted() {
        let mut reasons = Reasons::default();
        for name in 1..=6 {
            reasons.say(name.to_string(), "first");
        }
        for why in 1..=12 {
            reasons.say("a", why.to_string());
        }
        let sentences = reasons.sentences();
        assert_eq!(sentences.len(), 12);
        assert_eq!(sentences[0], "`1`, `2`, `3`, `4` and 2 more: first");
        assert_eq!(sentences[10], "`a`: 10");
        assert_eq!(sentences[11], "and 2 more");
    }
}
