//! `azeotrope serve`: the service beside the proxies.

use super::setup::corpus;
use super::{Failure, Outcome, read};
use crate::ecds::Extension;
use crate::serve::{self, Access, Caution, Network, Options, Proxy, Token};
use crate::signing::Signer;
use crate::store;
use axum::http::HeaderName;
use axum::http::uri::Authority;
use azeotrope_engine::rules::{Kind, MAX_BYTES, check};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Hear of traffic from the filters, join it into campaigns, and publish rules to them
///
/// Several sidecars share one view through --store; any of them takes observations and hands out rules, and one at a time
/// joins and publishes. With OTEL_EXPORTER_OTLP_ENDPOINT in the environment, metrics and spans go to a collector (http/protobuf).
/// Exit codes: 0: stopped (SIGINT, SIGTERM); 2: wrong usage, or it could not begin.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Address and port of the interface for filters and people
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8470")]
    listen: SocketAddr,
    /// Key that bundles are signed with (`azeotrope rules keygen`); all sidecars of a store have the same
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// Folder of the embedded store, for one sidecar
    #[arg(long, value_name = "DIR", required_unless_present = "store", conflicts_with = "store")]
    data: Option<PathBuf>,
    /// Redis or Valkey that several sidecars share: redis://[user:password@]host[:port][/database]
    #[arg(long, value_name = "URL", env = "AZEOTROPE_STORE", hide_env_values = true)]
    store: Option<String>,
    /// Rules document; watched: a changed file is in force within seconds. Absent: the built-in rules
    #[arg(long, value_name = "FILE")]
    rules: Option<PathBuf>,
    /// Corpus filter made by `azeotrope corpus index`; may be given several times
    #[arg(long, value_name = "FILE")]
    corpus: Vec<PathBuf>,
    /// File with the token that filters show, and Envoys over gRPC (--ecds-listen); absent: whoever reaches the port is let in
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
    /// File with the tokens that changes of rules need, one a line, with a name before it for the audit trail where
    /// several people have one (`ann 0123456789abcdef`); absent: no changes through the interface but by --admin-user
    #[arg(long, value_name = "FILE")]
    admin_token_file: Option<PathBuf>,
    /// File of the same form with tokens that may read only, for --require-login
    #[arg(long, value_name = "FILE")]
    reader_token_file: Option<PathBuf>,
    /// Reading needs a login, too: an admin's or a reader's token, or a user that the proxy names. Health and metrics do not
    #[arg(long)]
    require_login: bool,
    /// Header in which a proxy that authenticates people names them (`x-forwarded-user`). They may read
    #[arg(long, value_name = "HEADER", value_parser = header_name)]
    trust_user_header: Option<HeaderName>,
    /// Where that proxy speaks from, ADDRESS or ADDRESS/BITS; may be given several times. Absent: this machine. Nobody
    /// else may be able to speak from there: whoever can is who they say they are
    #[arg(long, value_name = "NETWORK", requires = "trust_user_header")]
    trust_user_from: Vec<Network>,
    /// User of that header who may change rules; may be given several times; `*`: all of them
    #[arg(long, value_name = "USER", requires = "trust_user_header")]
    admin_user: Vec<String>,
    /// Name under which people open the console behind that proxy, as their browsers have it (`console.example`); may be given
    /// several times. `localhost` and addresses need none; under any other the user's header is not believed
    #[arg(long, value_name = "HOST", requires = "trust_user_header", value_parser = host_name)]
    console_host: Vec<String>,
    /// What this sidecar is called in logs and in `azeotrope status`
    #[arg(long, default_value = "sidecar")]
    name: String,
    /// Hours that a bundle holds; filters that hear of none later go back to the built-in rules, in observe mode
    #[arg(long, value_name = "HOURS", default_value = "24", value_parser = super::rules::hours)]
    expire_hours: Duration,
    /// Days that an account is known after its last request at most, and that ended campaigns, rules, audit records and
    /// figures of traffic are kept; in memory and store. Who was seen within half of it is never forgotten for age
    #[arg(long, value_name = "DAYS", default_value_t = 30, value_parser = clap::value_parser!(u64).range(1..=3_650))]
    keep_days: u64,
    /// Milliseconds between two publications, at least
    #[arg(long, value_name = "MS", default_value_t = 1_000, value_parser = clap::value_parser!(u64).range(100..=60_000))]
    publish_milliseconds: u64,
    /// Accounts that new rules may newly act on, in thousandths of those seen of late; beyond that they are refused
    #[arg(long, value_name = "PER_MILLE", default_value_t = 10, value_parser = clap::value_parser!(u32).range(0..=1_000))]
    refuse_above: u32,
    /// Newly acted on accounts that never get rules refused, being so few
    #[arg(long, value_name = "ACCOUNTS", default_value_t = 5)]
    refuse_from: u32,
    /// Accounts that campaigns may newly link within one publication, in thousandths of those known; beyond that they
    /// are held back until `azeotrope campaigns --release`
    #[arg(long, value_name = "PER_MILLE", default_value_t = 300, value_parser = clap::value_parser!(u32).range(0..=1_000))]
    hold_above: u32,
    /// Newly linked accounts that never get campaigns held back, being so few
    #[arg(long, value_name = "ACCOUNTS", default_value_t = 100)]
    hold_from: u32,
    /// Where a later version has saved the campaigns, which this one cannot read: keep that aside and begin them anew, instead
    /// of leaving the duty to a sidecar of that version
    #[arg(long)]
    begin_anew: bool,
    /// Write the filter's configuration with the newest bundle for Envoy's ECDS (path_config_source) to this file
    #[arg(long, value_name = "FILE")]
    ecds_file: Option<PathBuf>,
    /// Serve the same over gRPC at this address, to Envoys that show the token of --token-file
    #[arg(long, value_name = "ADDRESS")]
    ecds_listen: Option<SocketAddr>,
    /// The module, where Envoy finds it
    #[arg(long, value_name = "PATH", default_value = "/etc/envoy/azeotrope.wasm")]
    ecds_module: String,
    /// Plugin configuration (JSON) that bundles are put into for ECDS
    #[arg(long, value_name = "FILE")]
    ecds_plugin: Option<PathBuf>,
}

/// A token is one line of 16 to 256 characters.
fn token(path: &Path) -> Result<String, Failure> {
    let bytes = read(path, 1_024)?;
    let text = String::from_utf8_lossy(&bytes).trim().to_owned();
    let fits = (16..=256).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic());
    match fits {
        true => Ok(text),
        false => {
            Err(Failure::Usage(format!("{}: a token is one line of 16 to 256 printable characters", path.display())))
        }
    }
}

/// Tokens of people, one a line, each with a name before it or alone.
fn people(path: &Path) -> Result<Vec<Token>, Failure> {
    const MOST: usize = 64 << 10;
    let bytes = read(path, MOST)?;
    if bytes.len() > MOST {
        return Err(Failure::Usage(format!("{}: more than {MOST} bytes of tokens", path.display())));
    }
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let wrong = |line: usize| {
        let reason = "a token of 16 to 256 printable characters is expected, or NAME TOKEN";
        Failure::Usage(format!("{}:{}: {reason}", path.display(), line + 1))
    };
    let lines = text.lines().map(str::trim).enumerate().filter(|(_, line)| !line.is_empty() && !line.starts_with('#'));
    let tokens = lines.map(|(number, line)| {
        let mut words = line.split_ascii_whitespace().rev();
        let (secret, name) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        let fits = (16..=256).contains(&secret.len()) && secret.bytes().all(|byte| byte.is_ascii_graphic());
        let alone = words.next().is_none() && name.len() <= 64;
        if fits && alone { Ok(Token { name: name.to_owned(), secret: secret.to_owned() }) } else { Err(wrong(number)) }
    });
    let tokens: Vec<Token> = tokens.collect::<Result<_, _>>()?;
    if tokens.is_empty() { Err(wrong(0)) } else { Ok(tokens) }
}

fn header_name(text: &str) -> Result<HeaderName, String> {
    HeaderName::try_from(text).map_err(|_| format!("{text}: no name of a header"))
}

/// The name of a host, without a port.
fn host_name(text: &str) -> Result<String, String> {
    let fits = text.parse::<Authority>().is_ok_and(|name| name.host() == text);
    if fits {
        Ok(text.to_ascii_lowercase())
    } else {
        Err(format!("{text}: the name of a host is expected, without a port"))
    }
}

impl Args {
    pub(crate) fn run(self) -> Result<Outcome, Failure> {
        let store = store::open(self.store.as_deref(), self.data.as_deref()).map_err(Failure::Usage)?;
        let options = self.options()?;
        serve::run(options, store).map_err(Failure::Usage)?;
        Ok(Outcome::Well)
    }

    fn options(self) -> Result<Options, Failure> {
        let extension =
            (self.ecds_file.is_some() || self.ecds_listen.is_some()).then(|| self.extension()).transpose()?;
        let access = self.access()?;
        if self.corpus.len() > serve::CORPORA {
            return Err(Failure::Usage(format!("{} corpora; {} fit a bundle", self.corpus.len(), serve::CORPORA)));
        }
        let corpora = self.corpus.iter().map(|path| Ok(corpus(path)?.0));
        Ok(Options {
            listen: self.listen,
            corpora: corpora.collect::<Result<_, Failure>>()?,
            signer: Signer::read(&self.key).map_err(Failure::Usage)?,
            name: self.name,
            access,
            rules: self.rules,
            ttl: self.expire_hours,
            every: Duration::from_millis(self.publish_milliseconds),
            keep: Duration::from_secs(self.keep_days * 86_400),
            caution: Caution { per_mille: self.refuse_above, few: self.refuse_from },
            hold: Caution { per_mille: self.hold_above, few: self.hold_from },
            begin_anew: self.begin_anew,
            ecds_file: self.ecds_file,
            ecds_listen: self.ecds_listen,
            extension,
        })
    }

    /// Who is let in.
    fn access(&self) -> Result<Access, Failure> {
        let tokens = |path: &Option<PathBuf>| path.as_deref().map_or(Ok(Vec::new()), people);
        let proxy = self.trust_user_header.clone().map(|header| Proxy {
            header,
            from: if self.trust_user_from.is_empty() { Network::loopback() } else { self.trust_user_from.clone() },
            admins: self.admin_user.clone(),
            hosts: self.console_host.clone(),
        });
        Ok(Access {
            filter: self.token_file.as_deref().map(token).transpose()?,
            admins: tokens(&self.admin_token_file)?,
            readers: tokens(&self.reader_token_file)?,
            proxy,
            login: self.require_login,
        })
    }

    /// The filter as Envoy is told to load it. Its configuration is checked here, where a person reads what is wrong.
    fn extension(&self) -> Result<Extension, Failure> {
        let plugin = match &self.ecds_plugin {
            None => b"{}".to_vec(),
            Some(path) => read(path, MAX_BYTES)?,
        };
        match check(&plugin) {
            Ok(Kind::Configuration) => {}
            Ok(Kind::Rules) => {
                return Err(Failure::Usage("--ecds-plugin: a plugin configuration is needed, not rules".into()));
            }
            Err((_, problems)) => {
                let listed: Vec<String> = problems.iter().map(|found| format!("--ecds-plugin: {found}")).collect();
                return Err(Failure::Usage(listed.join("\n")));
            }
        }
        let plugin =
            serde_json::from_slice(&plugin).map_err(|error| Failure::Usage(format!("--ecds-plugin: {error}")))?;
        Ok(Extension {
            name: "azeotrope".to_owned(),
            module: self.ecds_module.clone(),
            vm_id: "azeotrope".to_owned(),
            plugin,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::directory::Directory;

    #[test]
    fn no_token_is_cut_in_two_by_the_length_of_its_file() {
        let directory = Directory::new();
        let path = directory.0.join("tokens");
        let line = format!("{}\n", "x".repeat(63));
        std::fs::write(&path, line.repeat(1_024)).unwrap();
        assert_eq!(people(&path).unwrap().len(), 1_024);
        std::fs::write(&path, line.repeat(1_024) + "ann 0123456789abcdefghij").unwrap();
        assert!(people(&path).err().unwrap().to_string().contains("more than 65536 bytes"));
    }

    #[test]
    fn a_host_is_named_without_a_port() {
        assert_eq!(host_name("Console.Example").as_deref(), Ok("console.example"));
        for wrong in ["", "console.example:8470", "https://console.example", "ann@console.example", "a b"] {
            assert!(host_name(wrong).is_err(), "{wrong}");
        }
    }
}
