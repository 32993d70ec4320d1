//! One server of each kind for all tests that run at the same time, and a fresh database for each case.

use std::{
    sync::{
        Arc, Mutex, Weak,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use bus::{Fact, Topic};
use engines::{mariadb::MariaDb, postgres::Postgres};
use sql::{Options, SqlStore};
use sqlx::{AssertSqlSafe, Connection as _, MySqlConnection, PgConnection};
use store::{
    Change, Commit, CommitId, Key, Row as _, Store as _,
    conformance::{Note, SuiteRow, TOPICS},
};
use tempfile::TempDir;
use uuid::Uuid;

pub type Suite = SqlStore<SuiteRow>;

/// What is tested.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Postgres,
    MariaDb,
}

/// A running server; it stops when the last test that uses it is over.
pub struct Engine {
    pub kind: Kind,
    server: Server,
    directory: TempDir,
}

enum Server {
    Postgres(Postgres),
    MariaDb(MariaDb),
}

static RUNNING: [Mutex<Weak<Engine>>; 2] = [Mutex::new(Weak::new()), Mutex::new(Weak::new())];
static DATABASES: AtomicUsize = AtomicUsize::new(0);

/// The server of a kind; none where it cannot be had and need not be.
pub fn engine(kind: Kind) -> Option<Arc<Engine>> {
    let mut running = RUNNING[kind as usize].lock().unwrap();
    if let Some(engine) = running.upgrade() {
        return Some(engine);
    }
    let engine = engines::wanted(&format!("{kind:?}"), start(kind))?;
    *running = Arc::downgrade(&engine);
    Some(engine)
}

fn start(kind: Kind) -> anyhow::Result<Arc<Engine>> {
    let directory = tempfile::tempdir()?;
    // PostgreSQL runs as somebody else, who must get there.
    std::fs::set_permissions(directory.path(), std::os::unix::fs::PermissionsExt::from_mode(0o755))?;
    // No test cuts the power, so nothing need be on the disk.
    let server = match kind {
        Kind::Postgres => {
            let options = [
                "-c",
                "max_connections=200",
                "-c",
                "log_statement=all",
                "-c",
                "fsync=off",
                "-c",
                "full_page_writes=off",
            ];
            Server::Postgres(Postgres::start(directory.path(), &options)?)
        }
        Kind::MariaDb => {
            let options = [
                "--max-connections=200",
                "--innodb-flush-log-at-trx-commit=0",
                "--innodb-flush-method=nosync",
            ];
            Server::MariaDb(MariaDb::start(directory.path(), &options)?)
        }
    };
    Ok(Arc::new(Engine { kind, server, directory }))
}

impl Engine {
    /// Where it listens.
    pub fn port(&self) -> u16 {
        match &self.server {
            Server::Postgres(server) => server.port,
            Server::MariaDb(server) => server.port,
        }
    }

    /// An empty database.
    pub fn empty_database(&self) -> String {
        let name = format!("case_{}", DATABASES.fetch_add(1, Ordering::Relaxed));
        let sql = format!("CREATE DATABASE {name}");
        match &self.server {
            Server::Postgres(server) => server.run(&sql).unwrap(),
            Server::MariaDb(server) => server.run(&sql).unwrap(),
        };
        self.url(self.port(), &name)
    }

    /// The URL of a database by way of a port.
    pub fn url(&self, port: u16, name: &str) -> String {
        match self.kind {
            Kind::Postgres => format!("postgres://boxoffice@127.0.0.1:{port}/{name}"),
            Kind::MariaDb => format!("mariadb://root@127.0.0.1:{port}/{name}"),
        }
    }

    /// A database with the schema of the suite.
    pub async fn database(&self) -> String {
        let url = self.empty_database();
        sql::migrate::<SuiteRow>(&url).await.unwrap();
        url
    }

    /// Everything that PostgreSQL was asked.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.directory.path().join("postgres.log")).unwrap()
    }

    /// Runs statements in a database.
    pub async fn run(&self, url: &str, sql: &str) {
        let sql = AssertSqlSafe(sql.to_owned());
        match self.kind {
            Kind::Postgres => {
                let mut connection = PgConnection::connect(url).await.unwrap();
                sqlx::raw_sql(sql).execute(&mut connection).await.unwrap();
                connection.close().await.unwrap();
            }
            Kind::MariaDb => {
                let mut connection = MySqlConnection::connect(url).await.unwrap();
                sqlx::raw_sql(sql).execute(&mut connection).await.unwrap();
                connection.close().await.unwrap();
            }
        }
    }

    /// The number that a statement gives.
    pub async fn number(&self, url: &str, sql: &str) -> i64 {
        let sql = AssertSqlSafe(sql.to_owned());
        match self.kind {
            Kind::Postgres => {
                let mut connection = PgConnection::connect(url).await.unwrap();
                sqlx::query_scalar(sql).fetch_one(&mut connection).await.unwrap()
            }
            Kind::MariaDb => {
                let mut connection = MySqlConnection::connect(url).await.unwrap();
                sqlx::query_scalar(sql).fetch_one(&mut connection).await.unwrap()
            }
        }
    }
}

/// Opens a store of the suite.
pub async fn open(url: &str) -> Suite {
    Suite::open(url, Options { topics: TOPICS.to_vec(), ..Options::default() }).await.unwrap()
}

pub fn commit_id(number: u64) -> CommitId {
    CommitId(Uuid::from_u128(u128::from(number) + 1_000_000))
}

pub fn note(id: &str, text: &str) -> SuiteRow {
    Note { id: id.to_owned(), text: text.to_owned() }.into()
}

pub fn note_key(id: &str) -> Key {
    Key::new("note", id)
}

/// A new note with a fact.
pub fn note_commit(number: u64) -> Commit<SuiteRow> {
    let row = note(&format!("{number:05}"), "text");
    let mut commit = Commit::new(commit_id(number), 1);
    commit.changes.push(Change::new(row.key(), 0, Some(row)));
    commit.facts.push(Arc::new(fact(u32::try_from(number).unwrap())));
    commit
}

pub fn fact(number: u32) -> Fact {
    bus::conformance::sample(Topic::TicketEvent, number)
}

/// The keys of the facts of a topic.
pub async fn fact_keys(store: &Suite, topic: Topic) -> Vec<String> {
    use bus::Log as _;
    let partition = store.partitions(topic).remove(0);
    let batch = store.read(&partition, bus::Position::default(), 10_000).await.unwrap();
    batch.records.iter().map(|record| record.fact.key.clone()).collect()
}

/// The version of a row; 0 when there is none.
pub async fn version(store: &Suite, key: Key) -> u64 {
    store.load(&[key], &[]).await.unwrap().rows.remove(0).map_or(0, |row| row.version)
}

/// Waits until something is so.
pub async fn until(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    let end = Instant::now() + Duration::from_secs(20);
    while !is_so().await {
        assert!(Instant::now() < end, "{what}: in vain");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// A test on each kind of server.
#[macro_export]
macro_rules! on_each_server {
    ($($(#[$meta:meta])* async fn $name:ident($engine:ident) $body:block)*) => {$(
        mod $name {
            use super::*;

            async fn run($engine: std::sync::Arc<$crate::support::Engine>) $body

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn postgres() {
                if let Some(engine) = $crate::support::engine($crate::support::Kind::Postgres) {
                    run(engine).await;
                }
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn mariadb() {
                if let Some(engine) = $crate::support::engine($crate::support::Kind::MariaDb) {
                    run(engine).await;
                }
            }
        }
    )*};
}
