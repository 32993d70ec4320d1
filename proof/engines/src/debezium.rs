//! Kafka Connect by itself, with Debezium's connectors.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use rustix::process::Signal;

use crate::{
    process::{self, Server},
    tools,
};

/// The jars, if they were installed.
///
/// # Errors
/// When they were not, or there is no Java; the error says what to install.
pub fn jars() -> anyhow::Result<PathBuf> {
    tools::need("java", "openjdk-17-jdk-headless")?;
    let hint = "mvn dependency:copy-dependencies of proof/engines/debezium";
    Ok(tools::downloaded("debezium", "debezium/pom.xml", hint)?.with_file_name("lib"))
}

/// A running worker with one connector.
pub struct Connect {
    /// Its REST interface.
    pub port: u16,
    server: Server,
}

impl Connect {
    /// Starts a worker in a directory, where it also remembers how far it is. The worker's settings and the
    /// connector's are lines of properties; the connector needs a `name`.
    ///
    /// # Errors
    /// When the jars are missing, or it does not start.
    pub fn start(
        directory: &Path,
        worker: &str,
        connector: &str,
        environment: &[(&str, String)],
    ) -> anyhow::Result<Self> {
        let (port, jars) = (process::free_port()?, jars()?);
        let (worker_file, connector_file) =
            (directory.join("worker.properties"), directory.join("connector.properties"));
        let offsets = directory.join("connect.offsets");
        let own = format!(
            "{worker}\nlisteners=http://127.0.0.1:{port}\noffset.storage.file.filename={}\nplugin.discovery=only_scan\n",
            offsets.display()
        );
        fs::write(&worker_file, own)?;
        fs::write(&connector_file, connector)?;
        let mut command = Command::new(tools::need("java", "openjdk-17-jdk-headless")?);
        command.args(["-Xmx384m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC"]);
        command.args(["-cp", &format!("{}/*", jars.display())]);
        command.arg("org.apache.kafka.connect.cli.ConnectStandalone").args([&worker_file, &connector_file]);
        command.envs(environment.iter().map(|(name, value)| (name, value)));
        let mut server = Server::start("connect", directory, Signal::TERM, &mut command)?;
        server.wait_for_port(port)?;
        Ok(Self { port, server })
    }

    /// What went wrong, without the traces.
    #[must_use]
    pub fn errors(&self) -> Vec<String> {
        let output = self.server.output();
        let says_why = |line: &&str| line.contains("ERROR") || line.starts_with("Caused by");
        output.lines().filter(says_why).map(str::to_owned).collect()
    }
}

/// What the outbox event router for MongoDB makes of a document: its settings are lines of properties, `operation` is
/// `c` for a new document and `d` for one that goes. Lines of `name=value`, none for what is passed over.
///
/// # Errors
/// When the jars are missing, or the router refuses the document.
pub fn route_document(
    directory: &Path,
    settings: &str,
    document: &str,
    operation: &str,
) -> anyhow::Result<Vec<String>> {
    let file = directory.join("router.properties");
    fs::write(&file, settings)?;
    let mut java = Command::new(tools::need("java", "openjdk-17-jdk-headless")?);
    java.args(["-cp", &format!("{}/*", jars()?.display())]);
    java.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/debezium/RouteDocument.java"));
    let printed = process::output(java.arg(&file).args([document, operation]))?;
    // The logging library prints as well.
    let is_ours = |line: &&str| line.split_once('=').is_some_and(|(name, _)| !name.contains(' '));
    Ok(printed.lines().filter(is_ours).map(str::to_owned).collect())
}
