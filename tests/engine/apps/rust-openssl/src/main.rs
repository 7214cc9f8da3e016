//! Prints the digest of its argument.

use openssl::hash::{MessageDigest, hash};

fn main() {
    let text = std::env::args().nth(1).unwrap_or_else(|| "hello".to_owned());
    let digest = hash(MessageDigest::sha256(), text.as_bytes()).expect("a digest");
    let shown: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    println!("{shown}");
}
