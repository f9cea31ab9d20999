//! Counters and gauges of the sidecar, in Prometheus' text format.

use std::fmt::Write;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

macro_rules! metrics {
    ($($(#[doc = $doc:literal])+ $field:ident: $kind:literal = $name:literal;)+) => {
        /// What the sidecar counts.
        #[derive(Debug, Default)]
        pub(crate) struct Metrics { $($(#[doc = $doc])+ pub(crate) $field: AtomicU64,)+ }

        /// All of them.
        pub(super) const ALL: &[Metric] = &[$(Metric {
            name: $name,
            kind: $kind,
            help: concat!($($doc),+),
            of: |metrics| &metrics.$field,
        },)+];
    };
}

/// One of them, as it is told.
pub(super) struct Metric {
    pub(super) name: &'static str,
    /// `counter` or `gauge`.
    pub(super) kind: &'static str,
    help: &'static str,
    of: fn(&Metrics) -> &AtomicU64,
}

impl Metric {
    pub(super) fn help(&self) -> &'static str {
        self.help.trim()
    }

    pub(super) fn value(&self, metrics: &Metrics) -> u64 {
        (self.of)(metrics).load(Relaxed)
    }
}

impl Metrics {
    /// All of them as text (version 0.0.4 of the exposition format).
    pub(crate) fn text(&self) -> String {
        let mut text = String::new();
        for metric in ALL {
            let (name, kind, help) = (metric.name, metric.kind, metric.help());
            let _ = write!(text, "# HELP {name} {help}\n# TYPE {name} {kind}\n{name} {}\n", metric.value(self));
        }
        text
    }
}

metrics! {
    /// Batches of observations that were taken.
    batches: "counter" = "azeotrope_sidecar_batches_total";
    /// Batches that came again.
    duplicates: "counter" = "azeotrope_sidecar_batches_duplicate_total";
    /// Batches that were refused: damaged, too large, out of their order, or without a valid token.
    refused: "counter" = "azeotrope_sidecar_batches_refused_total";
    /// Observations taken.
    observations: "counter" = "azeotrope_sidecar_observations_total";
    /// Observations joined into campaigns by this sidecar.
    joined: "counter" = "azeotrope_sidecar_observations_joined_total";
    /// Batches that wait to be joined.
    waiting: "gauge" = "azeotrope_sidecar_batches_waiting";
    /// Whether this sidecar has the duty of joining and publishing.
    duty: "gauge" = "azeotrope_sidecar_duty";
    /// Whether a later version has saved the campaigns: this sidecar leaves the duty to it.
    newer: "gauge" = "azeotrope_sidecar_snapshot_newer";
    /// Whether the store answers.
    store_up: "gauge" = "azeotrope_sidecar_store_up";
    /// Calls of the store that failed.
    store_failed: "counter" = "azeotrope_sidecar_store_failed_total";
    /// Bundles published by this sidecar.
    published: "counter" = "azeotrope_sidecar_bundles_published_total";
    /// Version of the bundle that is served.
    version: "gauge" = "azeotrope_sidecar_bundle_version";
    /// When the bundle that is served ends, in seconds since 1970-01-01T00:00:00Z.
    expires: "gauge" = "azeotrope_sidecar_bundle_expires_timestamp_seconds";
    /// Bundles that were handed out.
    fetched: "counter" = "azeotrope_sidecar_bundles_fetched_total";
    /// Campaigns named.
    campaigns: "gauge" = "azeotrope_sidecar_campaigns";
    /// Campaigns that ended to make room for others.
    ended: "counter" = "azeotrope_sidecar_campaigns_ended_total";
    /// Rules documents that were refused.
    rules_refused: "counter" = "azeotrope_sidecar_rules_refused_total";
    /// Changes that were refused: without a valid admin token, or by who may not make them.
    changes_refused: "counter" = "azeotrope_sidecar_changes_refused_total";
    /// Rules that an Envoy refused over ECDS.
    ecds_refused: "counter" = "azeotrope_sidecar_ecds_refused_total";
    /// Calls over ECDS that showed no valid token, and were told nothing.
    ecds_strangers: "counter" = "azeotrope_sidecar_ecds_unauthenticated_total";
}

/// Adds to a counter.
pub(super) fn add(counter: &AtomicU64, by: u64) {
    counter.fetch_add(by, Relaxed);
}

/// Sets a gauge.
pub(super) fn set(gauge: &AtomicU64, value: u64) {
    gauge.store(value, Relaxed);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_has_help_type_and_value_of_each() {
        let metrics = Metrics::default();
        add(&metrics.batches, 3);
        let text = metrics.text();
        assert!(text.contains("# TYPE azeotrope_sidecar_batches_total counter\nazeotrope_sidecar_batches_total 3\n"));
        assert_eq!(text.lines().count() % 3, 0);
    }
}
