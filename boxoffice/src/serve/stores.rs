//! Opens the database of a service by its URL.

use std::sync::Arc;

use anyhow::Context;
use async_trait::async_trait;
use bus::Log;
use sqlite::SqliteStore;
use store::{Row, Store};

use super::{Role, StoreUrl};
use crate::{config::Config, data_dir::ServiceDir};

/// An open database.
pub struct Opened<R: Row> {
    /// The store.
    pub store: Arc<dyn Store<R>>,
    /// Its outbox, as a log.
    pub outbox: Arc<dyn Log>,
    closing: Arc<dyn Close>,
}

/// Something that is closed in good order.
#[async_trait]
trait Close: Send + Sync {
    async fn close(&self);
}

impl<R: Row> Opened<R> {
    /// Finishes what was handed in and closes it.
    pub async fn close(&self) {
        self.closing.close().await;
    }
}

/// How a database is opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// By the service itself.
    Own,
    /// By a command that only looks, beside the service.
    ReadOnly,
}

/// The database of a service, by the configuration.
///
/// # Errors
/// When no setting says which, its scheme is not known, or this program was built without its driver.
pub fn url_of(config: &Config, role: Role) -> anyhow::Result<StoreUrl> {
    let (setting, url) = config.fleet.store_url_of(role).with_context(|| {
        let own = format!("BOXOFFICE_{}_STORE_URL", role.name().to_ascii_uppercase());
        format!("the {role} service has no database: set BOXOFFICE_STORE_URL or {own}, such as sqlite:./data")
    })?;
    StoreUrl::parse(setting, &url)
}

/// Refuses a database for which this program was built without a driver.
///
/// # Errors
/// What to build it with.
pub fn check_built_in(url: &StoreUrl) -> anyhow::Result<()> {
    match url {
        StoreUrl::Sql(_) | StoreUrl::Mongo(_) if !cfg!(feature = "fleet") => not_built_in(url),
        StoreUrl::Sqlite(_) | StoreUrl::Sql(_) | StoreUrl::Mongo(_) => Ok(()),
    }
}

/// Opens it.
///
/// # Errors
/// When it cannot be reached or used, or this program was built without its driver; the error says which.
pub async fn open<R: Row>(url: &StoreUrl, role: Role, access: Access) -> anyhow::Result<Opened<R>> {
    match url {
        StoreUrl::Sqlite(directory) => open_sqlite(directory, role, access),
        #[cfg(feature = "fleet")]
        StoreUrl::Sql(url) => {
            let options = sql::Options { topics: role.publishes().to_vec(), ..sql::Options::default() };
            let store = Arc::new(sql::SqlStore::<R>::open(url, options).await?);
            Ok(Opened { outbox: Arc::clone(&store) as _, closing: Arc::clone(&store) as _, store })
        }
        #[cfg(feature = "fleet")]
        StoreUrl::Mongo(url) => {
            let options = mongo::Options { topics: role.publishes().to_vec() };
            let store = Arc::new(mongo::MongoStore::<R>::open(url, options).await?);
            Ok(Opened { outbox: Arc::clone(&store) as _, closing: Arc::clone(&store) as _, store })
        }
        #[cfg(not(feature = "fleet"))]
        StoreUrl::Sql(_) | StoreUrl::Mongo(_) => not_built_in(url),
    }
}

/// Makes or upgrades the schema of a service's database. It may be run again, also while the service runs.
///
/// # Errors
/// As [`open`].
pub async fn migrate<R: Row>(url: &StoreUrl, role: Role) -> anyhow::Result<()> {
    match url {
        StoreUrl::Sqlite(directory) => {
            open_sqlite::<R>(directory, role, Access::Own)?.close().await;
            Ok(())
        }
        #[cfg(feature = "fleet")]
        StoreUrl::Sql(url) => Ok(sql::migrate::<R>(url).await?),
        #[cfg(feature = "fleet")]
        StoreUrl::Mongo(url) => Ok(mongo::migrate::<R>(url).await?),
        #[cfg(not(feature = "fleet"))]
        StoreUrl::Sql(_) | StoreUrl::Mongo(_) => not_built_in(url),
    }
}

#[cfg(feature = "fleet")]
#[async_trait]
impl<R: Row> Close for sql::SqlStore<R> {
    async fn close(&self) {
        Self::close(self).await;
    }
}

#[cfg(feature = "fleet")]
#[async_trait]
impl<R: Row> Close for mongo::MongoStore<R> {
    async fn close(&self) {
        Self::close(self).await;
    }
}

/// This program has no driver for it.
fn not_built_in<T>(url: &StoreUrl) -> anyhow::Result<T> {
    anyhow::bail!(
        "{url}: this program was built without the drivers of servers: build it with `--features fleet`"
    )
}

struct Sqlite<R: Row> {
    store: Arc<SqliteStore<R>>,
    /// Held for as long as the file is used.
    _directory: Option<ServiceDir>,
}

#[async_trait]
impl<R: Row> Close for Sqlite<R> {
    async fn close(&self) {
        self.store.close().await;
    }
}

fn open_sqlite<R: Row>(directory: &std::path::Path, role: Role, access: Access) -> anyhow::Result<Opened<R>> {
    let options = sqlite::Options { topics: role.publishes().to_vec() };
    let (store, held) = match access {
        Access::Own => {
            let held = ServiceDir::open(directory, role.name())?;
            (SqliteStore::open(&held.database(), options)?, Some(held))
        }
        Access::ReadOnly => {
            (SqliteStore::open_beside(&directory.join(format!("{role}.db")), &options)?, None)
        }
    };
    let store = Arc::new(store);
    let closing = Arc::new(Sqlite { store: Arc::clone(&store), _directory: held });
    Ok(Opened { outbox: Arc::clone(&store) as _, store, closing })
}
