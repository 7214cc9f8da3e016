//! The dockeropt command.

fn main() -> std::process::ExitCode {
    dockeropt::cli::main()
}
