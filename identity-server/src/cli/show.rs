//! How commands print results.

use std::io::Write as _;

use clap::{Args, ValueEnum};
use serde_json::Value;

/// `--format`
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// For eyes.
    Text,
    /// For programs: one JSON document on standard output.
    Json,
}

/// The option itself.
#[derive(Debug, Args)]
pub(super) struct FormatArgs {
    /// How to print the result.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

impl FormatArgs {
    /// Prints an object or a list of objects: as it is, or the members named in `columns` as an aligned list.
    pub(super) fn print(&self, value: &Value, columns: &[&str]) {
        match self.format {
            Format::Json => out(&format!("{value:#}\n")),
            Format::Text => match value {
                Value::Array(rows) => out(&table(rows, columns)),
                object => out(&list(object, columns)),
            },
        }
    }
}

/// Prints to standard output. Whoever reads it may have gone (`| head`); that is no failure of ours.
pub(super) fn out(text: &str) {
    let _ = std::io::stdout().write_all(text.as_bytes());
}

/// One line per member that holds something.
fn list(object: &Value, columns: &[&str]) -> String {
    let present = columns.iter().filter(|column| {
        object
            .get(**column)
            .is_some_and(|value| !text(value).is_empty())
    });
    let width = present
        .clone()
        .map(|column| column.len())
        .max()
        .unwrap_or(0);
    present
        .map(|column| {
            format!(
                "{column:width$}  {}\n",
                object.get(*column).map(text).unwrap_or_default()
            )
        })
        .collect()
}

/// One line per row, under a heading.
fn table(rows: &[Value], columns: &[&str]) -> String {
    let heading: Vec<String> = columns
        .iter()
        .map(|column| column.to_uppercase().replace('_', " "))
        .collect();
    let mut lines = vec![heading];
    for row in rows {
        lines.push(
            columns
                .iter()
                .map(|column| {
                    row.get(*column)
                        .map(text)
                        .filter(|cell| !cell.is_empty())
                        .unwrap_or_else(|| "-".to_owned())
                })
                .collect(),
        );
    }
    let widths: Vec<usize> = (0..columns.len())
        .map(|column| {
            lines
                .iter()
                .filter_map(|line| line.get(column))
                .map(String::len)
                .max()
                .unwrap_or(0)
        })
        .collect();
    let mut printed = String::new();
    for line in lines {
        let cells: Vec<String> = line
            .iter()
            .zip(&widths)
            .map(|(cell, width)| format!("{cell:width$}"))
            .collect();
        printed.push_str(cells.join("  ").trim_end());
        printed.push('\n');
    }
    printed
}

/// A value without JSON's marks.
fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(text).collect::<Vec<_>>().join(" "),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn rows_align_under_their_heading() {
        let rows = [
            json!({"id": "a", "retires_at": null}),
            json!({"id": "long", "retires_at": "soon"}),
        ];
        assert_eq!(
            table(&rows, &["id", "retires_at"]),
            "ID    RETIRES AT\na     -\nlong  soon\n"
        );
    }

    #[test]
    fn members_that_are_missing_take_no_line() {
        let object = json!({"client_id": "a", "scopes": ["x", "y"], "secret": null});
        assert_eq!(
            list(&object, &["client_id", "scopes", "secret", "other"]),
            "client_id  a\nscopes     x y\n"
        );
    }
}
