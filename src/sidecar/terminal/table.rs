//! Tables.

use comfy_table::{CellAlignment, ContentArrangement, Table, presets::NOTHING};

/// A table without rules: `head` names the columns, a name that ends in `>` one whose cells stand at the right.
#[derive(Debug)]
pub(crate) struct Columns(Table);

impl Columns {
    /// A table without rows, which fits the terminal.
    pub(crate) fn new(head: &[&str]) -> Self {
        Self::within(head, super::width())
    }

    /// The same for so many columns of text; `None`: as wide as it is.
    fn within(head: &[&str], width: Option<u16>) -> Self {
        let mut table = Table::new();
        table.load_style(NOTHING);
        if let Some(width) = width {
            table.set_content_arrangement(ContentArrangement::Dynamic).set_width(width);
        }
        table.set_header(head.iter().map(|name| name.trim_end_matches('>')));
        for (place, column) in table.column_iter_mut().enumerate() {
            let first = if place == 0 { 0 } else { 1 };
            column.set_padding((first, 1));
            if head.get(place).is_some_and(|name| name.ends_with('>')) {
                column.set_cell_alignment(CellAlignment::Right);
            }
        }
        Self(table)
    }

    /// One row more. What a terminal would take for orders is left out: a cell may hold what others say.
    pub(crate) fn row<I: IntoIterator<Item = String>>(&mut self, cells: I) {
        self.0.add_row(cells.into_iter().map(|cell| super::plain(&cell)).collect::<Vec<_>>());
    }

    /// The table as text, a line end after each line.
    pub(crate) fn text(&self) -> String {
        self.0.lines().map(|line| format!("{}\n", line.trim_end())).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(width: Option<u16>) -> String {
        let mut table = Columns::within(&["proxy", "version>", "note"], width);
        table.row(["edge".to_owned(), "7".to_owned(), "rules of the night before, put back by hand".to_owned()]);
        table.row(["another".to_owned(), "12345".to_owned(), String::new()]);
        table.text()
    }

    #[test]
    fn a_pipe_gets_a_line_a_row() {
        let text = filled(None);
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 3, "{text}");
        assert_eq!(
            lines.first().map(|line| line.find("version")),
            lines.get(2).map(|line| line.find("  12345")),
            "{text}"
        );
    }

    #[test]
    fn what_others_say_gives_the_terminal_no_orders() {
        let mut table = Columns::within(&["proxy"], None);
        table.row(["\x1b[31mEVIL\r\nedge\u{9b}2J\x1b]0;owned\x07".to_owned()]);
        assert_eq!(table.text(), "proxy\n[31mEVILedge2J]0;owned\n");
    }

    #[test]
    fn a_narrow_terminal_gets_no_line_that_is_too_long() {
        for width in [30, 40, 60] {
            let text = filled(Some(width));
            assert!(text.lines().all(|line| line.chars().count() <= usize::from(width)), "{width}\n{text}");
            assert!(text.lines().count() > 3, "{text}");
        }
    }
}
