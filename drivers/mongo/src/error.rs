//! What can go wrong, and what it means for a commit.

use std::time::Duration;

use mongodb::error::{Error, ErrorKind, WriteFailure};
use store::{CommitError, StoreError};

/// How long one request to the database may take until nobody waits for it any more.
pub const REQUEST_TIMEOUT: Duration = Duration::from_secs(10);

/// How long one may take that nobody waits for, or that goes through many documents.
pub const LONG_REQUEST_TIMEOUT: Duration = Duration::from_secs(60);

/// The server's code for a duplicate key.
pub const DUPLICATE_KEY: i32 = 11_000;
/// The server's code for an account that may not do this.
const UNAUTHORIZED: i32 = 13;

/// Why a database could not be opened. No message has a password in it.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The URL cannot be read.
    #[error("the URL of the database cannot be read: {0}")]
    Url(String),
    /// The URL names no database.
    #[error("the URL names no database: write mongodb://{0}/NAME")]
    NoDatabase(String),
    /// The database cannot be reached, or refuses the account.
    #[error("{place} cannot be used: {why}")]
    Unusable {
        /// Which database.
        place: String,
        /// What the driver says.
        why: String,
    },
    /// Nobody has made its collections yet.
    #[error("{place} has no collections of the service {service:?} yet: run `boxoffice migrate`")]
    NotMigrated {
        /// Which database.
        place: String,
        /// Whose it should be.
        service: &'static str,
    },
    /// An older program made its collections.
    #[error("{place} has layout {found}, this program needs {known}: run `boxoffice migrate`")]
    Older {
        /// Which database.
        place: String,
        /// Its layout.
        found: i64,
        /// The layout that is needed.
        known: i64,
    },
    /// A newer program made its collections.
    #[error("{place} has layout {found}, this program knows {known}: use the newer program")]
    Newer {
        /// Which database.
        place: String,
        /// Its layout.
        found: i64,
        /// The newest that this driver knows.
        known: i64,
    },
    /// The database belongs to another service.
    #[error(
        "{place} belongs to the service {found:?}, not to {wanted:?}: give each service a database of its own"
    )]
    OtherService {
        /// Which database.
        place: String,
        /// Whose it is.
        found: String,
        /// Whose it should be.
        wanted: &'static str,
    },
    /// The service describes its tables otherwise than when the collections were made.
    #[error("{place} was made for other tables or columns than this program has")]
    OtherColumns {
        /// Which database.
        place: String,
    },
    /// A service describes a table that cannot be made: a defect of the service.
    #[error("the table {name:?} cannot be used: its name is taken by the driver")]
    Name {
        /// The table.
        name: String,
    },
    /// What is stored cannot be read.
    #[error("{place} is damaged: {why}")]
    Corrupt {
        /// Which database.
        place: String,
        /// What is wrong.
        why: String,
    },
}

/// Waits for the database, but not for ever.
pub async fn in_time<T>(request: impl Future<Output = Result<T, Error>>) -> Result<T, Failure> {
    within(REQUEST_TIMEOUT, request).await
}

/// Waits for the database for so long.
pub async fn within<T>(
    patience: Duration,
    request: impl Future<Output = Result<T, Error>>,
) -> Result<T, Failure> {
    match tokio::time::timeout(patience, request).await {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(error)) => Err(Failure::Error(error)),
        Err(_) => Err(Failure::TooLate(patience)),
    }
}

/// Why a request has no result.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The driver or the server says so.
    #[error("{0}")]
    Error(Error),
    /// There was no answer in time.
    #[error("no answer within {0:?}")]
    TooLate(Duration),
    /// The server refused a write.
    #[error("{0}")]
    Refused(String),
}

impl From<Failure> for StoreError {
    /// What a failed read means.
    fn from(failure: Failure) -> Self {
        match &failure {
            Failure::Error(error) if is_unreadable(error) => Self::Corrupt(failure.to_string()),
            _ => Self::Unavailable(failure.to_string()),
        }
    }
}

fn is_unreadable(error: &Error) -> bool {
    matches!(*error.kind, ErrorKind::BsonDeserialization(_) | ErrorKind::Bson(_))
}

/// What became of an insertion that failed.
#[derive(Debug)]
pub enum NotInserted {
    /// There is a document with this id already.
    Duplicate,
    /// Whatever it is, the document is not there.
    Surely(String),
    /// It may be there.
    Perhaps(String),
}

impl From<Failure> for NotInserted {
    fn from(failure: Failure) -> Self {
        let Failure::Error(error) = &failure else { return Self::Perhaps(failure.to_string()) };
        match &*error.kind {
            ErrorKind::Write(WriteFailure::WriteError(write)) if write.code == DUPLICATE_KEY => {
                Self::Duplicate
            }
            // The server refused the document, or nothing was sent.
            ErrorKind::Write(WriteFailure::WriteError(_))
            | ErrorKind::ServerSelection { .. }
            | ErrorKind::ConnectionPoolCleared { .. }
            | ErrorKind::DnsResolve { .. }
            | ErrorKind::Authentication { .. }
            | ErrorKind::InvalidArgument { .. }
            | ErrorKind::BsonSerialization(_) => Self::Surely(failure.to_string()),
            ErrorKind::Command(command) if command.code == UNAUTHORIZED => Self::Surely(failure.to_string()),
            _ => Self::Perhaps(failure.to_string()),
        }
    }
}

/// The places of the documents that an insertion of many found there already. Any other failure stays one.
pub fn only_duplicates(failure: Failure) -> Result<Vec<usize>, Failure> {
    if let Failure::Error(error) = &failure
        && let ErrorKind::InsertMany(many) = &*error.kind
        && many.write_concern_error.is_none()
        && let Some(errors) = &many.write_errors
        && errors.iter().all(|error| error.code == DUPLICATE_KEY)
    {
        return Ok(errors.iter().map(|error| error.index).collect());
    }
    Err(failure)
}

/// What a failed read before a commit means for it: nothing was written.
pub fn not_committed(error: StoreError) -> CommitError {
    CommitError::Failed(error.to_string())
}

/// A message without the password of a URL.
pub fn hide(message: &str, url: &str) -> String {
    let user = url.split_once("://").map_or(url, |(_, rest)| rest);
    let password =
        user.rsplit_once('@').and_then(|(user, _)| user.split_once(':')).map(|(_, password)| password);
    match password.filter(|password| !password.is_empty()) {
        Some(password) => message.replace(password, "***"),
        None => message.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_message_has_the_password() {
        let url = "mongodb://ann:s3:cr@t@host/db";
        assert_eq!(hide("cannot read mongodb://ann:s3:cr@t@host", url), "cannot read mongodb://ann:***@host");
        assert_eq!(hide("plain", "mongodb://host/db"), "plain");
    }
}
