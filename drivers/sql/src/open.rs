//! Opening a database: what the server is, how its sessions are set up, and what the schema must be.

use std::time::Duration;

use sqlx::{
    AssertSqlSafe, ConnectOptions as _, Connection as _, Executor as _, MySql, MySqlConnection, PgConnection,
    Postgres, mysql::MySqlConnectOptions, pool::PoolOptions, postgres::PgConnectOptions,
};
use store::Row;

use crate::{
    Options,
    database::{Connection, Database},
    dialect::Dialect,
    error::{self, OpenError, Trouble},
    schema::{self, META_SERVICE, META_VERSION, SCHEMA_VERSION},
    url::{self, IDLE_TRANSACTION_TIMEOUT, LOCK_TIMEOUT, Place, STATEMENT_TIMEOUT, Server},
};

/// How long one waits for a connection while all are lent out.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(5);
/// A connection that nobody needed for so long is closed.
const IDLE_TIMEOUT: Duration = Duration::from_secs(300);
/// A connection that is so old is closed, so that a server that comes back gets its share.
const LONGEST_LIFE: Duration = Duration::from_secs(1_800);

/// PostgreSQL would rather read a whole small table than look a few rows up in it; at SERIALIZABLE every commit to the
/// table would then be in the way of every other.
const POSTGRES_SESSION: &str =
    "SET enable_seqscan = off; SET enable_hashjoin = off; SET enable_mergejoin = off";

/// A MySQL session: text that does not fit is refused, names are quoted as everywhere else, and a statement sees what is
/// committed by then. What is written is guarded by conditions, which see the newest.
fn mysql_session(dialect: Dialect) -> [String; 2] {
    let (statement, lock) = (STATEMENT_TIMEOUT.as_secs(), LOCK_TIMEOUT.as_secs());
    let idle = IDLE_TRANSACTION_TIMEOUT.as_secs();
    let limits = match dialect {
        Dialect::MariaDb => format!("max_statement_time = {statement}, idle_transaction_timeout = {idle}"),
        _ => format!("max_execution_time = {}", statement * 1_000),
    };
    let settings = format!(
        "SET SESSION sql_mode = 'STRICT_ALL_TABLES,ANSI_QUOTES,NO_ENGINE_SUBSTITUTION,NO_BACKSLASH_ESCAPES', \
         innodb_lock_wait_timeout = {lock}, {limits}"
    );
    [settings, "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED".to_owned()]
}

/// Connects, and finds out what the server is.
pub async fn connect(place: &Place, options: &Options) -> Result<Database, OpenError> {
    match &place.server {
        Server::Postgres(server, is_cockroach) => {
            let version = postgres_version(server).await;
            let version = version.map_err(|error| unreachable(place, &error))?;
            let is_cockroach = *is_cockroach || version.contains("CockroachDB");
            let dialect = if is_cockroach { Dialect::Cockroach } else { Dialect::Postgres };
            let pool = postgres_pool(dialect, options).connect_with((**server).clone()).await;
            Ok(Database::postgres(dialect, pool.map_err(|error| unreachable(place, &error))?))
        }
        Server::MySql(server) => {
            let version = mysql_version(server).await;
            let dialect = mysql_dialect(place, &version.map_err(|error| unreachable(place, &error))?)?;
            let pool = mysql_pool(dialect, options).connect_with((**server).clone()).await;
            Ok(Database::mysql(dialect, pool.map_err(|error| unreachable(place, &error))?))
        }
    }
}

/// A lost connection is not looked for before it is used: it is noticed then, and the statement tried on another.
fn pool<DB: sqlx::Database>(options: &Options) -> PoolOptions<DB> {
    PoolOptions::new()
        .max_connections(options.connections)
        .acquire_timeout(ACQUIRE_TIMEOUT)
        .idle_timeout(IDLE_TIMEOUT)
        .max_lifetime(LONGEST_LIFE)
        .test_before_acquire(false)
}

fn postgres_pool(dialect: Dialect, options: &Options) -> PoolOptions<Postgres> {
    if dialect != Dialect::Postgres {
        return pool(options);
    }
    pool(options).after_connect(|connection: &mut PgConnection, _| {
        Box::pin(async move { connection.execute(sqlx::raw_sql(POSTGRES_SESSION)).await.map(|_| ()) })
    })
}

fn mysql_pool(dialect: Dialect, options: &Options) -> PoolOptions<MySql> {
    pool(options).after_connect(move |connection: &mut MySqlConnection, _| {
        Box::pin(async move {
            for statement in mysql_session(dialect) {
                connection.execute(sqlx::raw_sql(AssertSqlSafe(statement))).await?;
            }
            Ok(())
        })
    })
}

/// What a server says that it is, on a connection for this alone.
async fn postgres_version(server: &PgConnectOptions) -> Result<String, sqlx::Error> {
    let mut connection = server.connect().await?;
    let version = sqlx::query_scalar("SELECT version()").fetch_one(&mut connection).await?;
    connection.close().await?;
    Ok(version)
}

async fn mysql_version(server: &MySqlConnectOptions) -> Result<String, sqlx::Error> {
    let mut connection = server.connect().await?;
    let version = sqlx::query_scalar("SELECT VERSION()").fetch_one(&mut connection).await?;
    connection.close().await?;
    Ok(version)
}

/// Both have the tables of JSON rows that batches are sent as since these versions.
fn mysql_dialect(place: &Place, version: &str) -> Result<Dialect, OpenError> {
    let (dialect, needed, oldest) = if version.contains("MariaDB") {
        (Dialect::MariaDb, "MariaDB 10.6", (10, 6, 0))
    } else {
        (Dialect::MySql, "MySQL 8.0.22", (8, 0, 22))
    };
    let mut numbers = version.split(|c: char| !c.is_ascii_digit()).map(|number| number.parse().unwrap_or(0));
    let mut next = || numbers.next().unwrap_or(0);
    let found: (u32, u32, u32) = (next(), next(), next());
    if found < oldest {
        let found = format!("{} {version}", dialect.name());
        return Err(OpenError::Server { place: place.name.clone(), found, needed });
    }
    Ok(dialect)
}

fn unreachable(place: &Place, error: &sqlx::Error) -> OpenError {
    OpenError::Unreachable { place: place.name.clone(), why: error.to_string() }
}

/// Checks that the database has this program's schema, and belongs to this service.
pub async fn check<R: Row>(place: &Place, database: &Database) -> Result<(), OpenError> {
    let mut connection = database.acquire().await.map_err(|error| unreachable(place, &error))?;
    let Some(found) = version::<R>(place, &mut connection).await? else {
        return Err(OpenError::NoSchema { place: place.name.clone() });
    };
    if found < SCHEMA_VERSION {
        return Err(OpenError::Older { place: place.name.clone(), found: format!("version {found}") });
    }
    if let Some(missing) = missing_tables::<R>(place, &mut connection).await?.first() {
        return Err(OpenError::Older {
            place: place.name.clone(),
            found: format!("without the table {missing}"),
        });
    }
    Ok(())
}

/// Makes or upgrades the schema. It may be run again, also while another runs.
pub async fn migrate<R: Row>(url: &str) -> Result<(), OpenError> {
    schema::check_names(R::TABLES)?;
    let place = url::read(url)?;
    let database = connect(&place, &Options { connections: 1, ..Options::default() }).await?;
    let mut tries = 0;
    let done = loop {
        let done = make::<R>(&place, &database).await;
        tries += 1;
        // Somebody else makes the same at the same time; what they made is then there.
        if done.is_ok() || tries == MIGRATE_TRIES || !matches!(done, Err(OpenError::Unreachable { .. })) {
            break done;
        }
        tokio::time::sleep(MIGRATE_REST).await;
    };
    database.close().await;
    done
}

/// How often a migration is tried, and the rest between two tries.
const MIGRATE_TRIES: u32 = 5;
const MIGRATE_REST: Duration = Duration::from_millis(200);

/// Every statement may be run again, and the version is written last: MySQL has no transaction over what it makes.
async fn make<R: Row>(place: &Place, database: &Database) -> Result<(), OpenError> {
    let unreachable = |error: sqlx::Error| unreachable(place, &error);
    let dialect = database.dialect;
    let mut connection = database.acquire().await.map_err(unreachable)?;
    version::<R>(place, &mut connection).await?;
    for statement in schema::own_tables(dialect) {
        connection.run(&statement).await.map_err(unreachable)?;
    }
    for topic in bus::Topic::ALL {
        let missing = dialect.insert_missing();
        let unless = dialect.unless_there("\"topic\"");
        let sql = format!("{missing} \"outbox_heads\" (\"topic\", \"position\") VALUES (?, 0){unless}");
        connection.execute(&sql, &[topic.name().into()]).await.map_err(unreachable)?;
    }
    write_meta(&mut connection, META_SERVICE, R::SERVICE).await.map_err(unreachable)?;
    for name in missing_tables::<R>(place, &mut connection).await? {
        let Some(table) = R::TABLES.iter().find(|table| table.name == name) else { continue };
        let statements = schema::row_table(dialect, table);
        for statement in &statements {
            connection.run(statement).await.map_err(unreachable)?;
        }
        let made = statements.join(";\n");
        write_meta(&mut connection, &schema::meta_table(table), &made).await.map_err(unreachable)?;
    }
    write_meta(&mut connection, META_VERSION, &SCHEMA_VERSION.to_string()).await.map_err(unreachable)
}

/// Notes something of the database, unless it is noted already.
async fn write_meta(connection: &mut Connection, name: &str, value: &str) -> Result<(), sqlx::Error> {
    let dialect = connection.dialect;
    let (missing, unless) = (dialect.insert_missing(), dialect.unless_there("\"name\""));
    let sql = format!("{missing} \"meta\" (\"name\", \"value\") VALUES (?, ?){unless}");
    connection.execute(&sql, &[name.into(), value.into()]).await.map(|_| ())
}

async fn read_meta(
    place: &Place,
    connection: &mut Connection,
    name: &str,
) -> Result<Option<String>, OpenError> {
    let sql = "SELECT \"value\" FROM \"meta\" WHERE \"name\" = ?";
    let rows = match connection.fetch(sql, &[name.into()]).await {
        Ok(rows) => rows,
        Err(error) if error::trouble(&error) == Trouble::NoTable => return Ok(None),
        Err(error) => return Err(unreachable(place, &error)),
    };
    let value = rows.first().map(|row| row.text(0).map(str::to_owned)).transpose();
    value.map_err(|error| OpenError::Unreachable { place: place.name.clone(), why: error.to_string() })
}

/// The schema version, of a database of this service that is not too new.
async fn version<R: Row>(place: &Place, connection: &mut Connection) -> Result<Option<i64>, OpenError> {
    if let Some(found) = read_meta(place, connection, META_SERVICE).await?
        && found != R::SERVICE
    {
        return Err(OpenError::OtherService { place: place.name.clone(), found, wanted: R::SERVICE });
    }
    let Some(found) = read_meta(place, connection, META_VERSION).await? else { return Ok(None) };
    let found: i64 = found.parse().unwrap_or(i64::MAX);
    if found > SCHEMA_VERSION {
        return Err(OpenError::Newer { place: place.name.clone(), found, known: SCHEMA_VERSION });
    }
    Ok(Some(found))
}

/// The tables of the service that are not there yet; one that has other columns is an error.
async fn missing_tables<R: Row>(
    place: &Place,
    connection: &mut Connection,
) -> Result<Vec<&'static str>, OpenError> {
    let mut missing = Vec::new();
    for table in R::TABLES {
        match read_meta(place, connection, &schema::meta_table(table)).await? {
            None => missing.push(table.name),
            Some(made) if made != schema::row_table(connection.dialect, table).join(";\n") => {
                let table = table.name.to_owned();
                return Err(OpenError::OtherColumns { place: place.name.clone(), table });
            }
            Some(_) => {}
        }
    }
    Ok(missing)
}
