//! Forms of output that several commands share: tables as kubectl's, YAML, JSON, names.

use std::io::{self, Write};

use serde::Serialize;

/// Spaces between columns, as in kubectl's tables.
const GAP: usize = 3;

/// A table of text.
#[derive(Debug, Default)]
pub(super) struct Table {
    titles: Vec<String>,
    rows: Vec<Vec<String>>,
}

impl Table {
    pub(super) fn new<T: Into<String>>(titles: impl IntoIterator<Item = T>) -> Self {
        Self {
            titles: titles.into_iter().map(Into::into).collect(),
            rows: Vec::new(),
        }
    }

    /// Adds a row of as many cells as there are titles.
    pub(super) fn row(&mut self, cells: Vec<String>) {
        self.rows.push(cells);
    }

    /// Writes it; the last column is not padded.
    pub(super) fn write(&self, to: &mut impl Write, with_titles: bool) -> io::Result<()> {
        let rows = || self.rows.iter().chain(with_titles.then_some(&self.titles));
        let width = |column: usize| {
            rows()
                .filter_map(|row| row.get(column))
                .map(|cell| cell.chars().count())
                .max()
        };
        let widths: Vec<usize> = (0..self.titles.len())
            .map(|column| width(column).unwrap_or_default())
            .collect();
        for row in with_titles
            .then_some(&self.titles)
            .into_iter()
            .chain(&self.rows)
        {
            let mut line = String::new();
            for (cell, width) in row.iter().zip(&widths) {
                line.push_str(cell);
                let padding = width + GAP - cell.chars().count().min(*width);
                line.extend(std::iter::repeat_n(' ', padding));
            }
            writeln!(to, "{}", line.trim_end())?;
        }
        Ok(())
    }
}

/// Writes JSON as kubectl does: indented by four, with a newline at the end.
pub(super) fn json(to: &mut impl Write, value: &impl Serialize) -> io::Result<()> {
    let formatter = serde_json::ser::PrettyFormatter::with_indent(b"    ");
    let mut serializer = serde_json::Serializer::with_formatter(&mut *to, formatter);
    value.serialize(&mut serializer)?;
    writeln!(to)
}

/// Writes one YAML document.
pub(super) fn yaml(to: &mut impl Write, value: &impl Serialize) -> io::Result<()> {
    let text = serde_norway::to_string(value).map_err(io::Error::other)?;
    to.write_all(text.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let mut table = Table::new(["NAME", "READY", "MESSAGE"]);
        table.row(["a-long-name", "True", "fine"].map(str::to_owned).to_vec());
        table.row(["b", "False", ""].map(str::to_owned).to_vec());
        let written = |with_titles| {
            let mut bytes = Vec::new();
            table.write(&mut bytes, with_titles).unwrap();
            String::from_utf8(bytes).unwrap()
        };
        assert_eq!(
            written(true),
            "NAME          READY   MESSAGE\na-long-name   True    fine\nb             False\n"
        );
        assert_eq!(
            written(false),
            "a-long-name   True    fine\nb             False\n"
        );
    }
}
