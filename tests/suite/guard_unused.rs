//! What the guard lets through and what it stops where COPYs go that nothing reads.

use crate::guard::{only, passes, stops};

const UNUSED: &str = "unused-copies";

const SHIP: &str = "FROM scratch\nCOPY --from=build /out /out\n";

fn file(build: &str, ship: &str) -> String {
    format!("FROM debian:12 AS build\nWORKDIR /app\nRUN make\n{build}{ship}")
}

#[test]
fn only_the_last_copies_go() {
    let before = file("COPY . .\nADD a /b/\n", SHIP);
    let bad = [
        file("ADD a /b\n", SHIP),
        file("COPY . .\nADD a /b/\nUSER 1\n", SHIP),
        before.replace("RUN make\n", ""),
        before.replace("WORKDIR /app\n", ""),
        before.replace("COPY --from=build /out /out\n", ""),
    ];
    only(
        UNUSED,
        &before,
        &file("", SHIP),
        &bad.each_ref().map(String::as_str),
    );
    passes(UNUSED, &before, &file("COPY . .\n", SHIP));
    passes(UNUSED, &before, &file("ADD a /b/\n", SHIP));
    for effects in ["none", "order", "stages", "sources"] {
        stops(effects, &before, &file("", SHIP));
    }
    for behind in ["RUN ls\n", "ENV A=b\n"] {
        stops(
            UNUSED,
            &file(&format!("COPY . .\n{behind}"), SHIP),
            &file(behind, SHIP),
        );
    }
}

#[test]
fn not_where_something_reads_them() {
    for ship in [
        "FROM scratch\nCOPY --from=build /app /out\n",
        "FROM scratch\nCOPY --from=build /app/dist /out\n",
        "FROM scratch\nCOPY --from=build ./app/dist /out\n",
        "FROM scratch\nCOPY --from=build / /out\n",
        "FROM scratch\nCOPY --from=build /a* /out/\n",
        "FROM scratch\nCOPY --from=build /out/../app /out\n",
        "FROM scratch\nARG A\nCOPY --from=build $A /out\n",
        "FROM scratch\nADD --from=build /out /out\n",
        // Mounted, built on, taken by nobody, and what ships.
        "FROM debian:12\nRUN --mount=from=build,target=/b cp -r /b/app /app\n",
        "FROM build\nCMD [\"ls\"]\n",
        "FROM scratch\nCMD [\"ls\"]\n",
        "",
    ] {
        stops(UNUSED, &file("COPY . .\n", ship), &file("", ship));
    }
    for links in ["ln -s /app /out", "mkdir a && ln -sf /app /out/app"] {
        let linked = |text: String| text.replace("RUN make", &format!("RUN {links}"));
        stops(
            UNUSED,
            &linked(file("COPY . .\n", SHIP)),
            &linked(file("", SHIP)),
        );
    }
    for place in ["/lib/x", "/var/run/x", "/usr/share/x"] {
        let copy = format!("COPY a {place}\n");
        stops(UNUSED, &file(&copy, SHIP), &file("", SHIP));
    }
}
