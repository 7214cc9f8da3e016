//! `dockeropt lsp`: a language server over standard input and output.
//!
//! Diagnostics, quick fixes and hovers for the text in the editor; build context and configuration are those on disk.
//! Nothing is written: a fix is an edit that the editor makes. One bad message or document ends nothing but itself.

mod actions;
mod analysis;
mod diagnostics;
mod document;
mod hover;
mod position;
mod watch;

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use anyhow::Result;
use lsp_server::{Connection, ErrorCode, Message, Notification, Request, RequestId, Response};
use lsp_types::notification::{
    DidChangeTextDocument, DidChangeWatchedFiles, DidCloseTextDocument, DidOpenTextDocument,
    DidSaveTextDocument, Exit, Notification as _, PublishDiagnostics,
};
use lsp_types::request::{CodeActionRequest, HoverRequest, RegisterCapability, Request as _};
use lsp_types::{
    ClientCapabilities, CodeActionKind, CodeActionOptions, CodeActionParams,
    DidChangeTextDocumentParams, DidCloseTextDocumentParams, DidOpenTextDocumentParams,
    HoverParams, HoverProviderCapability, MarkupKind, PublishDiagnosticsParams, ServerCapabilities,
    TextDocumentSyncCapability, TextDocumentSyncKind, TextDocumentSyncOptions, Uri,
};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::Status;
use super::contexts::Contexts;
use super::inputs::Selection;
use crate::walk::PathError;
use actions::Asked;
use analysis::Analysis;
use document::Document;
use position::{Encoding, Places};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    selection: Selection,
    /// Over standard input and output: the only way, named because clients name it
    #[arg(long, hide = true)]
    stdio: bool,
}

/// How long after the last change a text is looked at.
const PAUSE: Duration = Duration::from_millis(100);

pub(super) fn run(args: &Args) -> Result<Status> {
    let (connection, threads) = Connection::stdio();
    let status = match connection.initialize_start() {
        Ok((id, params)) => Server::start(&connection, &args.selection, id, params)?.serve()?,
        // The client left before it began.
        Err(_) => Status::Found,
    };
    drop(connection);
    threads.join()?;
    Ok(status)
}

struct Server<'a> {
    connection: &'a Connection,
    selection: &'a Selection,
    contexts: Contexts,
    client: Client,
    /// By URI.
    open: BTreeMap<String, Open>,
}

/// What the client can do.
struct Client {
    encoding: Encoding,
    /// Edits of one version of a document.
    versioned: bool,
    /// How it shows text.
    markup: MarkupKind,
}

/// A document, and what is known of its present text.
struct Open {
    document: Document,
    analysis: Option<Result<Analysis, PathError>>,
    /// When its diagnostics are to be published; `None`: they are.
    due: Option<Instant>,
}

impl<'a> Server<'a> {
    /// Agrees with the client on what either can do.
    fn start(
        connection: &'a Connection,
        selection: &'a Selection,
        id: RequestId,
        mut params: Value,
    ) -> Result<Self> {
        // What cannot be read of it the client cannot do.
        let capabilities = serde_json::from_value(params["capabilities"].take());
        let capabilities: ClientCapabilities = capabilities.unwrap_or_default();
        let client = Client::of(&capabilities);
        let answer = json!({
            "capabilities": client.served(),
            "serverInfo": {"name": "dockeropt", "version": env!("CARGO_PKG_VERSION")},
        });
        connection.initialize_finish(id, answer)?;
        let server = Self {
            connection,
            selection,
            contexts: Contexts::new(None)?,
            client,
            open: BTreeMap::new(),
        };
        if watch::can(&capabilities) {
            let id = RequestId::from("watch".to_owned());
            let request = Request::new(
                id,
                RegisterCapability::METHOD.to_owned(),
                watch::registration(),
            );
            server.send(request);
        }
        Ok(server)
    }

    /// Answers until the client is done.
    fn serve(mut self) -> Result<Status> {
        loop {
            let due = self.open.values().filter_map(|open| open.due).min();
            let message = match due {
                None => self.connection.receiver.recv().ok(),
                Some(due) => match self.connection.receiver.recv_deadline(due) {
                    Ok(message) => Some(message),
                    Err(error) if error.is_timeout() => {
                        self.publish_due();
                        continue;
                    }
                    Err(_) => None,
                },
            };
            match message {
                Some(Message::Request(request)) => {
                    if self.connection.handle_shutdown(&request)? {
                        return Ok(Status::Done);
                    }
                    self.answer(request);
                }
                Some(Message::Notification(one)) if one.method != Exit::METHOD => self.hear(one),
                Some(Message::Response(_)) => {}
                // The protocol wants 1 where nobody asked for the end.
                Some(Message::Notification(_)) | None => return Ok(Status::Found),
            }
        }
    }

    fn answer(&mut self, request: Request) {
        let (id, method) = (request.id, request.method);
        let params = request.params;
        let answer = AssertUnwindSafe(|| match method.as_str() {
            CodeActionRequest::METHOD => answered(params, |params| self.code_actions(&params)),
            HoverRequest::METHOD => answered(params, |params| self.hover(&params)),
            _ => Err((ErrorCode::MethodNotFound, format!("no `{method}` here"))),
        });
        let bug = "a bug in dockeropt, please report it".to_owned();
        let answer = catch_unwind(answer).unwrap_or(Err((ErrorCode::InternalError, bug)));
        self.send(match answer {
            Ok(value) => Response::new_ok(id, value),
            Err((code, message)) => Response::new_err(id, code as i32, message),
        });
    }

    /// What cannot be read, or uncovers a bug, changes nothing.
    fn hear(&mut self, notification: Notification) {
        let params = notification.params;
        let _ = catch_unwind(AssertUnwindSafe(|| match notification.method.as_str() {
            DidOpenTextDocument::METHOD => heard(params, |params| self.opened(params)),
            DidChangeTextDocument::METHOD => heard(params, |params| self.changed(params)),
            DidCloseTextDocument::METHOD => heard(params, |params| self.closed(&params)),
            DidSaveTextDocument::METHOD | DidChangeWatchedFiles::METHOD => self.disk_changed(),
            _ => {}
        }));
    }

    fn opened(&mut self, params: DidOpenTextDocumentParams) {
        let uri = params.text_document.uri.as_str().to_owned();
        let Some(document) = Document::open(params.text_document) else {
            return;
        };
        let open = Open {
            document,
            analysis: None,
            due: Some(Instant::now()),
        };
        self.open.insert(uri, open);
    }

    fn changed(&mut self, params: DidChangeTextDocumentParams) {
        let Some(open) = self.open.get_mut(params.text_document.uri.as_str()) else {
            return;
        };
        for change in params.content_changes {
            open.document.change(change, self.client.encoding);
        }
        open.document.version = params.text_document.version;
        open.analysis = None;
        open.due = Some(Instant::now() + PAUSE);
    }

    fn closed(&mut self, params: &DidCloseTextDocumentParams) {
        let uri = &params.text_document.uri;
        if self.open.remove(uri.as_str()).is_some() {
            self.publish(uri.clone(), None, Vec::new());
        }
    }

    /// Looks at everything again: a manifest, a configuration or a compose file may say something else.
    fn disk_changed(&mut self) {
        if let Ok(contexts) = Contexts::new(None) {
            self.contexts = contexts;
        }
        for open in self.open.values_mut() {
            open.analysis = None;
            open.due = Some(Instant::now());
        }
    }

    fn publish_due(&mut self) {
        let now = Instant::now();
        let due = |open: &Open| open.due.is_some_and(|due| due <= now);
        let due: Vec<String> = self
            .open
            .iter()
            .filter(|(_, open)| due(open))
            .map(|(uri, _)| uri.clone())
            .collect();
        for uri in due {
            self.look_at(&uri);
            let Some(open) = self.open.get_mut(&uri) else {
                continue;
            };
            open.due = None;
            let document = &open.document;
            let places = Places::new(&document.text, self.client.encoding);
            let found = open.analysis.iter();
            let found = found
                .flat_map(|one| diagnostics::of(one, &places))
                .collect();
            let (uri, version) = (document.uri.clone(), document.version);
            self.publish(uri, Some(version), found);
        }
    }

    /// Sees to it that what is known of a document is of its present text.
    fn look_at(&mut self, uri: &str) -> Option<&Open> {
        let open = self.open.get_mut(uri)?;
        if open.analysis.is_none() {
            let analysis = Analysis::of(&open.document, self.selection, &mut self.contexts);
            open.analysis = Some(analysis);
        }
        Some(open)
    }

    fn code_actions(&mut self, params: &CodeActionParams) -> Value {
        let (encoding, versioned) = (self.client.encoding, self.client.versioned);
        let Some(open) = self.look_at(params.text_document.uri.as_str()) else {
            return json!([]);
        };
        let Some(Ok(analysis)) = &open.analysis else {
            return json!([]);
        };
        let document = &open.document;
        let asked = Asked {
            document,
            places: &Places::new(&document.text, encoding),
            versioned,
        };
        json!(asked.actions(analysis, params.range, &params.context))
    }

    fn hover(&mut self, params: &HoverParams) -> Value {
        let at = &params.text_document_position_params;
        let (encoding, markup) = (self.client.encoding, self.client.markup.clone());
        let open = self.look_at(at.text_document.uri.as_str());
        let hover = open.and_then(|open| {
            let analysis = open.analysis.as_ref()?.as_ref().ok()?;
            let places = Places::new(&open.document.text, encoding);
            hover::at(at.position, analysis, &places, markup)
        });
        json!(hover)
    }

    fn publish(&self, uri: Uri, version: Option<i32>, diagnostics: Vec<lsp_types::Diagnostic>) {
        let params = PublishDiagnosticsParams::new(uri, diagnostics, version);
        let method = PublishDiagnostics::METHOD.to_owned();
        self.send(Notification::new(method, params));
    }

    fn send(&self, message: impl Into<Message>) {
        // A client that went away is noticed where its next message is waited for.
        let _ = self.connection.sender.send(message.into());
    }
}

impl Client {
    fn of(capabilities: &ClientCapabilities) -> Self {
        let general = capabilities.general.as_ref();
        let offered = general.and_then(|general| general.position_encodings.as_deref());
        let edits = capabilities.workspace.as_ref();
        let edits = edits.and_then(|workspace| workspace.workspace_edit.as_ref());
        let hover = capabilities.text_document.as_ref();
        let hover = hover.and_then(|document| document.hover.as_ref());
        let formats = hover.and_then(|hover| hover.content_format.as_deref());
        let has_markdown = formats.is_some_and(|all| all.contains(&MarkupKind::Markdown));
        Self {
            encoding: Encoding::agreed(offered),
            versioned: edits.and_then(|edits| edits.document_changes) == Some(true),
            markup: match has_markdown {
                true => MarkupKind::Markdown,
                false => MarkupKind::PlainText,
            },
        }
    }

    /// What the server does for this client.
    fn served(&self) -> ServerCapabilities {
        let sync = TextDocumentSyncOptions {
            open_close: Some(true),
            change: Some(TextDocumentSyncKind::INCREMENTAL),
            save: Some(true.into()),
            ..TextDocumentSyncOptions::default()
        };
        let actions = CodeActionOptions {
            code_action_kinds: Some(vec![CodeActionKind::QUICKFIX, actions::FIX_ALL]),
            ..CodeActionOptions::default()
        };
        ServerCapabilities {
            position_encoding: Some(self.encoding.kind()),
            text_document_sync: Some(TextDocumentSyncCapability::Options(sync)),
            code_action_provider: Some(actions.into()),
            hover_provider: Some(HoverProviderCapability::Simple(true)),
            ..ServerCapabilities::default()
        }
    }
}

/// What `answer` says to a request with these parameters.
fn answered<P: DeserializeOwned, A: Serialize>(
    params: Value,
    answer: impl FnOnce(P) -> A,
) -> Result<Value, (ErrorCode, String)> {
    let invalid = |error: serde_json::Error| (ErrorCode::InvalidParams, error.to_string());
    let params = serde_json::from_value(params).map_err(invalid)?;
    Ok(json!(answer(params)))
}

fn heard<P: DeserializeOwned>(params: Value, hear: impl FnOnce(P)) {
    if let Ok(params) = serde_json::from_value(params) {
        hear(params);
    }
}
