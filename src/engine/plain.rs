//! What BuildKit tells of a build with `--progress=plain`: `#7 [2/5] RUN make`, then `#7 CACHED` or `#7 DONE 1.2s`.

use std::collections::BTreeMap;

use super::BuiltStep;

/// Collects the steps of a build from the lines that it prints.
#[derive(Default)]
pub(super) struct Plain {
    /// By BuildKit's number.
    steps: BTreeMap<u32, BuiltStep>,
}

impl Plain {
    /// Reads one line.
    pub(super) fn line(&mut self, line: &str) {
        let Some((number, rest)) = line.strip_prefix('#').and_then(|line| line.split_once(' '))
        else {
            return;
        };
        let Ok(number) = number.parse::<u32>() else {
            return;
        };
        if let Some(text) = step_text(rest) {
            let cached = false;
            self.steps
                .entry(number)
                .or_insert(BuiltStep { text, cached });
        } else if rest == "CACHED"
            && let Some(step) = self.steps.get_mut(&number)
        {
            step.cached = true;
        }
    }

    /// The steps, in BuildKit's order.
    pub(super) fn steps(self) -> Vec<BuiltStep> {
        self.steps.into_values().collect()
    }
}

/// The instruction of `[build 2/5] RUN make`; FROM and what is not an instruction (`[internal] …`) are none.
fn step_text(rest: &str) -> Option<String> {
    let (place, text) = rest.strip_prefix('[')?.split_once("] ")?;
    let count = place.rsplit(' ').next()?;
    let (at, of) = count.split_once('/')?;
    let numbers = at.parse::<u32>().is_ok() && of.parse::<u32>().is_ok();
    (numbers && !text.starts_with("FROM ")).then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_ran_or_came_from_the_cache() {
        let told = "#1 [internal] load build definition from Dockerfile\n#1 DONE 0.0s\n\
                    #4 [1/3] FROM docker.io/library/debian:12\n#4 CACHED\n\
                    #5 [build 2/3] WORKDIR /app\n#5 CACHED\n\
                    #6 [build 3/3] RUN echo [1/2] x\n#6 0.110 [9/9] RUN not a step\n#6 DONE 0.2s\n\
                    #7 exporting to image\n#7 DONE 0.0s\n";
        let mut plain = Plain::default();
        told.lines().for_each(|line| plain.line(line));
        let step = |text: &str, cached| BuiltStep {
            text: text.to_owned(),
            cached,
        };
        let expected = [step("WORKDIR /app", true), step("RUN echo [1/2] x", false)];
        assert_eq!(plain.steps(), expected);
    }
}
