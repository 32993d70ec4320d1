//! What can go wrong, and what it means for a commit.

use std::path::PathBuf;

use rusqlite::{ErrorCode, ffi};
use store::{CommitError, StoreError};

/// Why a database could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The library has a defect that this driver cannot live with.
    #[error("SQLite {found} is too old, at least {needed} is needed")]
    Library {
        /// The number of the library that is linked.
        found: i32,
        /// The oldest number that will do.
        needed: i32,
    },
    /// The file is something else, or is damaged.
    #[error("{} is not a SQLite database", path.display())]
    NotADatabase {
        /// The file.
        path: PathBuf,
    },
    /// The file is a SQLite database of another program.
    #[error("{} is a database of another program (application id {application_id:#x})", path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
        /// What it says it is.
        application_id: i64,
    },
    /// The file was written by a newer version of this program.
    #[error(
        "{} has schema version {found}, this program knows {known}: use the newer program",
        path.display()
    )]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its schema version.
        found: i64,
        /// The newest that this driver knows.
        known: i64,
    },
    /// The file was written by an older version, and is opened for reading only.
    #[error(
        "{} has schema version {found}, this program reads {known}: start the program on it first",
        path.display()
    )]
    Older {
        /// The file.
        path: PathBuf,
        /// Its schema version.
        found: i64,
        /// The version that is read.
        known: i64,
    },
    /// The file belongs to another service.
    #[error("{} belongs to the service {found:?}, not to {wanted:?}", path.display())]
    OtherService {
        /// The file.
        path: PathBuf,
        /// Whose it is.
        found: String,
        /// Whose it should be.
        wanted: &'static str,
    },
    /// The service describes its tables otherwise than when the file was made.
    #[error("{} was made for other tables or columns than this program has", path.display())]
    OtherColumns {
        /// The file.
        path: PathBuf,
    },
    /// A service describes a table that cannot be made: a defect of the service.
    #[error("the name {name:?} cannot be used: {why}")]
    Name {
        /// The table or column.
        name: String,
        /// The rule.
        why: &'static str,
    },
    /// The file is on a file system that cannot have a write-ahead log, such as one over a network.
    #[error("{} is on a file system without support for a write-ahead log", path.display())]
    NoWriteAheadLog {
        /// The file.
        path: PathBuf,
    },
    /// SQLite could not open, read or prepare it.
    #[error("{} cannot be opened", path.display())]
    Sqlite {
        /// The file.
        path: PathBuf,
        /// What SQLite says.
        #[source]
        source: rusqlite::Error,
    },
    /// The thread that writes could not be started.
    #[error("the writer cannot be started")]
    Thread(#[source] std::io::Error),
}

impl OpenError {
    /// Makes the most telling error of what SQLite says about a file.
    pub(crate) fn of(path: &std::path::Path, source: rusqlite::Error) -> Self {
        let path = path.to_owned();
        match source.sqlite_error_code() {
            Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt) => Self::NotADatabase { path },
            _ => Self::Sqlite { path, source },
        }
    }
}

/// Whether a unique index or a primary key refused a write.
pub fn is_unique_violation(error: &rusqlite::Error) -> bool {
    let code = error.sqlite_error().map(|error| error.extended_code);
    matches!(code, Some(ffi::SQLITE_CONSTRAINT_UNIQUE | ffi::SQLITE_CONSTRAINT_PRIMARYKEY))
}

/// Whether a sync to the disk failed. After that nobody knows what is on the disk, and a later sync that
/// succeeds says nothing about the earlier writes.
pub fn is_failed_sync(error: &rusqlite::Error) -> bool {
    let code = error.sqlite_error().map(|error| error.extended_code);
    matches!(code, Some(ffi::SQLITE_IOERR_FSYNC | ffi::SQLITE_IOERR_DIR_FSYNC))
}

/// What a failed read means.
pub fn read_error(error: rusqlite::Error) -> StoreError {
    match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => StoreError::Corrupt(error.to_string()),
        Some(_) => StoreError::Unavailable(error.to_string()),
        // It is not SQLite that complains: what was read is not of the type that was written.
        None => StoreError::Corrupt(error.to_string()),
    }
}

/// What an error before the COMMIT means: the transaction is rolled back.
pub fn failed(error: rusqlite::Error) -> CommitError {
    if is_unique_violation(&error) {
        return CommitError::Stale(error.to_string());
    }
    CommitError::Failed(error.to_string())
}

/// What an error of the COMMIT itself means. A full disk refuses the frame that makes the commit valid, so
/// it surely had no effect; of anything else that is not known.
pub fn failed_commit(error: rusqlite::Error) -> CommitError {
    match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => CommitError::Failed(error.to_string()),
        _ => CommitError::Unknown(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(code: i32) -> rusqlite::Error {
        rusqlite::Error::SqliteFailure(ffi::Error::new(code), None)
    }

    #[test]
    fn an_error_of_the_commit_itself_is_unknown_but_for_a_full_disk() {
        for code in [ffi::SQLITE_IOERR_FSYNC, ffi::SQLITE_IOERR_WRITE, ffi::SQLITE_BUSY, ffi::SQLITE_CORRUPT]
        {
            assert!(matches!(failed_commit(error(code)), CommitError::Unknown(_)), "{code}");
        }
        assert!(matches!(failed_commit(error(ffi::SQLITE_FULL)), CommitError::Failed(_)));
    }

    #[test]
    fn an_error_before_the_commit_had_no_effect() {
        assert!(matches!(failed(error(ffi::SQLITE_IOERR_WRITE)), CommitError::Failed(_)));
        assert!(matches!(failed(error(ffi::SQLITE_CONSTRAINT_UNIQUE)), CommitError::Stale(_)));
        assert!(matches!(failed(error(ffi::SQLITE_CONSTRAINT_DATATYPE)), CommitError::Failed(_)));
    }

    #[test]
    fn only_a_failed_sync_ends_all_writing() {
        assert!(is_failed_sync(&error(ffi::SQLITE_IOERR_FSYNC)));
        assert!(!is_failed_sync(&error(ffi::SQLITE_IOERR_WRITE)));
    }
}
