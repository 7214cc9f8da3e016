//! `verify` on pairs of Dockerfiles that are known to do the same or not, and on fixes of rules good and bad: its verdict
//! is right on each, and it leaves nothing behind.

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rayon::prelude::*;
use serde_json::Value;

use super::{docker, engine};
use crate::cli::sandbox::{Ran, Sandbox};

/// A Dockerfile, another one, and what `verify` must find.
pub(super) struct Pair {
    pub(super) name: &'static str,
    before: &'static str,
    after: &'static str,
    args: &'static [&'static str],
    /// 0: they do the same. 1: they do not. 2: one does not build.
    status: i32,
    /// What the report must say, on a line of its own but for blanks.
    says: &'static [&'static str],
}

const VERIFIED: &str = "verified: nothing differs";

/// The files of the context.
const FILES: &[(&str, &str)] = &[
    ("app.sh", "#!/bin/bash\necho hello\n"),
    ("data.txt", "data\n"),
    ("web/index.html", "welcome\n"),
];

pub(super) const PAIRS: &[Pair] = &[
    Pair {
        name: "joined steps",
        before: "FROM debian:bookworm-slim\nRUN echo a > /a\nRUN echo b > /b\n",
        after: "FROM debian:bookworm-slim\nRUN echo a > /a && echo b > /b\n",
        args: &[],
        status: 0,
        says: &["configuration: the same", "files: the same", VERIFIED],
    },
    Pair {
        name: "another spelling, another order",
        before: "FROM debian:bookworm-slim\nENV A b c\nADD data.txt /data/\nRUN echo a > /a\nCMD [\"/bin/true\"]\n",
        after: "FROM debian:bookworm-slim\nRUN echo a > /a\nCOPY data.txt /data/\nCMD [\"/bin/true\"]\nENV A=\"b c\"\n",
        args: &[],
        status: 0,
        says: &["configuration: the same", "files: the same", VERIFIED],
    },
    Pair {
        name: "a stage of its own for what is built",
        before: "FROM debian:bookworm-slim\nRUN mkdir /out && echo built > /out/file && chmod 750 /out/file\n",
        after: "FROM debian:bookworm-slim AS build\nRUN mkdir /out && echo built > /out/file && chmod 750 /out/file\n\
                FROM debian:bookworm-slim\nCOPY --from=build /out /out\n",
        args: &[],
        status: 0,
        says: &["files: the same", VERIFIED],
    },
    Pair {
        name: "what differs between any two builds",
        before: "FROM debian:bookworm-slim\nRUN date +%s%N > /stamp && date > /var/log/dpkg.log\nRUN true\n",
        after: "FROM debian:bookworm-slim\nRUN true\nRUN date +%s%N > /stamp && date > /var/log/dpkg.log\n",
        args: &[],
        status: 0,
        says: &["files: 2 differences as between any two builds", VERIFIED],
    },
    Pair {
        name: "the same answer",
        before: "FROM debian:bookworm-slim\nCOPY app.sh /\nRUN chmod 755 /app.sh\n",
        after: "FROM debian:bookworm-slim\nCOPY --chmod=755 app.sh /\n",
        args: &["--smoke", "/app.sh"],
        status: 0,
        says: &["answer: the same, with status 0", VERIFIED],
    },
    Pair {
        name: "a file is lost",
        before: "FROM debian:bookworm-slim\nCOPY app.sh data.txt /app/\n",
        after: "FROM debian:bookworm-slim\nCOPY app.sh /app/\n",
        args: &[],
        status: 1,
        says: &[
            "`/app/data.txt` is gone",
            "configuration: the same",
            "not verified: 1 difference",
        ],
    },
    Pair {
        name: "a file is new, another is not what it was",
        before: "FROM debian:bookworm-slim\nRUN echo a > /a\n",
        after: "FROM debian:bookworm-slim\nRUN echo b > /a && echo b > /b\n",
        args: &[],
        status: 1,
        says: &["`/a` has another content", "`/b` is new"],
    },
    Pair {
        name: "a mode, an owner, a link",
        before: "FROM debian:bookworm-slim\nCOPY --chmod=755 app.sh /\nCOPY --chown=1:1 data.txt /\nRUN ln -s /a /link\n",
        after: "FROM debian:bookworm-slim\nCOPY --chmod=644 app.sh /\nCOPY data.txt /\nRUN ln -s /b /link\n",
        args: &[],
        status: 1,
        says: &[
            "`/app.sh` has another mode or owner",
            "`/data.txt` has another mode or owner",
            "`/link` has another content",
            "not verified: 3 differences",
        ],
    },
    Pair {
        name: "a file where a directory was",
        before: "FROM debian:bookworm-slim\nRUN mkdir /a && touch /a/b\n",
        after: "FROM debian:bookworm-slim\nRUN touch /a\n",
        args: &[],
        status: 1,
        says: &["`/a` is something else", "`/a/b` is gone"],
    },
    Pair {
        name: "another command",
        before: "FROM debian:bookworm-slim\nCMD [\"/bin/true\"]\n",
        after: "FROM debian:bookworm-slim\nCMD /bin/true\n",
        args: &[],
        status: 1,
        says: &[
            r#"the configuration's `cmd` is ["/bin/true"], then ["/bin/sh","-c","/bin/true"]"#,
            "files: the same",
        ],
    },
    Pair {
        name: "another user and another environment",
        before: "FROM debian:bookworm-slim\nENV A=1\nUSER nobody\n",
        after: "FROM debian:bookworm-slim\nENV A=2\n",
        args: &[],
        status: 1,
        says: &[
            r#"the configuration's `user` is "nobody", then """#,
            "not verified: 2 differences",
        ],
    },
    Pair {
        name: "every other key of the configuration",
        before: "FROM debian:bookworm-slim\nWORKDIR /tmp\nEXPOSE 80\nVOLUME /v\nLABEL a=b\nSTOPSIGNAL SIGINT\n\
                 SHELL [\"/bin/bash\", \"-c\"]\nONBUILD RUN true\nHEALTHCHECK CMD true\nENTRYPOINT [\"/bin/true\"]\n",
        after: "FROM debian:bookworm-slim\nRUN true\n",
        args: &[],
        status: 1,
        says: &["files: the same", "not verified: 10 differences"],
    },
    Pair {
        name: "it no longer starts",
        before: "FROM debian:bookworm-slim\nCOPY --chmod=755 app.sh /\nENTRYPOINT [\"/app.sh\"]\n",
        after: "FROM debian:bookworm-slim\nCOPY --chmod=755 app.sh /\nENTRYPOINT [\"/app.sh\"]\nRUN sed -i s/bash/zsh/ /app.sh\n",
        args: &["--smoke", "/app.sh"],
        status: 1,
        says: &[
            "`/app.sh` has another content",
            "not verified: 2 differences",
        ],
    },
    Pair {
        name: "a library is missing",
        before: "FROM debian:bookworm-slim\nRUN true\n",
        after: "FROM debian:bookworm-slim\nRUN rm /lib/x86_64-linux-gnu/libtinfo.so.6\n",
        args: &["--smoke", "bash -c 'echo hello'"],
        status: 1,
        says: &[
            "`/usr/lib/x86_64-linux-gnu/libtinfo.so.6` is gone",
            "it answers with status 0, then with 127",
        ],
    },
    Pair {
        name: "the other one does not build",
        before: "FROM debian:bookworm-slim\nRUN true\n",
        after: "FROM debian:bookworm-slim\nRUN echo oh dear && false\n",
        args: &[],
        status: 2,
        says: &["not verified: the rewritten file does not build"],
    },
    Pair {
        name: "neither builds",
        before: "FROM debian:bookworm-slim\nRUN echo oh dear && false\n",
        after: "FROM debian:bookworm-slim\n",
        args: &[],
        status: 2,
        says: &["Dockerfile: does not build as it is, so that nothing can be said"],
    },
    Pair {
        name: "the same page",
        before: "FROM python:3.11-slim\nADD web /web\nCMD [\"python\", \"-m\", \"http.server\", \"-d\", \"/web\"]\n",
        after: "FROM python:3.11-slim\nCOPY web /web\nCMD [\"python\", \"-m\", \"http.server\", \"-d\", \"/web\"]\n",
        args: &["--http", "8000/index.html"],
        status: 0,
        says: &["answer: the same, with status 200", VERIFIED],
    },
    Pair {
        name: "a page is gone",
        before: "FROM python:3.11-slim\nCOPY web /web\nCMD [\"python\", \"-m\", \"http.server\", \"-d\", \"/web\"]\n",
        after: "FROM python:3.11-slim\nCOPY web/index.html /web/home.html\nCMD [\"python\", \"-m\", \"http.server\", \"-d\", \"/web\"]\n",
        args: &["--http", "8000/index.html"],
        status: 1,
        says: &[
            "`/web/index.html` is gone",
            "it answers with status 200, then with 404",
        ],
    },
];

#[test]
fn verdicts_are_right() {
    if engine().is_none() {
        return;
    }
    let wrong = PAIRS
        .par_iter()
        .filter_map(|pair| wrong(pair, "docker", &[]));
    let wrong: Vec<String> = wrong.collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What is wrong with the verdict on a pair, if anything.
pub(super) fn wrong(pair: &Pair, engine: &str, settings: &[(&str, String)]) -> Option<String> {
    let sandbox = Sandbox::with(FILES);
    sandbox.write("Dockerfile", pair.before);
    sandbox.write("other", pair.after);
    let mut command = sandbox.command();
    command.args(["verify", "Dockerfile", "--against=other"]);
    command.args(pair.args);
    for (name, value) in settings {
        command.env(name, value);
    }
    command.arg(format!("--engine={engine}"));
    if !settings.is_empty() {
        // It speaks of docker's store of images.
        command.env_remove("DOCKER_CONFIG");
    }
    let ran = Ran::new(command.output().unwrap());
    let said = |line: &str| ran.out.lines().any(|one| one.trim() == line);
    let missing: Vec<_> = pair.says.iter().filter(|line| !said(line)).collect();
    let is_right = ran.status == pair.status && missing.is_empty();
    (!is_right).then(|| format!("{}: {missing:?} not in\n{}{}", pair.name, ran.out, ran.err))
}

/// A team's rule that promises more than it can keep: the base image brings what the file needs.
const SMALLER_BASE: &str = r#"
summary = "Build on a smaller image"
phase = "stages"
applicability = "unsafe"
effects = ["base"]
why = "It is smaller."

[match]
instruction = "FROM"
base = "docker.io/library/python:3.11-slim"

[rewrite]
base = "docker.io/library/debian:bookworm-slim"

[[example]]
before = "FROM python:3.11-slim\n"
after = "FROM docker.io/library/debian:bookworm-slim\n"
"#;

/// A file that the rule above breaks, and others mend.
const APPLICATION: &str = "\
FROM python:3.11-slim
ENV A b
ADD data.txt /data/
RUN python3 -c 'print(1)' > /one
";

fn with_rule(dockerfile: &str) -> Sandbox {
    let sandbox = Sandbox::with(FILES);
    sandbox.write("Dockerfile", dockerfile);
    sandbox.write("team/smaller-base.toml", SMALLER_BASE);
    sandbox.write("dockeropt.toml", "extend = ['team']\n");
    sandbox
}

#[test]
fn fixes_are_verified() {
    if engine().is_none() {
        return;
    }
    let sandbox = Sandbox::with(FILES);
    sandbox.write(
        "Dockerfile",
        "FROM debian:bookworm-slim\nENV A b\nADD data.txt /\n",
    );
    let run = start(&sandbox, &["verify", "--touch=data.txt", "--format=json"]);
    let process = run.id();
    let ran = Ran::new(run.wait_with_output().unwrap()).ended(0);
    assert_eq!(left_by(process), [""; 0]);
    let json: Value = serde_json::from_str(&ran.out).unwrap();
    let file = &json["files"][0];
    assert_eq!(file["result"], "verified", "{json:#}");
    assert_eq!(
        file["rules"],
        serde_json::json!(["copy-not-add", "env-key-value"])
    );
    assert_eq!(file["rebuilds"][0]["file"], "data.txt");
    assert_eq!(file["rebuilds"][0]["before"]["ran"], 1);
    assert_eq!(file["rebuilds"][0]["after"]["ran"], 1);
    assert_eq!(
        sandbox.text("Dockerfile"),
        "FROM debian:bookworm-slim\nENV A b\nADD data.txt /\n"
    );
}

#[test]
fn the_rule_that_breaks_an_image_is_named_and_left_out() {
    if engine().is_none() {
        return;
    }
    let sandbox = with_rule(APPLICATION);
    let ran = sandbox.run(&["verify", "--unsafe"]).ended(2);
    let verdict = "not verified: the rewritten file does not build; it begins with `smaller-base`";
    assert!(ran.out.contains(verdict), "{ran:#?}");
    // What builds differs, in what the base image sets.
    sandbox.write(
        "Dockerfile",
        "FROM python:3.11-slim\nENV A b\nADD data.txt /data/\n",
    );
    let ran = sandbox
        .run(&["verify", "--unsafe", "--format=markdown"])
        .ended(1);
    assert!(ran.out.contains("begins with `smaller-base`"), "{ran:#?}");
    assert!(
        ran.out.contains("- the configuration's `env` is"),
        "{ran:#?}"
    );

    sandbox.write("Dockerfile", APPLICATION);
    let ran = sandbox
        .run(&["fix", "--verify", "--write", "--unsafe"])
        .ended(0);
    let left_out =
        "warning: Dockerfile: `smaller-base` is left out: the file does not build with it:";
    assert!(ran.err.contains(left_out), "{ran:#?}");
    let expected = "\
FROM python:3.11-slim
ENV A=b
COPY data.txt /data/
RUN python3 -c 'print(1)' > /one
";
    assert_eq!(sandbox.text("Dockerfile"), expected);

    sandbox.write("Dockerfile", APPLICATION);
    let args = ["fix", "--verify", "--write", "--unsafe", "--format=json"];
    let ran = sandbox.run(&args).ended(0);
    let json: Value = serde_json::from_str(&ran.out).unwrap();
    let file = &json["files"][0];
    assert_eq!(file["result"], "verified", "{json:#}");
    assert_eq!(
        file["rules"],
        serde_json::json!(["copy-not-add", "env-key-value"])
    );
    assert_eq!(file["left_out"][0]["rule"], "smaller-base");
    let reason = file["left_out"][0]["reason"].as_str().unwrap();
    assert!(reason.starts_with("the file does not build with it:"));
    assert_eq!(sandbox.text("Dockerfile"), expected);
}

#[test]
fn a_file_that_does_not_build_is_left_as_it_is() {
    if engine().is_none() {
        return;
    }
    let text = "FROM debian:bookworm-slim\nENV A b\nRUN false\n";
    let sandbox = Sandbox::with(&[("Dockerfile", text)]);
    let ran = sandbox.run(&["fix", "--verify", "--write"]).ended(2);
    assert!(ran.err.contains("does not build as it is"), "{ran:#?}");
    assert_eq!(sandbox.text("Dockerfile"), text);
}

#[test]
fn layers_of_a_dockerfile_are_those_of_its_image() {
    if engine().is_none() {
        return;
    }
    let sandbox = Sandbox::with(FILES);
    sandbox.write("Dockerfile", "FROM debian:bookworm-slim\nCOPY data.txt /\n");
    let run = start(&sandbox, &["layers", "Dockerfile", "--format=json"]);
    let process = run.id();
    let ran = Ran::new(run.wait_with_output().unwrap()).ended(0);
    let json: Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(json["image"], "Dockerfile");
    let layers = json["layers"].as_array().unwrap();
    assert_eq!(layers[1]["size"], 5, "{json:#}");
    let steps = json["steps"].as_array().unwrap();
    let copy = steps.last().unwrap();
    assert_eq!(copy["lines"]["first"], 2, "{copy:#}");
    assert_eq!(left_by(process), [""; 0]);
}

/// Two stages have the same step, and a build argument says which of them ships; steps that change nothing make equal
/// layers; a heredoc makes one layer of several lines, and a setting makes none.
#[test]
fn provenance_says_which_lines_made_a_layer() {
    if engine().is_none() {
        return;
    }
    let sandbox = Sandbox::with(FILES);
    let text = "\
ARG BASE=one
FROM debian:bookworm-slim AS one
RUN echo same > /same
FROM debian:bookworm-slim AS two
ENV B=two
RUN echo same > /same
RUN true
RUN true
FROM ${BASE}
COPY --link data.txt /
RUN <<EOF
echo a > /a
EOF
RUN true
CMD [\"true\"]
";
    sandbox.write("Dockerfile", text);
    let lines = |args: &[&str]| {
        let args = [&["layers", "Dockerfile", "--format=json"], args].concat();
        let ran = sandbox.run(&args).ended(0);
        assert!(!ran.err.contains("warning"), "{ran:#?}");
        let json: Value = serde_json::from_str(&ran.out).unwrap();
        let steps = json["steps"].as_array().unwrap().clone();
        let made = steps.into_iter().filter(|step| !step["layer"].is_null());
        made.map(|step| {
            (
                step["lines"]["first"].as_u64(),
                step["lines"]["last"].as_u64(),
            )
        })
        .collect::<Vec<_>>()
    };
    let place = |first, last| (Some(first), Some(last));
    let shipped = [place(10, 10), place(11, 13), place(14, 14)];
    let one = [&[(None, None), place(3, 3)][..], &shipped].concat();
    assert_eq!(lines(&[]), one);
    let two = [
        &[(None, None), place(6, 6), place(7, 7), place(8, 8)][..],
        &shipped,
    ]
    .concat();
    assert_eq!(lines(&["--build-arg=BASE=two"]), two);
}

#[test]
fn budgets_count() {
    if engine().is_none() {
        return;
    }
    let sandbox = Sandbox::with(&[
        ("Dockerfile", "FROM debian:bookworm-slim\nENV A b\n"),
        ("dockeropt.toml", "[budget]\n'Dockerfile' = '1MB'\n"),
    ]);
    let ran = sandbox.run(&["verify"]).ended(1);
    assert!(
        ran.out.contains("dockeropt.toml:2: the image has "),
        "{ran:#?}"
    );
    assert!(
        ran.out.contains("not verified: over the budget"),
        "{ran:#?}"
    );
}

/// An interrupt stops the build, and what was made goes.
#[test]
fn an_interrupt_leaves_nothing() {
    if engine().is_none() {
        return;
    }
    let sandbox = Sandbox::with(&[(
        "Dockerfile",
        "FROM debian:bookworm-slim\nENV A b\nRUN echo started && sleep 300\n",
    )]);
    let run = start(&sandbox, &["verify"]);
    let process = run.id();
    std::thread::sleep(Duration::from_secs(5));
    let start = Instant::now();
    let mut kill = Command::new("kill");
    let killed = kill.args(["-INT", &process.to_string()]).status();
    assert!(killed.unwrap().success());
    let ran = Ran::new(run.wait_with_output().unwrap()).ended(2);
    assert!(start.elapsed().as_secs() < 30, "{ran:#?}");
    assert!(ran.err.contains("interrupted"), "{ran:#?}");
    assert_eq!(left_by(process), [""; 0]);
}

/// A run in the background.
fn start(sandbox: &Sandbox, args: &[&str]) -> Child {
    let mut command = sandbox.command();
    let command = command.args(args).stdin(Stdio::null());
    let command = command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command.spawn().unwrap()
}

/// The images and containers that are there with a name that the process made up.
fn left_by(process: u32) -> Vec<String> {
    let prefix = format!("dockeropt-{process}-");
    let lists: [&[&str]; 2] = [
        &["image", "ls", "--format", "{{.Repository}}"],
        &["ps", "--all", "--format", "{{.Names}}"],
    ];
    let mut left = Vec::new();
    for args in lists {
        let output = docker(args);
        assert!(output.status.success());
        let text = String::from_utf8(output.stdout).unwrap();
        let own = text.lines().filter(|name| name.starts_with(&prefix));
        left.extend(own.map(str::to_owned));
    }
    left
}
