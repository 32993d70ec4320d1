//! A fleet for one run: every role as a process of its own, on Kafka and on databases that are as durable as they are out
//! of the box.

use std::{
    collections::BTreeMap,
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Command,
};

use engines::{
    kafka::Kafka,
    mariadb::MariaDb,
    postgres::{self, Postgres},
    process::{self, Server},
};
use rustix::process::Signal;
use tempfile::TempDir;

use super::group::Place;

/// The services, each with a database of its own.
const SERVICES: &[&str] = &["user", "event", "ticket", "feedback", "notification", "analytics"];
/// What is in front of them.
const FRONTS: &[&str] = &["gateway", "web"];
/// The services that are on the way of a booking, of which there may be replicas.
const REPLICATED: &[&str] = &["event", "ticket"];
/// Each process has a few connections, and each database a process or more.
const POSTGRES_OPTIONS: &[&str] = &["-c", "max_connections=500"];
/// How long `boxoffice audit` waits until everything is at rest, in seconds.
const REST_SECONDS: &str = "300";

/// The database of the ticket service; those of the others are PostgreSQL's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tickets {
    /// As all the others.
    OnPostgres,
    /// A server of another kind.
    OnMariaDb,
}

/// How a fleet is.
#[derive(Debug, Clone, Copy)]
pub struct Layout {
    /// Where bookings are kept.
    pub tickets: Tickets,
    /// How many processes each of event and ticket has.
    pub replicas: usize,
}

/// A running fleet; stopped when it is dropped.
pub struct Fleet {
    /// Where its gateway answers.
    pub url: String,
    program: PathBuf,
    settings: BTreeMap<String, String>,
    // In the order in which they end: those in front first, the databases last.
    _members: Vec<Server>,
    _kafka: Kafka,
    _databases: (Postgres, Option<MariaDb>),
    directory: TempDir,
}

impl Fleet {
    /// Starts it on servers of its own, and returns when all of it is ready.
    ///
    /// # Errors
    /// When a server is missing, or something does not start.
    pub fn start(place: &Place, layout: Layout) -> anyhow::Result<Self> {
        let directory = tempfile::tempdir_in(&place.directory)?;
        // PostgreSQL refuses to run as root, and must reach its own directory below this one.
        fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o755))?;
        let kafka = Kafka::start(directory.path(), 1)?;
        let databases = Postgres::start(directory.path(), POSTGRES_OPTIONS)?;
        let mariadb = match layout.tickets {
            Tickets::OnPostgres => None,
            Tickets::OnMariaDb => Some(MariaDb::start(directory.path(), &[])?),
        };
        let mut settings = settings(directory.path(), &kafka);
        for service in SERVICES {
            databases.run(&format!("CREATE DATABASE {service}_service"))?;
            let url = format!("postgres://{}@127.0.0.1:{}/{service}_service", postgres::USER, databases.port);
            settings.insert(format!("BOXOFFICE_{}_STORE_URL", service.to_uppercase()), url);
        }
        if let Some(mariadb) = &mariadb {
            mariadb.run("CREATE DATABASE ticket_service")?;
            let url = format!("mariadb://root@127.0.0.1:{}/ticket_service", mariadb.port);
            settings.insert("BOXOFFICE_TICKET_STORE_URL".to_owned(), url);
        }
        let mut fleet = Self {
            url: String::new(),
            program: place.program("boxoffice"),
            settings,
            _members: Vec::new(),
            _kafka: kafka,
            _databases: (databases, mariadb),
            directory,
        };
        fleet.launch(layout)?;
        Ok(fleet)
    }

    /// Makes keys, topics and tables, and starts every role.
    fn launch(&mut self, layout: Layout) -> anyhow::Result<()> {
        let members = members(layout)?;
        for service in SERVICES {
            let of_service = members.iter().filter(|member| member.role == *service);
            let urls: Vec<_> = of_service.map(|member| format!("http://{}", member.front())).collect();
            self.settings.insert(format!("BOXOFFICE_{}_URL", service.to_uppercase()), urls.join(","));
        }
        process::output(self.command().args(["keys", "keys"]))?;
        process::output(self.command().arg("topics"))?;
        process::output(self.command().arg("migrate"))?;
        // Together, for each waits for others.
        let mut running = Vec::new();
        for member in &members {
            running.push(self.start_member(member)?);
        }
        for (server, member) in running.iter_mut().zip(&members) {
            let ready = format!("http://{}/readyz", member.admin());
            server.wait_until(|_| process::output(self.command().args(["health", &ready])).is_ok())?;
        }
        running.reverse();
        self._members = running;
        Ok(())
    }

    fn start_member(&mut self, member: &Member) -> anyhow::Result<Server> {
        let own = self.directory.path().join(format!("{}-{}", member.role, member.front_port));
        fs::create_dir(&own)?;
        let is_front = FRONTS.contains(&member.role);
        let listen = if is_front { "BOXOFFICE_LISTEN" } else { "BOXOFFICE_GRPC_LISTEN" };
        let mut command = self.command();
        command.args(["serve", member.role]).env(listen, member.front());
        command.env("BOXOFFICE_ADMIN_LISTEN", member.admin());
        if member.role == "gateway" {
            self.url = format!("http://{}", member.front());
        }
        Server::start(member.role, &own, Signal::TERM, &mut command)
    }

    /// Everything comes to rest, and its stores agree.
    ///
    /// # Errors
    /// What is wrong.
    pub fn audit(&self) -> anyhow::Result<()> {
        process::output(self.command().args(["audit", "--wait", REST_SECONDS])).map(drop)
    }

    /// The program, as its own configuration and not as the user's has it.
    fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        let is_ours = |name: &std::ffi::OsString| name.to_string_lossy().starts_with("BOXOFFICE_");
        command.current_dir(self.directory.path()).env_clear();
        command.envs(std::env::vars_os().filter(|(name, _)| !is_ours(name))).envs(&self.settings);
        command
    }
}

/// A process of a fleet, and its ports.
struct Member {
    role: &'static str,
    front_port: u16,
    admin_port: u16,
}

impl Member {
    fn front(&self) -> String {
        format!("127.0.0.1:{}", self.front_port)
    }

    fn admin(&self) -> String {
        format!("127.0.0.1:{}", self.admin_port)
    }
}

/// Services first.
fn members(layout: Layout) -> anyhow::Result<Vec<Member>> {
    let mut members = Vec::new();
    for role in SERVICES.iter().chain(FRONTS) {
        let count = if REPLICATED.contains(role) { layout.replicas } else { 1 };
        for _ in 0..count {
            let (front_port, admin_port) = (process::free_port()?, process::free_port()?);
            members.push(Member { role, front_port, admin_port });
        }
    }
    Ok(members)
}

/// What all processes share.
fn settings(directory: &Path, kafka: &Kafka) -> BTreeMap<String, String> {
    let path = |name: &str| directory.join(name).display().to_string();
    let settings = [
        ("BOXOFFICE_LOG", "warn".to_owned()),
        ("BOXOFFICE_DATA_DIR", path("data")),
        ("BOXOFFICE_LOG_URL", format!("kafka://{}", kafka.servers())),
        ("BOXOFFICE_ACCESS_KEY_FILE", path("keys/access-token.pk8")),
        ("BOXOFFICE_ACCESS_PUBLIC_KEY_FILE", path("keys/access-token.pub.pem")),
        ("BOXOFFICE_TICKET_KEY_FILE", path("keys/ticket.pk8")),
        ("BOXOFFICE_SESSION_KEY_FILE", path("keys/session.key")),
    ];
    settings.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}
