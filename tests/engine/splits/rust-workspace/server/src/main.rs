//! Says hello.

fn main() {
    println!("{}", shared::greeting());
}
