//! Dockerfiles by the thousand: valid ones in every style that people write, and bytes that are none.
//!
//! A generated Dockerfile knows its text up to white space: [`BREAK`] stands where a line may continue, so that one and
//! the same file can be written in several ways.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

/// Where a line may be continued, for a blank.
const BREAK: char = '\u{1}';

/// A Dockerfile before it is decided how it is written.
#[derive(Debug, Clone)]
pub(crate) struct Draft {
    head: String,
    body: Vec<String>,
    style: Style,
}

/// How a file is written.
#[derive(Debug, Clone)]
struct Style {
    crlf: bool,
    bom: bool,
    last_newline: bool,
    backtick: bool,
    latin1: bool,
    indent: &'static str,
    /// How each break is written, in turn; around and around.
    breaks: Vec<Break>,
}

#[derive(Debug, Clone, Copy)]
enum Break {
    Blank,
    Continue,
    ContinueAfterBlanks,
    Comment,
    EmptyLine,
}

impl Draft {
    /// The file as its style has it.
    pub(crate) fn text(&self) -> Vec<u8> {
        self.written(&self.style.breaks)
    }

    /// The same instructions, each on as few lines as it can have.
    pub(crate) fn on_single_lines(&self) -> Vec<u8> {
        self.written(&[Break::Blank])
    }

    /// Whether a comment of the shell may go on over lines.
    pub(crate) fn breaks_a_shell_comment(&self) -> bool {
        let mut body = self.body.iter();
        body.any(|text| text.contains("# not a comment\u{1}"))
    }

    fn written(&self, breaks: &[Break]) -> Vec<u8> {
        let style = &self.style;
        let escape = if style.backtick { "`" } else { "\\" };
        let mut breaks = breaks.iter().cycle();
        let mut text = self.head.clone();
        if style.backtick {
            text.push_str("# escape=`\n");
        }
        for char in self.body.concat().chars() {
            match (char, breaks.clone().next()) {
                (BREAK, Some(next)) => {
                    breaks.next();
                    text.push_str(&next.written(escape, style.indent));
                }
                _ => text.push(char),
            }
        }
        if !style.last_newline {
            text.truncate(text.trim_end().len());
        }
        self.encoded(&text)
    }

    fn encoded(&self, text: &str) -> Vec<u8> {
        let ending = if self.style.crlf { "\r\n" } else { "\n" };
        let bom = if self.style.bom { "\u{feff}" } else { "" };
        let text = bom.to_owned() + &text.replace('\n', ending);
        if !self.style.latin1 {
            return text.into_bytes();
        }
        let e_acute = "é".as_bytes();
        let mut bytes = text.into_bytes();
        while let Some(at) = bytes.windows(2).position(|pair| pair == e_acute) {
            bytes.splice(at..at + 2, [0xe9]);
        }
        bytes
    }
}

impl Break {
    fn written(self, escape: &str, indent: &str) -> String {
        match self {
            Self::Blank => " ".to_owned(),
            Self::Continue => format!(" {escape}\n{indent}"),
            Self::ContinueAfterBlanks => format!(" {escape}  \n{indent}"),
            Self::Comment => format!(" {escape}\n{indent}# why é\n{indent}"),
            Self::EmptyLine => format!(" {escape}\n\n{indent}"),
        }
    }
}

/// Dockerfiles that BuildKit accepts.
pub(crate) fn drafts() -> impl Strategy<Value = Draft> {
    let body = vec(stage(), 1..3).prop_map(|stages| stages.concat());
    (head(), body, style()).prop_map(|(head, body, style)| Draft { head, body, style })
}

/// Bytes that look a little like a Dockerfile, and any bytes at all.
pub(crate) fn junk() -> impl Strategy<Value = Vec<u8>> {
    let pieces = select(vec![
        "FROM a",
        "RUN ",
        "COPY ",
        "ADD ",
        "ENV ",
        "ONBUILD ",
        "HEALTHCHECK CMD ",
        "SHELL ",
        "\\",
        "`",
        "\n",
        "\r\n",
        "# escape=`",
        "#",
        "<<EOF",
        "<<-'E'",
        "EOF",
        "E",
        "[",
        "]",
        "\"",
        "'",
        "$(",
        ")",
        "${",
        "}",
        "&&",
        "||",
        ";",
        "apt-get install -y curl",
        "apt-get update",
        "if",
        "then",
        "fi",
        "--mount=",
        "=",
        " ",
        "\t",
        "\u{feff}",
        "\0",
        "é",
        "(",
        "{ ",
        "case x in",
        "esac",
        "\u{1b}[2J",
        "pip install",
        ",",
    ]);
    let looks_like = vec(pieces, 0..40).prop_map(|pieces| pieces.concat().into_bytes());
    prop_oneof![3 => looks_like, 1 => vec(any::<u8>(), 0..300)]
}

fn style() -> impl Strategy<Value = Style> {
    let breaks = prop_oneof![
        3 => Just(Break::Blank),
        4 => Just(Break::Continue),
        1 => Just(Break::ContinueAfterBlanks),
        1 => Just(Break::Comment),
        1 => Just(Break::EmptyLine),
    ];
    let rare = || proptest::bool::weighted(0.1);
    let indent = select(vec!["    ", "  ", "\t", ""]);
    let flags = (
        rare(),
        rare(),
        proptest::bool::weighted(0.9),
        rare(),
        rare(),
    );
    (flags, indent, vec(breaks, 1..12)).prop_map(|(flags, indent, breaks)| {
        let (crlf, bom, last_newline, backtick, latin1) = flags;
        Style {
            crlf,
            bom,
            last_newline,
            backtick,
            latin1,
            indent,
            breaks,
        }
    })
}

fn head() -> impl Strategy<Value = String> {
    let heads = [
        "",
        "# syntax=docker/dockerfile:1\n",
        "#syntax = docker/dockerfile:1.7\n",
    ];
    select(heads.to_vec()).prop_map(str::to_owned)
}

/// FROM and the instructions after it.
fn stage() -> impl Strategy<Value = Vec<String>> {
    let from = select(vec![
        "FROM debian:12\n",
        "FROM alpine:3.20\n",
        "FROM python:3.12-slim\n",
        "from ubuntu\n",
        "FROM --platform=$BUILDPLATFORM node:22 AS build\n",
        "ARG V=12\nFROM debian:$V\n",
        "FROM\u{1}scratch AS none\n",
    ]);
    (from, vec(instruction(), 0..8)).prop_map(|(from, rest)| {
        // ARG may stand before the first FROM only as its own: the draft puts it there in every stage.
        let mut all = vec![from.to_owned()];
        all.extend(rest);
        all
    })
}

fn instruction() -> impl Strategy<Value = String> {
    let step = command().prop_map(|command| format!("RUN {command}\n"));
    let run = list().prop_map(|list| format!("RUN {list}\n"));
    let flagged = (flags(), list()).prop_map(|(flag, list)| format!("RUN {flag}{BREAK}{list}\n"));
    let lower = list().prop_map(|list| format!("  run\t{list}\n"));
    let triggered = list().prop_map(|list| format!("ONBUILD RUN {list}\n"));
    prop_oneof![
        5 => step,
        8 => run,
        1 => flagged,
        1 => lower,
        1 => triggered,
        1 => heredoc(),
        6 => other().prop_map(str::to_owned),
    ]
}

fn flags() -> impl Strategy<Value = &'static str> {
    select(vec![
        "--mount=type=cache,target=/var/cache/apt",
        "--network=none",
        "--mount=type=cache,target=/root/.cache/pip",
        "--mount=type=secret,id=a --mount=type=bind,target=/src",
    ])
}

/// RUN, COPY and ADD with here-documents. Their lines are never continued.
fn heredoc() -> impl Strategy<Value = String> {
    let lines = select(vec![
        "apt-get update",
        "apt-get install -y curl",
        "# TODO é",
        "  echo \\",
        "set -eux",
        "pip install flask",
        "",
        "if true; then",
        "fi",
        "ENV A b",
    ]);
    let openers = select(vec![
        ("RUN <<EOF", "EOF"),
        ("RUN <<-EOF", "\tEOF"),
        ("RUN cat <<'EOF' > /x", "EOF"),
        ("COPY <<EOF /x", "EOF"),
        ("RUN <<\"EOF\" bash", "EOF"),
        ("RUN apt-get update && apt-get install -y curl <<EOF", "EOF"),
        ("ONBUILD RUN <<EOF", "EOF"),
        ("ADD <<EOF /y", "EOF"),
    ]);
    (openers, vec(lines, 0..5)).prop_map(|((opener, end), lines)| {
        let body: String = lines.iter().map(|line| format!("{line}\n")).collect();
        format!("{opener}\n{body}{end}\n")
    })
}

/// A shell list, with commands in compound commands now and then.
fn list() -> impl Strategy<Value = String> {
    let simple = command().prop_map(str::to_owned);
    simple.prop_recursive(3, 12, 4, |inner| {
        let operator = select(vec![
            "\u{1}&& ",
            " &&\u{1}",
            "\u{1}&& ",
            " &&\u{1}",
            " ; ",
            ";\u{1}",
            " || ",
            "\u{1}| ",
            "\u{1}\t&& ",
        ]);
        let joined =
            (inner.clone(), vec((operator, inner.clone()), 1..4)).prop_map(|(first, rest)| {
                let rest = rest
                    .into_iter()
                    .map(|(operator, next)| operator.to_owned() + &next);
                first + &rest.collect::<String>()
            });
        let wrapper = select(vec![
            ("if test -f x; then\u{1}", "; fi"),
            ("for p in a b; do\u{1}", ";\u{1}done"),
            ("( ", " )"),
            ("{ ", "; }"),
            ("while ! true; do ", "; done"),
            ("case $A in a)\u{1}", " ;; esac"),
            ("! ", ""),
            ("f() { ", "; }"),
        ]);
        let wrapped =
            (wrapper, inner).prop_map(|((open, close), inner)| format!("{open}{inner}{close}"));
        prop_oneof![4 => joined, 1 => wrapped]
    })
}

fn command() -> impl Strategy<Value = &'static str> {
    let apt = select(vec![
        "apt-get update",
        "apt-get update -qq",
        "apt-get -y update > /dev/null",
        "apt update",
        "apt-get install -y curl",
        "apt-get\u{1}install -y\u{1}curl\u{1}git",
        "apt-get -y install wget",
        "apt-get install -y\u{1}--no-install-recommends\u{1}make",
        "apt-get install curl -qy",
        "apt install -y vim",
        "DEBIAN_FRONTEND=noninteractive apt-get install -y tzdata",
        "apt-get install -y $PACKAGES",
        "apt-get install -y gcc=4:12.2.0-3 'g++'",
        "sudo apt-get install -y curl",
        "apt-get clean",
        "rm -rf /var/lib/apt/lists/*",
        "rm -fr /var/lib/apt/lists",
        "apt-get purge -y gcc",
        "apt-get upgrade -y",
        "apt-get update; apt-get install -y curl",
        "aptitude install -y x",
        "echo apt-get install -y curl",
    ]);
    let apk = select(vec![
        "apk update",
        "apk add curl",
        "apk add --no-cache git",
        "apk --no-cache add\u{1}make",
        "apk -U add gcc",
        "apk add --update nodejs",
        "apk add --virtual .build gcc\u{1}musl-dev",
        "apk del .build",
        "rm -rf /var/cache/apk/*",
        "apk upgrade",
    ]);
    let pip = select(vec![
        "pip install flask",
        "pip3 install -r requirements.txt",
        "pip install --no-cache-dir\u{1}gunicorn",
        "python -m pip install --upgrade pip",
        "python3 -m pip install 'a>=1'",
        "PIP_NO_CACHE_DIR=1 pip install b",
        "pip --no-cache-dir install c",
        "pip install -e .",
        "pip uninstall -y x",
        "pip install flask > /dev/null 2>&1",
    ]);
    let other = select(vec![
        "make",
        "cd /src",
        "echo \"a && b\"",
        "echo 'it is; done'",
        "export A=b",
        "set -ex",
        "true",
        "exit 0",
        "curl -fsSL https://example.com/x",
        "tar xzf x.tar.gz",
        "rm -rf /tmp/x",
        "echo # not a comment",
        "A=b",
        "echo $(apt-get install -y inner)",
        "sh -c 'apt-get install -y inner'",
        "eval \"$X\"",
        "sleep 1 &",
        "echo é > /é",
        "echo \\\"",
        "[ -f /x ]",
        "npm ci",
        "echo \"`uname`\"",
        "useradd --home=/x app",
        ":",
    ]);
    prop_oneof![4 => apt, 2 => apk, 2 => pip, 3 => other]
}

/// Everything but shell text.
fn other() -> impl Strategy<Value = &'static str> {
    let copies = select(vec![
        "COPY . .\n",
        "COPY a\u{1}b\u{1}/c/\n",
        "ADD a /b\n",
        "ADD --chown=1:2 a /b\n",
        "ADD https://example.com/x /x\n",
        "ADD a.tar.gz /b\n",
        "ADD [\"a b\",\u{1}\"/c\"]\n",
        "COPY --from=0 /a /b\n",
        "ADD $A /b\n",
        "ADD * /b\n",
        "ONBUILD ADD a /b\n",
        "ADD --keep-git-dir=true https://example.com/x.git /x\n",
        "add a\tb\n",
    ]);
    let settings = select(vec![
        "ENV A b\n",
        "ENV A=b\u{1}C=\"d e\"\n",
        "ENV A\u{1}b c\n",
        "ENV A 'b  c' \"d\"\n",
        "ENV PATH /x:$PATH\n",
        "ENV A b=c\n",
        "ENV A \\$x\n",
        "LABEL a b c\n",
        "LABEL a=b\n",
        "ENV A é\n",
        "ENV A # b\n",
        "env a  b\n",
        "ARG A\n",
        "ARG A=b\n",
        "WORKDIR /a b\n",
        "USER app\n",
        "EXPOSE 80 443/tcp\n",
        "VOLUME [\"/a\"]\n",
        "STOPSIGNAL SIGTERM\n",
        "MAINTAINER é <e@example.com>\n",
    ]);
    let commands = select(vec![
        "CMD [\"a\", \"b\"]\n",
        "CMD apt-get update && a\n",
        "ENTRYPOINT a $B\n",
        "HEALTHCHECK NONE\n",
        "HEALTHCHECK --interval=5m\u{1}CMD curl -f http://localhost || exit 1\n",
        "SHELL [\"/bin/bash\", \"-c\"]\n",
        "SHELL [\"powershell\", \"-Command\"]\n",
        "RUN [\"apt-get\", \"update\"]\n",
        "RUN\n",
    ]);
    let between = select(vec![
        "\n",
        "# é\n",
        "  # apt-get install -y x\n",
        "#\n",
        "\n\n",
        "# dockeropt\n",
        "\t\n",
    ]);
    prop_oneof![2 => copies, 2 => settings, 1 => commands, 3 => between]
}
