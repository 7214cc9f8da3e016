//! `dockeropt lsp`, spoken to over stdio as an editor would: a scripted client of the public protocol.

mod client;
mod neovim;
mod session;
