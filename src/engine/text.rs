//! What podman and buildah tell of a build: `STEP 2/5: RUN make`, then `--> Using cache …` where it did not run.

use super::BuiltStep;

/// Collects the steps of a build from the lines that it prints.
#[derive(Default)]
pub(super) struct Steps(Vec<BuiltStep>);

impl Steps {
    /// Reads one line. In a file of several stages the number of the stage stands before (`[1/2] STEP …`).
    pub(super) fn line(&mut self, line: &str) {
        let rest = match line
            .strip_prefix('[')
            .and_then(|line| line.split_once("] "))
        {
            Some((_, rest)) => rest,
            None => line,
        };
        if let Some((_, text)) = rest
            .strip_prefix("STEP ")
            .and_then(|rest| rest.split_once(": "))
        {
            if !text.to_ascii_uppercase().starts_with("FROM ") {
                let (text, cached) = (text.to_owned(), false);
                self.0.push(BuiltStep { text, cached });
            }
        } else if rest.starts_with("--> Using cache")
            && let Some(step) = self.0.last_mut()
        {
            step.cached = true;
        }
    }

    /// The steps, in order; COMMIT and the like are none.
    pub(super) fn steps(self) -> Vec<BuiltStep> {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_ran_or_came_from_the_cache() {
        let told = "[1/2] STEP 1/2: FROM debian:12 AS a\n[1/2] STEP 2/2: RUN x\n--> Using cache 12ab\n--> 12ab\n\
                    [2/2] STEP 1/2: FROM a\nSTEP 2/2: COPY . /app\nCOMMIT name\n--> 34cd\n";
        let mut steps = Steps::default();
        told.lines().for_each(|line| steps.line(line));
        let steps: Vec<_> = steps
            .steps()
            .into_iter()
            .map(|step| (step.text, step.cached))
            .collect();
        assert_eq!(
            steps,
            [
                ("RUN x".to_owned(), true),
                ("COPY . /app".to_owned(), false)
            ]
        );
    }
}
