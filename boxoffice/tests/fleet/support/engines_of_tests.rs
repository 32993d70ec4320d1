//! The servers that the fleets of one test program share: started for the first, stopped with the last.

use std::{
    collections::BTreeMap,
    path::Path,
    sync::{Arc, Mutex, PoisonError, Weak},
};

use engines::{ferretdb::FerretDb, kafka::Kafka, mariadb::MariaDb, postgres, postgres::Postgres, wanted};
use tempfile::TempDir;

use super::Layout;

/// Servers in a directory of their own. Each fleet has names of its own on them.
pub struct Engines {
    // Stopped before their directory is removed.
    kafka: Mutex<Kafka>,
    databases: Option<Databases>,
    _directory: TempDir,
}

struct Databases {
    mariadb: Mutex<MariaDb>,
    postgres: Postgres,
    ferretdb: FerretDb,
}

impl Engines {
    /// Those that run, or fresh ones; `None` when one cannot be had here.
    pub fn shared(layout: Layout) -> Option<Arc<Self>> {
        static SQLITE: Mutex<Weak<Engines>> = Mutex::new(Weak::new());
        static SERVERS: Mutex<Weak<Engines>> = Mutex::new(Weak::new());
        let known = if layout == Layout::Sqlite { &SQLITE } else { &SERVERS };
        let mut known = known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(running) = known.upgrade() {
            return Some(running);
        }
        let started = wanted("a fleet of processes on Kafka", Self::start(layout))?;
        let started = Arc::new(started);
        *known = Arc::downgrade(&started);
        Some(started)
    }

    /// Servers of one test's own, to be killed.
    pub fn start(layout: Layout) -> anyhow::Result<Self> {
        let directory = tempfile::tempdir()?;
        // Servers that refuse to run as root run as somebody who must get there.
        #[cfg(unix)]
        std::fs::set_permissions(directory.path(), std::os::unix::fs::PermissionsExt::from_mode(0o755))?;
        let own = |name: &str| -> anyhow::Result<_> {
            let path = directory.path().join(name);
            std::fs::create_dir(&path)?;
            Ok(path)
        };
        let kafka = Kafka::start(&own("kafka")?, 1)?;
        let databases = match layout {
            Layout::Sqlite => None,
            Layout::Servers => Some(Databases {
                mariadb: Mutex::new(MariaDb::start(
                    &own("mariadb")?,
                    &["--transaction-isolation=READ-COMMITTED"],
                )?),
                postgres: Postgres::start(directory.path(), &["-c", "max_connections=300"])?,
                ferretdb: FerretDb::start(&own("ferretdb")?)?,
            }),
        };
        Ok(Self { kafka: Mutex::new(kafka), databases, _directory: directory })
    }

    pub fn kafka_url(&self) -> String {
        format!("kafka://{}", self.kafka().servers())
    }

    /// The broker, to be killed and started again.
    pub fn kafka(&self) -> std::sync::MutexGuard<'_, Kafka> {
        self.kafka.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The server of the ticket service, to be killed and started again.
    pub fn mariadb(&self) -> std::sync::MutexGuard<'_, MariaDb> {
        let databases = self.databases.as_ref().expect("the servers of this layout were started");
        databases.mariadb.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes the databases of a fleet; the settings that lead to them.
    pub fn databases(&self, layout: Layout, directory: &Path, name: &str) -> BTreeMap<String, String> {
        let mut settings = BTreeMap::new();
        if layout == Layout::Sqlite {
            settings.insert("BOXOFFICE_STORE_URL".to_owned(), format!("sqlite:{}", directory.display()));
            return settings;
        }
        let databases = self.databases.as_ref().expect("the servers of this layout were started");
        self.mariadb().run(&format!("CREATE DATABASE {name}_ticket")).unwrap();
        let mariadb = format!("mysql://root@127.0.0.1:{}/{name}_ticket", self.mariadb().port);
        settings.insert("BOXOFFICE_TICKET_STORE_URL".to_owned(), mariadb);
        for service in ["feedback", "notification", "analytics"] {
            databases.postgres.run(&format!("CREATE DATABASE {name}_{service}")).unwrap();
            let (user, port) = (postgres::USER, databases.postgres.port);
            let url = format!("postgres://{user}@127.0.0.1:{port}/{name}_{service}");
            settings.insert(format!("BOXOFFICE_{}_STORE_URL", service.to_uppercase()), url);
        }
        for service in ["user", "event"] {
            let url = databases.ferretdb.url(&format!("{name}_{service}"));
            settings.insert(format!("BOXOFFICE_{}_STORE_URL", service.to_uppercase()), url);
        }
        settings
    }
}
