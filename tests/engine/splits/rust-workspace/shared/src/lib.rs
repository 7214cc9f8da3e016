//! What all programs share.

/// What the server says.
pub fn greeting() -> &'static str {
    "hello"
}
