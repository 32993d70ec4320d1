//! Where a service keeps what it has: the scheme of the URL picks the driver.

use std::{fmt, path::PathBuf};

/// A database by its URL.
#[derive(Clone, PartialEq, Eq)]
pub enum StoreUrl {
    /// A SQLite file in this directory, of this process alone.
    Sqlite(PathBuf),
    /// MySQL, MariaDB, PostgreSQL or CockroachDB.
    Sql(String),
    /// MongoDB, or what speaks its protocol.
    Mongo(String),
}

const SCHEMES: &str =
    "sqlite:DIRECTORY, mysql://, mariadb://, postgres://, postgresql://, cockroach:// or mongodb://";

impl StoreUrl {
    /// Reads a URL that a setting gives.
    ///
    /// # Errors
    /// When its scheme is none of ours; the error names the setting and not the rest, which may hold a password.
    pub fn parse(setting: &str, url: &str) -> anyhow::Result<Self> {
        let scheme = url.split_once(':').map(|(scheme, _)| scheme.to_ascii_lowercase()).unwrap_or_default();
        match scheme.as_str() {
            "sqlite" => {
                let path = url["sqlite:".len()..].trim_start_matches("//");
                anyhow::ensure!(
                    !path.is_empty(),
                    "{setting}: sqlite: needs a directory, such as sqlite:./data"
                );
                anyhow::ensure!(!path.contains('?'), "{setting}: sqlite: takes no parameters");
                Ok(Self::Sqlite(PathBuf::from(path)))
            }
            "mysql" | "mariadb" | "postgres" | "postgresql" | "cockroach" | "cockroachdb" => {
                Ok(Self::Sql(url.to_owned()))
            }
            "mongodb" | "mongodb+srv" => Ok(Self::Mongo(url.to_owned())),
            _ => anyhow::bail!("{setting} has a scheme that is not known: it must be {SCHEMES}"),
        }
    }
}

/// Without what may be secret: the scheme, the host and the database.
impl fmt::Display for StoreUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(path) => write!(f, "sqlite:{}", path.display()),
            Self::Sql(url) | Self::Mongo(url) => f.write_str(&without_secrets(url)),
        }
    }
}

impl fmt::Debug for StoreUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A URL without user, password and parameters; without anything but its scheme where it cannot be told which is which.
#[must_use]
pub fn without_secrets(url: &str) -> String {
    let (scheme, rest) = url.split_once("://").unwrap_or(("", url));
    let (rest, parameters) = rest.find(['?', '#']).map_or((rest, ""), |at| rest.split_at(at));
    // Either the password holds a ? or # that was not encoded, or a parameter an @.
    if parameters.contains('@') {
        return format!("{scheme}://");
    }
    // A password may hold an @ that was not encoded: what follows the last one is the host.
    let host = rest.rsplit_once('@').map_or(rest, |(_, host)| host);
    format!("{scheme}://{host}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scheme_picks_the_driver() {
        let parse = |url| StoreUrl::parse("BOXOFFICE_STORE_URL", url).unwrap();
        assert_eq!(parse("sqlite:./data"), StoreUrl::Sqlite("./data".into()));
        assert_eq!(parse("sqlite:///var/lib/boxoffice"), StoreUrl::Sqlite("/var/lib/boxoffice".into()));
        assert!(matches!(parse("mariadb://u:p@db/ticket"), StoreUrl::Sql(_)));
        assert!(matches!(parse("MongoDB://db/event"), StoreUrl::Mongo(_)));
        for wrong in ["", "sqlite:", "sqlite:x?mode=ro", "oracle://u:secret@db", "just text"] {
            let error = StoreUrl::parse("BOXOFFICE_STORE_URL", wrong).unwrap_err().to_string();
            assert!(error.contains("BOXOFFICE_STORE_URL") && !error.contains("secret"), "{error}");
        }
    }

    #[test]
    fn nothing_secret_is_shown() {
        for url in ["postgres://user:pa@ss@db:5432/ticket?sslpassword=secret", "mysql://user@db:5432/ticket"]
        {
            let shown = StoreUrl::parse("S", url).unwrap().to_string();
            assert!(shown.ends_with("://db:5432/ticket"), "{shown}");
        }
    }
}
