//! Which database a URL names, and how connections to it are made.

use std::{str::FromStr, time::Duration};

use sqlx::{ConnectOptions as _, mysql::MySqlConnectOptions, postgres::PgConnectOptions};
use url::Url;

use crate::error::OpenError;

/// After so long the server ends a statement.
pub const STATEMENT_TIMEOUT: Duration = Duration::from_secs(10);
/// After so long the server gives up waiting for a lock.
pub const LOCK_TIMEOUT: Duration = Duration::from_secs(5);
/// After so long the server ends a transaction that does nothing: its client is gone.
pub const IDLE_TRANSACTION_TIMEOUT: Duration = Duration::from_secs(10);
/// How many prepared statements a connection keeps.
const STATEMENT_CACHE: usize = 256;
/// The same for MySQL, which has a limit for all connections (`max_prepared_stmt_count`, 16,382): with fewer, three replicas of
/// all six services stay below it on one server, at 8 connections each.
const MYSQL_STATEMENT_CACHE: usize = 100;

/// The parameters of a PostgreSQL or CockroachDB URL.
const POSTGRES_PARAMETERS: &[&str] =
    &["sslmode", "sslrootcert", "sslcert", "sslkey", "application_name", "options", "host"];
/// The parameters of a MySQL or MariaDB URL.
const MYSQL_PARAMETERS: &[&str] = &["ssl-mode", "ssl-ca", "ssl-cert", "ssl-key", "socket"];

/// A database that a URL names.
#[derive(Clone)]
pub struct Place {
    /// Which, without user and password, for messages.
    pub name: String,
    /// How it is reached.
    pub server: Server,
}

/// How a server is reached.
#[derive(Clone)]
pub enum Server {
    /// By PostgreSQL's protocol. Whether it is said to be CockroachDB.
    Postgres(Box<PgConnectOptions>, bool),
    /// By MySQL's protocol.
    MySql(Box<MySqlConnectOptions>),
}

/// Reads a URL.
pub fn read(url: &str) -> Result<Place, OpenError> {
    // What the parser says does not repeat the URL.
    let mut url =
        Url::parse(url).map_err(|error| refused(format!("the database's URL cannot be read ({error})")))?;
    let scheme = url.scheme().to_owned();
    let (parameters, protocol) = match scheme.as_str() {
        "postgres" | "postgresql" | "cockroach" => (POSTGRES_PARAMETERS, "postgres"),
        "mysql" | "mariadb" => (MYSQL_PARAMETERS, "mysql"),
        other => return Err(refused(format!("{other}: is not a scheme of a server database"))),
    };
    if let Some((unknown, _)) = url.query_pairs().find(|(name, _)| !parameters.contains(&name.as_ref())) {
        let known = parameters.join(", ");
        return Err(refused(format!(
            "the parameter {unknown:?} of the database's URL is unknown (known: {known})"
        )));
    }
    if url.path().trim_matches('/').is_empty() {
        return Err(refused("the database's URL names no database after the host".to_owned()));
    }
    let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
    let name = format!("{scheme}://{}{port}{}", url.host_str().unwrap_or_default(), url.path());
    let unreadable = |error: sqlx::Error| refused(format!("the URL of {name} cannot be used ({error})"));
    // The scheme of a URL with a host can be changed to another of that kind.
    let text = url.as_str().replacen(&scheme, protocol, 1);
    url =
        Url::parse(&text).map_err(|error| refused(format!("the database's URL cannot be read ({error})")))?;
    let server = if protocol == "postgres" {
        let options = PgConnectOptions::from_str(url.as_str()).map_err(unreadable)?;
        Server::Postgres(Box::new(for_postgres(options)), scheme == "cockroach")
    } else {
        let options = MySqlConnectOptions::from_str(url.as_str()).map_err(unreadable)?;
        Server::MySql(Box::new(for_mysql(options)))
    };
    Ok(Place { name, server })
}

fn refused(what: String) -> OpenError {
    OpenError::Url { what }
}

/// With the limits that both PostgreSQL and CockroachDB know.
fn for_postgres(options: PgConnectOptions) -> PgConnectOptions {
    let millis = |limit: Duration| limit.as_millis().to_string();
    options
        .options([
            ("statement_timeout", millis(STATEMENT_TIMEOUT)),
            ("lock_timeout", millis(LOCK_TIMEOUT)),
            ("idle_in_transaction_session_timeout", millis(IDLE_TRANSACTION_TIMEOUT)),
        ])
        .statement_cache_capacity(STATEMENT_CACHE)
        .disable_statement_logging()
}

fn for_mysql(options: MySqlConnectOptions) -> MySqlConnectOptions {
    options.statement_cache_capacity(MYSQL_STATEMENT_CACHE).disable_statement_logging()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(url: &str) -> String {
        match read(url) {
            Ok(place) => panic!("{} is read", place.name),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn each_scheme_is_known() {
        for scheme in ["postgres", "postgresql", "cockroach"] {
            let place = read(&format!("{scheme}://me:secret@db:1234/tickets?sslmode=verify-full"))
                .expect("it is read");
            assert_eq!(place.name, format!("{scheme}://db:1234/tickets"));
            let Server::Postgres(options, cockroach) = place.server else { panic!("another protocol") };
            assert_eq!((options.get_host(), options.get_port()), ("db", 1234));
            assert_eq!(cockroach, scheme == "cockroach");
        }
        for scheme in ["mysql", "mariadb"] {
            let place =
                read(&format!("{scheme}://me:secret@db/tickets?ssl-mode=REQUIRED")).expect("it is read");
            assert_eq!(place.name, format!("{scheme}://db/tickets"));
            assert!(matches!(place.server, Server::MySql(_)));
        }
    }

    #[test]
    fn a_url_that_cannot_be_used_says_why_and_keeps_the_password() {
        for (url, why) in [
            ("oracle://me:secret@db/x", "oracle: is not a scheme"),
            ("postgres://me:secret@db/", "names no database"),
            ("postgres://me:secret@db/x?sslmod=require", "the parameter \"sslmod\""),
            ("mysql://me:secret@db/x?sslmode=require", "the parameter \"sslmode\""),
            ("postgres://me:secret@db/x?sslmode=perhaps", "cannot be used"),
            ("postgres://me:secret@db:port/x", "cannot be read"),
            ("secret", "cannot be read"),
        ] {
            let refusal = refusal(url);
            assert!(refusal.contains(why), "{url}: {refusal}");
            assert!(!refusal.contains("secret"), "{refusal}");
        }
    }
}
