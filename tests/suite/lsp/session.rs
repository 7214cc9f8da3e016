//! Sessions: what the server says to what a client does.

use serde_json::{Value, json};

use super::client::{Client, with_action};
use crate::cli::sandbox::{AFTER, BEFORE, REFUSED, Sandbox};
use crate::files::repository;

fn uri(sandbox: &Sandbox, path: &str) -> String {
    format!("file://{}", sandbox.path(path).display())
}

fn codes(params: &Value) -> Vec<&str> {
    let all = params["diagnostics"].as_array().unwrap();
    all.iter().filter_map(|one| one["code"].as_str()).collect()
}

fn action<'a>(actions: &'a [Value], rule: &str) -> &'a Value {
    let of_rule = |action: &&Value| action["title"].as_str().unwrap().contains(rule);
    actions
        .iter()
        .find(of_rule)
        .unwrap_or_else(|| panic!("no {rule}: {actions:#?}"))
}

/// The whole of a session, line by line, as a client would log it.
#[test]
fn a_session_goes_as_recorded() {
    let sandbox = Sandbox::with(&[("requirements.txt", "flask\n"), ("Dockerfile", BEFORE)]);
    let uri = uri(&sandbox, "Dockerfile");
    let capabilities = json!({
        "workspace": {"workspaceEdit": {"documentChanges": true}},
        "textDocument": {"hover": {"contentFormat": ["markdown", "plaintext"]}},
    });
    let mut client = Client::start(&sandbox, capabilities);
    client.open(&uri, BEFORE);
    client.actions(&uri, None);
    let place = json!({"textDocument": {"uri": uri}, "position": {"line": 1, "character": 4}});
    client.ask("textDocument/hover", place);
    let change = json!({
        "range": {"start": {"line": 1, "character": 0}, "end": {"line": 1, "character": 3}},
        "text": "COPY",
    });
    client.tell(
        "textDocument/didChange",
        json!({"textDocument": {"uri": uri, "version": 2}, "contentChanges": [change]}),
    );
    client.diagnostics(&uri);
    client.tell(
        "textDocument/didClose",
        json!({"textDocument": {"uri": uri}}),
    );
    client.diagnostics(&uri);
    assert_eq!(client.end(), 0);
    let folder = sandbox.path("").display().to_string();
    let log = client.log.iter().map(|(who, message)| {
        let text = serde_json::to_string_pretty(message).unwrap();
        let text = text.replace(folder.trim_end_matches('/'), "/work");
        let text = text.replace(
            concat!("\"", env!("CARGO_PKG_VERSION"), "\""),
            "\"VERSION\"",
        );
        format!("{who}: {text}\n")
    });
    let log: String = log.collect();
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(repository("snapshots/lsp"));
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!("session", log));
}

#[test]
fn fixes_are_those_of_the_command_line() {
    let sandbox = Sandbox::with(&[("requirements.txt", "flask\n"), ("Dockerfile", BEFORE)]);
    let uri = uri(&sandbox, "Dockerfile");
    let mut client = Client::start(&sandbox, json!({}));
    client.open(&uri, BEFORE);
    let fixes = client.actions(&uri, Some("quickfix"));
    let safe = action(&fixes, "copy-not-add");
    assert_eq!(with_action(BEFORE, safe, char::len_utf16), AFTER);
    assert_eq!(safe["isPreferred"], true);
    let other = action(&fixes, "apt-no-recommends, unsafe");
    let expected = BEFORE.replace("install -y", "install -y --no-install-recommends");
    assert_eq!(with_action(BEFORE, other, char::len_utf16), expected);
    let all = client.actions(&uri, Some("source.fixAll"));
    let [all] = all.as_slice() else {
        panic!("{all:#?}")
    };
    assert_eq!(all["kind"], "source.fixAll.dockeropt");
    assert_eq!(with_action(BEFORE, all, char::len_utf16), AFTER);
    assert!(client.actions(&uri, Some("refactor")).is_empty());
}

/// Line endings, a byte order mark and wide characters, in the columns of either encoding.
#[test]
fn edits_find_their_places_in_both_encodings() {
    let before = "\u{feff}FROM debian:12-slim\r\nLABEL x='\u{1f600}é'\r\nRUN echo '\u{1f600}é' && apt-get update && apt-get install -y tree\r\nADD a /é\r\n";
    for (offered, agreed, units) in [
        (
            json!(["utf-16"]),
            "utf-16",
            char::len_utf16 as fn(char) -> usize,
        ),
        (json!(["utf-16", "utf-8"]), "utf-8", char::len_utf8),
    ] {
        let sandbox = Sandbox::with(&[("Dockerfile", before), ("a", "")]);
        let uri = uri(&sandbox, "Dockerfile");
        let mut client =
            Client::start(&sandbox, json!({"general": {"positionEncodings": offered}}));
        let told = &client
            .log
            .iter()
            .find(|(who, _)| *who == "server")
            .unwrap()
            .1;
        assert_eq!(told["result"]["capabilities"]["positionEncoding"], agreed);
        client.open(&uri, before);
        sandbox.run(&["fix", "--write"]).ended(0);
        let all = client.actions(&uri, Some("source.fixAll"));
        let expected = sandbox.text("Dockerfile");
        assert_ne!(expected, before);
        assert_eq!(with_action(before, &all[0], units), expected);
        let fixes = client.actions(&uri, Some("quickfix"));
        let after = with_action(before, action(&fixes, "copy-not-add"), units);
        assert_eq!(after, before.replace("ADD a", "COPY a"));
        // A change behind a wide character, in the same columns.
        let column: usize = "LABEL x='\u{1f600}".chars().map(units).sum();
        let place = |column| json!({"line": 1, "character": column});
        let range = json!({"start": place(column), "end": place(column + units('é'))});
        let changes = json!([{"range": range, "text": "'\r\nFROM x\r\nLABEL y='"}]);
        client.tell(
            "textDocument/didChange",
            json!({"textDocument": {"uri": uri, "version": 2}, "contentChanges": changes}),
        );
        let told = client.diagnostics(&uri);
        assert_eq!(told["version"], 2);
        let add = told["diagnostics"].as_array().unwrap().last().unwrap();
        assert_eq!(add["code"], "copy-not-add");
        assert_eq!(add["range"]["start"]["line"], 5);
    }
}

#[test]
fn what_buildkit_refuses_is_an_error_where_it_stands() {
    let sandbox = Sandbox::new();
    let uri = uri(&sandbox, "Dockerfile");
    let mut client = Client::start(&sandbox, json!({}));
    let told = client.open(&uri, REFUSED);
    let [refused] = told["diagnostics"].as_array().unwrap().as_slice() else {
        panic!("{told:#}")
    };
    assert_eq!(refused["severity"], 1);
    assert_eq!(refused["range"]["start"]["line"], 1);
    let message = refused["message"].as_str().unwrap();
    assert!(
        message.starts_with("BuildKit refuses this file: "),
        "{message}"
    );
    assert!(client.actions(&uri, None).is_empty());
}

#[test]
fn comments_configuration_and_context_count() {
    let suppressed = BEFORE.replace("ADD", "# dockeropt: ignore=copy-not-add\nADD");
    let copies =
        "FROM python:3.12\nCOPY . /app\nRUN pip install --no-cache-dir -r /app/requirements.txt\n";
    let sandbox = Sandbox::with(&[("app/requirements.txt", "flask\n"), ("app/main.py", "")]);
    let uri = uri(&sandbox, "app/Dockerfile");
    let mut client = Client::start(&sandbox, json!({}));
    assert_eq!(
        codes(&client.open(&uri, &suppressed)),
        ["apt-no-recommends"]
    );
    let change = |client: &mut Client, text: &str| {
        let params =
            json!({"textDocument": {"uri": uri, "version": 2}, "contentChanges": [{"text": text}]});
        client.tell("textDocument/didChange", params);
        client.diagnostics(&uri)
    };
    assert!(codes(&change(&mut client, copies)).contains(&"copy-manifests-first"));
    sandbox.write(
        "dockeropt.toml",
        "ignore = ['copy-manifests-first', 'slim-base', 'nonroot-user']\n",
    );
    client.tell("workspace/didChangeWatchedFiles", json!({"changes": []}));
    let told = client.diagnostics(&uri);
    assert!(!codes(&told).contains(&"copy-manifests-first"), "{told:#}");
    sandbox.write("dockeropt.toml", "\nignor = []\n");
    client.tell(
        "textDocument/didSave",
        json!({"textDocument": {"uri": uri}}),
    );
    let told = client.diagnostics(&uri);
    let message = told["diagnostics"][0]["message"].as_str().unwrap();
    assert!(
        message.contains("dockeropt.toml:2: unknown key `ignor`, did you mean `ignore`?"),
        "{message}"
    );
}

#[test]
fn a_text_without_a_file_has_no_context() {
    let sandbox = Sandbox::with(&[("requirements.txt", "flask\n")]);
    let mut client = Client::start(&sandbox, json!({}));
    for uri in [
        "untitled:Untitled-1",
        "vscode-vfs://github/owner/name/Dockerfile",
    ] {
        let told = client.open(uri, BEFORE);
        assert!(codes(&told).contains(&"apt-no-recommends"), "{told:#}");
    }
}

#[test]
fn nothing_that_a_client_sends_takes_the_server_down() {
    let sandbox = Sandbox::with(&[("requirements.txt", "flask\n")]);
    let uri = uri(&sandbox, "Dockerfile");
    let mut client = Client::unready(&sandbox);
    let early = client.ask_all("textDocument/hover", json!({}));
    assert_eq!(early["error"]["code"], -32002);
    client.ask("initialize", json!({"capabilities": {"textDocument": 3}}));
    client.tell("initialized", json!({}));
    client.tell("textDocument/didOpen", json!({"textDocument": 1}));
    client.tell(
        "textDocument/didChange",
        json!({"textDocument": {"uri": "untitled:x", "version": 1}, "contentChanges": []}),
    );
    client.tell("$/setTrace", json!({"value": "off"}));
    let code = |answer: Value| answer["error"]["code"].as_i64();
    assert_eq!(
        code(client.ask_all("textDocument/hover", json!([]))),
        Some(-32602)
    );
    assert_eq!(
        code(client.ask_all("textDocument/rename", json!({}))),
        Some(-32601)
    );
    assert!(client.actions("untitled:x", None).is_empty());
    client.open(&uri, BEFORE);
    let place = |line, character| json!({"line": line, "character": character});
    let ranges = [
        (place(0, 3), place(0, 1)),
        (place(7, 7), place(4294967295u32, 1)),
        (place(1, 999), place(2, 0)),
    ];
    for (start, end) in ranges {
        let changes = json!([{"range": {"start": start, "end": end}, "text": "é\r"}]);
        client.tell(
            "textDocument/didChange",
            json!({"textDocument": {"uri": uri, "version": 2}, "contentChanges": changes}),
        );
        let params = json!({"textDocument": {"uri": uri}, "position": place(99, 99)});
        assert_eq!(client.ask("textDocument/hover", params), Value::Null);
    }
    assert_eq!(client.end(), 0);
}

#[test]
fn who_leaves_without_a_word_gets_1() {
    let sandbox = Sandbox::new();
    assert_eq!(Client::unready(&sandbox).status(), 1);
    assert_eq!(Client::start(&sandbox, json!({})).status(), 1);
    let mut client = Client::start(&sandbox, json!({}));
    client.tell("exit", Value::Null);
    assert_eq!(client.status(), 1);
}

#[test]
fn manifests_are_watched_where_the_client_can() {
    let sandbox = Sandbox::new();
    let watch = json!({"workspace": {"didChangeWatchedFiles": {"dynamicRegistration": true}}});
    let mut client = Client::start(&sandbox, watch);
    let asked = client.wait(|message| message["method"] == "client/registerCapability");
    let registration = &asked["params"]["registrations"][0];
    assert_eq!(registration["method"], "workspace/didChangeWatchedFiles");
    let globs = registration["registerOptions"]["watchers"].to_string();
    for name in [
        "dockeropt.toml",
        "package.json",
        "requirements*.txt",
        "*.dockerignore",
    ] {
        assert!(globs.contains(&format!("**/{name}\"")), "{name} in {globs}");
    }
    client.send(json!({"jsonrpc": "2.0", "id": "watch", "result": null}));
    assert_eq!(client.end(), 0);
}

#[test]
fn dockerfiles_inside_compose_files_are_known() {
    let text = |word: &str| {
        format!(
            "services:\n  app:\n    build:\n      context: .\n      dockerfile_inline: |\n        FROM debian:12\n        {word} app.sh /\n"
        )
    };
    let before = text("ADD");
    let sandbox = Sandbox::with(&[("app.sh", ""), ("compose.yaml", &before)]);
    let uri = uri(&sandbox, "compose.yaml");
    let mut client = Client::start(&sandbox, json!({}));
    let shown = client.open(&uri, &before);
    let all = shown["diagnostics"].as_array().unwrap();
    let found = all
        .iter()
        .find(|one| one["code"] == "copy-not-add")
        .unwrap();
    let range = json!({
        "start": {"line": 6, "character": 8},
        "end": {"line": 6, "character": 20},
    });
    assert_eq!(found["range"], range);
    let fixes = client.actions(&uri, Some("quickfix"));
    let fix = action(&fixes, "copy-not-add");
    assert_eq!(with_action(&before, fix, char::len_utf16), text("COPY"));
    // What holds no Dockerfile is none of ours.
    let other = uri.replace("compose", "compose.prod");
    let shown = client.open(&other, "services: [");
    assert_eq!(shown["diagnostics"], json!([]));
    assert_eq!(client.end(), 0);
}
