//! The bases that options choose: each only where the program needs nothing that they do not have.

use super::SPLIT;
use crate::guard::{passes, stops};

/// A stage on `base` that is split, and ships on `small`.
fn check(base: &str, build: &str, tail: &str, small: &str, is_right: bool) {
    let before = format!("FROM {base}\nWORKDIR /a\nCOPY . .\nRUN {build}\n{tail}");
    let copied = match base.contains("rust") {
        true => "/a/p",
        false if base.contains("sdk") => "/a/out",
        false => "/a/target/p.jar",
    };
    let after = format!(
        "FROM {base} AS build\nWORKDIR /a\nCOPY . .\nRUN {build}\n\nFROM {small}\nWORKDIR /a\n\
         COPY --from=build {copied} {copied}\n{tail}"
    );
    match is_right {
        true => passes(SPLIT, &before, &after),
        false => drop(stops(SPLIT, &before, &after)),
    }
}

#[test]
fn a_program_of_rust_needs_a_c_library_unless_it_is_for_musl() {
    let musl = "cargo build --target x86_64-unknown-linux-musl && mv target/p /a/p";
    let start = "CMD [\"/a/p\"]\n";
    for small in ["scratch", "gcr.io/distroless/static-debian12"] {
        check("rust:1", musl, start, small, true);
        check(
            "rust:1",
            "cargo build && mv target/p /a/p",
            start,
            small,
            false,
        );
        let told = format!("RUSTFLAGS=-Ctarget-feature=-crt-static {musl}");
        check("rust:1", &told, start, small, false);
        check("rust:1", musl, "CMD /a/p\n", small, false);
        let gnu = musl.replace("-musl", "-gnu");
        check("rust:1", &gnu, start, small, false);
    }
    check(
        "rust:1",
        musl,
        "USER app\nCMD [\"/a/p\"]\n",
        "scratch",
        false,
    );
    check(
        "rust:1",
        musl,
        "USER 1000\nCMD [\"/a/p\"]\n",
        "scratch",
        true,
    );
}

#[test]
fn java_goes_to_alpine_by_itself() {
    let base = "maven:3.9-eclipse-temurin-17";
    let start = "CMD [\"java\", \"-jar\", \"/a/target/p.jar\"]\n";
    let run = format!("RUN ls\n{start}");
    check(
        base,
        "mvn package",
        start,
        "eclipse-temurin:17-jre-alpine",
        true,
    );
    check(
        base,
        "mvn package",
        &run,
        "eclipse-temurin:17-jre-alpine",
        false,
    );
    check(
        base,
        "mvn package",
        start,
        "eclipse-temurin:21-jre-alpine",
        false,
    );
    check(
        "maven:3-jdk-8",
        "mvn package",
        start,
        "openjdk:8-jre-alpine",
        false,
    );
}

#[test]
fn dotnet_goes_to_alpine_where_it_is_portable() {
    let sdk = "mcr.microsoft.com/dotnet/sdk:8.0";
    let aspnet = "mcr.microsoft.com/dotnet/aspnet:8.0-alpine";
    let start = "CMD [\"dotnet\", \"/a/out/p.dll\"]\n";
    check(sdk, "dotnet publish -o out", start, aspnet, true);
    check(
        sdk,
        "dotnet publish -r linux-x64 -o out",
        start,
        aspnet,
        false,
    );
    check(
        sdk,
        "dotnet publish -o out",
        "CMD [\"/a/out/p\"]\n",
        aspnet,
        false,
    );
    let other = aspnet.replace("8.0", "9.0");
    check(sdk, "dotnet publish -o out", start, &other, false);
}
