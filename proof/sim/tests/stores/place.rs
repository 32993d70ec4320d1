//! Where stores are: in memory, in files, and on servers that are started for the test.

use std::{
    future::Future,
    os::unix::fs::PermissionsExt,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use bus::{Log, Topic};
use engines::{ferretdb::FerretDb, mariadb::MariaDb, postgres::Postgres};
use mongo::MongoStore;
use sql::SqlStore;
use sqlite::SqliteStore;
use store::{MemoryStore, Row, Store};
use tempfile::TempDir;

/// A kind of store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Memory,
    Sqlite,
    Postgres,
    MariaDb,
    FerretDb,
}

impl Kind {
    /// All of them; the first is what the others are held against.
    pub const ALL: &'static [Self] =
        &[Self::Memory, Self::Sqlite, Self::Postgres, Self::MariaDb, Self::FerretDb];

    pub fn name(self) -> &'static str {
        match self {
            Self::Memory => "memory",
            Self::Sqlite => "SQLite",
            Self::Postgres => "PostgreSQL",
            Self::MariaDb => "MariaDB",
            Self::FerretDb => "FerretDB",
        }
    }
}

enum Server {
    None,
    Postgres(Postgres),
    MariaDb(MariaDb),
    FerretDb(FerretDb),
}

/// Where stores of one kind are.
pub struct Place {
    pub kind: Kind,
    server: Server,
    directory: TempDir,
    stores: AtomicUsize,
}

/// A store with its outbox, empty.
pub struct Opened<R: Row> {
    pub store: Arc<dyn Store<R>>,
    pub log: Arc<dyn Log>,
    /// Closes it.
    pub close: Pin<Box<dyn Future<Output = ()> + Send>>,
}

impl Place {
    /// Starts the server that it takes. None where there is none to be had, which is told.
    pub fn start(kind: Kind) -> Option<Self> {
        engines::wanted(kind.name(), Self::try_start(kind))
    }

    fn try_start(kind: Kind) -> anyhow::Result<Self> {
        let directory = tempfile::tempdir()?;
        // PostgreSQL runs as somebody else, who must get there.
        std::fs::set_permissions(directory.path(), PermissionsExt::from_mode(0o755))?;
        let path = directory.path();
        // No test here cuts the power, so nothing need be on the disk.
        let server = match kind {
            Kind::Memory | Kind::Sqlite => Server::None,
            Kind::Postgres => {
                Server::Postgres(Postgres::start(path, &["-c", "fsync=off", "-c", "full_page_writes=off"])?)
            }
            Kind::MariaDb => Server::MariaDb(MariaDb::start(
                path,
                &["--innodb-flush-log-at-trx-commit=0", "--innodb-flush-method=nosync"],
            )?),
            Kind::FerretDb => Server::FerretDb(FerretDb::start_indexed(path)?),
        };
        Ok(Self { kind, server, directory, stores: AtomicUsize::new(0) })
    }

    /// A new store of it.
    pub async fn open<R: Row>(&self, topics: &'static [Topic]) -> Opened<R> {
        let name = format!("store_{}", self.stores.fetch_add(1, Ordering::Relaxed));
        match &self.server {
            Server::None if self.kind == Kind::Memory => {
                let store = Arc::new(MemoryStore::<R>::new(topics));
                Opened { log: store.log(), store, close: Box::pin(async {}) }
            }
            Server::None => {
                let path = self.directory.path().join(format!("{name}.db"));
                let store = SqliteStore::<R>::open(&path, sqlite::Options { topics: topics.to_vec() });
                let store = Arc::new(store.unwrap());
                let closing = Arc::clone(&store);
                let close = Box::pin(async move { closing.close().await });
                Opened { log: Arc::clone(&store) as _, store, close }
            }
            Server::Postgres(server) => {
                server.run(&format!("CREATE DATABASE {name}")).unwrap();
                sql(&format!("postgres://boxoffice@127.0.0.1:{}/{name}", server.port), topics).await
            }
            Server::MariaDb(server) => {
                server.run(&format!("CREATE DATABASE {name}")).unwrap();
                sql(&format!("mariadb://root@127.0.0.1:{}/{name}", server.port), topics).await
            }
            Server::FerretDb(server) => {
                let url = server.url(&name);
                mongo::migrate::<R>(&url).await.unwrap();
                let options = mongo::Options { topics: topics.to_vec() };
                let store = Arc::new(MongoStore::<R>::open(&url, options).await.unwrap());
                let closing = Arc::clone(&store);
                let close = Box::pin(async move { closing.close().await });
                Opened { log: Arc::clone(&store) as _, store, close }
            }
        }
    }
}

async fn sql<R: Row>(url: &str, topics: &'static [Topic]) -> Opened<R> {
    sql::migrate::<R>(url).await.unwrap();
    let options = sql::Options { topics: topics.to_vec(), ..sql::Options::default() };
    let store = Arc::new(SqlStore::<R>::open(url, options).await.unwrap());
    let closing = Arc::clone(&store);
    let close = Box::pin(async move { closing.close().await });
    Opened { log: Arc::clone(&store) as _, store, close }
}
