//! `dockeropt layers`, on an archive that is made here.

use serde_json::{Value, json};

use super::sandbox::Sandbox;

const DOCKERFILE: &str = "FROM debian:12\nCOPY big /\nRUN true && \\\n    rm /big\nCMD [\"sh\"]\n";

/// A layer with these files.
fn layer(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut archive = tar::Builder::new(Vec::new());
    for (path, content) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        header.set_cksum();
        archive.append_data(&mut header, path, *content).unwrap();
    }
    archive.into_inner().unwrap()
}

/// What `docker save` writes of an image that [`DOCKERFILE`] built.
fn saved() -> Vec<u8> {
    let config = json!({ "os": "linux", "architecture": "amd64", "history": [
        { "created_by": "/bin/sh -c #(nop) ADD file:1 in / " },
        { "created_by": "COPY big / # buildkit" },
        { "created_by": "RUN /bin/sh -c true &&     rm /big # buildkit" },
        { "created_by": "CMD [\"sh\"]", "empty_layer": true },
    ] });
    let manifest =
        json!([{ "Config": "c.json", "RepoTags": ["app:1"], "Layers": ["1", "2", "3"] }]);
    layer(&[
        ("1", &layer(&[("etc/a", b"a"), ("</script>", b"b")])),
        ("2", &layer(&[("big", &[7; 3000])])),
        ("3", &layer(&[(".wh.big", b"")])),
        ("c.json", config.to_string().as_bytes()),
        ("manifest.json", manifest.to_string().as_bytes()),
    ])
}

fn sandbox() -> Sandbox {
    let sandbox = Sandbox::with(&[("back/Dockerfile", DOCKERFILE)]);
    sandbox.write("app.tar", saved());
    sandbox
}

#[test]
fn layers_are_shown_with_the_lines_that_made_them() {
    let ran = sandbox().run(&["layers", "app.tar", "--dockerfile", "back/Dockerfile"]);
    let expected = "\
app:1 (linux/amd64): 3.00 kB in 3 layers
efficiency 0.0 %, 3.00 kB wasted, 0 B duplicated

layer     size  compressed  added  changed  removed   wasted  lines   step
    1      2 B           -      2        -        -        -          ADD file:1 in /
    2  3.00 kB           -      1        -        -  3.00 kB  2       COPY big /
    3      0 B           -      -        -        1        -  3-4     RUN true && rm /big
                                                              5       CMD [\"sh\"]

wasted
  3.00 kB  layer 2 (line 2), deleted by layer 3 (line 3): `/big`

largest files
      1 B  /etc/a (layer 1)
      1 B  /</script> (layer 1)

largest folders
      1 B  /etc (1 file)
      1 B  /< (1 file)

to win back
  3.00 kB  files that a later step deletes, in layer 2 (line 2): join-cleanup
";
    let ran = ran.ended(0);
    assert_eq!((ran.out.as_str(), ran.err.as_str()), (expected, ""));
}

#[test]
fn json_is_the_same_from_standard_input() {
    let sandbox = sandbox();
    let file = sandbox
        .run(&["layers", "app.tar", "--format=json"])
        .ended(0)
        .out;
    let piped = sandbox
        .pipe(&["layers", "-", "--format=json"], saved())
        .ended(0)
        .out;
    assert_eq!(file, piped);
    let json: Value = serde_json::from_str(&file).unwrap();
    assert_eq!(json["version"], 1);
    assert_eq!(
        (&json["size"], &json["wasted"]),
        (&json!(3002), &json!(3000))
    );
    assert_eq!(json["layers"][2]["removed"], 1);
    assert_eq!(json["waste"][0]["kind"], "deleted");
    assert_eq!(json["steps"][3]["layer"], Value::Null);
}

#[test]
fn another_dockerfile_is_not_taken_for_the_one_that_built_it() {
    let sandbox = sandbox();
    sandbox.write("Dockerfile", "FROM debian:12\nRUN false\nCMD [\"sh\"]\n");
    let ran = sandbox
        .run(&["layers", "app.tar", "--dockerfile=Dockerfile"])
        .ended(0);
    assert_eq!(
        ran.err,
        "warning: the Dockerfile is not the one that built the image: where its line 2 has `RUN`, \
         the image records `RUN true &&     rm /big`\n"
    );
    assert!(!ran.out.contains("lines"), "{ran:#?}");
}

#[test]
fn a_budget_that_is_exceeded_fails() {
    let sandbox = sandbox();
    let check = [
        "layers",
        "app.tar",
        "--check",
        "--dockerfile=back/Dockerfile",
    ];
    let ran = sandbox.run(&check).ended(2);
    assert_eq!(
        ran.last(),
        "error: `--check` needs a budget, and there is no dockeropt.toml"
    );
    sandbox.write("dockeropt.toml", "cache = 'clean'\n");
    let ran = sandbox.run(&check).ended(2);
    assert!(
        ran.last()
            .ends_with("there is no `[budget]` in dockeropt.toml"),
        "{ran:#?}"
    );
    sandbox.write(
        "dockeropt.toml",
        "[budget]\n'*' = 1\n'back/Dockerfile' = '4kB'\nmax-wasted = '3kB'\n",
    );
    sandbox.run(&check).ended(0);
    sandbox.write(
        "dockeropt.toml",
        "[budget]\n'back/Dockerfile' = '3kB'\nmax-wasted = '2kB'\nmin-efficiency = 0.9\n",
    );
    let ran = sandbox.run(&check).ended(1);
    let expected = "\
error: dockeropt.toml:2: `app:1` has 3002 bytes (3.00 kB), over the budget of 3000 bytes (3.00 kB) for `back/Dockerfile`
error: dockeropt.toml:3: `app:1` wastes 3000 bytes (3.00 kB), over the budget of 2000 bytes (2.00 kB)
error: dockeropt.toml:4: `app:1` has an efficiency of 0.0 %, under the 90.0 % that the budget asks for
";
    assert_eq!(ran.err, expected);
    assert!(ran.out.starts_with("app:1 "), "{ran:#?}");
    sandbox.run(&["layers", "app.tar"]).ended(0);
}

#[test]
fn what_cannot_be_read_is_said() {
    let sandbox = sandbox();
    let check = |subject: &str, expected: &str| {
        let ran = sandbox.run(&["layers", subject]).ended(2);
        assert_eq!(ran.last(), format!("error: {expected}"));
    };
    sandbox.write("text", "text");
    sandbox.write("cut.tar", &saved()[..4000]);
    check("text", "text: is no tar archive");
    check("cut.tar", "cut.tar: ends too early: the archive is cut off");
    check("./none.tar", "there is no file `./none.tar`");
    check(
        "./back",
        "`./back` holds no OCI layout: there is no `index.json` in it",
    );
}

#[test]
fn without_an_engine_that_is_said() {
    let sandbox = sandbox();
    let run = |args: &[&str]| {
        let mut command = sandbox.command();
        let output = command.args(args).env("PATH", "").output().unwrap();
        super::sandbox::Ran::new(output).ended(2)
    };
    assert_eq!(
        run(&["layers", "app:1"]).last(),
        "error: no container engine is installed: there is no `docker`, `podman` or `buildah` command"
    );
    assert_eq!(
        run(&["layers", "back/Dockerfile"]).last(),
        "error: no container engine is installed: there is no `docker`, `podman` or `buildah` command"
    );
    assert_eq!(
        run(&["layers", "app:1", "--engine=podman"]).last(),
        "error: `podman` is not installed: there is no such command"
    );
}

/// The page in a browser, where one is installed.
#[test]
fn the_page_shows_the_image_and_fetches_nothing() {
    let sandbox = sandbox();
    let page = sandbox
        .run(&["layers", "app.tar", "--format=html"])
        .ended(0)
        .out;
    for outside in [
        "http:", "https:", "src=", "href=", "@import", "url(", "fetch(",
    ] {
        assert!(!page.contains(outside), "{outside}");
    }
    assert_eq!(page.matches("</script>").count(), 2);
    sandbox.write("page.html", &page);
    let path = format!("file://{}", sandbox.path("page.html").display());
    let profile = format!("--user-data-dir={}", sandbox.path("profile").display());
    let args = [
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        &profile,
        "--dump-dom",
        &path,
    ];
    let Some(ran) = sandbox.other("chromium", &args, b"") else {
        return;
    };
    let dom = ran.ended(0).out;
    let shown = [
        "<h1>app:1</h1>",
        "RUN true &amp;&amp;",
        "deleted",
        "join-cleanup",
        "&lt;/script&gt;",
        "3.00 kB",
    ];
    for text in shown {
        assert!(dom.contains(text), "{text} is not in {dom}");
    }
    // The treemap is drawn.
    assert!(dom.contains("title=\"/etc\n1 B, 1 file\""), "{dom}");
}
