//! What the guard lets through and what it stops where COPY gives the owner or mode that a RUN gave.

use crate::guard::{only, stops};

#[test]
fn modes_move_into_the_copy() {
    only(
        "copy-mode",
        "COPY a /b\nRUN chown -R u:g /b",
        "COPY --chown=u:g a /b",
        &[
            "COPY --chown=u a /b",
            "COPY --chown=u:g a /c",
            "COPY --chown=u:g --link a /b",
            "COPY a /b",
            "COPY --chmod=755 a /b",
        ],
    );
    only(
        "copy-mode",
        "WORKDIR /w\nCOPY a b\nRUN chmod 755 /w/b",
        "WORKDIR /w\nCOPY --chmod=755 a b",
        &[
            "WORKDIR /w\nCOPY --chmod=700 a b",
            "WORKDIR /w\nCOPY --chmod=755 c b",
        ],
    );
    stops(
        "copy-mode",
        "COPY a /b\nRUN chmod +x /b",
        "COPY --chmod=+x a /b",
    );
    stops(
        "copy-mode",
        "COPY a /b\nRUN chown -R u:g /b && c",
        "COPY --chown=u:g a /b",
    );
    stops(
        "copy-mode",
        "COPY a /b\nRUN chown -R u:g /b/c",
        "COPY --chown=u:g a /b",
    );
    stops(
        "none",
        "COPY a /b\nRUN chown -R u:g /b",
        "COPY --chown=u:g a /b",
    );
}

#[test]
fn several_copies_and_the_rest_of_the_list() {
    only(
        "copy-mode",
        "COPY a.sh /a.sh\nCOPY c /c\nCOPY b.sh /b/\nRUN chmod +x /a.sh /b/b.sh && d",
        "COPY --chmod=755 a.sh /a.sh\nCOPY c /c\nCOPY --chmod=755 b.sh /b/\nRUN d",
        &[
            "COPY --chmod=755 a.sh /a.sh\nCOPY c /c\nCOPY b.sh /b/\nRUN d",
            "COPY --chmod=755 a.sh /a.sh\nCOPY --chmod=755 c /c\nCOPY --chmod=755 b.sh /b/\nRUN d",
            "COPY --chmod=755 a.sh /a.sh\nCOPY c /c\nCOPY --chmod=755 b.sh /b/\nRUN e",
            "COPY --chmod=755 a.sh /a.sh\nCOPY c /c\nCOPY --chmod=755 b.sh /b/",
            "COPY --chmod=777 a.sh /a.sh\nCOPY c /c\nCOPY --chmod=777 b.sh /b/\nRUN d",
        ],
    );
    only(
        "copy-mode",
        "COPY a.sh /a.sh\nRUN chmod +x /a.sh && b # c",
        "COPY --chmod=755 a.sh /a.sh\nRUN b # c",
        &[
            "COPY --chmod=755 a.sh /a.sh\nRUN b # d",
            "COPY --chmod=755 a.sh /a.sh\nRUN c",
        ],
    );
    for (before, after) in [
        (
            "COPY a.sh b.sh /c/\nRUN chmod +x /c/a.sh",
            "COPY --chmod=755 a.sh b.sh /c/",
        ),
        (
            "COPY --from=x a.sh /a.sh\nRUN chmod +x /a.sh",
            "COPY --from=x --chmod=755 a.sh /a.sh",
        ),
        (
            "ADD https://e.com/a.sh /a.sh\nRUN chmod +x /a.sh",
            "ADD --chmod=755 https://e.com/a.sh /a.sh",
        ),
        (
            "COPY a.sh /a.sh\nRUN chmod u+x /a.sh",
            "COPY --chmod=755 a.sh /a.sh",
        ),
        (
            "COPY a.sh /a.sh\nRUN chmod 755 /a.sh || b",
            "COPY --chmod=755 a.sh /a.sh\nRUN b",
        ),
        (
            "COPY a.sh /a.sh\nRUN b\nRUN chmod 755 /a.sh",
            "COPY --chmod=755 a.sh /a.sh\nRUN b",
        ),
        (
            "COPY a.sh /a.sh\nRUN b && chmod 755 /a.sh",
            "COPY --chmod=755 a.sh /a.sh\nRUN b",
        ),
        (
            "COPY a.sh /a.sh\nUSER b",
            "COPY --chmod=755 a.sh /a.sh\nUSER b",
        ),
        ("COPY a.sh /a.sh", "COPY --chmod=755 a.sh /a.sh"),
        ("COPY a /b\nRUN chmod -R 777 /b", "COPY --chmod=777 a /b"),
        (
            "COPY a.sh /a.sh\nRUN chown u /a.sh",
            "COPY --chown=u a.sh /a.sh",
        ),
    ] {
        stops("copy-mode", before, after);
    }
}

#[test]
fn a_folder_keeps_its_owner() {
    let before = "WORKDIR /w\nCOPY . .\nRUN chown -R u:g /w && b";
    only(
        "copy-mode",
        before,
        "WORKDIR /w\nCOPY --chown=u:g . .\nRUN chown u:g /w && b",
        &[
            "WORKDIR /w\nCOPY --chown=u:g . .\nRUN b",
            "WORKDIR /w\nCOPY --chown=u:g . .\nRUN chown u:h /w && b",
            "WORKDIR /w\nCOPY --chown=u:g . .\nRUN chown u:g /x && b",
            "WORKDIR /w\nCOPY --chown=u:g . .\nRUN chown u:g /w && c",
            "WORKDIR /w\nCOPY . .\nRUN chown u:g /w && b",
        ],
    );
    for above in [
        "RUN npm ci\n",
        "COPY package.json ./\nRUN x\n",
        "WORKDIR /w/x\nWORKDIR /w\n",
    ] {
        let with = |text: &str| text.replace("COPY . .", &format!("{above}COPY . ."));
        let after = "WORKDIR /w\nCOPY --chown=u:g . .\nRUN chown u:g /w && b";
        let after = after.replace("COPY --chown", &format!("{above}COPY --chown"));
        stops("copy-mode", &with(before), &after);
    }
}

#[test]
fn an_author_that_moves_arrives() {
    let label = "LABEL org.opencontainers.image.authors=\"Ada\"";
    only(
        "config:author config:labels",
        "MAINTAINER Ada\nLABEL a=b\nRUN x",
        &format!("{label}\nLABEL a=b\nRUN x"),
        &["LABEL a=b\nRUN x", &format!("{label}\nLABEL a=c\nRUN x")],
    );
}

#[test]
fn an_author_that_moves_arrives_at_the_end_of_a_stage_too() {
    let fix = "LABEL org.opencontainers.image.authors=\"Ada\"";
    only(
        "config:author config:labels",
        "RUN x\nMAINTAINER Ada",
        &format!("RUN x\n{fix}"),
        &["RUN x", "RUN x\nLABEL a=b"],
    );
}
