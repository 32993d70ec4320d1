//! Apache Kafka in KRaft mode: one broker, or several that replicate.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::Context;
use rustix::process::Signal;

use crate::{
    process::{self, Server},
    tools,
};

/// The memory of a broker: little, for there is little to do.
const HEAP: &str = "-Xmx384m";
/// Brokers of tests live for seconds: fast to start is better than fast in the end.
const JVM: &[&str] = &["-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC"];
/// What a member of a group may ask for at the least, in milliseconds.
const MIN_SESSION_MS: u32 = 1_000;

/// The jars, if they were installed.
///
/// # Errors
/// When they were not, or there is no Java; the error says what to install.
pub fn jars() -> anyhow::Result<PathBuf> {
    tools::need("java", "openjdk-17-jre-headless")?;
    let pom = tools::downloaded(
        "kafka",
        "kafka/pom.xml",
        "mvn dependency:copy-dependencies of proof/engines/kafka",
    )?;
    Ok(pom.with_file_name("lib"))
}

/// Running brokers that are also the controllers.
pub struct Kafka {
    brokers: Vec<Broker>,
    directory: PathBuf,
}

/// One of them.
struct Broker {
    port: u16,
    properties: PathBuf,
    /// None while it is down.
    server: Option<Server>,
}

impl Kafka {
    /// Starts so many brokers in a directory, whose topics are kept by all of them.
    ///
    /// # Errors
    /// When the jars are missing, or a broker does not start.
    pub fn start(directory: &Path, brokers: u16) -> anyhow::Result<Self> {
        let cluster = process::output(java()?.args(["kafka.tools.StorageTool", "random-uuid"]))?;
        let cluster = cluster.trim();
        let mut ports = Vec::new();
        for _ in 0..brokers {
            ports.push((process::free_port()?, process::free_port()?));
        }
        let mut kafka = Self { brokers: Vec::new(), directory: directory.to_owned() };
        for (index, (port, _)) in ports.iter().enumerate() {
            let own = directory.join(format!("kafka-{}", index + 1));
            fs::create_dir_all(&own)?;
            let file = own.join("server.properties");
            fs::write(&file, properties(&own, index, &ports))?;
            let mut format = java()?;
            format.args(["kafka.tools.StorageTool", "format", "-t", cluster, "-c"]).arg(&file);
            process::output(&mut format)?;
            kafka.brokers.push(Broker { port: *port, properties: file, server: None });
        }
        // Those that vote wait for each other, so all are started before one is waited for.
        for index in 0..kafka.brokers.len() {
            kafka.launch(index)?;
        }
        for index in 0..kafka.brokers.len() {
            kafka.wait(index)?;
        }
        Ok(kafka)
    }

    /// Where the brokers are, as `host:port,host:port`.
    #[must_use]
    pub fn servers(&self) -> String {
        let servers: Vec<_> =
            self.brokers.iter().map(|broker| format!("127.0.0.1:{}", broker.port)).collect();
        servers.join(",")
    }

    /// Kills a broker, counted from 0, without a chance to tidy up.
    pub fn kill(&mut self, index: usize) {
        if let Some(server) = self.brokers[index].server.take() {
            server.kill();
        }
    }

    /// Starts a broker again that was killed.
    ///
    /// # Errors
    /// When it does not start.
    pub fn restart(&mut self, index: usize) -> anyhow::Result<()> {
        self.launch(index)?;
        self.wait(index)
    }

    fn launch(&mut self, index: usize) -> anyhow::Result<()> {
        let broker = &mut self.brokers[index];
        let own = broker.properties.parent().context("a file is in a directory")?;
        let mut command = java()?;
        command.arg("kafka.Kafka").arg(&broker.properties).current_dir(&self.directory);
        broker.server = Some(Server::start("kafka", own, Signal::TERM, &mut command)?);
        Ok(())
    }

    fn wait(&mut self, index: usize) -> anyhow::Result<()> {
        let broker = &mut self.brokers[index];
        let server = broker.server.as_mut().context("the broker was not started")?;
        server.wait_for_port(broker.port)
    }
}

fn java() -> anyhow::Result<Command> {
    let classes = format!("{}/*", jars()?.display());
    let mut command = Command::new(tools::need("java", "openjdk-17-jre-headless")?);
    command.arg(HEAP).args(JVM).args(["-cp", &classes]);
    Ok(command)
}

/// The configuration of one of the brokers.
fn properties(own: &Path, index: usize, ports: &[(u16, u16)]) -> String {
    let (id, count) = (index + 1, ports.len());
    let (port, control) = ports[index];
    let voters: Vec<_> = ports
        .iter()
        .enumerate()
        .map(|(index, (_, control))| format!("{}@127.0.0.1:{control}", index + 1))
        .collect();
    let in_sync = count.min(2);
    let lines = [
        "process.roles=broker,controller".to_owned(),
        format!("node.id={id}"),
        "controller.listener.names=CONTROLLER".to_owned(),
        format!("listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{control}"),
        format!("advertised.listeners=PLAINTEXT://127.0.0.1:{port}"),
        "listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT".to_owned(),
        format!("controller.quorum.voters={}", voters.join(",")),
        format!("log.dirs={}", own.join("data").display()),
        "auto.create.topics.enable=false".to_owned(),
        format!("offsets.topic.replication.factor={count}"),
        "offsets.topic.num.partitions=5".to_owned(),
        format!("transaction.state.log.replication.factor={count}"),
        format!("transaction.state.log.min.isr={in_sync}"),
        format!("share.coordinator.state.topic.replication.factor={count}"),
        "group.initial.rebalance.delay.ms=0".to_owned(),
        format!("group.min.session.timeout.ms={MIN_SESSION_MS}"),
        // A broker that is gone is noticed soon.
        "broker.session.timeout.ms=3000".to_owned(),
        "broker.heartbeat.interval.ms=500".to_owned(),
    ];
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_broker_knows_who_votes() {
        let lines = properties(Path::new("/tmp/k"), 1, &[(1, 2), (3, 4), (5, 6)]);
        assert!(lines.contains("controller.quorum.voters=1@127.0.0.1:2,2@127.0.0.1:4,3@127.0.0.1:6"));
        assert!(lines.contains("node.id=2\n") && lines.contains("transaction.state.log.min.isr=2"));
    }
}
