//! What is measured: named figures, and the runs that they are the median of.

use serde::{Deserialize, Serialize};

/// A figure that is measured, ours or a peer's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Figure {
    /// Its name in the JSON.
    pub id: &'static str,
    /// What people read.
    pub title: &'static str,
    /// What is counted per second.
    pub unit: &'static str,
}

/// One run of a figure.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Run {
    /// The figure's name.
    pub figure: String,
    /// The group of figures in turn with which it was measured: a noisy machine hits all of a group.
    pub group: String,
    /// What was counted, per second.
    pub per_s: f64,
}

/// Why a figure is not there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Absence {
    /// The figure's name.
    pub figure: String,
    /// The group in which it would have been measured.
    pub group: String,
    /// What is missing or went wrong.
    pub reason: String,
}

/// All that was measured, and all that was not.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Measured {
    /// Every run that counts.
    pub runs: Vec<Run>,
    /// Every figure without one.
    pub not_measured: Vec<Absence>,
    /// The version of each peer.
    pub versions: std::collections::BTreeMap<String, String>,
}

impl Measured {
    /// Notes a run.
    pub fn count(&mut self, figure: Figure, group: &str, per_s: f64) {
        self.runs.push(Run { figure: figure.id.to_owned(), group: group.to_owned(), per_s });
    }

    /// Notes why a figure is not there, unless it is, or another reason is known.
    pub fn miss(&mut self, figure: Figure, group: &str, reason: &str) {
        let is_it = |id: &str, of: &str| id == figure.id && of == group;
        let has_run = self.runs.iter().any(|run| is_it(&run.figure, &run.group));
        let has_reason = self.not_measured.iter().any(|absence| is_it(&absence.figure, &absence.group));
        if !has_run && !has_reason {
            let (figure, group) = (figure.id.to_owned(), group.to_owned());
            self.not_measured.push(Absence { figure, group, reason: reason.to_owned() });
        }
    }

    /// The median of a figure's runs in one group.
    pub fn median_in(&self, figure: &str, group: &str) -> Option<f64> {
        let of_group = |run: &&Run| run.figure == figure && run.group == group;
        median(self.runs.iter().filter(of_group).map(|run| run.per_s).collect())
    }

    /// The median of all runs of a figure.
    pub fn median(&self, figure: &str) -> Option<f64> {
        median(self.runs.iter().filter(|run| run.figure == figure).map(|run| run.per_s).collect())
    }

    /// Why a figure is not there.
    pub fn reason(&self, figure: &str) -> Option<&str> {
        let absence = self.not_measured.iter().find(|absence| absence.figure == figure)?;
        Some(&absence.reason)
    }

    /// Takes from an earlier comparison the groups in which nothing was measured this time.
    pub fn fill_from(&mut self, earlier: Self) {
        let measured = |group: &str| self.runs.iter().any(|run| run.group == group);
        let runs = earlier.runs.into_iter().filter(|run| !measured(&run.group)).collect::<Vec<_>>();
        let is_filled = |group: &str| runs.iter().any(|run| run.group == group);
        self.not_measured.retain(|absence| !is_filled(&absence.group));
        let absences = earlier.not_measured.into_iter().filter(|absence| is_filled(&absence.group));
        self.not_measured.extend(absences);
        self.runs.extend(runs);
        for (peer, version) in earlier.versions {
            self.versions.entry(peer).or_insert(version);
        }
    }
}

/// The value in the middle, or the mean of the two in the middle.
fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values.len() {
        0 => None,
        length if length.is_multiple_of(2) => Some(f64::midpoint(values[middle - 1], values[middle])),
        _ => Some(values[middle]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIGURE: Figure = Figure { id: "figure", title: "A figure", unit: "things" };

    #[test]
    fn one_odd_run_does_not_move_a_median() {
        assert_eq!(median(vec![100.0, 3.0, 101.0]), Some(100.0));
        assert_eq!(median(vec![4.0, 2.0]), Some(3.0));
        assert_eq!(median(Vec::new()), None);
    }

    #[test]
    fn a_median_is_of_its_group_alone() {
        let mut measured = Measured::default();
        measured.count(FIGURE, "one", 1.0);
        measured.count(FIGURE, "other", 3.0);
        assert_eq!(measured.median_in("figure", "other"), Some(3.0));
        assert_eq!(measured.median("figure"), Some(2.0));
    }

    #[test]
    fn an_earlier_comparison_fills_only_what_is_not_there() {
        let (mut now, mut earlier) = (Measured::default(), Measured::default());
        now.count(FIGURE, "again", 5.0);
        now.miss(FIGURE, "left-out", "not chosen");
        earlier.count(FIGURE, "again", 1.0);
        earlier.count(FIGURE, "left-out", 7.0);
        now.fill_from(earlier);
        assert_eq!(now.median_in("figure", "again"), Some(5.0));
        assert_eq!(now.median_in("figure", "left-out"), Some(7.0));
        assert_eq!(now.reason("figure"), None);
    }
}
