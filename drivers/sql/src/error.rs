//! What can go wrong, and what it means.

use sqlx::mysql::MySqlDatabaseError;
use store::StoreError;

/// Why a database could not be opened. Nothing in it has the password.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The URL is not one of a server that this driver knows.
    #[error(
        "{what}: a database is named like postgres://user:password@host:5432/name, or cockroach:, mysql: or mariadb:"
    )]
    Url {
        /// What is wrong with it.
        what: String,
    },
    /// The server cannot be reached, refuses us, or has no such database.
    #[error("{place} cannot be opened: {why}")]
    Unreachable {
        /// Which database, without user and password.
        place: String,
        /// What the server or the network says.
        why: String,
    },
    /// The server is of a version that lacks something.
    #[error("{place} is {found}, at least {needed} is needed")]
    Server {
        /// Which database.
        place: String,
        /// What it says it is.
        found: String,
        /// The oldest that will do.
        needed: &'static str,
    },
    /// The database is empty.
    #[error("{place} has no schema: run `boxoffice migrate` on it first")]
    NoSchema {
        /// Which database.
        place: String,
    },
    /// The schema is of an older version of this program, or has not all tables of this one.
    #[error(
        "{place} has an older schema ({found}) than this program writes: run `boxoffice migrate` on it first"
    )]
    Older {
        /// Which database.
        place: String,
        /// What it has.
        found: String,
    },
    /// The schema is of a newer version of this program.
    #[error("{place} has schema version {found}, this program knows {known}: use the newer program")]
    Newer {
        /// Which database.
        place: String,
        /// Its schema version.
        found: i64,
        /// The newest that this driver knows.
        known: i64,
    },
    /// The database belongs to another service.
    #[error(
        "{place} belongs to the service {found:?}, not to {wanted:?}: each service has a database of its own"
    )]
    OtherService {
        /// Which database.
        place: String,
        /// Whose it is.
        found: String,
        /// Whose it should be.
        wanted: &'static str,
    },
    /// A table was made for other columns than the service has now.
    #[error("the table {table} of {place} was made for other columns than this program has")]
    OtherColumns {
        /// Which database.
        place: String,
        /// Which table.
        table: String,
    },
    /// A service describes a table that cannot be made: a defect of the service.
    #[error("the name {name:?} cannot be used: {why}")]
    Name {
        /// The table or column.
        name: String,
        /// The rule.
        why: &'static str,
    },
}

/// What an error of the server or of the way to it means for the statement that met it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trouble {
    /// A unique value or a key is taken.
    Taken,
    /// Somebody else was in the way: the transaction is rolled back, and may be tried again.
    Conflict,
    /// The connection is gone.
    Lost,
    /// There was no answer in time, so the connection cannot be used further.
    Silent,
    /// The server cannot say whether the transaction took effect.
    Ambiguous,
    /// A table is missing.
    NoTable,
    /// Anything else.
    Other,
}

impl Trouble {
    /// Whether the same may succeed when it is tried again soon, where trying it has had no effect.
    pub fn may_be_tried_again(self) -> bool {
        matches!(self, Self::Conflict | Self::Lost)
    }
}

/// What an error means.
pub fn trouble(error: &sqlx::Error) -> Trouble {
    match error {
        sqlx::Error::Database(error) => match error.try_downcast_ref::<MySqlDatabaseError>() {
            Some(error) => mysql_trouble(error.number()),
            None => error.code().map_or(Trouble::Other, |code| postgres_trouble(&code)),
        },
        sqlx::Error::Io(error) if error.kind() == std::io::ErrorKind::TimedOut => Trouble::Silent,
        sqlx::Error::Io(_) | sqlx::Error::Tls(_) | sqlx::Error::Protocol(_) | sqlx::Error::WorkerCrashed => {
            Trouble::Lost
        }
        _ => Trouble::Other,
    }
}

/// By SQLSTATE.
fn postgres_trouble(code: &str) -> Trouble {
    match code {
        "23505" => Trouble::Taken,
        // Not serializable, a deadlock, a lock that was waited for too long.
        "40001" | "40P01" | "55P03" => Trouble::Conflict,
        "40003" => Trouble::Ambiguous,
        "42P01" => Trouble::NoTable,
        // The server shuts down, was told to end the connection, or ends it for being idle; it has no room for more.
        "57P01" | "57P02" | "57P03" | "57P05" | "25P03" | "53300" => Trouble::Lost,
        _ if code.starts_with("08") => Trouble::Lost,
        _ => Trouble::Other,
    }
}

/// By error number.
fn mysql_trouble(number: u16) -> Trouble {
    match number {
        1062 => Trouble::Taken,
        // A deadlock, a lock that was waited for too long.
        1213 | 1205 => Trouble::Conflict,
        1146 => Trouble::NoTable,
        // Too many connections, the server shuts down, the connection was killed or was idle.
        1040 | 1053 | 1077 | 1079 | 1152 | 1184 | 1317 | 1927 | 4031 => Trouble::Lost,
        _ => Trouble::Other,
    }
}

/// What a failed read means.
pub fn read_error(error: &sqlx::Error) -> StoreError {
    match error {
        sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_) => StoreError::Corrupt(error.to_string()),
        _ => StoreError::Unavailable(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_mean_what_the_servers_say() {
        assert_eq!(postgres_trouble("40001"), Trouble::Conflict);
        assert_eq!(postgres_trouble("40003"), Trouble::Ambiguous);
        assert_eq!(postgres_trouble("08006"), Trouble::Lost);
        assert_eq!(postgres_trouble("22021"), Trouble::Other);
        assert_eq!(mysql_trouble(1213), Trouble::Conflict);
        assert_eq!(mysql_trouble(1406), Trouble::Other);
        assert_eq!(trouble(&sqlx::Error::PoolTimedOut), Trouble::Other, "it was waited for long enough");
    }
}
