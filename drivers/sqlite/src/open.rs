//! Opening a file: what it must be, and how connections to it are set up.

use std::{path::Path, time::Duration};

use rusqlite::{Connection, OpenFlags, config::DbConfig};

use crate::{
    error::OpenError,
    schema::{self, Mismatch, SCHEMA_VERSION, Wanted},
};

/// The oldest library that will do: before 3.51.3 a race could lose a commit when the write-ahead log is
/// reset.
const OLDEST_LIBRARY: i32 = 3_051_003;

/// Marks a file as a database of this program: `BOXO` in ASCII.
const APPLICATION_ID: i64 = 0x424F_584F;

/// How long a connection waits for another process that holds the file.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// How many prepared statements a connection keeps.
const STATEMENT_CACHE: usize = 256;

/// The page cache of the writer, in KiB; each reader has its own, which is smaller.
const WRITER_CACHE_KIB: i64 = 16 * 1024;
const READER_CACHE_KIB: i64 = 2 * 1024;

/// The writer copies the write-ahead log into the database itself when it has so many pages (of 4 KiB): only
/// when the checkpointer, which does so much earlier, cannot.
const CHECKPOINT_PAGES: i64 = 64_000;

/// A write-ahead log that grew beyond this, in bytes, is cut back when it is reset.
const WAL_LIMIT_BYTES: i64 = 96 * 1024 * 1024;

/// Checks the library that is linked.
pub fn check_library(found: i32) -> Result<(), OpenError> {
    if found < OLDEST_LIBRARY {
        return Err(OpenError::Library { found, needed: OLDEST_LIBRARY });
    }
    Ok(())
}

/// Opens the file for writing, making or migrating its schema.
pub fn writer(path: &Path, wanted: &Wanted) -> Result<Connection, OpenError> {
    check_library(rusqlite::version_number())?;
    schema::check_names(wanted.tables)?;
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_CREATE
        | OpenFlags::SQLITE_OPEN_NO_MUTEX
        | OpenFlags::SQLITE_OPEN_EXRESCODE;
    let connection = Connection::open_with_flags(path, flags).map_err(|error| OpenError::of(path, error))?;
    let version = check_file(&connection, path)?;
    prepare_writer(&connection).map_err(|error| OpenError::of(path, error))?;
    check_journal(&connection, path)?;
    if version < SCHEMA_VERSION {
        migrate(&connection, version, wanted).map_err(|error| OpenError::of(path, error))?;
    }
    check_made_for(&connection, path, wanted)?;
    Ok(connection)
}

/// Opens a file that a writer has opened before, for copying its write-ahead log into it.
pub fn checkpointer(path: &Path) -> Result<Connection, OpenError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_NO_MUTEX
        | OpenFlags::SQLITE_OPEN_EXRESCODE;
    let connection = Connection::open_with_flags(path, flags).map_err(|error| OpenError::of(path, error))?;
    let prepared = connection
        .busy_timeout(BUSY_TIMEOUT)
        .and_then(|()| connection.pragma_update(None, "synchronous", "full"))
        .and_then(|()| connection.pragma_update(None, "wal_autocheckpoint", 0));
    prepared.map_err(|error| OpenError::of(path, error))?;
    Ok(connection)
}

/// Opens a file for reading that a writer has opened before.
pub fn reader(path: &Path) -> Result<Connection, OpenError> {
    let flags =
        OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_EXRESCODE;
    let connection = Connection::open_with_flags(path, flags).map_err(|error| OpenError::of(path, error))?;
    prepare_reader(&connection).map_err(|error| OpenError::of(path, error))?;
    Ok(connection)
}

/// Opens a file for reading that nobody else may have opened, and checks what it is.
pub fn only_reader(path: &Path, wanted: &Wanted) -> Result<Connection, OpenError> {
    check_library(rusqlite::version_number())?;
    let connection = reader(path)?;
    let found = check_file(&connection, path)?;
    if found < SCHEMA_VERSION {
        return Err(OpenError::Older { path: path.to_owned(), found, known: SCHEMA_VERSION });
    }
    check_made_for(&connection, path, wanted)?;
    Ok(connection)
}

/// The schema version of a file of ours; 0 for an empty one.
fn check_file(connection: &Connection, path: &Path) -> Result<i64, OpenError> {
    let read = |sql: &str| -> Result<i64, OpenError> {
        connection.query_row(sql, [], |row| row.get(0)).map_err(|error| OpenError::of(path, error))
    };
    connection.busy_timeout(BUSY_TIMEOUT).map_err(|error| OpenError::of(path, error))?;
    // The first read of the file's pages is what notices that it is something else.
    let objects = read("SELECT count(*) FROM sqlite_schema")?;
    let application_id = read("PRAGMA application_id")?;
    let version = read("PRAGMA user_version")?;
    let is_empty = objects == 0 && application_id == 0 && version == 0;
    if !is_empty && application_id != APPLICATION_ID {
        return Err(OpenError::Foreign { path: path.to_owned(), application_id });
    }
    if version > SCHEMA_VERSION {
        return Err(OpenError::Newer { path: path.to_owned(), found: version, known: SCHEMA_VERSION });
    }
    Ok(version)
}

fn check_made_for(connection: &Connection, path: &Path, wanted: &Wanted) -> Result<(), OpenError> {
    schema::check_made_for(connection, wanted).map_err(|mismatch| match mismatch {
        Mismatch::Service(found) => {
            OpenError::OtherService { path: path.to_owned(), found, wanted: wanted.service }
        }
        Mismatch::Columns => OpenError::OtherColumns { path: path.to_owned() },
        Mismatch::Sqlite(error) => OpenError::of(path, error),
    })
}

/// Where files cannot be shared in memory, SQLite keeps another journal, with which readers and the writer
/// would wait for each other.
fn check_journal(connection: &Connection, path: &Path) -> Result<(), OpenError> {
    let mode = connection.query_row("PRAGMA journal_mode", [], |row| row.get::<_, String>(0));
    match mode {
        Ok(mode) if mode == "wal" => Ok(()),
        Ok(_) => Err(OpenError::NoWriteAheadLog { path: path.to_owned() }),
        Err(error) => Err(OpenError::of(path, error)),
    }
}

/// A statement is planned once: otherwise SQLite plans it anew whenever a bound value might speak for another plan.
fn keep_plans(connection: &Connection) -> rusqlite::Result<()> {
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true).map(|_| ())
}

fn prepare_writer(connection: &Connection) -> rusqlite::Result<()> {
    connection.busy_timeout(BUSY_TIMEOUT)?;
    keep_plans(connection)?;
    connection.set_prepared_statement_cache_capacity(STATEMENT_CACHE);
    connection.pragma_update(None, "journal_mode", "wal")?;
    connection.pragma_update(None, "synchronous", "full")?;
    // What is deleted is overwritten: an erased person leaves nothing in the file.
    connection.pragma_update(None, "secure_delete", "on")?;
    connection.pragma_update(None, "temp_store", "memory")?;
    connection.pragma_update(None, "cache_size", -WRITER_CACHE_KIB)?;
    connection.pragma_update(None, "wal_autocheckpoint", CHECKPOINT_PAGES)?;
    connection.pragma_update(None, "journal_size_limit", WAL_LIMIT_BYTES)
}

fn prepare_reader(connection: &Connection) -> rusqlite::Result<()> {
    connection.busy_timeout(BUSY_TIMEOUT)?;
    keep_plans(connection)?;
    connection.set_prepared_statement_cache_capacity(STATEMENT_CACHE);
    connection.pragma_update(None, "temp_store", "memory")?;
    connection.pragma_update(None, "cache_size", -READER_CACHE_KIB)?;
    connection.pragma_update(None, "query_only", true)
}

/// All of it or nothing: a crash in between leaves an empty file.
fn migrate(connection: &Connection, from: i64, wanted: &Wanted) -> rusqlite::Result<()> {
    let transaction = connection.unchecked_transaction()?;
    schema::migrate(&transaction, from, wanted)?;
    transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
    transaction.commit()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_old_library_is_refused() {
        let refused = check_library(3_051_002);
        assert!(matches!(refused, Err(OpenError::Library { found: 3_051_002, .. })));
        assert!(check_library(rusqlite::version_number()).is_ok(), "the one that is linked will do");
    }
}
