//! What depends on the terminal that a person sits at: its width, tables that fit it, bars that tell how far something is.
//!
//! Where the output is a pipe or a file nothing here changes it: no bar, no wrapping.

pub(crate) mod progress;
pub(crate) mod table;

use terminal_size::{Width, terminal_size_of};

/// A text without what a terminal would take for orders (control characters, C1 too).
pub(crate) fn plain(text: &str) -> String {
    text.chars().filter(|character| !character.is_control()).collect()
}

/// Columns of the terminal that standard output is; `None` where it is none.
pub(crate) fn width() -> Option<u16> {
    terminal_size_of(std::io::stdout()).map(|(Width(columns), _)| columns).filter(|columns| *columns > 0)
}
