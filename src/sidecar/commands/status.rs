//! `azeotrope status`: what is published, who joins, and which filter runs what.

use super::campaigns::names;
use super::format::Format;
use super::{Failure, Outcome};
use crate::explain::words::{moment, span};
use crate::remote::{Sidecar, at};
use crate::terminal::plain;
use crate::terminal::table::Columns;
use azeotrope_engine::time::Timestamp;
use serde_json::Value;
use std::fmt::Write;

/// Show what is published, which sidecar has the duty, and which filters are behind
///
/// What workers have lost is of all the time since they began, and no reason for another exit code; alert on the metric
/// `azeotrope_sidecar_lost_total`. Exit codes: 0: all filters run what is published; 1: some are behind, or were heard of within a
/// day and no more, or there is none at all; 2: wrong usage; 3: no answer.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    sidecar: Sidecar,
    /// Proxies that are gone are no reason for exit code 1: where they come and go under other names, as pods do
    #[arg(long)]
    ignore_gone: bool,
    #[command(flatten)]
    format: Format,
}

impl Args {
    pub(crate) fn run(self) -> Result<Outcome, Failure> {
        let status = self.sidecar.get("/v1/status")?.telling("/bundle")?;
        self.format.print(|| status.clone(), || text(&status))?;
        Ok(if is_well(&status, self.ignore_gone) { Outcome::Well } else { Outcome::Problems })
    }
}

/// Whether all filters are there, and run what is published.
fn is_well(status: &Value, ignore_gone: bool) -> bool {
    let (filters, gone) = (filters(status), gone(status));
    let behind = filters.iter().any(|filter| at(filter, "/behind") == true);
    !filters.is_empty() && !behind && (ignore_gone || gone.is_empty())
}

/// The proxies that are heard of no more.
fn gone(status: &Value) -> &[Value] {
    at(status, "/gone").as_array().map_or(&[], Vec::as_slice)
}

/// The filters that were heard of late.
pub(super) fn filters(status: &Value) -> &[Value] {
    at(status, "/filters").as_array().map_or(&[], Vec::as_slice)
}

/// A word, where there is one; others may have written it.
pub(super) fn word(value: &Value) -> String {
    plain(value.as_str().unwrap_or("none"))
}

/// The status for people.
pub(super) fn text(status: &Value) -> String {
    let mut text = String::new();
    let when = |value: &Value| value.as_u64().map_or_else(|| "never".to_owned(), |at| moment(Timestamp(at)));
    let (bundle, rules, today) = (at(status, "/bundle"), at(status, "/rules"), at(status, "/today"));
    let expires = at(bundle, "/expires").as_u64().map_or_else(|| "never".to_owned(), |s| moment(Timestamp(s * 1_000)));
    let _ = writeln!(
        text,
        "bundle    {} published {}, ends {expires}",
        at(bundle, "/version"),
        when(at(bundle, "/published"))
    );
    let _ = match rules.is_null() {
        true => writeln!(text, "rules     built-in"),
        false => writeln!(
            text,
            "rules     {} by {} {}: {}",
            at(rules, "/number"),
            word(at(rules, "/by")),
            when(at(rules, "/at")),
            word(at(rules, "/note"))
        ),
    };
    if let Some(reason) = at(status, "/last_submission/reason").as_str() {
        let reason = plain(reason);
        let _ = writeln!(text, "          the last rules submitted were refused: {reason}");
    }
    if at(status, "/held_back/ends").as_u64().is_some_and(|ends| ends > 0) {
        let ends = when(at(status, "/held_back/ends"));
        let _ = writeln!(
            text,
            "held      campaigns began anew; proxies keep what they were told before until {ends}; `azeotrope campaigns --release`"
        );
    } else if let Some(accounts) = at(status, "/held_back/accounts").as_u64() {
        let _ = writeln!(
            text,
            "held      {}: would act on {accounts} of {} accounts at once; `azeotrope campaigns --release`",
            names(at(status, "/held_back")),
            at(status, "/held_back/of")
        );
    }
    let duty = at(status, "/duty");
    let _ = writeln!(
        text,
        "duty      {}; {} campaigns; {} batches wait",
        word(at(duty, "/name")),
        at(duty, "/campaigns"),
        at(status, "/batches_waiting")
    );
    let _ = writeln!(text, "today     {} requests of {} accounts", at(today, "/requests"), at(today, "/accounts"));
    for proxy in gone(status) {
        let ago = span(at(proxy, "/heard_seconds_ago").as_u64().unwrap_or(0).saturating_mul(1_000));
        let _ = writeln!(text, "gone      {}, last heard of {ago} ago", word(at(proxy, "/name")));
    }
    if filters(status).is_empty() {
        text.push_str(
            "filters   none was heard of in the last minute: do they have a `sidecar`, its cluster and its token?\n",
        );
        return text;
    }
    let mut table = Columns::new(&["proxy", "process", "worker", "version>", "lost>", "heard>", ""]);
    for filter in filters(status) {
        table.row([
            word(at(filter, "/name")),
            word(at(filter, "/process")),
            word(at(filter, "/worker")),
            at(filter, "/version").to_string(),
            at(filter, "/lost").to_string(),
            format!("{} s", at(filter, "/heard_seconds_ago")),
            if at(filter, "/behind") == true { "behind".to_owned() } else { String::new() },
        ]);
    }
    text + "\n" + &table.text()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn who_is_behind_is_told() {
        let status = json!({
            "bundle": { "version": 7, "published": 1_000, "expires": 2_000 }, "rules": null, "duty": { "name": "a" },
            "today": { "requests": 1, "accounts": 1 }, "batches_waiting": 0,
            "filters": [{ "name": "edge", "version": 6, "behind": true, "lost": 0, "heard_seconds_ago": 1 }],
        });
        let text = text(&status);
        assert!(text.contains("rules     built-in") && text.lines().last().unwrap().ends_with("behind"), "{text}");
    }

    #[test]
    fn who_is_gone_is_told_and_that_there_is_nobody() {
        let filter = json!({ "name": "edge", "version": 7, "behind": false, "lost": 0, "heard_seconds_ago": 1 });
        let all = json!({ "filters": [filter] });
        let some = json!({ "filters": [filter], "gone": [{ "name": "core", "heard_seconds_ago": 10_800 }] });
        assert!(text(&some).contains("gone      core, last heard of 3 hours ago"), "{}", text(&some));
        assert_eq!([&all, &some].map(|status| is_well(status, false)), [true, false]);
        assert!(is_well(&some, true));
        let none = json!({ "filters": [] });
        assert!(!is_well(&none, true) && text(&none).contains("none was heard of"), "{}", text(&none));
    }
}
