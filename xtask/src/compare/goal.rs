//! What the comparison is for: our figures over those of others, and what they should be at least.

use serde::Serialize;

use super::figure::Measured;

/// One figure of ours over one of theirs.
#[derive(Debug)]
pub struct Ratio {
    /// What people read.
    pub title: &'static str,
    /// Our figure.
    pub ours: &'static str,
    /// The figures that it is held against: the best of them counts.
    pub theirs: &'static [&'static str],
    /// The group in which both are measured in turn.
    pub group: &'static str,
    /// What it must be at least.
    pub required: f64,
    /// What it should become.
    pub goal: Option<f64>,
}

/// Every ratio that is held against a number.
#[rustfmt::skip]
pub const RATIOS: &[Ratio] = &[
    Ratio { title: "bookings over an axum echo (the ceiling)", ours: "bookings", theirs: &["axum-echo"],
            group: "axum", required: 0.15, goal: Some(0.25) },
    Ratio { title: "bookings over MariaDB's hot row", ours: "bookings", theirs: &["mariadb-8", "mariadb-32"],
            group: "mariadb", required: 2.0, goal: Some(3.0) },
    Ratio { title: "the fleet's bookings over PostgreSQL's hot row", ours: "fleet-postgres",
            theirs: &["postgres-8", "postgres-32"], group: "postgres", required: 1.0, goal: None },
    Ratio { title: "the fleet's bookings, tickets on MariaDB, over MariaDB's hot row", ours: "fleet-mariadb",
            theirs: &["mariadb-8", "mariadb-32"], group: "mariadb", required: 1.0, goal: None },
    Ratio { title: "the fleet with three replicas of event and ticket over one of each", ours: "fleet-postgres-3",
            theirs: &["fleet-postgres"], group: "postgres", required: 1.0, goal: None },
    Ratio { title: "bookings over pretix's orders", ours: "bookings", theirs: &["pretix-orders"],
            group: "pretix", required: 700.0, goal: None },
    Ratio { title: "gateway over Envoy, both verifying EdDSA", ours: "gateway-echo", theirs: &["envoy-eddsa"],
            group: "envoy", required: 2.0, goal: None },
    Ratio { title: "gateway verifying EdDSA over Envoy with its token cache", ours: "gateway-echo",
            theirs: &["envoy-cached"], group: "envoy", required: 1.3, goal: None },
    Ratio { title: "event list over pretix's", ours: "event-list", theirs: &["pretix-event-list"],
            group: "pretix", required: 200.0, goal: None },
    Ratio { title: "bookings of many clients over bookings of 8", ours: "bookings", theirs: &["bookings-8"],
            group: "boxoffice", required: 1.0, goal: None },
    Ratio { title: "bookings of one hot event over bookings of 10,000 events", ours: "bookings",
            theirs: &["bookings-spread"], group: "boxoffice", required: 0.9, goal: None },
    Ratio { title: "sold-out answers over bookings", ours: "sold-out", theirs: &["bookings"],
            group: "boxoffice", required: 3.0, goal: None },
    Ratio { title: "bookings while others sign in over bookings", ours: "bookings-login", theirs: &["bookings"],
            group: "boxoffice", required: 0.9, goal: None },
];

/// A ratio with its numbers; none where a figure is missing.
#[derive(Debug, Serialize)]
pub struct Held {
    /// What people read.
    pub title: &'static str,
    /// Our figure, per second.
    pub ours_per_s: Option<f64>,
    /// The best of theirs, per second.
    pub theirs_per_s: Option<f64>,
    /// One over the other.
    pub ratio: Option<f64>,
    /// What it must be at least.
    pub required: f64,
    /// What it should become.
    pub goal: Option<f64>,
}

/// How a ratio stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// The goal is reached, where there is one; else the requirement.
    Met,
    /// The requirement is met, the goal is not.
    BelowGoal,
    /// The requirement is not met.
    Missed,
    /// A figure is missing.
    NotMeasured,
}

impl Ratio {
    /// Puts the numbers in.
    pub fn of(&self, measured: &Measured) -> Held {
        let ours_per_s = measured.median_in(self.ours, self.group);
        let theirs = self.theirs.iter().filter_map(|theirs| measured.median_in(theirs, self.group));
        let theirs_per_s = theirs.max_by(f64::total_cmp);
        let ratio = ours_per_s.zip(theirs_per_s).map(|(ours, theirs)| ours / theirs);
        let Self { title, required, goal, .. } = *self;
        Held { title, ours_per_s, theirs_per_s, ratio, required, goal }
    }
}

impl Held {
    /// How it stands.
    pub fn standing(&self) -> Standing {
        match self.ratio {
            None => Standing::NotMeasured,
            Some(ratio) if ratio < self.required => Standing::Missed,
            Some(ratio) if self.goal.is_some_and(|goal| ratio < goal) => Standing::BelowGoal,
            Some(_) => Standing::Met,
        }
    }
}

impl Standing {
    /// For a table.
    pub fn word(self) -> &'static str {
        match self {
            Self::Met => "met",
            Self::BelowGoal => "met, goal not yet",
            Self::Missed => "MISSED",
            Self::NotMeasured => "not measured",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compare::figure::Run;

    fn measured(runs: &[(&str, &str, f64)]) -> Measured {
        let run = |(figure, group, per_s): &(&str, &str, f64)| Run {
            figure: (*figure).to_owned(),
            group: (*group).to_owned(),
            per_s: *per_s,
        };
        Measured { runs: runs.iter().map(run).collect(), ..Measured::default() }
    }

    fn ratio(goal: Option<f64>) -> Ratio {
        Ratio { title: "", ours: "ours", theirs: &["slow", "fast"], group: "g", required: 2.0, goal }
    }

    #[test]
    fn a_ratio_is_over_the_best_of_theirs() {
        let held = ratio(None).of(&measured(&[("ours", "g", 30.0), ("slow", "g", 1.0), ("fast", "g", 10.0)]));
        assert_eq!((held.ratio, held.standing()), (Some(3.0), Standing::Met));
    }

    #[test]
    fn figures_of_other_groups_are_of_another_moment() {
        let held = ratio(None).of(&measured(&[("ours", "another", 30.0), ("fast", "g", 10.0)]));
        assert_eq!(held.standing(), Standing::NotMeasured);
    }

    #[test]
    fn a_requirement_is_met_before_its_goal() {
        for (ours, expected) in [(19.0, Standing::Missed), (20.0, Standing::BelowGoal), (30.0, Standing::Met)]
        {
            let held = ratio(Some(3.0)).of(&measured(&[("ours", "g", ours), ("fast", "g", 10.0)]));
            assert_eq!(held.standing(), expected, "{ours}");
        }
    }

    #[test]
    fn each_ratio_is_of_figures_that_are_measured_together() {
        for ratio in RATIOS {
            let peer = crate::compare::peers::all().into_iter().find(|peer| peer.name() == ratio.group);
            let peer = peer.unwrap_or_else(|| panic!("there is no {}", ratio.group));
            let ids: Vec<_> = crate::compare::group::figures(peer.as_ref()).map(|figure| figure.id).collect();
            for id in ratio.theirs.iter().chain([&ratio.ours]) {
                assert!(ids.contains(id), "{}: {id} is not measured", ratio.title);
            }
        }
    }
}
