//! The gateway alone, in front of a service that does nothing: beside another gateway, with far more than it can do, and
//! in front of a service that fails.

mod broken;
mod parts;

use std::{path::PathBuf, time::Duration};

use serde_json::{Map, Value, json};

use crate::{
    cli::Load,
    http::{Call, Connection},
    load::{self, Pace, Plan, Tally},
    recovery::{Normal, p99_ms},
    report::{Machine, Report, ms, per_second, round},
    scenario::{Outcome, Scenario, Server, named},
    target::Target,
};
use broken::Broken;
use parts::Parts;

/// So many times both gateways are measured, in turn.
const ROUNDS: usize = 3;
/// How long each is under load before it counts.
const WARM_UP: Duration = Duration::from_secs(2);
/// The load of everyday, as a part of the peak.
const EVERYDAY_SHARE: f64 = 0.7;
/// How late a client of the flood may be because all are waiting for an answer: who comes later is not there. An answer
/// takes a few milliseconds, so more would be measured as the gateway's.
const FLOOD_LATENESS: Duration = Duration::from_millis(1);
/// How long the storm takes.
const STORM: Duration = Duration::from_secs(5);
/// What the load sends: as long as the identifiers that a booking's request carries.
const BODY: &[u8] = br#"{"text":"0198c0de-0000-7000-8000-000000000000"}"#;

/// The options of `bench gateway`.
#[derive(Debug, Clone, clap::Args)]
pub struct Options {
    /// The program of Envoy; without it, nothing is measured beside ours
    #[arg(long, value_name = "PROGRAM")]
    envoy: Option<PathBuf>,
    /// Envoy remembers tokens that it has verified, as ours does; it is not its habit
    #[arg(long, requires = "envoy")]
    envoy_remembers: bool,
    /// How many times the peak is wanted in the flood
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=1_000))]
    factor: u64,
    /// How many clients the flood has at a time, each with a connection
    #[arg(long, default_value_t = 500, value_parser = clap::value_parser!(u32).range(1..=20_000))]
    clients: u32,
    /// After how many milliseconds a client of the flood hangs up
    #[arg(long, default_value_t = 2_000, value_parser = clap::value_parser!(u64).range(10..=60_000))]
    patience_ms: u64,
    /// How many seconds are watched after the flood
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u64).range(3..=600))]
    recovery_seconds: u64,
}

/// The call that is measured.
struct Echo {
    authorization: String,
}

impl Scenario for Echo {
    type Options = String;

    const NAME: &str = "gateway";
    const KINDS: &[&str] = &["echo"];
    const SERVER: Server = Server::Nothing;

    async fn set_up(_: &Target, authorization: &String) -> anyhow::Result<Self> {
        Ok(Self { authorization: authorization.clone() })
    }

    async fn attempt(&self, _: u64, connection: &mut Connection) -> anyhow::Result<Outcome> {
        let answer = connection.call(&Call::post("/v1/echo", BODY).by(&self.authorization)).await?;
        // Another gateway may write blanks into it.
        let is_right = answer.is_success() && answer.body.windows(36).any(|part| part == &BODY[9..45]);
        Ok(if is_right { Outcome::Done(0) } else { Outcome::refused(&answer) })
    }
}

/// The call of the service that breaks. That it fails is what is wanted.
struct Storm;

impl Scenario for Storm {
    type Options = ();

    const NAME: &str = "gateway-storm";
    const KINDS: &[&str] = &["failure"];
    const SERVER: Server = Server::Nothing;

    async fn set_up(_: &Target, (): &()) -> anyhow::Result<Self> {
        Ok(Self)
    }

    async fn attempt(&self, _: u64, connection: &mut Connection) -> anyhow::Result<Outcome> {
        let answer = connection.call(&Call::get("/broken")).await?;
        Ok(if answer.status == 502 { Outcome::Done(0) } else { Outcome::refused(&answer) })
    }
}

/// Measures all of it; the figures of the report are those of the flood.
///
/// # Errors
/// When something does not start, or a load cannot be put on.
pub async fn measure(options: &Options, load: &Load) -> anyhow::Result<Report> {
    anyhow::ensure!(
        load.url.is_none() && load.rate.is_none(),
        "gateway starts what it measures, and finds its rates"
    );
    let machine = Machine::here();
    let broken = Broken::bind().await?;
    let parts = Parts::start(options, broken.port()?).await?;
    let process = Some(parts.platform.process.id());
    let run = Run {
        echo: Echo::set_up(&parts.ours, &parts.authorization).await?,
        plan: load.plan(process),
        options,
    };
    let mut details = Map::new();
    let peaks = run.peaks(&parts, &mut details).await?;
    run.equal_load(&parts, &peaks, &mut details).await?;
    let flood = run.overload(&parts.ours, peaks.ours_per_s, &mut details).await?;
    run.storm(&parts.ours, &broken, &mut details).await?;
    let mut report = Report::new(Echo::NAME, load, machine, &flood)?;
    let wrong = flood.errors();
    report.problems = Vec::from_iter(
        (wrong > 0).then(|| format!("{wrong} requests failed, among them: {}", flood.described.join("; "))),
    );
    let figure = |name: &str| details.get(name).cloned().unwrap_or_default();
    report.headline = format!(
        "{} times Envoy, goodput {} of the peak of {}/s at {} times as much, normal after {} s, storm {} at the callee",
        figure("over_envoy"),
        figure("goodput_over_peak"),
        peaks.ours_per_s,
        options.factor,
        figure("recovery_s"),
        figure("storm_calls_over_requests"),
    );
    report.details = details;
    report.configuration.extend(named([
        ("factor", json!(options.factor)),
        ("clients", json!(options.clients)),
        ("patience_ms", json!(options.patience_ms)),
    ]));
    report.peak_memory_mb = crate::machine::peak_memory_mb(parts.platform.process.id());
    let (audit, disk_mb) = parts.platform.stop_and_audit().await?;
    (report.audit, report.disk_mb) = (audit, Some(disk_mb));
    Ok(report)
}

/// What each does at most, per second.
struct Peaks {
    ours_per_s: f64,
    envoy_per_s: Option<f64>,
}

struct Run<'r> {
    echo: Echo,
    plan: Plan,
    options: &'r Options,
}

impl Run<'_> {
    /// A closed loop on each in turn.
    async fn peaks(&self, parts: &Parts, details: &mut Map<String, Value>) -> anyhow::Result<Peaks> {
        let targets: Vec<_> =
            [Some(("ours", &parts.ours)), parts.envoy.as_ref().map(|envoy| ("envoy", envoy))]
                .into_iter()
                .flatten()
                .collect();
        for (name, target) in &targets {
            self.drive(&format!("warming {name} up"), target, Plan { time: WARM_UP, ..self.plan }).await?;
        }
        let mut rates = vec![Vec::new(); targets.len()];
        let mut p99s = rates.clone();
        for _ in 0..ROUNDS {
            for (number, (name, target)) in targets.iter().enumerate() {
                let tally = self.drive(&format!("peak of {name}"), target, self.plan).await?;
                rates[number].push(per_second(tally.done(), tally.took.as_secs_f64()));
                p99s[number].push(p99_of(&tally)?);
            }
        }
        let mut medians = Vec::new();
        for (number, (name, _)) in targets.iter().enumerate() {
            let (rate, p99) = (median(&mut rates[number]), median(&mut p99s[number]));
            details.insert(format!("peak_{name}_per_s"), json!(rate));
            details.insert(format!("peak_{name}_p99_ms"), json!(p99));
            details.insert(format!("peak_{name}_runs_per_s"), json!(rates[number]));
            medians.push(rate);
        }
        let peaks = Peaks { ours_per_s: medians[0], envoy_per_s: medians.get(1).copied() };
        let over = peaks.envoy_per_s.map(|envoy| round(peaks.ours_per_s / envoy));
        details.insert("over_envoy".to_owned(), json!(over));
        Ok(peaks)
    }

    /// What the slower one does easily, on both: how long answers take.
    async fn equal_load(
        &self,
        parts: &Parts,
        peaks: &Peaks,
        details: &mut Map<String, Value>,
    ) -> anyhow::Result<()> {
        let (Some(envoy), Some(envoy_per_s)) = (&parts.envoy, peaks.envoy_per_s) else { return Ok(()) };
        let per_second = everyday(envoy_per_s.min(peaks.ours_per_s));
        let plan = Plan { pace: Pace::Open { per_second }, ..self.plan };
        details.insert("equal_per_s".to_owned(), json!(per_second));
        for (name, target) in [("ours", &parts.ours), ("envoy", envoy)] {
            let tally = self.drive(&format!("{name} at {per_second}/s"), target, plan).await?;
            details.insert(format!("equal_{name}_p99_ms"), json!(p99_of(&tally)?));
            details
                .insert(format!("equal_{name}_p50_ms"), json!(ms(tally.latency()?.value_at_quantile(0.5))));
            details.insert(format!("equal_{name}_busy"), json!(tally.busy.len()));
        }
        Ok(())
    }

    /// An everyday load, the flood, and the everyday load again; the tally of the flood.
    async fn overload(
        &self,
        target: &Target,
        peak_per_s: f64,
        details: &mut Map<String, Value>,
    ) -> anyhow::Result<Tally> {
        let Options { factor, clients, patience_ms, recovery_seconds, .. } = *self.options;
        let everyday_per_s = everyday(peak_per_s);
        let calm_plan = Plan { pace: Pace::Open { per_second: everyday_per_s }, ..self.plan };
        let calm = self.drive("everyday", target, calm_plan).await?;
        let calm_p99_ms = p99_of(&calm)?;
        let offered_per_s = (peak_per_s as u64).max(1) * factor;
        let flood_plan = Plan {
            connections: clients,
            pace: Pace::Open { per_second: offered_per_s },
            patience: Duration::from_millis(patience_ms),
            lateness: FLOOD_LATENESS,
            ..self.plan
        };
        let flood = self.drive("flood", target, flood_plan).await?;
        let watched = Plan { time: Duration::from_secs(recovery_seconds), ..calm_plan };
        let after = self.drive("recovery", target, watched).await?;
        // What passed between the end of the flood and the first calm request counts too.
        let before = flood.took.saturating_sub(flood_plan.time) + after.connecting;
        let normal = Normal { per_s: everyday_per_s, p99_ms: calm_p99_ms };
        let recovery_s =
            normal.from(&after.seconds).map(|second| round(before.as_secs_f64() + second as f64));
        let goodput_per_s = per_second(flood.done(), flood.took.as_secs_f64());
        details.extend(named([
            ("everyday_per_s", json!(everyday_per_s)),
            ("everyday_p99_ms", json!(calm_p99_ms)),
            ("offered_per_s", json!(offered_per_s)),
            ("sent_per_s", json!(per_second(flood.sent(), flood.took.as_secs_f64()))),
            ("refused_p99_ms", json!(ms(flood.busy.value_at_quantile(0.99)))),
            ("accepted_p99_ms", json!(p99_of(&flood)?)),
            ("accepted_p99_over_everyday", json!(round(p99_of(&flood)? / calm_p99_ms))),
            ("goodput_per_s", json!(goodput_per_s)),
            ("goodput_over_peak", json!(round(goodput_per_s / peak_per_s))),
            ("recovery_s", json!(recovery_s)),
            ("recovery_p99_ms_by_second", json!(after.seconds.iter().map(p99_ms).collect::<Vec<_>>())),
        ]));
        Ok(flood)
    }

    /// Clients of a service that breaks each call.
    async fn storm(
        &self,
        target: &Target,
        broken: &Broken,
        details: &mut Map<String, Value>,
    ) -> anyhow::Result<()> {
        eprintln!("storm: {} s", STORM.as_secs());
        let plan = Plan { time: STORM, ..self.plan };
        let tally = tokio::select! {
            tally = load::drive(&Storm, target, &plan) => tally?,
            () = broken.run() => unreachable!("it runs for ever"),
        };
        let (requests, calls) = (tally.answered(), broken.calls());
        details.extend(named([
            ("storm_requests", json!(requests)),
            ("storm_calls", json!(calls)),
            ("storm_refused", json!(tally.busy.len())),
            ("storm_refused_p99_ms", json!(ms(tally.busy.value_at_quantile(0.99)))),
            ("storm_calls_over_requests", json!(round(calls as f64 / requests.max(1) as f64))),
        ]));
        Ok(())
    }

    async fn drive(&self, what: &str, target: &Target, plan: Plan) -> anyhow::Result<Tally> {
        eprintln!("{what}: {} s", plan.time.as_secs());
        load::drive(&self.echo, target, &plan).await
    }
}

fn everyday(peak_per_s: f64) -> u64 {
    ((peak_per_s * EVERYDAY_SHARE) as u64).max(1)
}

fn p99_of(tally: &Tally) -> anyhow::Result<f64> {
    Ok(ms(tally.latency()?.value_at_quantile(0.99)))
}

fn median(figures: &mut [f64]) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures.get(figures.len() / 2).copied().unwrap_or_default()
}
