//! A peer with our figures beside it: started, measured in turn, stopped.

use std::{
    path::PathBuf,
    process::Command,
    sync::atomic::{AtomicBool, Ordering},
};

use anyhow::{Context, bail, ensure};
use engines::{
    process,
    tools::{Package, Tools},
};
use serde_json::Value;

use super::{
    figure::{Figure, Measured},
    ours::Ours,
};

/// How long each figure of a peer is run before it counts.
const WARM_UP_SECONDS: u64 = 2;

/// Something that is measured beside us. A new one is a module in `peers` and a line in [`super::peers::all`].
pub trait Peer {
    /// Its name on the command line.
    fn name(&self) -> &'static str;

    /// Its own figures.
    fn figures(&self) -> &'static [Figure];

    /// Our figures that are measured in turn with its own.
    fn beside(&self) -> &'static [Ours];

    /// What has to be installed first.
    fn missing(&self, tools: &Tools) -> Vec<Package>;

    /// Starts it, in a directory of its own.
    ///
    /// # Errors
    /// When it does not start; nothing is left running then.
    fn start(&self, place: &Place) -> anyhow::Result<Box<dyn Running>>;
}

/// A peer that runs; dropping it stops it.
pub trait Running {
    /// What it is.
    ///
    /// # Errors
    /// When it does not say so.
    fn version(&self) -> anyhow::Result<String>;

    /// Measures one of its figures.
    ///
    /// # Errors
    /// When the figure would not be of what it says.
    fn measure(&mut self, figure: Figure, seconds: u64) -> anyhow::Result<f64>;
}

/// Where a comparison runs, and with what.
#[derive(Clone)]
pub struct Place {
    /// Programs of the peers.
    pub tools: Tools,
    /// Where our programs are.
    pub programs: PathBuf,
    /// For data and logs; removed afterwards.
    pub directory: PathBuf,
    /// How many connections put load on what speaks HTTP.
    pub connections: u32,
    /// How long a run takes.
    pub seconds: u64,
    /// How many runs a figure is the median of.
    pub rounds: u32,
}

impl Place {
    /// One of our programs.
    pub fn program(&self, name: &str) -> PathBuf {
        self.programs.join(name)
    }

    /// Runs the load generator; its report.
    pub fn bench<'a>(
        &self,
        arguments: impl IntoIterator<Item = &'a str>,
        seconds: u64,
    ) -> anyhow::Result<Value> {
        let report = self.directory.join("bench.json");
        let mut command = Command::new(self.program("bench"));
        command.args(arguments).args(["--seconds", &seconds.to_string()]).arg("--json").arg(&report);
        command.env("TMPDIR", &self.directory);
        process::output(&mut command)?;
        let text = std::fs::read_to_string(&report).context("the load generator wrote no report")?;
        serde_json::from_str(&text).context("the load generator's report is not JSON")
    }

    /// An error for the report, in which temporary paths say nothing.
    fn reason(&self, error: &anyhow::Error) -> String {
        format!("{error:#}").replace(&self.directory.display().to_string(), "DIRECTORY")
    }

    /// An empty directory.
    pub fn fresh_directory(&self, name: &str) -> anyhow::Result<PathBuf> {
        let directory = self.directory.join(name);
        std::fs::create_dir_all(&directory)?;
        Ok(directory)
    }
}

/// A rate in a report of a load generator.
pub fn rate(report: &Value, pointer: &str) -> anyhow::Result<f64> {
    let rate = report.pointer(pointer).and_then(Value::as_f64);
    let rate = rate.with_context(|| format!("the load generator reports no {pointer}"))?;
    ensure!(rate > 0.0, "the load generator reports {pointer} {rate}");
    Ok(rate)
}

/// All figures of a group, ours first.
pub fn figures(peer: &dyn Peer) -> impl Iterator<Item = Figure> {
    peer.beside().iter().map(|ours| ours.figure).chain(peer.figures().iter().copied())
}

/// Measures a peer and what stands beside it; what fails is noted with its reason.
pub fn measure(peer: &dyn Peer, place: &Place, stopped: &AtomicBool, measured: &mut Measured) {
    let name = peer.name();
    let missing: Vec<String> = peer.missing(&place.tools).iter().map(Package::hint).collect();
    let started = if missing.is_empty() {
        eprintln!("{name}: starting");
        peer.start(place)
    } else {
        Err(anyhow::anyhow!("{}, or `cargo xtask compare --install`", missing.join("; ")))
    };
    match started
        .and_then(|running| Group { peer, place, stopped, running, failed: Vec::new() }.run(measured))
    {
        Ok(()) => {}
        Err(error) => {
            eprintln!("{name}: not measured: {error:#}");
            figures(peer).for_each(|figure| measured.miss(figure, name, &place.reason(&error)));
        }
    }
}

struct Group<'a> {
    peer: &'a dyn Peer,
    place: &'a Place,
    stopped: &'a AtomicBool,
    running: Box<dyn Running>,
    failed: Vec<Figure>,
}

impl Group<'_> {
    fn run(mut self, measured: &mut Measured) -> anyhow::Result<()> {
        let name = self.peer.name();
        measured.versions.insert(name.to_owned(), self.running.version()?);
        for figure in self.peer.figures() {
            if let Err(error) = self.running.measure(*figure, WARM_UP_SECONDS) {
                self.fail(*figure, &error, measured);
            }
        }
        let figures = self.peer.figures();
        if !figures.is_empty() && self.failed.len() == figures.len() {
            bail!("nothing of {name} can be measured");
        }
        for round in 1..=self.place.rounds {
            self.round(round, measured)?;
        }
        Ok(())
    }

    fn round(&mut self, round: u32, measured: &mut Measured) -> anyhow::Result<()> {
        let name = self.peer.name();
        for ours in self.peer.beside() {
            if !self.has_failed(ours.figure) {
                let per_s = ours.measure(self.place);
                self.note(round, ours.figure, per_s, measured)?;
            }
        }
        for figure in self.peer.figures() {
            if !self.has_failed(*figure) {
                let per_s = self.running.measure(*figure, self.place.seconds);
                self.note(round, *figure, per_s, measured)?;
            }
        }
        eprintln!("{name}: {round} of {} rounds", self.place.rounds);
        Ok(())
    }

    fn note(
        &mut self,
        round: u32,
        figure: Figure,
        per_s: anyhow::Result<f64>,
        measured: &mut Measured,
    ) -> anyhow::Result<()> {
        // A signal reaches the programs that put on load too, and their failure then means nothing.
        ensure!(!self.stopped.load(Ordering::Relaxed), "stopped by a signal");
        match per_s {
            Ok(per_s) => {
                eprintln!(
                    "{}: round {round}: {} {per_s:.0} {}/s",
                    self.peer.name(),
                    figure.title,
                    figure.unit
                );
                measured.count(figure, self.peer.name(), per_s);
            }
            Err(error) => self.fail(figure, &error, measured),
        }
        Ok(())
    }

    fn has_failed(&self, figure: Figure) -> bool {
        self.failed.contains(&figure)
    }

    /// A figure that failed once is not run again, and its earlier runs do not count.
    fn fail(&mut self, figure: Figure, error: &anyhow::Error, measured: &mut Measured) {
        let name = self.peer.name();
        eprintln!("{name}: {} does not count: {error:#}", figure.title);
        measured.runs.retain(|run| run.figure != figure.id || run.group != name);
        measured.miss(figure, name, &self.place.reason(error));
        self.failed.push(figure);
    }
}
