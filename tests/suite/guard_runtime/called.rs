//! What the health check calls, and what starts the program, by packages: the stage that ships installs them.

use super::{SPLIT, changed};
use crate::guard::{passes, stops};

const BEFORE: &str = "FROM node:20\nRUN apt-get update && apt-get install -y tini curl make\nWORKDIR /app\nCOPY . .\n\
                      RUN npm ci\nHEALTHCHECK CMD curl -f http://localhost/ || exit 1\n\
                      ENTRYPOINT [\"tini\", \"-p\", \"SIGTERM\", \"--\"]\nCMD [\"node\", \"main.js\"]\n";

const AFTER: &str = "FROM node:20 AS build\nRUN apt-get update && apt-get install -y tini curl make\nWORKDIR /app\n\
                     COPY . .\nRUN npm ci\n\nFROM node:20-slim\n\
                     RUN apt-get update && apt-get install -y --no-install-recommends curl tini && rm -rf /var/lib/apt/lists/*\n\
                     WORKDIR /app\nCOPY --from=build /app /app\n\
                     HEALTHCHECK CMD curl -f http://localhost/ || exit 1\n\
                     ENTRYPOINT [\"tini\", \"-p\", \"SIGTERM\", \"--\"]\nCMD [\"node\", \"main.js\"]\n";

#[test]
fn they_are_installed_in_the_stage_that_ships() {
    passes(SPLIT, BEFORE, AFTER);
    for rest in ["curl", "make", "tini"] {
        let rest = format!("-recommends {rest} ");
        stops(
            SPLIT,
            BEFORE,
            &changed(AFTER, "-recommends curl tini ", &rest),
        );
    }
}

#[test]
fn what_an_init_starts_has_to_be_there() {
    let both = |from: &str, to: &str| {
        let after = AFTER.replace(from, to);
        (changed(BEFORE, from, to), after)
    };
    for (from, to) in [
        ("main.js\"]", "/srv/main.js\"]"),
        ("\"node\"", "\"sh\""),
        ("CMD [\"node\", \"main.js\"]", ""),
    ] {
        let (before, after) = both(from, to);
        stops(SPLIT, &before, &after);
    }
}
