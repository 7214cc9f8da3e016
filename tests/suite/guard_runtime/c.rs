//! Programs of C and C++: the stage that ships stays on the release, and has what is linked and installed.

use super::{SPLIT, changed};
use crate::guard::{passes, stops};

#[test]
fn a_program_of_c_stays_on_its_release() {
    let before = "FROM debian:12\nWORKDIR /a\nCOPY . .\nRUN gcc -o a a.c\nCMD [\"./a\"]";
    let builder = "FROM debian:12 AS build\nWORKDIR /a\nCOPY . .\nRUN gcc -o a a.c\n";
    let runtime =
        "FROM debian:bookworm-slim\nWORKDIR /a\nCOPY --from=build /a/a /a/a\nCMD [\"./a\"]";
    passes(SPLIT, before, &format!("{builder}{runtime}"));
    let same = runtime.replace("bookworm-slim", "12");
    passes(SPLIT, before, &format!("{builder}{same}"));
    for (from, to) in [
        ("debian:bookworm-slim", "debian:bullseye-slim"),
        ("debian:bookworm-slim", "debian:trixie-slim"),
        ("debian:bookworm-slim", "debian:stable-slim"),
        ("debian:bookworm-slim", "debian:bookworm"),
        ("debian:bookworm-slim", "alpine:3.20"),
        ("debian:bookworm-slim", "ubuntu:22.04"),
        ("debian:bookworm-slim", "example.com/debian:bookworm-slim"),
        ("/a/a /a/a", "/a/b /a/b"),
        ("/a/a /a/a", "/a/a /usr/bin/a"),
        ("COPY --from=build /a/a /a/a\n", ""),
        ("\"./a\"", "\"./b\""),
    ] {
        let bad = changed(runtime, from, to);
        stops(SPLIT, before, &format!("{builder}{bad}"));
    }
    let ubuntu = |text: &str| text.replace("debian:12", "ubuntu:22.04");
    let kept = ubuntu(&format!("{builder}{same}"));
    passes(SPLIT, &ubuntu(before), &kept);
    for newer in ["debian:bookworm-slim", "ubuntu:24.04"] {
        let runtime = runtime.replace("debian:bookworm-slim", newer);
        stops(
            SPLIT,
            &ubuntu(before),
            &ubuntu(&format!("{builder}{runtime}")),
        );
    }
    let older = |text: &str| text.replace("debian:12", "debian:11");
    stops(
        SPLIT,
        &older(before),
        &older(&format!("{builder}{runtime}")),
    );
}

#[test]
fn an_own_compiler_links_its_own_library() {
    let before = "FROM gcc:13\nWORKDIR /a\nCOPY . .\nRUN gcc -o a a.c\nCMD [\"./a\"]";
    let builder = "FROM gcc:13 AS build\nWORKDIR /a\nCOPY . .\nRUN gcc -o a a.c\n";
    let runtime = "FROM debian:stable-slim\nWORKDIR /a\nCOPY --from=build /a/a /a/a\nCMD [\"./a\"]";
    let after = format!("{builder}{runtime}");
    passes(SPLIT, before, &after);
    let with = |text: &str, command: &str| text.replace("gcc -o a a.c", command);
    let may = "g++ -static -o a a.cc";
    passes(SPLIT, &with(before, may), &with(&after, may));
    for other in ["g++ -o a a.cc", "cd /a && c++ -o a *.cpp", "gcc -o a a.cpp"] {
        stops(SPLIT, &with(before, other), &with(&after, other));
    }
    let other = after.replace("debian:stable-slim", "debian:bullseye-slim");
    stops(SPLIT, before, &other);
}

#[test]
fn libraries_that_are_linked_are_installed() {
    let before = "FROM debian:12\nRUN apt-get update && apt-get install -y gcc libsqlite3-dev zlib1g-dev libc6-dev\nWORKDIR /a\nCOPY . .\nRUN gcc -o a a.c -lsqlite3 -lcrypto -lz -lm\nCMD [\"./a\"]";
    let builder = "FROM debian:12 AS build\nRUN apt-get update && apt-get install -y gcc libsqlite3-dev zlib1g-dev libc6-dev\nWORKDIR /a\nCOPY . .\nRUN gcc -o a a.c -lsqlite3 -lcrypto -lz -lm\n";
    let runtime = "FROM debian:bookworm-slim\nRUN apt-get update && apt-get install -y --no-install-recommends ca-certificates libsqlite3-0 libssl3 && rm -rf /var/lib/apt/lists/*\nCOPY --from=build /a/a /a/a\nWORKDIR /a\nCMD [\"./a\"]";
    let after = format!("{builder}{runtime}");
    passes(SPLIT, before, &after);
    for (from, to) in [
        (" libsqlite3-0", ""),
        (" libssl3", ""),
        (" libssl3", " libssh-4"),
        (" libssl3", " libssl-dev"),
        (" libssl3", " libssl3 curl"),
        ("ca-certificates", "curl"),
    ] {
        let bad = changed(runtime, from, to);
        stops(SPLIT, before, &format!("{builder}{bad}"));
    }
    // The package to build with is reason enough: a makefile may link the library.
    let quiet = |text: &str| text.replace(" -lsqlite3", "");
    passes(SPLIT, &quiet(before), &quiet(&after));
    let without = quiet(&after).replace(" libsqlite3-0", "");
    stops(SPLIT, &quiet(before), &without);
    // What is linked alone loads nothing.
    let alone = |text: &str| text.replace("gcc -o", "gcc -static -o");
    let none = builder.to_owned() + &runtime.replace(" libsqlite3-0 libssl3", "");
    passes(SPLIT, &alone(before), &alone(&none));
    let openmp = |text: &str| text.replace("gcc -o", "gcc -fopenmp -o");
    stops(SPLIT, &openmp(before), &openmp(&after));
    let linked = openmp(&after).replace("libssl3", "libssl3 libgomp1");
    passes(SPLIT, &openmp(before), &linked);
}

#[test]
fn what_is_installed_is_taken_over_whole() {
    let before = "FROM debian:12\nWORKDIR /a\nCOPY . .\nRUN make && make install PREFIX=/opt/a\nENV PATH=/opt/a/bin:$PATH\nCMD [\"a\"]";
    let builder =
        "FROM debian:12 AS build\nWORKDIR /a\nCOPY . .\nRUN make && make install PREFIX=/opt/a\n";
    let runtime = "FROM debian:bookworm-slim\nWORKDIR /a\nCOPY --from=build /opt/a /opt/a\nENV PATH=/opt/a/bin:$PATH\nCMD [\"a\"]";
    let after = format!("{builder}{runtime}");
    passes(SPLIT, before, &after);
    for (from, to) in [
        ("/opt/a /opt/a", "/opt/a/bin /opt/a/bin"),
        ("/opt/a /opt/a", "/opt/a/bin/a /opt/a/bin/a"),
        ("/opt/a /opt/a", "/opt/a /usr/local"),
        ("/opt/a /opt/a", "/opt/b /opt/b"),
        ("/opt/a /opt/a", "/opt /opt"),
        ("COPY --from=build /opt/a /opt/a\n", ""),
        ("ENV PATH=/opt/a/bin:$PATH\n", ""),
    ] {
        let bad = changed(runtime, from, to);
        stops(SPLIT, before, &format!("{builder}{bad}"));
    }
    for install in [
        "cmake -B b -DCMAKE_INSTALL_PREFIX=/opt/a && cmake --build b && cmake --install b",
        "./configure --prefix=/opt/a && make && make install",
        "cmake -B b && cmake --install b --prefix /opt/a",
    ] {
        let with = |text: &str| text.replace("make && make install PREFIX=/opt/a", install);
        passes(SPLIT, &with(before), &with(&after));
        let part = with(&after).replace("/opt/a /opt/a", "/opt/a/bin /opt/a/bin");
        stops(SPLIT, &with(before), &part);
    }
    // Without a prefix CMake installs into `/usr/local`.
    let plain = |text: &str| {
        let text = text.replace(
            "make && make install PREFIX=/opt/a",
            "cmake -B b && cmake --install b",
        );
        text.replace("ENV PATH=/opt/a/bin:$PATH\n", "")
            .replace("/opt/a", "/usr/local")
    };
    passes(SPLIT, &plain(before), &plain(&after));
    let part = plain(&after).replace("/usr/local /usr/local", "/usr/local/bin /usr/local/bin");
    stops(SPLIT, &plain(before), &part);
    // What only has a name does not have to be installed.
    let made = |text: &str| text.replace("make && make install PREFIX=/opt/a", "make");
    stops(SPLIT, &made(before), &made(&after));
}
