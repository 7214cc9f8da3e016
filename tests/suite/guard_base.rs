//! A stage on the small image of its tag: nothing else of the stage changes, and no step needs the full image.

use crate::guard::{passes, stops};

const SMALL: &str = "small-base";

#[test]
fn a_base_becomes_the_small_one_of_the_same_tag() {
    for (full, small) in [
        ("node:20", "node:20-slim"),
        ("node", "node:slim"),
        ("node:latest", "node:slim"),
        ("python:3.11-bookworm", "python:3.11-slim-bookworm"),
        (
            "mirror.example:5000/library/node:20",
            "mirror.example:5000/library/node:20-slim",
        ),
        ("openjdk:8", "openjdk:8-jre"),
        ("openjdk:8-jdk-alpine", "openjdk:8-jre-alpine"),
        (
            "eclipse-temurin:17-jdk-jammy",
            "eclipse-temurin:17-jre-jammy",
        ),
    ] {
        let file = |base: &str| format!("FROM {base}\nRUN mkdir /a\nCMD [\"node\", \"a.js\"]\n");
        passes(SMALL, &file(full), &file(small));
    }
}

#[test]
fn another_image_is_no_small_one() {
    for (old, new) in [
        ("node:20", "node:22-slim"),
        ("node:20", "node:20-alpine"),
        ("node:20-bookworm", "node:20-slim"),
        ("node:20-slim", "node:20"),
        ("node:20", "other/node:20-slim"),
        ("python:3.11", "node:3.11-slim"),
        ("openjdk:8", "eclipse-temurin:8-jre"),
        ("openjdk:8-jdk-slim", "openjdk:8-jre"),
        ("mirror.example:5000/node", "mirror.example:5001/node:slim"),
    ] {
        let file = |base: &str| format!("FROM {base}\nRUN mkdir /a\nCMD [\"node\", \"a.js\"]\n");
        stops(SMALL, &file(old), &file(new));
    }
}

#[test]
fn no_step_calls_what_the_small_image_does_not_have() {
    for run in [
        "git clone https://example.com/a",
        "mkdir a && curl -O https://example.com/a",
        "/usr/bin/make install",
        "echo $(git describe)",
        "apt-get install -y curl && git describe",
    ] {
        let file = |base: &str| format!("FROM {base}\nRUN {run}\n");
        stops(SMALL, &file("node:20"), &file("node:20-slim"));
    }
    for run in [
        "apt-get update && apt-get install -y --no-install-recommends ca-certificates \\\n  git && git clone https://example.com/a",
        "npm ci",
    ] {
        let file = |base: &str| format!("FROM {base}\nRUN {run}\n");
        passes(SMALL, &file("node:20"), &file("node:20-slim"));
    }
    let java = |base: &str| format!("FROM {base}\nRUN javac A.java\n");
    stops(SMALL, &java("openjdk:8"), &java("openjdk:8-jre"));
}

#[test]
fn nothing_else_of_the_stage_changes() {
    let before = "FROM node:20\nWORKDIR /a\nRUN mkdir b\nUSER node\n";
    for (from, to) in [
        ("WORKDIR /a\n", ""),
        ("mkdir b", "mkdir c"),
        ("USER node", "USER root"),
        ("FROM node", "FROM --platform=linux/arm64 node"),
    ] {
        let after = before.replace("node:20", "node:20-slim").replace(from, to);
        stops(SMALL, before, &after);
    }
    stops("none", before, &before.replace("node:20", "node:20-slim"));
}

#[test]
fn what_packages_of_python_were_compiled_with_is_there() {
    let file = |base: &str, build: &str, run: &str| {
        format!(
            "FROM python:3.11 AS base\nRUN {build}\n\nFROM base AS build\nRUN pip install --prefix=/i x\n\nFROM {base}\n\
             RUN {run}\nCOPY --from=build /i /usr/local\nCMD [\"python\", \"a.py\"]\n"
        )
    };
    let check = |build: &str, run: &str, is_right: bool| {
        let (full, small) = (
            file("python:3.11", build, run),
            file("python:3.11-slim", build, run),
        );
        match is_right {
            true => passes(SMALL, &full, &small),
            false => drop(stops(SMALL, &full, &small)),
        }
    };
    check("apt-get install -y gcc libffi-dev", "mkdir /a", true);
    check(
        "apt-get install -y gcc libpq-dev",
        "apt-get install -y libpq5",
        true,
    );
    check("apt-get install -y gcc libpq-dev", "mkdir /a", false);
    check(
        "apt-get install -y gcc libgdal-dev",
        "apt-get install -y libpq5",
        false,
    );
    check(
        "apt-get install -y default-libmysqlclient-dev",
        "mkdir /a",
        false,
    );
}

#[test]
fn what_starts_and_checks_is_there() {
    for tail in [
        "HEALTHCHECK CMD curl -f http://localhost/",
        "HEALTHCHECK CMD [\"wget\", \"-q\", \"http://localhost/\"]",
        "CMD [\"git\", \"daemon\"]",
        "ENTRYPOINT make serve",
    ] {
        let file = |base: &str| format!("FROM {base}\n{tail}\n");
        stops(SMALL, &file("node:20"), &file("node:20-slim"));
        let installed = |base: &str| {
            format!("FROM {base}\nRUN apt-get install -y curl git make wget\n{tail}\n")
        };
        passes(SMALL, &installed("node:20"), &installed("node:20-slim"));
    }
}
