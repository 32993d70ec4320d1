//! The figures of a run: as one line for people, and as JSON.

use std::{fmt, path::Path, time::Duration};

use anyhow::Context;
use hdrhistogram::Histogram;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::{cli::Load, load::Tally, machine};

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
    #[serde(flatten)]
    pub latency: Latency,
    /// By kind of answer.
    pub answers: Map<String, Value>,
    pub undecided: u64,
    pub busy: u64,
    pub busy_p99_ms: f64,
    pub errors: u64,
    pub gave_up: u64,
    pub skipped: u64,
    pub unsent: u64,
    pub audit: Audit,
    /// Why the figures do not count; empty when they do.
    pub problems: Vec<String>,
    /// From the first request to the last answer.
    pub took_s: f64,
    /// How late the generator itself began requests, at the 99th percentile.
    pub generator_lag_p99_ms: f64,
    pub server_cpu_us_per_answer: Option<f64>,
    pub generator_cpu_us_per_answer: Option<f64>,
    pub memory_at_rest_mb: Option<u64>,
    pub peak_memory_mb: Option<u64>,
    pub disk_mb: Option<u64>,
    /// What the scenario is about, for its line.
    #[serde(skip)]
    pub headline: String,
    pub details: Map<String, Value>,
    pub configuration: Map<String, Value>,
    pub machine: Machine,
    pub commit: Option<String>,
}

/// How long answers took.
#[derive(Debug, Serialize)]
#[allow(missing_docs, reason = "their names say it")]
pub struct Latency {
    pub p50_ms: f64,
    pub p90_ms: f64,
    pub p99_ms: f64,
    pub p999_ms: f64,
    pub max_ms: f64,
}

/// The figures of one kind of answer.
#[derive(Debug, Serialize)]
struct Answers {
    count: u64,
    per_s: f64,
    #[serde(flatten)]
    latency: Latency,
}

/// Where it ran.
#[derive(Debug, Serialize)]
#[allow(missing_docs, reason = "their names say it")]
pub struct Machine {
    pub cores: usize,
    pub processor: Option<String>,
    pub os: &'static str,
    /// How busy it was before the run.
    pub load_average: Option<f64>,
}

impl Machine {
    /// This one, now.
    pub fn here() -> Self {
        Self {
            cores: machine::cores(),
            processor: machine::processor(),
            os: std::env::consts::OS,
            load_average: machine::load_average(),
        }
    }
}

impl Report {
    /// The figures of a tally, before anything was checked.
    ///
    /// # Errors
    /// Never in practice: the figures are numbers.
    pub fn new(scenario: &'static str, load: &Load, machine: Machine, tally: &Tally) -> anyhow::Result<Self> {
        let seconds = tally.took.as_secs_f64();
        let mut answers = Map::new();
        for kind in &tally.done {
            let count = kind.latency.len();
            let figures =
                Answers { count, per_s: per_second(count, seconds), latency: Latency::of(&kind.latency) };
            answers.insert(kind.name.to_owned(), serde_json::to_value(figures)?);
        }
        Ok(Self {
            scenario,
            per_s: per_second(tally.done(), seconds),
            latency: Latency::of(&tally.latency()?),
            answers,
            undecided: tally.undecided,
            busy: tally.busy.len(),
            busy_p99_ms: ms(tally.busy.value_at_quantile(0.99)),
            errors: tally.errors(),
            gave_up: tally.gave_up,
            skipped: tally.skipped,
            unsent: tally.unsent,
            audit: Audit::NotOurs,
            problems: Vec::new(),
            took_s: round(seconds),
            generator_lag_p99_ms: ms(tally.lag.value_at_quantile(0.99)),
            server_cpu_us_per_answer: per_answer(tally.cpu.server, tally),
            generator_cpu_us_per_answer: per_answer(tally.cpu.generator, tally),
            memory_at_rest_mb: None,
            peak_memory_mb: None,
            disk_mb: None,
            headline: String::new(),
            details: Map::new(),
            configuration: load.configuration(),
            machine,
            commit: machine::commit(),
        })
    }

    /// Whether what was measured is correct.
    pub fn counts(&self) -> bool {
        self.problems.is_empty() && self.audit != Audit::Violations
    }

    /// The figures in one line.
    pub fn line(&self) -> String {
        let Self { scenario, per_s, undecided, busy, errors, gave_up, skipped, unsent, audit, .. } = self;
        let Latency { p50_ms, p99_ms, .. } = self.latency;
        let counts = self.answers.iter().map(|(name, figures)| format!("{} {name}", figures["count"]));
        let mut parts: Vec<_> = counts.collect();
        let rare = [("undecided", undecided), ("busy", busy), ("gave up", gave_up), ("skipped", skipped)];
        parts.extend(
            rare.iter().filter(|(_, count)| **count > 0).map(|(name, count)| format!("{count} {name}")),
        );
        if !self.headline.is_empty() {
            parts.push(self.headline.clone());
        }
        let cpu = self.server_cpu_us_per_answer.map_or(String::new(), |us| format!("server {us} us each, "));
        format!(
            "{scenario}: {per_s}/s, p50 {p50_ms} ms, p99 {p99_ms} ms, {}, {errors} errors, {unsent} unsent, \
             {cpu}audit {audit}",
            parts.join(", ")
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

impl Latency {
    /// The latencies of a histogram in microseconds.
    pub fn of(histogram: &Histogram<u64>) -> Self {
        let at = |quantile| ms(histogram.value_at_quantile(quantile));
        let (p50_ms, p90_ms, p99_ms, p999_ms) = (at(0.5), at(0.9), at(0.99), at(0.999));
        Self { p50_ms, p90_ms, p99_ms, p999_ms, max_ms: ms(histogram.max()) }
    }
}

impl fmt::Display for Audit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Clean => "clean",
            Self::Violations => "VIOLATIONS",
            Self::NotOurs => "not-ours",
        })
    }
}

/// So many in so many seconds.
pub fn per_second(count: u64, seconds: f64) -> f64 {
    if seconds > 0.0 { round(count as f64 / seconds) } else { 0.0 }
}

/// Milliseconds.
pub fn ms(micros: u64) -> f64 {
    round(micros as f64 / MICROS_PER_MS)
}

fn per_answer(time: Option<Duration>, tally: &Tally) -> Option<f64> {
    let (time, answered) = (time?, tally.answered());
    (answered > 0).then(|| round(time.as_micros() as f64 / answered as f64))
}

/// More digits would say what was not measured.
pub fn round(figure: f64) -> f64 {
    (figure * 1_000.0).round() / 1_000.0
}
