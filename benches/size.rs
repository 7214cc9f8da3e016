//! Cost against size: how the time per byte changes while inputs of one shape double. It stays where cost is linear.
//!
//! `cargo bench --bench size [SHAPE…]`

#![allow(clippy::print_stdout)]

use std::fmt::Write;
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use dockeropt::chain::{Build, Chain, optimize};
use dockeropt::config::Config;
use dockeropt::context::MemoryContext;
use dockeropt::rule::{self, Applicability};
use dockeropt::text::Source;

/// So often a size doubles.
const DOUBLINGS: u32 = 6;
/// A size is measured again until that time is spent; the fastest counts.
const ENOUGH: Duration = Duration::from_millis(300);

/// A shape of Dockerfile: what it is called, its largest count of parts, and its text with so many of them.
type Shape = (&'static str, usize, fn(usize) -> String);

const SHAPES: &[Shape] = &[
    ("instructions", 100_000, instructions),
    ("RUNs that go together", 20_000, runs),
    ("lines of 65,000 bytes", 128, long_lines),
    ("packages in one RUN", 128_000, packages),
    ("continuation lines", 10_000, continuations),
    ("commands in one RUN", 10_000, commands),
    ("nested parentheses", 5_000, parentheses),
    ("stages", 1_000, stages),
    ("ARGs, each in the next", 100_000, args),
    ("ARGs, each twice in the next", 100_000, doubled_args),
    ("ENVs, each in the next", 100_000, envs),
    ("comments", 100_000, comments),
    ("here-documents", 20_000, heredocs),
    ("lines in a here-document", 100_000, heredoc),
    ("COPYs before an install", 20_000, copies),
];

fn main() {
    let wanted: Vec<String> = std::env::args().skip(1).collect();
    let wanted: Vec<&String> = wanted.iter().filter(|one| !one.starts_with('-')).collect();
    println!("| shape | parts | bytes | time | per byte, by doublings from the smallest |");
    println!("| --- | --- | --- | --- | --- |");
    for (name, parts, text) in SHAPES {
        if wanted.is_empty() || wanted.iter().any(|one| name.contains(one.as_str())) {
            row(name, *parts, *text);
        }
    }
}

fn row(name: &str, parts: usize, text: fn(usize) -> String) {
    let mut first = None;
    let mut ratios = String::new();
    let mut last = (0, Duration::ZERO);
    for doubling in (0..=DOUBLINGS).rev() {
        let text = text((parts >> doubling).max(1));
        last = (text.len(), fastest(&text));
        let a_byte = last.1.as_secs_f64() / text.len() as f64;
        let ratio = a_byte / *first.get_or_insert(a_byte);
        let _ = write!(ratios, "{ratio:.1} ");
    }
    let (bytes, time) = last;
    let time = time.as_secs_f64() * 1e3;
    println!(
        "| {name} | {parts} | {bytes} | {time:.0} ms | {} |",
        ratios.trim_end()
    );
}

fn fastest(text: &str) -> Duration {
    let begin = Instant::now();
    let mut fastest = Duration::MAX;
    while begin.elapsed() < ENOUGH {
        let start = Instant::now();
        let source = Source {
            path: "Dockerfile".into(),
            text: text.as_bytes().to_vec(),
        };
        let build = Build::of(&*CONTEXT);
        std::hint::black_box(optimize(&CHAIN, &build, source, Applicability::Unsafe));
        fastest = fastest.min(start.elapsed());
    }
    fastest
}

static CHAIN: LazyLock<Chain> = LazyLock::new(|| {
    let rules = Config::default().apply(rule::builtin().to_vec());
    Chain::new(rules.expect("the rules")).expect("the chain")
});

static CONTEXT: LazyLock<MemoryContext> = LazyLock::new(|| {
    MemoryContext::from([
        (
            "package.json",
            r#"{"name": "a", "version": "1.0.0", "dependencies": {"b": "1"}}"#,
        ),
        (
            "package-lock.json",
            r#"{"name": "a", "lockfileVersion": 3, "packages": {"": {}}}"#,
        ),
        ("requirements.txt", "flask==3.0.0\n"),
        ("app.py", "import flask\n"),
        ("app.js", "require('b')\n"),
    ])
});

/// A text that begins with `start` and has `count` parts.
fn text(start: &str, count: usize, part: impl Fn(usize) -> String) -> String {
    let mut text = start.to_owned();
    text.extend((0..count).map(part));
    text
}

fn instructions(count: usize) -> String {
    text("FROM debian:12\n", count, |at| match at % 8 {
        0 => format!("ENV NAME_{at} value of {at}\n"),
        1 => format!(
            "RUN apt-get update && apt-get install -y package-{at} && make -C /src/{at} all install\n"
        ),
        2 => format!("COPY app.py requirements.txt /srv/{at}/\n"),
        3 => format!(
            "RUN pip install -r /srv/requirements.txt && echo done with {at} >> /var/log/steps\n"
        ),
        4 => format!("LABEL com.example.part-{at}=\"one of many labels\"\n"),
        5 => format!("WORKDIR /srv/{at}\n"),
        6 => format!(
            "RUN curl -fsSL https://example.com/{at}.tar.gz | tar -xz -C /opt && rm -rf /tmp/{at} /var/tmp/{at}\n"
        ),
        _ => format!("ADD app.js /srv/{at}/app.js\n"),
    })
}

fn runs(count: usize) -> String {
    text("FROM debian:12\n", count, |at| match at % 3 {
        0 => "RUN apt-get update\n".to_owned(),
        1 => format!("RUN apt-get install -y package-{at}\n"),
        _ => format!("RUN echo {at} > /etc/part-{at}\n"),
    })
}

fn long_lines(count: usize) -> String {
    text("FROM debian:12\n", count, |at| {
        let words = text("", 65_000 / 13, |word| format!(" part-{word:07}"));
        let words = &words[..64_900];
        match at % 3 {
            0 => format!("RUN echo{words}\n"),
            1 => format!("RUN apt-get update && apt-get install -y{words}\n"),
            _ => format!("ENV WORDS_{at}{words}\n"),
        }
    })
}

fn packages(count: usize) -> String {
    text(
        "FROM debian:12\nRUN apt-get update && apt-get install -y",
        count,
        |at| format!(" \\\n  package-{at}"),
    ) + "\n"
}

fn continuations(count: usize) -> String {
    text("FROM debian:12\nRUN echo", count, |at| {
        format!(" \\\n  \"word $((1 + {at}))\" # more")
    }) + "\n"
}

fn commands(count: usize) -> String {
    text("FROM debian:12\nRUN apt-get update", count, |at| {
        format!(" && \\\n  apt-get install -y package-{at} && rm -f /tmp/{at}")
    }) + "\n"
}

fn parentheses(count: usize) -> String {
    format!(
        "FROM debian:12\nRUN {}true{}\n",
        "( ".repeat(count),
        " )".repeat(count)
    )
}

fn stages(count: usize) -> String {
    text("FROM golang:1.22 AS stage-0\nCOPY . .\n", count, |at| {
        format!(
            "FROM golang:1.22 AS stage-{}\nCOPY --from=stage-{at} /go /go\nRUN go build -o /app-{at} .\nCOPY --from={at} /app /app\n",
            at + 1
        )
    })
}

fn args(count: usize) -> String {
    text("ARG A0=1\nFROM debian:12\n", count, |at| {
        format!("ARG A{}=$A{at}\n", at + 1)
    })
}

fn doubled_args(count: usize) -> String {
    text("ARG A0=1\nFROM debian:12\n", count, |at| {
        format!("ARG A{}=$A{at}${{A{at}:-b}}\n", at + 1)
    })
}

fn envs(count: usize) -> String {
    text("FROM debian:12\nENV A0 1\n", count, |at| {
        format!("ENV A{} x$A{at}\n", at + 1)
    })
}

fn comments(count: usize) -> String {
    let comments = text("FROM debian:12\nRUN true \\\n", count, |at| match at % 2 {
        0 => format!("# a comment in the continuation, number {at}\n"),
        _ => format!("  && echo {at} \\\n"),
    });
    text(&comments, 1, |_| "  && true\n".to_owned())
        + &text("", count, |at| {
            format!("# a comment outside of any, number {at}\n")
        })
}

fn heredocs(count: usize) -> String {
    text("FROM debian:12\n", count, |at| match at % 2 {
        0 => format!("RUN <<END\napt-get update\napt-get install -y package-{at}\nEND\n"),
        _ => format!("COPY <<a.txt <<b.txt /srv/{at}/\none\na.txt\ntwo\nb.txt\n"),
    })
}

fn heredoc(count: usize) -> String {
    let lines = text("FROM debian:12\nRUN <<END\n", count, |at| {
        format!("apt-get install -y package-{at}\n")
    });
    lines + "END\n"
}

fn copies(count: usize) -> String {
    let copies = text("FROM node:20\nWORKDIR /app\nCOPY . .\n", count, |at| {
        format!("COPY app.js src/{at}.js\n")
    });
    copies + "RUN npm ci\nCMD [\"node\", \"app.js\"]\n"
}
