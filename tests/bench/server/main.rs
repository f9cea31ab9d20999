//! What the bench needs beside Envoy. Both listen on a port of 127.0.0.1 and take one thread:
//!
//! `upstream <port>`: reads every body and answers with the same short Chat Completions answer.
//! `ext-proc <port> <plugin configuration>`: the engine behind Envoy's external processing filter, which is what one would
//! build instead of a module.

mod ext_proc;
mod upstream;

use std::error::Error;
use tokio::net::TcpListener;

async fn run() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let listen = async |port: &str| -> Result<_, Box<dyn Error>> {
        Ok(TcpListener::bind(("127.0.0.1", port.parse::<u16>()?)).await?)
    };
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["upstream", port] => upstream::serve(listen(port).await?).await,
        ["ext-proc", port, plugin] => ext_proc::serve(listen(port).await?, plugin).await,
        _ => Err("usage: azeotrope-bench-server upstream <port> | ext-proc <port> <plugin configuration>".into()),
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(run())
}
