//! Values of the configuration that have a grammar of their own: ports, health checks, durations.

use crate::syntax::bytes::lossy;
use crate::syntax::{Args, Instruction, nanoseconds};

/// A health check. Durations in nanoseconds; 0 where the engine's default holds.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[allow(missing_docs)]
pub struct Healthcheck {
    /// `NONE`, or `CMD` and words, or `CMD-SHELL` and a line; empty where no check is set.
    pub test: Vec<String>,
    pub interval: u64,
    pub timeout: u64,
    pub start_period: u64,
    pub start_interval: u64,
    pub retries: u32,
}

/// The health check of a HEALTHCHECK; `None` for one that BuildKit refuses.
pub(super) fn healthcheck(instruction: &Instruction) -> Option<Healthcheck> {
    let Args::Healthcheck {
        kind,
        exec,
        command_start,
    } = &instruction.args
    else {
        return None;
    };
    if kind.text.eq_ignore_ascii_case("NONE") {
        let test = vec!["NONE".to_owned()];
        return Some(Healthcheck {
            test,
            ..Healthcheck::default()
        });
    }
    let line = || {
        let range = *command_start as usize..instruction.args_end as usize;
        lossy(instruction.logical.text.get(range).unwrap_or_default())
    };
    let test = match exec {
        Some(words) => {
            let words = words.iter().map(|word| word.text.clone());
            std::iter::once("CMD".to_owned()).chain(words).collect()
        }
        None => vec!["CMD-SHELL".to_owned(), line()],
    };
    let given = |name: &str| {
        instruction
            .flag(name)
            .and_then(|flag| flag.value.as_deref())
    };
    let time = |name: &str| given(name).map_or(Some(0), duration);
    Some(Healthcheck {
        test,
        interval: time("interval")?,
        timeout: time("timeout")?,
        start_period: time("start-period")?,
        start_interval: time("start-interval")?,
        retries: given("retries").map_or(Some(0), |count| count.parse().ok())?,
    })
}

/// Nanoseconds of a duration as Go writes it: `1m30s`, `1.5h`, `500ms`; none for no text.
fn duration(text: &str) -> Option<u64> {
    let total = match text {
        "" => 0.0,
        text => nanoseconds(text)?,
    };
    (0.0..i64::MAX as f64)
        .contains(&total)
        .then_some(total as u64)
}

/// The ports of one word of EXPOSE: `80`, `53/udp`, `8000-8010`, with what stands before a colon left out.
pub(super) fn ports(word: &str) -> Option<Vec<String>> {
    let container = word.rsplit(':').next().unwrap_or(word);
    let (range, protocol) = container.split_once('/').unwrap_or((container, ""));
    let protocol = match protocol.to_ascii_lowercase().as_str() {
        "" | "tcp" => "tcp",
        "udp" => "udp",
        "sctp" => "sctp",
        _ => return None,
    };
    let (first, last) = range.split_once('-').unwrap_or((range, range));
    let (first, last): (u16, u16) = (first.parse().ok()?, last.parse().ok()?);
    (first <= last).then(|| {
        (first..=last)
            .map(|port| format!("{port}/{protocol}"))
            .collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations() {
        assert_eq!(duration("30s"), Some(30_000_000_000));
        assert_eq!(duration("1m30s"), Some(90_000_000_000));
        assert_eq!(duration("1.5h"), Some(5_400_000_000_000));
        assert_eq!(duration("500ms"), Some(500_000_000));
        assert_eq!(duration("0"), Some(0));
        for text in ["5", "s", "5x", "-5s", "1s5"] {
            assert_eq!(duration(text), None, "{text}");
        }
    }

    #[test]
    fn exposed() {
        let one = |port: &str| Some(vec![port.to_owned()]);
        assert_eq!(ports("80"), one("80/tcp"));
        assert_eq!(ports("53/UDP"), one("53/udp"));
        assert_eq!(ports("127.0.0.1:8080:80"), one("80/tcp"));
        assert_eq!(ports("1-3").map(|all| all.len()), Some(3));
        for word in ["", "x", "3-1", "70000", "80/x", "-5"] {
            assert_eq!(ports(word), None, "{word}");
        }
    }
}
