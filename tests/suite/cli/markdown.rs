//! `--format markdown`: what a reader of the comment sees, by a parser of GitHub's Markdown.

use super::sandbox::{BEFORE, GOOD, REFUSED, Sandbox};

/// The comment as HTML, with what GitHub adds to CommonMark.
fn html(comment: &str) -> String {
    let mut options = comrak::Options::default();
    options.extension.table = true;
    options.extension.autolink = true;
    options.extension.strikethrough = true;
    options.extension.tasklist = true;
    options.render.r#unsafe = true;
    comrak::markdown_to_html(comment, &options)
}

fn comment(sandbox: &Sandbox, args: &[&str], status: i32) -> String {
    sandbox.run(args).ended(status).out
}

#[test]
fn a_comment_says_what_fix_would_do() {
    let sandbox = Sandbox::with(&[("app/Dockerfile", BEFORE), ("b/Dockerfile", GOOD)]);
    let expected = "\
### dockeropt

- 1 fix in 1 file: copy-not-add 1
- Saves with the unsafe fixes up to an estimated 470 MB
- 1 unsafe fix not included: `dockeropt fix --unsafe` shows more

<details>
<summary><code>app/Dockerfile</code>: 1 fix, saves with the unsafe fixes up to an estimated 470 MB</summary>

```diff
--- a/app/Dockerfile
+++ b/app/Dockerfile
@@ -1,3 +1,3 @@
 FROM python:3.12
-ADD requirements.txt /app/
+COPY requirements.txt /app/
 RUN apt-get update && apt-get install -y tini && rm -rf /var/lib/apt/lists/*
```

| line | rule | what | saves | |
| --- | --- | --- | --- | --- |
| 2 | `copy-not-add` | `ADD` copies local files |  | safe |
| 3 | `apt-no-recommends` | recommended packages are installed too | up to an estimated 470 MB | unsafe, not included |

- `--unsafe` would add 1 fix
- 2 places left alone: `dockeropt explain app/Dockerfile` says why

</details>

";
    let args = ["fix", "--format=markdown"];
    assert_eq!(comment(&sandbox, &args, 0), expected);
    let args = ["check", "--format=markdown"];
    assert_eq!(comment(&sandbox, &args, 1), expected);
    let all = comment(&sandbox, &["fix", "--unsafe", "--format=markdown"], 0);
    assert!(all.contains("- 2 fixes in 1 file: "), "{all}");
    assert!(!all.contains("not included"), "{all}");
    let none = comment(&sandbox, &["fix", "--format=markdown", "b"], 0);
    assert_eq!(none, "### dockeropt\n\n- Nothing to change in 1 file\n\n");
}

#[test]
fn what_was_left_alone_is_counted_and_what_could_not_be_done_named() {
    let declined = "FROM debian:12-slim\nADD https://example.com/x /x\nADD a /a\n";
    let files = [("app/Dockerfile", declined), ("bad/Dockerfile", REFUSED)];
    let sandbox = Sandbox::with(&files);
    let text = comment(&sandbox, &["fix", "--format=markdown", ".", "missing"], 2);
    assert!(
        text.contains(" left alone: `dockeropt explain app/Dockerfile` says why"),
        "{text}"
    );
    assert!(
        text.contains("**Not done:**\n\n- `missing`: no such file or folder\n"),
        "{text}"
    );
    assert!(
        text.contains("- `bad/Dockerfile:2`: BuildKit refuses this file: "),
        "{text}"
    );
}

#[test]
fn rebuilds_are_in_it() {
    let sandbox = Sandbox::new();
    let mut command = sandbox.command();
    let command = command.current_dir(env!("CARGO_MANIFEST_DIR"));
    let output = command
        .args(["fix", "--format=markdown", "examples/backend"])
        .output();
    let text = String::from_utf8(output.unwrap().stdout).unwrap();
    assert!(
        text.contains("\n- after a change of `app.py`: 6 of 6 steps run → 1 of 5\n"),
        "{text}"
    );
}

/// What would be markup, a link, a mention or the end of the fence, as content, path and name.
const HOSTILE: &str = "\
FROM debian:12-slim
ADD a /a
# </details><script>alert(1)</script>
```
ARG x`|<b>|[x](http://evil.example)|@everyone|#1|www.evil.example|\\|`@nobody`
ARG `````diff``
";

#[test]
fn nothing_of_a_dockerfile_becomes_markup() {
    let hostile = HOSTILE.replace("```\n", "# ```\n# ~~~~\n");
    let folder = "<img src=x>`|[y](z)@team www.evil.example";
    let path = format!("{folder}/Dockerfile");
    let sandbox = Sandbox::with(&[
        (path.as_str(), &hostile),
        ("`<i>/Dockerfile", "FROM scratch\n<b>`|`@x\n"),
    ]);
    let text = comment(&sandbox, &["fix", "--format=markdown"], 2);
    assert!(text.contains("nothing reads"), "{text}");
    let html = html(&text);
    let tags: Vec<&str> = html
        .split('<')
        .skip(1)
        .map(|rest| {
            rest.split(['>', ' ', '\n'])
                .next()
                .unwrap()
                .trim_start_matches('/')
        })
        .collect();
    let ours = [
        "h3", "ul", "li", "p", "strong", "details", "summary", "code", "pre", "table", "thead",
        "tbody", "tr", "th", "td",
    ];
    for tag in tags {
        assert!(ours.contains(&tag), "<{tag}> in {html}\n{text}");
    }
    // Mentions are made of all text that is in no code.
    let code = html
        .split("<code")
        .skip(1)
        .map(|rest| rest.split_once("</code>").unwrap().1);
    for text in code {
        assert!(!text.contains('@') && !text.contains("evil"), "{text}");
    }
    // Five cells in each row.
    for row in html.split("<tr>").skip(1) {
        assert_eq!(
            row.matches("</td>").count() + row.matches("</th>").count(),
            5,
            "{row}"
        );
    }
    assert_eq!(
        html.matches("<details>").count(),
        html.matches("</details>").count()
    );
    assert!(
        html.contains("nothing reads `x`|&lt;b&gt;|[x](http://evil.example)|@everyone|#1|"),
        "{html}"
    );
}

#[test]
fn a_comment_is_never_longer_than_github_takes() {
    const MOST: usize = 65_536;
    let long: String = (0..4000)
        .map(|n| format!("ADD file{n} /srv/file{n}\n"))
        .collect();
    let long = format!("FROM debian:12-slim\n{long}");
    let sandbox = Sandbox::with(&[("a/Dockerfile", &long)]);
    let text = comment(&sandbox, &["fix", "--format=markdown"], 0);
    assert!(
        text.len() <= MOST && text.len() > MOST / 2,
        "{}",
        text.len()
    );
    assert!(
        text.contains(" lines of the patch left out here.\n"),
        "{}",
        &text[text.len() - 6000..]
    );
    assert!(
        text.contains("3960 findings left out here."),
        "{}",
        &text[text.len() - 6000..]
    );
    assert!(html(&text).trim_end().ends_with("</details>"));
    for folder in 0..300 {
        sandbox.write(format!("{folder}/Dockerfile"), BEFORE);
    }
    let text = comment(&sandbox, &["fix", "--format=markdown"], 0);
    assert!(text.len() <= MOST, "{}", text.len());
    let shown = text.matches("<details>").count();
    let said = format!(
        "{} files left out here: a comment has 65536 characters at most.",
        301 - shown
    );
    assert!(
        text.contains(&said),
        "{shown}: {}",
        &text[text.len() - 300..]
    );
    assert!(shown > 20, "{shown}");
}

#[test]
fn it_does_not_go_together_with_verify() {
    let sandbox = Sandbox::with(&[("Dockerfile", BEFORE)]);
    let ran = sandbox
        .run(&["fix", "--verify", "--format=markdown"])
        .ended(2);
    assert!(
        ran.err.contains("does not go together with `--verify`"),
        "{ran:#?}"
    );
}
