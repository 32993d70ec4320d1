//! What a campaign did, for people.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write,
    fs,
    path::Path,
    process::Command,
    thread,
    time::Duration,
};

use anyhow::Context;

/// How the simulator begins what it says of a place where a process died: `crash: STEP, POINT`.
const CRASH: &str = "crash: ";

/// The last line of the simulator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sum {
    violations: u64,
    seeds: u64,
    bookings: u64,
    faults: u64,
}

impl Sum {
    /// Reads `V violations in N seeds, B bookings, F faults`.
    pub fn read(said: &str) -> Option<Self> {
        let line = said.lines().rev().find(|line| line.contains(" violations in "))?;
        let numbers: Vec<u64> =
            line.split(|c: char| !c.is_ascii_digit()).filter_map(|part| part.parse().ok()).collect();
        let [violations, seeds, bookings, faults] = numbers[..] else { return None };
        Some(Self { violations, seeds, bookings, faults })
    }
}

/// What was done so far.
pub struct Report {
    from: u64,
    /// The last line of `sim defects`.
    pub defects: Option<String>,
    /// How often the program was killed.
    pub kills: u64,
    /// How often Schemathesis ran, for each of four people.
    pub schemathesis: u64,
    violations: u64,
    seeds: u64,
    bookings: u64,
    faults: u64,
    /// How often each fault happened, and each thing was seen, as the simulator names them.
    counted: BTreeMap<String, u64>,
    took: Duration,
    failure: Option<String>,
}

impl Report {
    /// Nothing yet.
    pub fn new(from: u64) -> Self {
        Self {
            from,
            defects: None,
            kills: 0,
            schemathesis: 0,
            violations: 0,
            seeds: 0,
            bookings: 0,
            faults: 0,
            counted: BTreeMap::new(),
            took: Duration::ZERO,
            failure: None,
        }
    }

    /// Adds what the simulator did.
    pub fn add(&mut self, sum: &Sum, said: &str) {
        self.violations += sum.violations;
        self.seeds += sum.seeds;
        self.bookings += sum.bookings;
        self.faults += sum.faults;
        for (count, name) in said.lines().filter_map(|line| line.trim().split_once(" x ")) {
            if let Ok(count) = count.trim().parse::<u64>() {
                *self.counted.entry(name.to_owned()).or_default() += count;
            }
        }
    }

    /// Writes it as it is by now.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn write(
        &mut self,
        file: &Path,
        took: Duration,
        failure: Option<&anyhow::Error>,
    ) -> anyhow::Result<()> {
        self.took = took;
        self.failure = failure.map(|error| format!("{error:#}"));
        fs::write(file, self.page()).with_context(|| format!("{} cannot be written", file.display()))
    }

    /// In a line.
    pub fn summary(&self) -> String {
        format!(
            "{} violations in {} seeds, {} bookings, {} faults; {} kills; {} runs of Schemathesis",
            self.violations, self.seeds, self.bookings, self.faults, self.kills, self.schemathesis
        )
    }

    /// Where processes of the simulator died around each step of a booking.
    fn crashes(&self, page: &mut String) {
        let mut rows: BTreeMap<&str, BTreeMap<&str, u64>> = BTreeMap::new();
        let places = self.counted.iter().filter_map(|(name, count)| Some((name.strip_prefix(CRASH)?, count)));
        for (place, count) in places {
            if let Some((step, point)) = place.split_once(", ") {
                rows.entry(step).or_default().insert(point, *count);
            }
        }
        let points: BTreeSet<&str> = rows.values().flat_map(|row| row.keys().copied()).collect();
        if points.is_empty() {
            return;
        }
        let (names, lines): (Vec<_>, Vec<_>) = points.iter().map(|point| (*point, "---:")).unzip();
        let _ = writeln!(page, "\nProcesses that died, by the step of a booking and the place around it:\n");
        let _ = writeln!(page, "| step | {} |\n| --- | {} |", names.join(" | "), lines.join(" | "));
        let mut never = Vec::new();
        for (step, row) in &rows {
            let cell = |point: &&str| row.get(*point).map_or("-".to_owned(), |count| grouped(*count));
            let cells: Vec<String> = points.iter().map(cell).collect();
            let _ = writeln!(page, "| {step} | {} |", cells.join(" | "));
            never.extend(
                row.iter().filter(|(_, count)| **count == 0).map(|(point, _)| format!("{step}, {point}")),
            );
        }
        let _ = match never.is_empty() {
            true => writeln!(page, "\nNone of these places was left out."),
            false => writeln!(page, "\nNo process died at: {}.", never.join("; ")),
        };
    }

    /// As a page.
    pub fn page(&self) -> String {
        let mut page =
            String::from("# Proof\n\nWritten by `cargo xtask prove`; `--help` says what it does.\n\n");
        let verdict = if self.failure.is_none() { "Nothing was wrong." } else { "**Something was wrong.**" };
        let minutes = self.took.as_secs() / 60;
        let _ = writeln!(page, "{verdict} It took {minutes} minutes, from seed {} on.\n", self.from);
        let cores = thread::available_parallelism().map_or(1, usize::from);
        let (commit, date) = (said(&["git", "rev-parse", "--short", "HEAD"]), said(&["date", "-u", "+%F"]));
        let _ = writeln!(page, "Commit {commit}, on {date}, with {cores} cores.\n");
        page += "| what | how much |\n| --- | ---: |\n";
        let rows = [
            ("seeds of the simulator", self.seeds),
            ("simulated bookings", self.bookings),
            ("faults", self.faults),
            ("violations of an invariant", self.violations),
            ("kills of the program under load (kill -9)", self.kills),
            ("runs of Schemathesis, each as four people", self.schemathesis),
        ];
        for (name, count) in rows {
            let _ = writeln!(page, "| {name} | {} |", grouped(count));
        }
        if let Some(defects) = &self.defects {
            let _ = writeln!(page, "\nPlanted defects: {defects}.");
        }
        page += "\n| in the simulator | how often |\n| --- | ---: |\n";
        for (name, count) in self.counted.iter().filter(|(name, _)| !name.starts_with(CRASH)) {
            let _ = writeln!(page, "| {name} | {} |", grouped(*count));
        }
        self.crashes(&mut page);
        if let Some(failure) = &self.failure {
            let _ = writeln!(page, "\n```text\n{failure}\n```");
        }
        page
    }
}

/// What a program says, in a line.
fn said(command: &[&str]) -> String {
    let output = Command::new(command[0]).args(&command[1..]).output();
    output.map_or_else(
        |_| "unknown".to_owned(),
        |output| String::from_utf8_lossy(&output.stdout).trim().to_owned(),
    )
}

fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_simulator_says_is_added_up() {
        let said = "  12 x crash\n   3 x seen: release before hold\n0 violations in 100 seeds, 2000 bookings, 15 faults\n";
        let sum = Sum::read(said).unwrap();
        let mut report = Report::new(7);
        report.add(&sum, said);
        report.add(&sum, said);
        let page = report.page();
        assert!(page.contains("| simulated bookings | 4,000 |") && page.contains("| crash | 24 |"), "{page}");
        assert_eq!(Sum::read("nothing"), None);
    }

    #[test]
    fn places_of_crashes_are_a_table_that_names_what_was_left_out() {
        let mut report = Report::new(1);
        let sum = Sum::read("0 violations in 1 seeds, 1 bookings, 1 faults").unwrap();
        let before = "  700 x crash: seats held, before the commit\n    0 x crash: seats held, published\n";
        report.add(&sum, &format!("{before}    2 x crash: payment started, before the commit\n"));
        report.add(&sum, before);
        let page = report.page();
        assert!(page.contains("| step | before the commit | published |\n"), "{page}");
        assert!(page.contains("| seats held | 1,400 | 0 |\n"), "{page}");
        assert!(page.contains("| payment started | 2 | - |\n"), "{page}");
        assert!(page.contains("\nNo process died at: seats held, published.\n"), "{page}");
        assert!(!page.contains("| crash: "), "{page}");
    }
}
