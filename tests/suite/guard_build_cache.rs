//! Cargo's build directory in a cache mount: what is copied out of it, and who needs more than that.

use crate::guard::{passes, stops};

/// What `rust-build-cache` declares.
const CACHE: &str = "caches build-cache";

const MOUNTS: &str =
    "--mount=type=cache,target=/usr/local/cargo/registry --mount=type=cache,target=/cache/target ";

fn file(run: &str, tail: &str) -> String {
    format!("FROM rust:1 AS b\nWORKDIR /a\nCOPY . .\nRUN {run}\n{tail}")
}

const BUILT: &str = "CARGO_TARGET_DIR=/cache/target cargo build --release && mkdir -p target/release && cp /cache/target/release/app target/release/";

#[test]
fn the_program_is_copied_out() {
    let before = file("cargo build --release", "CMD [\"./target/release/app\"]");
    let good = |run: &str| file(&format!("{MOUNTS}{run}"), "CMD [\"./target/release/app\"]");
    passes(CACHE, &before, &good(BUILT));
    passes(
        CACHE,
        &before,
        &good(&BUILT.replace(
            "target/release/app target/release/",
            "target/release/app target/release/app",
        )),
    );
    passes(
        CACHE,
        &before,
        &good(
            &BUILT
                .replace("mkdir -p target", "mkdir -p /a/target")
                .replace("app target/release/", "app /a/target/release/"),
        ),
    );
    passes(
        CACHE,
        &before,
        &good(&BUILT.replace(
            "CARGO_TARGET_DIR=/cache/target cargo build --release",
            "cargo build --release --target-dir /cache/target",
        )),
    );
    passes(
        CACHE,
        &before,
        &good(&BUILT.replace(
            "CARGO_TARGET_DIR=/cache/target cargo build --release",
            "cargo build --target-dir=/cache/target --release",
        )),
    );
    passes(
        CACHE,
        &before,
        &good(&BUILT.replace(
            "release/app target",
            "release/app /cache/target/release/tool target",
        )),
    );
    for (from, to) in [
        (" && cp /cache/target/release/app target/release/", ""),
        (
            " && mkdir -p target/release && cp /cache/target/release/app target/release/",
            "",
        ),
        ("/cache/target/release/app", "/cache/target/release/other"),
        ("/cache/target/release/app", "/cache/target/debug/app"),
        ("/cache/target/release/app", "/cache/other/release/app"),
        (
            "/cache/target/release/app",
            "/cache/target/release/deps/app",
        ),
        ("/cache/target/release/app", "/cache/target/release/*"),
        ("/cache/target/release/app", "/etc/passwd"),
        ("app target/release/", "app /usr/bin/"),
        ("app target/release/", "app target/"),
        ("app target/release/", "app target/release/other"),
        ("mkdir -p target/release", "mkdir -p /x"),
        ("mkdir -p target/release", "mkdir target/release"),
        ("mkdir -p", "rm -rf"),
        ("cargo build --release", "cargo build"),
        ("cargo build --release", "cargo build --release --locked"),
        ("CARGO_TARGET_DIR=/cache/target ", ""),
        (
            "CARGO_TARGET_DIR=/cache/target",
            "CARGO_TARGET_DIR=/cache/other",
        ),
        (
            "CARGO_TARGET_DIR=/cache/target",
            "CARGO_TARGET_DIR=/cache/target RUSTFLAGS=-g",
        ),
        ("CARGO_TARGET_DIR=/cache/target", "CARGO_HOME=/cache/target"),
        (" && cp", "; cp"),
        (" && mkdir", " || mkdir"),
        (
            "target/release/app target/release/",
            "target/release/app target/release/ && curl e.com",
        ),
        (
            "target/release/app target/release/",
            "target/release/app target/release/ && rm -rf src",
        ),
    ] {
        let wrong = BUILT.replacen(from, to, 1);
        assert_ne!(wrong, BUILT, "{from}");
        stops(CACHE, &before, &good(&wrong));
    }
    stops("caches", &before, &good(BUILT));
    stops("build-cache", &before, &good(BUILT));
    // Copied before it is built.
    let early = "mkdir -p target/release && cp /cache/target/release/app target/release/ && CARGO_TARGET_DIR=/cache/target cargo build --release";
    stops(CACHE, &before, &good(early));
}

#[test]
fn mounts_lie_apart() {
    let before = file("cargo build --release", "CMD [\"./target/release/app\"]");
    let with = |mount: &str, directory: &str| {
        let run = BUILT.replace("/cache/target", directory);
        file(&format!("{mount} {run}"), "CMD [\"./target/release/app\"]")
    };
    passes(
        CACHE,
        &before,
        &with("--mount=type=cache,target=/cache/target", "/cache/target"),
    );
    passes(
        CACHE,
        &before,
        &with(
            "--mount=type=cache,id=a,target=/var/cache/build,sharing=locked",
            "/var/cache/build",
        ),
    );
    for (mount, directory) in [
        ("--mount=type=cache,target=/a/target", "/a/target"),
        ("--mount=type=cache,target=/a/target", "target"),
        ("--mount=type=cache,target=/a", "/a"),
        ("--mount=type=cache,target=/", "/"),
        ("--mount=type=cache,target=/cache", "/cache"),
        (
            "--mount=type=cache,target=/cache/target,ro",
            "/cache/target",
        ),
        (
            "--mount=type=cache,from=x,target=/cache/target",
            "/cache/target",
        ),
        ("--mount=type=bind,target=/cache/target", "/cache/target"),
        ("--mount=type=tmpfs,target=/cache/target", "/cache/target"),
        ("--mount=type=cache,target=/cache/other", "/cache/target"),
        (
            "--mount=type=cache,target=/cache/target --mount=type=cache,target=/cache/b",
            "/cache/target",
        ),
        (
            "--network=none --mount=type=cache,target=/cache/target",
            "/cache/target",
        ),
        ("", "/cache/target"),
    ] {
        stops(CACHE, &before, &with(mount, directory));
    }
    // Without words on where to build, the mount hides what the image needs.
    let over = "--mount=type=cache,target=/a/target cargo build --release";
    stops(
        CACHE,
        &before,
        &file(over, "CMD [\"./target/release/app\"]"),
    );
    stops(CACHE, &before, &file(over, "CMD [\"app\"]"));
    let user = |text: String| text.replace("COPY . .", "COPY . .\nUSER app");
    stops(
        CACHE,
        &user(before.clone()),
        &user(with(
            "--mount=type=cache,target=/cache/target",
            "/cache/target",
        )),
    );
    let set = |text: String| text.replace("COPY . .", "COPY . .\nENV CARGO_TARGET_DIR=/b");
    stops(
        CACHE,
        &set(before.clone()),
        &set(with(
            "--mount=type=cache,target=/cache/target",
            "/cache/target",
        )),
    );
}

#[test]
fn others_need_no_more_than_is_copied_out() {
    let before = |tail: &str| file("cargo build --release", tail);
    let after = |tail: &str| file(&format!("{MOUNTS}{BUILT}"), tail);
    for tail in [
        "CMD [\"/a/target/release/app\", \"--port\", \"80\"]",
        "CMD target/release/app",
        "RUN cp target/release/app /usr/local/bin/ && rm -rf target",
        "RUN rm -rf src\nCMD [\"app\"]",
        "RUN strip ./target/release/app",
        "FROM debian:12\nCOPY --from=0 /a/target/release/app /usr/bin/app",
        "FROM debian:12\nCOPY --from=0 /a /a\nCMD [\"/a/target/release/app\"]",
        "FROM debian:12\nRUN --mount=type=bind,from=b,source=/a/target/release/app,target=/app cp /app /b",
        "FROM debian:12\nRUN mkdir /target\nCOPY target/x /y",
    ] {
        let tail = tail.replace("rm -rf target", "ls");
        passes(CACHE, &before(&tail), &after(&tail));
    }
    for tail in [
        "CMD [\"/a/target/release/other\"]",
        "CMD ./target/debug/app",
        "CMD cargo run --release",
        "ENTRYPOINT [\"cargo\", \"run\"]",
        "RUN ls target/release",
        "RUN cp target/release/*.so /usr/lib/",
        "RUN cp -r target/release /out",
        "RUN mv target /out",
        "RUN cd target/release && ./app",
        "RUN ./target/$PROFILE/app",
        "WORKDIR /a/target/release\nCMD ./app",
        "RUN ls /cache/target",
        "COPY --from=0 /a/target/release/other /x",
        "FROM debian:12\nCOPY --from=0 /a/target/release/other /usr/bin/app",
        "FROM debian:12\nCOPY --from=0 /a/target/release /usr/bin/",
        "FROM debian:12\nCOPY --from=0 /a/target/release/app /a/target/release/lib.so /b/",
        "FROM debian:12\nCOPY --from=0 /a /a\nCMD [\"/a/target/release/other\"]",
        "FROM debian:12\nRUN --mount=type=bind,from=b,source=/a/target,target=/t cp /t/release/app /b",
        "FROM b\nRUN target/release/other",
    ] {
        stops(CACHE, &before(tail), &after(tail));
    }
    let early = "FROM rust:1\nWORKDIR /a\nCMD [\"target/release/other\"]\nCOPY . .\nRUN cargo build --release";
    stops(
        CACHE,
        early,
        &early.replace("RUN cargo build --release", &format!("RUN {MOUNTS}{BUILT}")),
    );
    // The same step may need more, too.
    let here = "cargo build --release && cp target/release/other /usr/bin/";
    stops(
        CACHE,
        &file(here, "CMD x"),
        &file(
            &format!("{MOUNTS}{BUILT} && cp target/release/other /usr/bin/"),
            "CMD x",
        ),
    );
    let here = "cargo build --release && cp target/release/app /usr/bin/";
    passes(
        CACHE,
        &file(here, "CMD x"),
        &file(
            &format!("{MOUNTS}{BUILT} && cp target/release/app /usr/bin/"),
            "CMD x",
        ),
    );
}

#[test]
fn profiles_targets_and_installs() {
    let musl = "cargo build --release --target x86_64-unknown-linux-musl";
    let built = format!(
        "CARGO_TARGET_DIR=/cache/target {musl} && mkdir -p target/x86_64-unknown-linux-musl/release && cp /cache/target/x86_64-unknown-linux-musl/release/app target/x86_64-unknown-linux-musl/release/"
    );
    let tail = "FROM scratch\nCOPY --from=0 /a/target/x86_64-unknown-linux-musl/release/app /app";
    passes(
        CACHE,
        &file(musl, tail),
        &file(&format!("{MOUNTS}{built}"), tail),
    );
    let lost = built.replace(
        "target/x86_64-unknown-linux-musl/release/app",
        "target/release/app",
    );
    stops(
        CACHE,
        &file(musl, tail),
        &file(&format!("{MOUNTS}{lost}"), tail),
    );
    // The word of rustup is no path.
    let added = format!("rustup target add x86_64-unknown-linux-musl && {musl}");
    let in_mount = built.replace(
        musl,
        &format!("{musl} && rustup toolchain link x /cache/target"),
    );
    passes(
        CACHE,
        &file(&added, tail),
        &file(
            &format!("{MOUNTS}rustup target add x86_64-unknown-linux-musl && {built}"),
            tail,
        ),
    );
    let linked = format!("{musl} && rustup toolchain link x /cache/target");
    stops(
        CACHE,
        &file(&linked, tail),
        &file(&format!("{MOUNTS}{in_mount}"), tail),
    );
    let debug = BUILT
        .replace(" --release", "")
        .replace("/release", "/debug");
    passes(
        CACHE,
        &file("cargo build", "CMD target/debug/app"),
        &file(&format!("{MOUNTS}{debug}"), "CMD target/debug/app"),
    );
    stops(
        CACHE,
        &file("cargo build", "CMD target/release/app"),
        &file(&format!("{MOUNTS}{debug}"), "CMD target/release/app"),
    );
    let install = "cargo install --path .";
    let moved = format!("{MOUNTS}CARGO_TARGET_DIR=/cache/target {install}");
    passes(
        CACHE,
        &file(install, "CMD [\"app\"]"),
        &file(&moved, "CMD [\"app\"]"),
    );
    stops(
        CACHE,
        &file(install, "CMD [\"app\"]"),
        &file(
            &moved.replace("--path .", "--path . --root /x"),
            "CMD [\"app\"]",
        ),
    );
    stops(
        CACHE,
        &file(install, "CMD [\"target/release/app\"]"),
        &file(&moved, "CMD [\"target/release/app\"]"),
    );
    stops(
        CACHE,
        &file("make", "CMD x"),
        &file(
            &format!("{MOUNTS}CARGO_TARGET_DIR=/cache/target make"),
            "CMD x",
        ),
    );
    let inside = "cd web && cargo build --release";
    let web = |place: &str| {
        format!(
            "{MOUNTS}cd web && CARGO_TARGET_DIR=/cache/target cargo build --release && mkdir -p {place} && cp /cache/target/release/app {place}/"
        )
    };
    passes(
        CACHE,
        &file(inside, "CMD web/target/release/app"),
        &file(&web("target/release"), "CMD web/target/release/app"),
    );
    passes(
        CACHE,
        &file(inside, "CMD web/target/release/app"),
        &file(&web("/a/web/target/release"), "CMD web/target/release/app"),
    );
    stops(
        CACHE,
        &file(inside, "CMD web/target/release/app"),
        &file(&web("/a/target/release"), "CMD web/target/release/app"),
    );
}

#[test]
fn packages_are_cleaned_in_the_mount() {
    let before = file("cargo build --release", "CMD [\"./target/release/app\"]");
    let clean = "cargo clean --target-dir /cache/target --release -p app -p core";
    let with = |clean: &str| {
        file(
            &format!("{MOUNTS}{clean} && {BUILT}"),
            "CMD [\"./target/release/app\"]",
        )
    };
    passes(CACHE, &before, &with(clean));
    passes(CACHE, &before, &with(&format!("{clean} --locked")));
    for (from, to) in [
        ("--target-dir /cache/target ", ""),
        ("/cache/target", "/a/target"),
        ("-p app -p core", ""),
        ("-p app", "-p $APP"),
        ("-p app", "--doc"),
        ("clean", "test"),
        ("cargo", "sudo cargo"),
        ("-p core", "-p core > /a/x"),
    ] {
        let wrong = clean.replacen(from, to, 1);
        assert_ne!(wrong, clean, "{from}");
        stops(CACHE, &before, &with(&wrong));
    }
    stops("caches", &before, &with(clean));
    let or = file(
        &format!("{MOUNTS}{clean} || {BUILT}"),
        "CMD [\"./target/release/app\"]",
    );
    stops(CACHE, &before, &or);
    // Behind the build it takes away what is copied out.
    let late = BUILT.replace(" && mkdir", &format!(" && {clean} && mkdir"));
    stops(
        CACHE,
        &before,
        &file(&format!("{MOUNTS}{late}"), "CMD [\"./target/release/app\"]"),
    );
}
