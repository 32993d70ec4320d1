//! Far more bookings are wanted than can be made: how many are made all the same, and how soon it is over.
//!
//! Four phases on one event: the peak in a closed loop; a calm rate, for what is normal; the flood, from
//! clients who hang up after a while; and the calm rate again until answers are as quick as before.

use std::time::Duration;

use hdrhistogram::Histogram;
use serde_json::{Map, Value, json};

use super::{Outcome, Scenario, named};
use crate::{
    http::Connection,
    load::{self, Pace, Plan, Tally},
    recovery::{Normal, p99_ms},
    report::{ms, per_second, round},
    sale::{self, Sale},
    target::Target,
};

/// How long the peak is looked for.
const PEAK: Duration = Duration::from_secs(5);
/// With at least so many connections: commits are shared, so the peak needs a crowd.
const PEAK_CONNECTIONS: u32 = 256;
/// How late a client of the flood may be because all are busy. Who comes later is not there: if the
/// oldest were sent first, all would be about to hang up.
const FLOOD_LATENESS: Duration = Duration::from_millis(20);
/// How long the calm rate is watched before the flood.
const CALM: Duration = Duration::from_secs(5);
/// The calm rate, as a part of the peak.
const CALM_SHARE: f64 = 0.3;
/// The options of the scenario.
#[derive(Debug, Clone, clap::Args)]
pub struct Options {
    #[command(flatten)]
    sale: sale::Options,
    /// How many times the peak is wanted
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=1_000))]
    factor: u64,
    /// How many clients the flood has at a time, each with a connection
    #[arg(long, default_value_t = 2_000, value_parser = clap::value_parser!(u32).range(1..=20_000))]
    clients: u32,
    /// After how many milliseconds a client of the flood hangs up
    #[arg(long, default_value_t = 2_000, value_parser = clap::value_parser!(u64).range(10..=60_000))]
    patience_ms: u64,
    /// How many seconds are watched after the flood
    #[arg(long, default_value_t = 15, value_parser = clap::value_parser!(u64).range(3..=600))]
    recovery_seconds: u64,
}

/// The scenario `overload`.
pub struct Overload {
    options: Options,
    sale: Sale,
    phases: Option<Phases>,
    /// Requests without an answer before and after the flood.
    unknown: u64,
    problems: Vec<String>,
}

/// What the phases showed.
struct Phases {
    peak_per_s: f64,
    offered_per_s: u64,
    sent_per_s: f64,
    goodput_per_s: f64,
    goodput_by_second: Vec<u64>,
    calm_per_s: u64,
    calm_p99_ms: f64,
    /// None when it did not come back to normal while it was watched.
    recovery_s: Option<f64>,
    recovery_p99_ms_by_second: Vec<f64>,
}

impl Scenario for Overload {
    type Options = Options;

    const NAME: &str = "overload";
    const KINDS: &[&str] = sale::KINDS;

    async fn set_up(target: &Target, options: &Options) -> anyhow::Result<Self> {
        let sale = Sale::open(target, &options.sale, 0).await?;
        Ok(Self { options: options.clone(), sale, phases: None, unknown: 0, problems: Vec::new() })
    }

    async fn attempt(&self, number: u64, connection: &mut Connection) -> anyhow::Result<Outcome> {
        self.sale.book(number, connection).await
    }

    /// The figures of the report are those of the flood.
    async fn run(&mut self, target: &Target, plan: &Plan) -> anyhow::Result<Tally> {
        anyhow::ensure!(
            plan.pace == Pace::Closed,
            "overload finds its rate itself: --factor says how much more"
        );
        let connections = plan.connections.max(PEAK_CONNECTIONS);
        let peak_plan = Plan { connections, time: PEAK, ..*plan };
        let peak = self.phase("peak", target, &peak_plan).await?;
        let peak_per_s = per_second(peak.done(), peak.took.as_secs_f64());
        // At least one in a second, so that there is a rate.
        let calm_per_s = ((peak_per_s * CALM_SHARE) as u64).max(1);
        let calm_plan = Plan { time: CALM, pace: Pace::Open { per_second: calm_per_s }, ..*plan };
        let calm = self.phase("calm", target, &calm_plan).await?;
        let calm_p99_ms = ms(calm.latency()?.value_at_quantile(0.99));

        let offered_per_s = (peak_per_s as u64).max(1) * self.options.factor;
        let flood = self.flood(target, plan, offered_per_s).await?;

        let watched = Duration::from_secs(self.options.recovery_seconds);
        let recovery = self.phase("recovery", target, &Plan { time: watched, ..calm_plan }).await?;
        let normal = Normal { per_s: calm_per_s, p99_ms: calm_p99_ms };
        // What passed between the end of the flood and the first calm request counts too.
        let before = flood.took.saturating_sub(plan.time) + recovery.connecting;
        let recovery_s =
            normal.from(&recovery.seconds).map(|second| round(before.as_secs_f64() + second as f64));
        self.phases = Some(Phases {
            peak_per_s,
            offered_per_s,
            sent_per_s: per_second(flood.sent(), flood.took.as_secs_f64()),
            goodput_per_s: per_second(flood.done(), flood.took.as_secs_f64()),
            goodput_by_second: flood.seconds.iter().map(Histogram::len).collect(),
            calm_per_s,
            calm_p99_ms,
            recovery_s,
            recovery_p99_ms_by_second: recovery.seconds.iter().map(p99_ms).collect(),
        });
        Ok(flood)
    }

    /// In a flood, clients who hang up are no error.
    fn problems(&self, tally: &Tally) -> Vec<String> {
        let mut problems = self.problems.clone();
        let wrong = tally.errors();
        if wrong > 0 {
            problems
                .push(format!("flood: {wrong} requests failed, among them: {}", tally.described.join("; ")));
        }
        problems
    }

    async fn check(&mut self, target: &Target, tally: &Tally) -> anyhow::Result<Vec<String>> {
        self.sale.check(target, tally.unknown() + tally.undecided + self.unknown).await
    }

    fn configuration(&self) -> Map<String, Value> {
        let Options { factor, clients, patience_ms, recovery_seconds, .. } = &self.options;
        let mut configuration = self.sale.configuration();
        configuration.extend(named([
            ("factor", json!(factor)),
            ("clients", json!(clients)),
            ("patience_ms", json!(patience_ms)),
            ("recovery_seconds", json!(recovery_seconds)),
        ]));
        configuration
    }

    fn headline(&self) -> String {
        let Some(phases) = &self.phases else { return String::new() };
        let recovered =
            phases.recovery_s.map_or("not normal again".to_owned(), |s| format!("normal after {s} s"));
        format!(
            "goodput {} of the peak of {}/s at {} times as much, {recovered}",
            phases.goodput_over_peak(),
            phases.peak_per_s,
            self.options.factor
        )
    }

    fn details(&self) -> Map<String, Value> {
        let mut details = self.sale.details();
        let Some(phases) = &self.phases else { return details };
        details.extend(named([
            ("peak_per_s", json!(phases.peak_per_s)),
            ("offered_per_s", json!(phases.offered_per_s)),
            ("sent_per_s", json!(phases.sent_per_s)),
            ("goodput_per_s", json!(phases.goodput_per_s)),
            ("goodput_over_peak", json!(phases.goodput_over_peak())),
            ("goodput_by_second", json!(phases.goodput_by_second)),
            ("calm_per_s", json!(phases.calm_per_s)),
            ("calm_p99_ms", json!(phases.calm_p99_ms)),
            ("recovery_s", json!(phases.recovery_s)),
            ("recovery_p99_ms_by_second", json!(phases.recovery_p99_ms_by_second)),
        ]));
        details
    }
}

impl Overload {
    /// The phase that the report is about.
    async fn flood(&self, target: &Target, plan: &Plan, per_second: u64) -> anyhow::Result<Tally> {
        let clients = self.options.clients;
        eprintln!("flood: {per_second}/s from {clients} clients, {} s", plan.time.as_secs());
        let plan = Plan {
            connections: clients,
            pace: Pace::Open { per_second },
            patience: Duration::from_millis(self.options.patience_ms),
            lateness: FLOOD_LATENESS,
            ..*plan
        };
        load::drive(self, target, &plan).await
    }

    /// A phase in which nothing may fail, but for the first moments after the flood.
    async fn phase(&mut self, name: &str, target: &Target, plan: &Plan) -> anyhow::Result<Tally> {
        eprintln!("{name}: {} s", plan.time.as_secs());
        let tally = load::drive(self, target, plan).await?;
        self.unknown += tally.unknown() + tally.undecided;
        self.problems.extend(tally.problems().into_iter().map(|problem| format!("{name}: {problem}")));
        Ok(tally)
    }
}

impl Phases {
    fn goodput_over_peak(&self) -> f64 {
        if self.peak_per_s > 0.0 { round(self.goodput_per_s / self.peak_per_s) } else { 0.0 }
    }
}
