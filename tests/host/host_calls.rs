//! Prints what one LLM call asks of the host, by name: `make host-calls`.

use azeotrope_test_host::{Module, Process, Profile, Request, Response, Worker};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let module = Module::full()?;
    let text = "Please compare the two proposals below and say which one you prefer, and why. ".repeat(60);
    let body = format!(
        "{{\"model\":\"gpt-5\",\"messages\":[{{\"role\":\"user\",\"content\":\"{}\"}}]}}",
        text.get(..4_000).unwrap_or(&text)
    );
    let answer = r#"{"id":"1","choices":[{"message":{"role":"assistant","content":"Fine."},"finish_reason":"stop"}],"usage":{"prompt_tokens":9,"completion_tokens":2}}"#;
    let request = |account: usize| {
        let request = Request::post("/v1/chat/completions", body.as_bytes());
        let request = request.with("authorization", format!("Bearer sk-account-{account}"));
        request.answered(Response::of(200, "application/json", answer.as_bytes()))
    };
    for (name, configuration) in [("{}", "{}"), ("headers held", r#"{"headers":"held"}"#)] {
        let process = Process::default();
        let mut worker = Worker::start(&module, &process, &Profile::envoy(), configuration)?;
        worker.wait(100)?;
        println!("\n{name}: host calls at the start {}", worker.calls().values().sum::<u64>());
        for (which, account) in [("the first request", 0), ("the second of its account", 0), ("another account", 1)] {
            let outcome = worker.exchange(&request(account))?;
            let dearest = outcome.dearest().map_or(0, |step| step.instructions);
            println!("  {which}: {} host calls, dearest callback {dearest} instructions", outcome.host_calls());
            for (function, count) in &outcome.calls {
                println!("    {count:>3}  {function}");
            }
        }
        println!("  memory of the VM: {} KiB", worker.memory() / 1024);
    }
    Ok(())
}
