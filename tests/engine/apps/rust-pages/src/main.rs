//! Prints the page that it is given.

use std::{env, fs};

fn main() {
    let file = env::args().nth(1).unwrap();
    println!("{file}: {}", fs::read_to_string(&file).unwrap());
}
