//! The figures of a run: as one line for people, and as JSON.

use std::path::Path;

use anyhow::Context;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::{cli::Cli, load::Tally, machine};

const MICROS_PER_MS: f64 = 1_000.0;

/// What the audit of the stores said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Audit {
    /// Nothing is wrong.
    Clean,
    /// An invariant is broken.
    Violations,
    /// The deployment was not started by the generator, so its stores are not looked at.
    NotOurs,
}

/// The figures of a run.
#[derive(Debug, Serialize)]
#[allow(missing_docs, reason = "the help of the program says what they are")]
pub struct Report {
    pub scenario: &'static str,
    pub per_s: f64,
    pub booked_per_s: f64,
    pub rejected_per_s: f64,
    pub p50_ms: f64,
    pub p90_ms: f64,
    pub p99_ms: f64,
    pub max_ms: f64,
    pub booked: u64,
    pub rejected: u64,
    pub other: u64,
    pub errors: u64,
    pub busy: u64,
    pub unsent: u64,
    pub audit: Audit,
    /// Why the figures do not count; empty when they do.
    pub problems: Vec<String>,
    pub seconds: f64,
    pub connections: u32,
    /// Requests per second that were offered; none in a closed loop.
    pub rate: Option<u64>,
    pub attempts: Option<u64>,
    pub url: Option<String>,
    pub details: Map<String, Value>,
    pub peak_memory_mb: Option<u64>,
    pub disk_mb: Option<u64>,
    pub machine: Machine,
    pub commit: Option<String>,
}

/// Where it ran.
#[derive(Debug, Serialize)]
#[allow(missing_docs, reason = "their names say it")]
pub struct Machine {
    pub cores: usize,
    pub processor: Option<String>,
    pub os: &'static str,
}

impl Report {
    /// The figures of a tally, before anything was checked.
    pub fn new(scenario: &'static str, cli: &Cli, tally: &Tally) -> Self {
        let seconds = tally.took.as_secs_f64();
        let per_s = |count: u64| if seconds > 0.0 { round(count as f64 / seconds) } else { 0.0 };
        let ms = |micros: u64| round(micros as f64 / MICROS_PER_MS);
        let latency = |quantile| ms(tally.latency.value_at_quantile(quantile));
        Self {
            scenario,
            per_s: per_s(tally.booked + tally.rejected),
            booked_per_s: per_s(tally.booked),
            rejected_per_s: per_s(tally.rejected),
            p50_ms: latency(0.5),
            p90_ms: latency(0.9),
            p99_ms: latency(0.99),
            max_ms: ms(tally.latency.max()),
            booked: tally.booked,
            rejected: tally.rejected,
            other: tally.other,
            errors: tally.errors(),
            busy: tally.busy,
            unsent: tally.unsent,
            audit: Audit::NotOurs,
            problems: problems(tally),
            seconds: round(seconds),
            connections: cli.connections,
            rate: cli.rate,
            attempts: cli.attempts,
            url: cli.url.clone(),
            details: Map::new(),
            peak_memory_mb: None,
            disk_mb: None,
            machine: Machine {
                cores: machine::cores(),
                processor: machine::processor(),
                os: std::env::consts::OS,
            },
            commit: machine::commit(),
        }
    }

    /// Whether what was measured is correct.
    pub fn counts(&self) -> bool {
        self.problems.is_empty() && self.audit != Audit::Violations
    }

    /// The figures in one line.
    pub fn line(&self) -> String {
        let Self { scenario, per_s, p50_ms, p99_ms, booked, rejected, other, errors, unsent, .. } = self;
        let audit = match self.audit {
            Audit::Clean => "clean",
            Audit::Violations => "VIOLATIONS",
            Audit::NotOurs => "not-ours",
        };
        format!(
            "{scenario}: {per_s}/s, p50 {p50_ms} ms, p99 {p99_ms} ms, {booked} booked, {rejected} rejected, \
             {other} undecided, {errors} errors, {unsent} unsent, audit {audit}"
        )
    }

    /// Writes the figures as JSON.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn write(&self, file: &Path) -> anyhow::Result<()> {
        let mut text = serde_json::to_string_pretty(self)?;
        text.push('\n');
        std::fs::write(file, text).with_context(|| format!("cannot write {}", file.display()))
    }
}

/// Failures that say that the server is busy are a result; all others make the figures void.
fn problems(tally: &Tally) -> Vec<String> {
    let mut problems = Vec::new();
    let unexpected = tally.errors().saturating_sub(tally.busy);
    if unexpected > 0 {
        problems.push(format!("{unexpected} requests failed, among them: {}", tally.described.join("; ")));
    }
    if tally.booked + tally.rejected == 0 {
        problems.push("nothing was decided".to_owned());
    }
    problems
}

/// More digits would say what was not measured.
fn round(figure: f64) -> f64 {
    (figure * 1_000.0).round() / 1_000.0
}
