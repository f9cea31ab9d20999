//! `azeotrope rules`: check, schema, defaults; keys and signatures; rules into force and back.

mod check;
mod diff;
mod edit;
mod exceptions;
mod fetch;
mod live;
mod losses;
mod sign;
mod what_if;

pub(crate) use sign::hours;

use super::format::Format;
use super::{Failure, Outcome};
use crate::remote::Sidecar;
use azeotrope_engine::rules::document::MAX_VERSION;
use clap::Subcommand;
use std::path::PathBuf;
use std::time::Duration;

/// Check, compare, sign and publish rules
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Say what is wrong with a rules document or a whole plugin configuration
    ///
    /// A document with `format`, `version`, `thresholds` or `families` at its top is taken for rules, any other for a
    /// plugin configuration. Exit codes: 0: nothing wrong; 1: problems found; 2: wrong usage, or the file could not be
    /// read.
    Check {
        /// The document; `-`: standard input
        file: PathBuf,
        #[command(flatten)]
        format: Format,
    },
    /// Print the JSON Schema (draft 2020-12) of rules documents
    Schema {
        /// Of plugin configurations instead
        #[arg(long)]
        configuration: bool,
    },
    /// Print the built-in rules: every knob with its default
    #[command(visible_alias = "show-defaults")]
    Defaults {
        /// The default plugin configuration instead
        #[arg(long)]
        configuration: bool,
    },
    /// Make a key to sign bundles with, and print its public half for `public_keys`
    ///
    /// Exit codes: 0: made; 2: wrong usage, or the file could not be written or is there already.
    Keygen {
        /// Where the key goes; a file that exists is never written over
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
        #[command(flatten)]
        format: Format,
    },
    /// Print the public half of a key
    ///
    /// Exit codes: 0: printed; 2: wrong usage, or the file could not be read or is no key.
    PublicKey {
        /// The key
        #[arg(long, value_name = "FILE")]
        key: PathBuf,
        #[command(flatten)]
        format: Format,
    },
    /// Show every knob in which two rules documents differ
    ///
    /// Exit codes: 0: none; 1: some; 2: wrong usage, or a document has problems; 3: no answer.
    Diff {
        /// One document
        old: PathBuf,
        /// Another; absent: what a sidecar has in force is the one, and this the other
        new: Option<PathBuf>,
        #[command(flatten)]
        sidecar: Sidecar,
        #[command(flatten)]
        format: Format,
    },
    /// Say whom rules would have acted upon, over the traffic that a sidecar still knows; nothing is changed
    ///
    /// Those that no campaign claims come first. Exit codes: 0: nobody is newly acted on; 1: somebody is; 2: wrong usage,
    /// or a document with problems; 3: no answer.
    WhatIf {
        /// The rules document; `-`: standard input
        file: PathBuf,
        #[command(flatten)]
        sidecar: Sidecar,
        #[command(flatten)]
        format: Format,
    },
    /// Sign rules into a bundle, for the key `bundle` of a plugin configuration: rules without a sidecar
    ///
    /// Exit codes: 0: signed; 1: the document has problems; 2: wrong usage, no filter would open the bundle, or a file could not
    /// be read or written.
    Sign {
        /// The rules document
        file: PathBuf,
        /// The key
        #[arg(long, value_name = "FILE")]
        key: PathBuf,
        /// Corpus filter to put in; may be given several times
        #[arg(long, value_name = "FILE")]
        corpus: Vec<PathBuf>,
        /// Hours that the bundle holds
        #[arg(long, value_name = "HOURS", default_value = "720", value_parser = sign::hours)]
        expire_hours: Duration,
        /// Version of the bundle; absent: the seconds since 1970
        #[arg(long = "bundle-version", value_name = "VERSION", value_parser = clap::value_parser!(u64).range(1..=MAX_VERSION))]
        number: Option<u64>,
        /// Where the base64 goes; absent, or `-`: standard output
        #[arg(long, value_name = "OUT")]
        out: Option<PathBuf>,
        #[command(flatten)]
        format: Format,
    },
    /// Fetch the bundle that a sidecar has in force, for the key `bundle` of a plugin configuration: rules and campaigns for
    /// CDN edges, which cannot ask for them
    ///
    /// Exit codes: 0: fetched and verified; 1: refused; 2: wrong usage, or a file could not be read or written; 3: no answer.
    Fetch {
        /// Public key that it must be signed with: one of the `public_keys` of the plugin configuration
        #[arg(long, value_name = "KEY")]
        public_key: String,
        /// Plugin configuration to put it into; absent: the base64 alone is written
        #[arg(long, value_name = "FILE")]
        plugin: Option<PathBuf>,
        /// Bytes that the result may have; more is refused
        #[arg(long, value_name = "BYTES", default_value_t = azeotrope_engine::rules::MAX_CONFIGURATION)]
        limit: usize,
        /// Where the result goes; absent, or `-`: standard output
        #[arg(long, value_name = "OUT")]
        out: Option<PathBuf>,
        /// File with the token that filters show
        #[arg(long, value_name = "FILE")]
        token_file: Option<PathBuf>,
        #[command(flatten)]
        sidecar: Sidecar,
    },
    /// Print the rules in force, as they were written: what to begin with to change them
    ///
    /// Their number goes to standard error, for `rules publish --from`; `--json` has both. Exit codes: 0: printed; 1: rules of
    /// this number are not kept; 2: wrong usage; 3: no answer.
    Show {
        /// Those of this number instead (`azeotrope rules history`; 0: the built-in ones)
        #[arg(long, value_name = "NUMBER")]
        number: Option<u64>,
        #[command(flatten)]
        sidecar: Sidecar,
        #[command(flatten)]
        format: Format,
    },
    /// Put rules into force through a sidecar
    ///
    /// They run in shadow over recent traffic first, and are refused where they would newly act on too many accounts at
    /// once, or have ended; or where they take back exceptions that are in force (`allow`) and --from does not say that this
    /// is known. What they take back of `allow`, `deny` and `campaigns` is told. Exit codes: 0: in force; 1: refused; 2: wrong
    /// usage; 3: no answer.
    Publish {
        /// The rules document; `-`: standard input
        file: PathBuf,
        /// The number of the rules that it was made from (`azeotrope rules show`): refused where others are in force
        #[arg(long, value_name = "NUMBER")]
        from: Option<u64>,
        #[command(flatten)]
        change: live::Change,
        /// Put them into force however many accounts they act on, whatever exceptions they take back, and though they have
        /// ended
        #[arg(long)]
        force: bool,
    },
    /// Go back to the rules before, through a sidecar
    ///
    /// Once more goes further back, and never to rules that were gone back from; from the first that anybody wrote to the built-in
    /// ones. Exit codes: 0: in force; 1: refused; 2: wrong usage; 3: no answer.
    Rollback {
        /// To the rules of this number (`azeotrope rules history`; 0: the built-in ones); absent: those before the ones in
        /// force
        #[arg(long, value_name = "NUMBER")]
        to: Option<u64>,
        #[command(flatten)]
        change: live::Change,
        /// Go back to rules that have ended, too
        #[arg(long)]
        force: bool,
    },
    /// List the rules that were in force
    ///
    /// The `rules` of a verdict is the version of its bundle: the second in which that was published. It had the rules of the last
    /// line whose `bundles` begin before it. Exit codes: 0: listed; 2: wrong usage; 3: no answer.
    History {
        #[command(flatten)]
        sidecar: Sidecar,
        #[command(flatten)]
        format: Format,
    },
    /// Hold a threshold where it is, or at a value, whatever traffic does
    ///
    /// Exit codes: 0: in force, or written; 1: refused, as `rules publish` refuses; 2: wrong usage; 3: no answer.
    Pin {
        /// observe, throttle or block, and where: throttle=8.0; without a value: where it is
        #[arg(value_name = "RUNG[=NATS]")]
        rung: String,
        #[command(flatten)]
        place: edit::Place,
    },
    /// Never act upon an account, an organisation, a network or a template
    ///
    /// In place of an exception of the same that is there, whenever that ends; --note goes into the entry, too. Exit codes: 0: in
    /// force, or written; 1: refused, as `rules publish` refuses; 2: wrong usage; 3: no answer.
    Allow {
        #[command(flatten)]
        subject: exceptions::Subject,
        /// Days that this holds, 3650 at most; absent: for good
        #[arg(long, value_parser = clap::value_parser!(u64).range(1..=3_650))]
        days: Option<u64>,
        #[command(flatten)]
        place: edit::Place,
    },
    /// Take back an exception that was made with `rules allow`
    ///
    /// Exit codes: 0: in force, or written; 1: there is none, or refused, as `rules publish` refuses; 2: wrong usage; 3: no
    /// answer.
    Disallow {
        #[command(flatten)]
        subject: exceptions::Subject,
        #[command(flatten)]
        place: edit::Place,
    },
}

impl Args {
    pub(crate) fn run(self) -> Result<Outcome, Failure> {
        match self.command {
            Command::Check { file, format } => check::file(&file, format),
            Command::Schema { configuration } => check::pretty(&check::kind(configuration).schema()),
            Command::Defaults { configuration } => check::pretty(&check::kind(configuration).defaults()),
            Command::Keygen { out, format } => sign::keygen(&out, format),
            Command::PublicKey { key, format } => sign::public_key(&key, format),
            Command::Diff { old, new, sidecar, format } => diff::run(&old, new.as_deref(), &sidecar, format),
            Command::WhatIf { file, sidecar, format } => what_if::run(&file, &sidecar, format),
            Command::Sign { file, key, corpus, expire_hours, number, out, format } => {
                sign::sign(&sign::Order { file, key, corpus, expire_hours, number, out, format })
            }
            Command::Fetch { public_key, plugin, limit, out, token_file, sidecar } => {
                fetch::fetch(&fetch::Order { public_key, plugin, limit, out, token_file, sidecar })
            }
            Command::Show { number, sidecar, format } => live::show(number, &sidecar, format),
            Command::Publish { file, from, change, force } => live::publish(&file, from, &change, force),
            Command::Rollback { to, change, force } => live::rollback(to, &change, force),
            Command::History { sidecar, format } => live::history(&sidecar, format),
            Command::Pin { rung, place } => edit::pin(&rung, &place),
            Command::Allow { subject, days, place } => exceptions::allow(subject, days, &place),
            Command::Disallow { subject, place } => exceptions::disallow(subject, &place),
        }
    }
}
