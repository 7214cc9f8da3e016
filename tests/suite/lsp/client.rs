//! A client of the language server protocol that knows nothing of the server but its standard input and output.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

use crate::cli::sandbox::Sandbox;

/// How long an answer is waited for.
const PATIENCE: Duration = Duration::from_secs(60);

pub(super) struct Client {
    child: Child,
    stdin: Option<ChildStdin>,
    messages: Receiver<Value>,
    next: i32,
    /// Every message, with who sent it.
    pub(super) log: Vec<(&'static str, Value)>,
}

impl Client {
    /// A server in the sandbox, and a client that can do this.
    pub(super) fn start(sandbox: &Sandbox, capabilities: Value) -> Self {
        let mut client = Self::unready(sandbox);
        let params = json!({"processId": null, "rootUri": null, "capabilities": capabilities});
        client.ask("initialize", params);
        client.tell("initialized", json!({}));
        client
    }

    /// A server that was not initialized.
    pub(super) fn unready(sandbox: &Sandbox) -> Self {
        let mut child = sandbox
            .command()
            .args(["lsp", "--stdio"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let (sender, messages) = channel();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        thread::spawn(move || {
            while let Some(message) = read(&mut stdout) {
                if sender.send(message).is_err() {
                    return;
                }
            }
        });
        Self {
            stdin: child.stdin.take(),
            child,
            messages,
            next: 0,
            log: Vec::new(),
        }
    }

    pub(super) fn send(&mut self, message: Value) {
        let text = message.to_string();
        self.log.push(("client", message));
        self.send_text(&text);
    }

    /// Sends a body that need not be a message.
    pub(super) fn send_text(&mut self, text: &str) {
        let stdin = self.stdin.as_mut().unwrap();
        write!(stdin, "Content-Length: {}\r\n\r\n{text}", text.len()).unwrap();
        stdin.flush().unwrap();
    }

    pub(super) fn tell(&mut self, method: &str, params: Value) {
        self.send(json!({"jsonrpc": "2.0", "method": method, "params": params}));
    }

    /// The answer to a request, whole.
    pub(super) fn ask_all(&mut self, method: &str, params: Value) -> Value {
        self.next += 1;
        let id = self.next;
        self.send(json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params}));
        self.wait(|message| message["id"] == id && message.get("method").is_none())
    }

    /// The result of a request.
    pub(super) fn ask(&mut self, method: &str, params: Value) -> Value {
        let mut answer = self.ask_all(method, params);
        assert_eq!(answer.get("error"), None);
        answer["result"].take()
    }

    /// The next diagnostics of `uri`.
    pub(super) fn diagnostics(&mut self, uri: &str) -> Value {
        let mut message = self.wait(|message| {
            message["method"] == "textDocument/publishDiagnostics"
                && message["params"]["uri"] == uri
        });
        message["params"].take()
    }

    /// The next message that `is_wanted`.
    pub(super) fn wait(&mut self, is_wanted: impl Fn(&Value) -> bool) -> Value {
        loop {
            let message = self.messages.recv_timeout(PATIENCE).unwrap();
            self.log.push(("server", message.clone()));
            if is_wanted(&message) {
                return message;
            }
        }
    }

    pub(super) fn open(&mut self, uri: &str, text: &str) -> Value {
        let document = json!({"uri": uri, "languageId": "dockerfile", "version": 1, "text": text});
        self.tell("textDocument/didOpen", json!({"textDocument": document}));
        self.diagnostics(uri)
    }

    /// The actions for a whole document, of one kind where one is given.
    pub(super) fn actions(&mut self, uri: &str, only: Option<&str>) -> Vec<Value> {
        let mut context = json!({"diagnostics": []});
        if let Some(only) = only {
            context["only"] = json!([only]);
        }
        let range =
            json!({"start": {"line": 0, "character": 0}, "end": {"line": 9999, "character": 0}});
        let params = json!({"textDocument": {"uri": uri}, "range": range, "context": context});
        let actions = self.ask("textDocument/codeAction", params);
        actions.as_array().unwrap().clone()
    }

    /// Ends the server by protocol; its status.
    pub(super) fn end(&mut self) -> i32 {
        self.ask("shutdown", Value::Null);
        self.tell("exit", Value::Null);
        self.status()
    }

    /// Closes the server's standard input; its status.
    pub(super) fn status(&mut self) -> i32 {
        drop(self.stdin.take());
        self.child.wait().unwrap().code().unwrap()
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        // Of a server that has ended nothing is left to end.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn read(stdout: &mut impl BufRead) -> Option<Value> {
    let mut length = 0;
    loop {
        let mut line = String::new();
        if stdout.read_line(&mut line).ok()? == 0 {
            return None;
        }
        match line.trim_end().split_once(": ") {
            Some(("Content-Length", value)) => length = value.parse().ok()?,
            Some(_) => {}
            None => break,
        }
    }
    let mut body = vec![0; length];
    stdout.read_exact(&mut body).ok()?;
    serde_json::from_slice(&body).ok()
}

/// What an editor makes of `text` that takes the edits of `action`; columns count what `units` says of a character.
pub(super) fn with_action(text: &str, action: &Value, units: fn(char) -> usize) -> String {
    let edit = &action["edit"];
    let edits = match edit["documentChanges"][0].get("edits") {
        Some(edits) => edits,
        None => edit["changes"]
            .as_object()
            .unwrap()
            .values()
            .next()
            .unwrap(),
    };
    let mut edits: Vec<_> = edits
        .as_array()
        .unwrap()
        .iter()
        .map(|edit| {
            let at = |end: &str| {
                let place = &edit["range"][end];
                let number = |name: &str| place[name].as_u64().unwrap() as usize;
                offset(text, number("line"), number("character"), units)
            };
            (at("start"), at("end"), edit["newText"].as_str().unwrap())
        })
        .collect();
    edits.sort_unstable();
    let mut after = text.to_owned();
    for (start, end, insert) in edits.into_iter().rev() {
        after.replace_range(start..end, insert);
    }
    after
}

/// The byte at a place. In these texts `\n` and `\r\n` end lines; between the two there is no place.
fn offset(text: &str, line: usize, column: usize, units: fn(char) -> usize) -> usize {
    let lines = text.split_inclusive('\n').chain([""]);
    let start: usize = lines.clone().take(line).map(str::len).sum();
    let content = lines.clone().nth(line).unwrap_or_default();
    let content = content.trim_end_matches('\n').trim_end_matches('\r');
    let mut left = column;
    for (at, char) in content.char_indices() {
        if left == 0 {
            return start + at;
        }
        left = left.checked_sub(units(char)).unwrap();
    }
    assert_eq!(left, 0, "column {column} of {content:?}");
    start + content.len()
}
