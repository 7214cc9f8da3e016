//! What an image holds, as text for people, as JSON and as a page.

pub mod html;

use serde::Serialize;

use super::json::VERSION;
use super::{BOLD, Look, RULE, shortened, visible_line};
use crate::image::{Analysis, LayerRow, SavingRow, StepRow, WasteKind};

/// As many rows of a list are shown.
const ROWS: usize = 10;
const FEW: usize = 5;

/// The JSON document.
pub fn json(analysis: &Analysis) -> String {
    #[derive(Serialize)]
    struct Document<'a> {
        version: u32,
        #[serde(flatten)]
        analysis: &'a Analysis,
    }
    let document = Document {
        version: VERSION,
        analysis,
    };
    // Fails only for maps with keys that are not strings; there are none.
    let mut text = serde_json::to_string(&document).unwrap_or_default();
    text.push('\n');
    text
}

/// `1.23 MB`: three digits, in units of 1000 as Docker counts.
pub fn bytes(bytes: u64) -> String {
    let mut size = bytes as f64;
    let units = ["B", "kB", "MB", "GB", "TB", "PB", "EB"];
    let mut unit = 0;
    // What would be shown as 1000 is 1 of the next unit.
    while size >= 999.5 && unit + 1 < units.len() {
        size /= 1000.0;
        unit += 1;
    }
    let digits = match size {
        _ if unit == 0 => 0,
        size if size < 9.995 => 2,
        size if size < 99.95 => 1,
        _ => 0,
    };
    format!("{size:.digits$} {}", units[unit])
}

/// All that is to be said, for a terminal.
pub fn human(analysis: &Analysis, look: Look) -> String {
    let page = Page { analysis, look };
    let parts = [
        page.summary(),
        page.layers(),
        page.waste(),
        page.duplicates(),
        page.largest(),
        page.savings(),
    ];
    let parts: Vec<String> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    parts.join("\n")
}

struct Page<'a> {
    analysis: &'a Analysis,
    look: Look,
}

impl Page<'_> {
    fn summary(&self) -> String {
        let one = self.analysis;
        let name = visible_line(one.image.as_deref().unwrap_or("image"));
        let compressed = match one.compressed {
            Some(size) => format!(", {} compressed", bytes(size)),
            None => String::new(),
        };
        let mut text = format!(
            "{} ({}): {} in {}{compressed}\nefficiency {}, {} wasted, {} duplicated\n",
            self.look.paint(BOLD, name),
            visible_line(&one.platform),
            bytes(one.size),
            count(one.layers.len() as u64, "layer"),
            percent(one.efficiency),
            bytes(one.wasted),
            bytes(one.duplicated),
        );
        for note in &one.notes {
            text += &format!("{}\n", visible_line(note));
        }
        text
    }

    /// The steps in their order, each with its layer; layers of which no step is known come last.
    fn layers(&self) -> String {
        let placed = self.analysis.steps.iter().any(|step| step.lines.is_some());
        let head = [
            "layer",
            "size",
            "compressed",
            "added",
            "changed",
            "removed",
            "wasted",
        ];
        let mut rows = vec![head.map(str::to_owned)];
        let mut tails = vec![if placed { "lines   step" } else { "step" }.to_owned()];
        let layers = &self.analysis.layers;
        for step in &self.analysis.steps {
            let layer = step.layer.and_then(|number| layers.get(number - 1));
            rows.push(layer.map_or_else(nothing, cells));
            let lines = format!("{:<7} ", lines(step));
            let lines = if placed { lines } else { String::new() };
            tails.push(format!("{lines}{}", shown(&step.instruction)));
        }
        for layer in layers.iter().filter(|layer| layer.step.is_none()) {
            rows.push(cells(layer));
            tails.push("not known".to_owned());
        }
        table(&rows, &tails)
    }

    fn waste(&self) -> String {
        let rows = self.analysis.waste.iter().take(ROWS).map(|row| {
            let kind = match row.kind {
                WasteKind::Overwritten => "overwritten",
                WasteKind::Rewritten => "written again unchanged",
                WasteKind::Deleted => "deleted",
            };
            let largest = match row.files {
                1 => format!("`{}`", visible_line(&row.largest)),
                files => format!(
                    "{files} files, the largest `{}`",
                    visible_line(&row.largest)
                ),
            };
            let (layer, by) = (self.place(row.layer), self.place(row.by));
            (row.bytes, format!("{layer}, {kind} by {by}: {largest}"))
        });
        self.list("wasted", rows.collect())
    }

    fn duplicates(&self) -> String {
        let rows = self.analysis.duplicates.iter().take(FEW).map(|row| {
            let (first, rest) = (row.copies.first(), row.copies.get(1));
            let path = |one: Option<&crate::image::Copies>| {
                let path = one.map_or("", |one| one.path.as_str());
                format!("`{}`", visible_line(path))
            };
            let more = match row.count {
                2 => String::new(),
                count => format!(" and {} more", count - 2),
            };
            (
                row.wasted,
                format!("{} is also {}{more}", path(first), path(rest)),
            )
        });
        self.list("duplicated", rows.collect())
    }

    fn largest(&self) -> String {
        let one = self.analysis;
        let files = one.largest_files.iter().take(FEW).map(|row| {
            let path = visible_line(&row.path);
            (row.bytes, format!("{path} ({})", self.place(row.layer)))
        });
        let folders = one.largest_folders.iter().take(ROWS).map(|row| {
            let path = visible_line(&row.path);
            (row.bytes, format!("{path} ({})", count(row.files, "file")))
        });
        let files = self.list("largest files", files.collect());
        let folders = self.list("largest folders", folders.collect());
        format!("{files}\n{folders}")
    }

    fn savings(&self) -> String {
        let rows = self.analysis.savings.iter().take(ROWS).map(|row| {
            let layers: Vec<String> = row.layers.keys().map(|at| self.place(at + 1)).collect();
            let layers = match layers.len() {
                0..=3 => layers.join(", "),
                count => format!("{count} layers"),
            };
            (
                row.bytes,
                format!("{}, in {layers}: {}", row.what, self.remedy(row)),
            )
        });
        self.list("to win back", rows.collect())
    }

    fn remedy(&self, row: &SavingRow) -> String {
        let rules: Vec<String> = row
            .rules
            .iter()
            .map(|rule| self.look.paint(RULE, rule))
            .collect();
        row.advice.clone().unwrap_or_else(|| rules.join(", "))
    }

    /// `layer 3 (line 7)`.
    fn place(&self, number: usize) -> String {
        let mut steps = self.analysis.steps.iter();
        let step = steps.find(|step| step.layer == Some(number));
        match step.and_then(|step| step.lines) {
            Some(lines) => format!("layer {number} (line {})", lines.first),
            None => format!("layer {number}"),
        }
    }

    fn list(&self, title: &str, rows: Vec<(u64, String)>) -> String {
        if rows.is_empty() {
            return String::new();
        }
        let mut text = format!("{}\n", self.look.paint(BOLD, title));
        for (size, row) in rows {
            text += &format!("{:>9}  {row}\n", bytes(size));
        }
        text
    }
}

fn cells(layer: &LayerRow) -> [String; 7] {
    let number = |value: u64| match value {
        0 => "-".to_owned(),
        value => value.to_string(),
    };
    [
        layer.number.to_string(),
        bytes(layer.size),
        layer.compressed.map_or("-".to_owned(), bytes),
        number(layer.changes.added),
        number(layer.changes.changed),
        number(layer.changes.removed),
        match layer.wasted {
            0 => "-".to_owned(),
            wasted => bytes(wasted),
        },
    ]
}

fn nothing() -> [String; 7] {
    [const { "" }; 7].map(str::to_owned)
}

/// Columns to the right, the last one to the left.
fn table(rows: &[[String; 7]], tails: &[String]) -> String {
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max();
    let widths: Vec<usize> = (0..7).map(|column| width(column).unwrap_or(0)).collect();
    let line = |(row, tail): (&[String; 7], &String)| {
        let cells = row.iter().zip(&widths);
        let cells: String = cells
            .map(|(cell, width)| format!("{cell:>width$}  "))
            .collect();
        format!("{cells}{tail}\n")
    };
    rows.iter().zip(tails).map(line).collect()
}

/// `3` or `3-5`.
fn lines(step: &StepRow) -> String {
    match step.lines {
        Some(lines) if lines.first == lines.last => lines.first.to_string(),
        Some(lines) => format!("{}-{}", lines.first, lines.last),
        None => String::new(),
    }
}

/// A step on one line, its end cut off where it is long.
fn shown(instruction: &str) -> String {
    let words: Vec<&str> = instruction.split_whitespace().collect();
    shortened(&words.join(" "))
}

/// `98.7 %`, never rounded up to 100.
pub fn percent(share: f64) -> String {
    let tenths = (share * 1000.0).floor();
    format!("{:.1} %", tenths / 10.0)
}

fn count(number: u64, noun: &str) -> String {
    super::human::count(usize::try_from(number).unwrap_or(usize::MAX), noun)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_three_digits() {
        let sizes = [
            0, 999, 1_000, 9_994, 9_995, 99_949, 99_950, 999_499, 999_500, 74_300_000,
        ];
        let expected = [
            "0 B", "999 B", "1.00 kB", "9.99 kB", "10.0 kB", "99.9 kB", "100 kB", "999 kB",
            "1.00 MB", "74.3 MB",
        ];
        assert_eq!(sizes.map(bytes), expected);
    }

    #[test]
    fn only_what_is_perfect_is_called_so() {
        assert_eq!(percent(1.0), "100.0 %");
        assert_eq!(percent(0.99999), "99.9 %");
    }
}
