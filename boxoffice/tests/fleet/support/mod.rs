//! A fleet: every role as a process of its own, on real servers. Used by the tests beside this and by those of the
//! REST surface.

#![allow(dead_code, unused_imports, reason = "each of the two test programs uses a part of it")]

mod engines_of_tests;
mod process;

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    process::{Command, Output},
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::{Duration, Instant},
};

use boxoffice::{config::Config, serve::Role};

pub use engines_of_tests::Engines;
pub use process::{Process, get};

/// The longest that a fleet may take to be ready.
const START_TIMEOUT: Duration = Duration::from_secs(90);
const LOOK_EVERY: Duration = Duration::from_millis(20);
/// Few, so that many fleets fit on one broker.
const PARTITIONS: &str = "3";

/// Where the services of a fleet keep what they have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layout {
    /// A SQLite file for each.
    Sqlite,
    /// MariaDB for ticket; PostgreSQL for feedback, notification and analytics; the MongoDB protocol for user and event.
    Servers,
}

/// A process of a fleet: which role, and which of its replicas.
pub type Member = (Role, usize);

/// Ports of a process.
#[derive(Debug, Clone, Copy)]
struct Ports {
    front: u16,
    admin: u16,
}

/// Every role as a process.
pub struct Fleet {
    pub directory: PathBuf,
    pub engines: Arc<Engines>,
    settings: BTreeMap<String, String>,
    ports: BTreeMap<Member, Ports>,
    running: BTreeMap<Member, Process>,
}

impl Fleet {
    /// A fleet with one replica of each role, ready; `None` when a server cannot be had here.
    pub fn start(directory: &Path, layout: Layout) -> Option<Self> {
        Self::start_with(directory, layout, &[], &[])
    }

    /// As [`Fleet::start`], with more replicas of some roles, and further settings.
    pub fn start_with(
        directory: &Path,
        layout: Layout,
        replicas: &[(Role, usize)],
        settings: &[(&str, &str)],
    ) -> Option<Self> {
        Some(Self::prepare(directory, layout, replicas, settings)?.started())
    }

    /// A fleet on servers of its own, which may be killed.
    pub fn start_alone(directory: &Path, layout: Layout) -> Option<Self> {
        let engines = engines::wanted("a fleet of processes on Kafka", Engines::start(layout))?;
        Some(Self::prepare_on(Arc::new(engines), directory, layout, &[], &[]).started())
    }

    fn started(mut self) -> Self {
        let members: Vec<Member> = self.ports.keys().copied().collect();
        members.iter().for_each(|member| self.launch(*member));
        members.iter().for_each(|member| self.wait_until_ready(*member));
        self
    }

    /// Keys, topics and tables, and no process yet.
    pub fn prepare(
        directory: &Path,
        layout: Layout,
        replicas: &[(Role, usize)],
        settings: &[(&str, &str)],
    ) -> Option<Self> {
        Some(Self::prepare_on(Engines::shared(layout)?, directory, layout, replicas, settings))
    }

    fn prepare_on(
        engines: Arc<Engines>,
        directory: &Path,
        layout: Layout,
        replicas: &[(Role, usize)],
        settings: &[(&str, &str)],
    ) -> Self {
        static FLEETS: AtomicU32 = AtomicU32::new(0);
        let name = format!("f{}", FLEETS.fetch_add(1, Ordering::SeqCst));
        let ports = ports(replicas);
        let mut all = common_settings(directory, &engines, &name, &ports);
        all.extend(engines.databases(layout, directory, &name));
        all.extend(settings.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        let fleet =
            Self { directory: directory.to_owned(), engines, settings: all, ports, running: BTreeMap::new() };
        fleet.run(&["keys", &directory.join("keys").display().to_string()]);
        fleet.run(&["topics"]);
        if layout == Layout::Servers {
            fleet.run(&["migrate"]);
        }
        fleet
    }

    /// Runs a command with the settings of the fleet; it must succeed.
    pub fn run(&self, arguments: &[&str]) -> String {
        let output = self.try_run(arguments);
        let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success(), "{arguments:?}: {:?}\n{out}\n{err}", output.status);
        out.into_owned()
    }

    /// As [`Fleet::run`], however it ends.
    pub fn try_run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    /// The program with the settings of the fleet.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_boxoffice"));
        command.args(arguments).current_dir(&self.directory).env_clear();
        let kept = std::env::vars_os().filter(|(name, _)| !name.to_string_lossy().starts_with("BOXOFFICE_"));
        command.envs(kept).envs(&self.settings);
        command
    }

    /// Starts a process, without waiting.
    pub fn launch(&mut self, member: Member) {
        let (role, replica) = member;
        let ports = self.ports[&member];
        let mut command = self.command(&["serve", role.name()]);
        let address = |port: u16| format!("127.0.0.1:{port}");
        let front = if role == Role::Gateway { "BOXOFFICE_LISTEN" } else { "BOXOFFICE_GRPC_LISTEN" };
        command.env(front, address(ports.front)).env("BOXOFFICE_ADMIN_LISTEN", address(ports.admin));
        self.running.insert(member, Process::start(&format!("{role}-{replica}"), command));
    }

    pub fn wait_until_ready(&self, member: Member) {
        self.wait_for(member, "200", &|status, _| status == 200);
    }

    /// Waits until `/readyz` of a process answers so.
    pub fn wait_for(&self, member: Member, what: &str, is_so: &dyn Fn(u16, &str) -> bool) {
        let until = Instant::now() + START_TIMEOUT;
        let url = format!("{}/readyz", self.admin(member));
        loop {
            let answer = process::get(&url);
            if let Some((status, body)) = &answer
                && is_so(*status, body)
            {
                return;
            }
            let log = self.running.get(&member).map(Process::log).unwrap_or_default();
            assert!(Instant::now() < until, "{member:?} does not become {what}: {answer:?}\n{log}");
            std::thread::sleep(LOOK_EVERY);
        }
    }

    /// Ends a process without any chance to tidy up.
    pub fn kill(&mut self, member: Member) {
        self.running.remove(&member).unwrap().kill();
    }

    /// Stops a process as an operator does; it must end well. Its log.
    pub fn stop(&mut self, member: Member) -> String {
        self.running.remove(&member).unwrap().stop()
    }

    /// Waits until a process has ended by itself.
    pub fn ended(&mut self, member: Member) -> std::process::ExitStatus {
        self.running.remove(&member).unwrap().wait()
    }

    /// A running process.
    pub fn process(&self, member: Member) -> &Process {
        &self.running[&member]
    }

    /// Where the gateway answers.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.ports[&(Role::Gateway, 0)].front)
    }

    /// The admin port of a process.
    pub fn admin(&self, member: Member) -> String {
        format!("http://127.0.0.1:{}", self.ports[&member].admin)
    }

    /// The gRPC port of a process.
    pub fn grpc(&self, member: Member) -> String {
        format!("http://127.0.0.1:{}", self.ports[&member].front)
    }

    /// The settings, as the program reads them.
    pub fn config(&self) -> Config {
        let mut config = Config::for_data_dir(self.directory.clone()).unwrap();
        let setting = |name: &str| self.settings.get(name).cloned();
        let fleet = &mut config.fleet;
        fleet.store_url = setting("BOXOFFICE_STORE_URL");
        fleet.user_store_url = setting("BOXOFFICE_USER_STORE_URL");
        fleet.event_store_url = setting("BOXOFFICE_EVENT_STORE_URL");
        fleet.ticket_store_url = setting("BOXOFFICE_TICKET_STORE_URL");
        fleet.feedback_store_url = setting("BOXOFFICE_FEEDBACK_STORE_URL");
        fleet.notification_store_url = setting("BOXOFFICE_NOTIFICATION_STORE_URL");
        fleet.analytics_store_url = setting("BOXOFFICE_ANALYTICS_STORE_URL");
        fleet.log_url = setting("BOXOFFICE_LOG_URL");
        fleet.access_key_file = setting("BOXOFFICE_ACCESS_KEY_FILE").map(PathBuf::from);
        config
    }

    /// Stops every process, the gateway first; each must end well.
    pub fn stop_all(&mut self) {
        let running = std::mem::take(&mut self.running);
        let (gateways, services): (Vec<_>, Vec<_>) =
            running.into_iter().partition(|((role, _), _)| *role == Role::Gateway);
        gateways.into_iter().for_each(|(_, process)| drop(process.stop()));
        // At once, so that the slowest alone is waited for.
        services.iter().for_each(|(_, process)| process.terminate());
        services.into_iter().for_each(|(_, process)| drop(process.ends_well()));
    }

    /// Audits over the network, until all is at rest.
    pub fn audit(&self) -> String {
        self.run(&["audit", "--wait", "60"])
    }
}

/// A port that nobody listens at, below those that the operating system gives to connections: a process that starts
/// later, or again, must find it free.
fn own_port() -> u16 {
    const FIRST: u32 = 12_000;
    const COUNT: u32 = 20_000;
    static NEXT: AtomicU32 = AtomicU32::new(0);
    loop {
        let number = NEXT.fetch_add(1, Ordering::SeqCst) + std::process::id().wrapping_mul(97);
        let port = u16::try_from(FIRST + number % COUNT).unwrap();
        if std::net::TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}

fn ports(replicas: &[(Role, usize)]) -> BTreeMap<Member, Ports> {
    let mut ports = BTreeMap::new();
    for role in Role::SERVICES.into_iter().chain([Role::Gateway]) {
        let count = replicas.iter().find(|(one, _)| *one == role).map_or(1, |(_, count)| *count);
        for replica in 0..count {
            let both = Ports { front: own_port(), admin: own_port() };
            ports.insert((role, replica), both);
        }
    }
    ports
}

fn common_settings(
    directory: &Path,
    engines: &Engines,
    name: &str,
    ports: &BTreeMap<Member, Ports>,
) -> BTreeMap<String, String> {
    let key = |file: &str| directory.join("keys").join(file).display().to_string();
    let mut settings: BTreeMap<String, String> = [
        ("BOXOFFICE_LOG", "info".to_owned()),
        ("BOXOFFICE_DATA_DIR", directory.display().to_string()),
        ("BOXOFFICE_ADMIN_EMAILS", "root@example.org".to_owned()),
        // Where a process is killed, the others take over its partitions soon.
        ("BOXOFFICE_LOG_URL", format!("{}?prefix={name}.&session_timeout_ms=2000", engines.kafka_url())),
        ("BOXOFFICE_TOPIC_PARTITIONS", PARTITIONS.to_owned()),
        ("BOXOFFICE_ACCESS_KEY_FILE", key("access-token.pk8")),
        ("BOXOFFICE_ACCESS_PUBLIC_KEY_FILE", key("access-token.pub.pem")),
        ("BOXOFFICE_TICKET_KEY_FILE", key("ticket.pk8")),
    ]
    .into_iter()
    .map(|(name, value)| (name.to_owned(), value))
    .collect();
    for role in Role::SERVICES {
        let of_role = ports.iter().filter(|((one, _), _)| *one == role);
        let urls: Vec<String> =
            of_role.map(|(_, ports)| format!("http://127.0.0.1:{}", ports.front)).collect();
        settings.insert(format!("BOXOFFICE_{}_URL", role.name().to_uppercase()), urls.join(","));
    }
    settings
}
