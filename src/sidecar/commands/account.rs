//! `azeotrope account`: what a sidecar knows of an account.

use super::format::Format;
use super::{Failure, Outcome};
use crate::explain::words::{count, moment};
use crate::remote::{Sidecar, at, reason};
use crate::terminal::plain;
use azeotrope_engine::rules::DigestName;
use azeotrope_engine::time::Timestamp;
use serde_json::Value;
use std::fmt::Write;

/// Show what a sidecar knows of an account: whether a campaign claims it, by what and how surely, and whether rules let it alone
///
/// Exit codes: 0: shown; 1: no such account is remembered; 2: wrong usage; 3: no answer.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The account: the `case` of a verdict, or what `azeotrope digest` says of a key
    #[arg(value_name = "CASE")]
    case: String,
    #[command(flatten)]
    sidecar: Sidecar,
    #[command(flatten)]
    format: Format,
}

impl Args {
    pub(crate) fn run(self) -> Result<Outcome, Failure> {
        let case = DigestName::parse(&self.case)
            .ok_or_else(|| Failure::Usage(format!("{}: no case: 16 lower-case hexadecimal digits", self.case)))?;
        let answer = self.sidecar.get_or(&format!("/v1/accounts/{case}"), &[404])?;
        if answer.refuses(&[404]) {
            let said = || format!("{case}: {}; `azeotrope replay` of a trace may know it\n", reason(&answer));
            self.format.print(|| answer.json(), said)?;
            return Ok(Outcome::Problems);
        }
        let told = answer.telling("/account")?;
        self.format.print(|| told.clone(), || text(&told))?;
        Ok(Outcome::Well)
    }
}

fn text(told: &Value) -> String {
    let word = |pointer: &str| plain(at(told, pointer).as_str().unwrap_or("-"));
    let number = |pointer: &str| at(told, pointer).as_f64().unwrap_or(0.0);
    let requests = count(at(told, "/requests").as_u64().unwrap_or(0), "request", "requests");
    let allowed = if at(told, "/allowed") == true { "; rules let it alone" } else { "" };
    let mut text = format!(
        "account   {}: {requests}, {} with a prompt out of a public set{allowed}\n",
        word("/account"),
        at(told, "/from_public_sets")
    );
    let _ = writeln!(text, "wording   {:+.2} nats so far", number("/wording"));
    for (what, pointer) in [
        ("party", "/party"),
        ("model", "/target"),
        ("settings", "/settings"),
        ("program", "/client"),
        ("network", "/network"),
    ] {
        let _ = writeln!(text, "{what:<10}{}", word(pointer));
    }
    if at(told, "/link").is_null() {
        let _ = writeln!(
            text,
            "campaign  none: the most that ever spoke for one are {:.2} nats; {:.2} are needed",
            number("/most"),
            number("/needed")
        );
        return text;
    }
    let linked = at(told, "/link/row/linked").as_u64().map(|linked| moment(Timestamp(linked))).unwrap_or_default();
    let _ = writeln!(
        text,
        "campaign  {}, since {linked}, by {}: {:.2} nats",
        word("/link/campaign"),
        word("/link/row/family"),
        number("/link/row/score")
    );
    if at(told, "/link/row/adopted") == true {
        text.push_str("          one of the group that named it, or something went through its hands\n");
        return text;
    }
    for (term, nats) in at(told, "/link/row/terms").as_object().into_iter().flatten() {
        let _ = writeln!(text, "          {:+.2} {}", nats.as_f64().unwrap_or(0.0), plain(term));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_account_is_told_with_what_links_it_or_what_is_missing() {
        let mut told = json!({
            "account": "b0e261b34339adaf", "requests": 5, "from_public_sets": 2, "wording": -1.2, "most": 2.1, "needed": 6.5,
            "party": "01", "target": "02", "settings": "03", "client": "04", "network": "05", "link": null, "allowed": true,
        });
        let alone = text(&told);
        assert!(alone.starts_with("account   b0e261b34339adaf: 5 requests, 2 with"), "{alone}");
        assert!(
            alone.contains("rules let it alone") && alone.contains("none: the most") && alone.contains("6.50"),
            "{alone}"
        );
        let row = json!({ "family": "skeleton_spread", "score": 7.9, "linked": 1_790_000_000_250_u64, "adopted": false,
            "terms": { "prior": -4.0, "key": 9.5 } });
        told["link"] = json!({ "campaign": "c-21be02ee", "row": row });
        let linked = text(&told);
        assert!(linked.contains("c-21be02ee, since 2026-09-21 14:13:20Z, by skeleton_spread: 7.90 nats"), "{linked}");
        assert!(linked.contains("\n          +9.50 key\n"), "{linked}");
    }
}
