//! What is said of a fault of our own.

use std::panic::PanicHookInfo;

/// Makes a panic say where it happened, and only that: its message could quote a request, a rule or a key.
pub(crate) fn hook_panics() {
    std::panic::set_hook(Box::new(|info| eprintln!("{}", told(info))));
}

fn told(info: &PanicHookInfo<'_>) -> String {
    let (file, line) = info.location().map_or(("?", 0), |place| (place.file(), place.line()));
    let version = env!("CARGO_PKG_VERSION");
    format!("azeotrope {version}: bug: panic at {file}:{line}; what it was about is not told, for it may be secret")
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    const SECRET: &str = "quokka-4711";
    const CHILD: &str = "AZEOTROPE_TEST_PANICS";

    /// Runs itself again, as a process that has nobody else's hook.
    #[test]
    fn a_panic_says_where_and_nothing_of_what() {
        if std::env::var_os(CHILD).is_some() {
            super::hook_panics();
            let thread = std::thread::spawn(|| std::panic::panic_any(SECRET.to_owned()));
            assert!(thread.join().is_err());
            std::env::var("NO_SUCH_VARIABLE").map_err(|_| SECRET).expect("a message");
        }
        let name = "crash::tests::a_panic_says_where_and_nothing_of_what";
        let child = Command::new(std::env::current_exe().unwrap())
            .args([name, "--exact", "--nocapture"])
            .envs([(CHILD, "1"), ("RUST_BACKTRACE", "1")])
            .output()
            .unwrap();
        let said = [child.stdout, child.stderr].concat();
        let said = String::from_utf8_lossy(&said);
        assert!(!child.status.success() && said.matches("bug: panic at src/sidecar/crash.rs:").count() == 2, "{said}");
        assert!(!said.contains(SECRET) && !said.contains("a message"), "{said}");
    }
}
