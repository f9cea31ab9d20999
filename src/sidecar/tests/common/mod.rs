//! Runs the program.

use std::io::Write;
use std::process::{Command, Stdio};

/// What a run gave.
pub struct Run {
    /// Exit code.
    pub code: i32,
    /// Standard output.
    pub out: String,
    /// Standard error.
    pub err: String,
}

/// Runs `azeotrope` with arguments and standard input.
pub fn azeotrope(arguments: &[&str], input: &str) -> Run {
    azeotrope_with(&[], arguments, input)
}

/// The same with variables in its environment.
pub fn azeotrope_with(variables: &[(&str, &str)], arguments: &[&str], input: &str) -> Run {
    let mut child = Command::new(env!("CARGO_BIN_EXE_azeotrope"))
        .args(arguments)
        .env_remove("AZEOTROPE_SIDECAR")
        .env_remove("AZEOTROPE_ADMIN_TOKEN_FILE")
        .envs(variables.iter().copied())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // A program that does not read its input may have closed it already.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    let output = child.wait_with_output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Run { code: output.status.code().unwrap(), out: text(output.stdout), err: text(output.stderr) }
}
