//! The commands, one file each: `Args` with clap's derive, and `Args::run`.

pub(crate) mod account;
pub(crate) mod calibrate;
pub(crate) mod campaigns;
pub(crate) mod completions;
pub(crate) mod corpus;
pub(crate) mod digest;
pub(crate) mod explain;
pub(crate) mod format;
pub(crate) mod man;
pub(crate) mod replay;
pub(crate) mod rules;
pub(crate) mod serve;
pub(crate) mod setup;
pub(crate) mod status;
pub(crate) mod top;
pub(crate) mod train;

use std::fmt;
use std::fs::File;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

/// How a command ended that did its work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// Nothing to complain of: exit code 0.
    Well,
    /// What was checked has problems: exit code 1.
    Problems,
}

/// Why a command could not do its work.
#[derive(Debug)]
pub(crate) enum Failure {
    /// A file could not be read or written.
    Io(String, io::Error),
    /// Something was asked for that cannot be, or by whom a sidecar does not let in.
    Usage(String),
    /// A sidecar that does not answer, or not with what was asked for.
    Sidecar(String),
    /// Nobody reads the output any more.
    ClosedPipe,
}

impl fmt::Display for Failure {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(what, error) => write!(to, "{what}: {error}"),
            Self::Usage(reason) | Self::Sidecar(reason) => to.write_str(reason),
            Self::ClosedPipe => to.write_str("the output was closed"),
        }
    }
}

impl Failure {
    /// What the program ends with. Who closes the pipe has read enough.
    pub(crate) fn code(&self) -> u8 {
        match self {
            Self::Io(..) | Self::Usage(_) => 2,
            Self::Sidecar(_) => 3,
            Self::ClosedPipe => 0,
        }
    }

    /// An output that cannot be written.
    pub(crate) fn output(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Self::ClosedPipe,
            _ => Self::Io("output".to_owned(), error),
        }
    }
}

/// Opens a file, or standard input for `-`.
pub(crate) fn input(path: &Path) -> Result<Box<dyn Read>, Failure> {
    Ok(match named(Some(path)) {
        None => Box::new(io::stdin().lock()),
        Some(path) => Box::new(File::open(path).map_err(|error| Failure::Io(path.display().to_string(), error))?),
    })
}

/// The file that is named; none is by `-`, which stands for standard input or output.
pub(crate) fn named(path: Option<&Path>) -> Option<&Path> {
    path.filter(|path| path.as_os_str() != "-")
}

/// Opens a file to write, or standard output where none is [`named`].
pub(crate) fn output(path: Option<&Path>) -> Result<Box<dyn Write>, Failure> {
    const BUFFER: usize = 1 << 20;
    Ok(match named(path) {
        None => Box::new(io::BufWriter::with_capacity(BUFFER, io::stdout().lock())),
        Some(path) => {
            let file = File::create(path).map_err(|error| Failure::Io(path.display().to_string(), error))?;
            Box::new(io::BufWriter::with_capacity(BUFFER, file))
        }
    })
}

/// The file to write, if one is [`named`]. Fails where it is one of those that are read: it would be emptied before.
pub(crate) fn apart<'p, 'r>(
    path: Option<&'p Path>,
    read: impl IntoIterator<Item = &'r PathBuf>,
) -> Result<Option<&'p Path>, Failure> {
    let Some(path) = named(path) else { return Ok(None) };
    let written = path.canonicalize();
    let is_it = |read: &PathBuf| written.as_ref().is_ok_and(|path| read.canonicalize().is_ok_and(|read| read == *path));
    match read.into_iter().any(is_it) {
        true => Err(Failure::Usage(format!("{}: is read, so it cannot be written", path.display()))),
        false => Ok(Some(path)),
    }
}

/// Fails where a file could not be written, or is one of those that are read, before there is anything to write. What is there stays
/// as it is.
pub(crate) fn writable(path: &Path, read: &[PathBuf]) -> Result<(), Failure> {
    if apart(Some(path), read)?.is_none() {
        return Err(Failure::Usage("-: standard output has what is told of the file; name one".to_owned()));
    }
    let failed = |error| Failure::Io(path.display().to_string(), error);
    match path.exists() {
        true => File::options().append(true).open(path).map(drop).map_err(failed),
        false => {
            File::create_new(path).map_err(failed)?;
            std::fs::remove_file(path).map_err(failed)
        }
    }
}

/// Reads a file, or standard input for `-`; at most `limit` bytes and one more, by which the excess shows.
pub(crate) fn read(path: &Path, limit: usize) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    let read = input(path)?.take(limit as u64 + 1).read_to_end(&mut bytes);
    read.map_err(|error| Failure::Io(path.display().to_string(), error))?;
    Ok(bytes)
}

/// Writes to standard output.
pub(crate) fn print(text: &str) -> Result<(), Failure> {
    let mut output = io::stdout().lock();
    output.write_all(text.as_bytes()).and_then(|()| output.flush()).map_err(Failure::output)
}
