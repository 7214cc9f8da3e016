//! Prints a number.

fn main() {
    println!("{}", itoa::Buffer::new().format(128u64));
}
