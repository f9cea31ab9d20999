//! Whom rules would have acted upon.

use crate::commands::format::Format;
use crate::commands::{Failure, Outcome, read};
use crate::remote::{Sidecar, at, reason};
use crate::terminal::table::Columns;
use azeotrope_engine::rules::MAX_BYTES;
use serde_json::Value;
use std::path::Path;

pub(super) fn run(file: &Path, sidecar: &Sidecar, format: Format) -> Result<Outcome, Failure> {
    let text = String::from_utf8(read(file, MAX_BYTES)?)
        .map_err(|_| Failure::Usage(format!("{}: no UTF-8", file.display())))?;
    let answer = sidecar.ask("/v1/rules/what-if", &text)?;
    if answer.refuses(&[400]) {
        return Err(Failure::Usage(format!("{}: {}", file.display(), reason(&answer))));
    }
    let told = answer.telling("/comparison")?;
    format.print(|| told.clone(), || table(&told))?;
    let newly = at(&told, "/comparison/newly").as_u64().unwrap_or(0);
    Ok(if newly == 0 { Outcome::Well } else { Outcome::Problems })
}

fn table(told: &Value) -> String {
    let rows = at(told, "/affected").as_array().map_or(&[][..], Vec::as_slice);
    let word = |row: &Value, key: &str| at(row, &format!("/{key}")).as_str().unwrap_or("-").to_owned();
    let mut table = Columns::new(&["account", "was", "is", "nats>", "requests>", "campaign"]);
    for row in rows {
        let nats = format!("{:.2}", at(row, "/score").as_f64().unwrap_or(0.0));
        let requests = at(row, "/requests").to_string();
        table.row([word(row, "account"), word(row, "was"), word(row, "is"), nats, requests, word(row, "campaign")]);
    }
    let listed = if rows.is_empty() { String::new() } else { table.text() };
    let omitted = at(told, "/omitted").as_u64().unwrap_or(0);
    let more = if omitted > 0 { format!("and {omitted} more\n") } else { String::new() };
    format!("{}{listed}{more}", at(told, "/comparison/text").as_str().unwrap_or_default())
}
