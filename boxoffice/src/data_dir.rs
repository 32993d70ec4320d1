//! The data directory: one process at a time, and the secrets that were made at first start.

use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io::Write,
    path::{Path, PathBuf},
};

use anyhow::{Context, bail};

/// Held while a process uses the directory; the operating system gives it back when the process ends.
const LOCK_FILE: &str = "lock";
const KEYS: &str = "keys";

/// A data directory that this process alone uses.
pub struct DataDir {
    path: PathBuf,
    _lock: File,
}

impl DataDir {
    /// Opens the directory, or makes it.
    ///
    /// # Errors
    /// When another process uses it, or it cannot be written.
    pub fn open(path: &Path) -> anyhow::Result<Self> {
        create_private(path)?;
        if !path.join(LOCK_FILE).exists() {
            // The directory may have been there before, open to everybody on the machine.
            make_private(path)?;
        }
        Self::lock(path)
    }

    /// Opens a directory that must be there already.
    ///
    /// # Errors
    /// When it is not there, or another process uses it.
    pub fn open_existing(path: &Path) -> anyhow::Result<Self> {
        let looks_right = path.join(LOCK_FILE).is_file();
        anyhow::ensure!(looks_right, "{} is not a data directory of Boxoffice", path.display());
        Self::lock(path)
    }

    fn lock(path: &Path) -> anyhow::Result<Self> {
        let file = path.join(LOCK_FILE);
        let lock = lock_file(&file)?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { path: path.to_owned(), _lock: lock }),
            Err(TryLockError::WouldBlock) => bail!(
                "{} is in use by a running Boxoffice: stop it first, or use another --data-dir",
                path.display()
            ),
            Err(TryLockError::Error(error)) => {
                Err(error).with_context(|| format!("cannot lock {}", file.display()))
            }
        }
    }

    /// The directory.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The database file of a service.
    #[must_use]
    pub fn database(&self, service: &str) -> PathBuf {
        self.path.join(format!("{service}.db"))
    }

    /// A secret by name; made by `generate` when it is not there yet.
    ///
    /// # Errors
    /// When it cannot be read or written.
    pub fn secret(
        &self,
        name: &str,
        generate: impl FnOnce() -> anyhow::Result<Vec<u8>>,
    ) -> anyhow::Result<Vec<u8>> {
        Self::kept_secret(&self.path, name, generate)
    }

    /// As [`DataDir::secret`], of a directory that this process has locked already.
    ///
    /// # Errors
    /// As [`DataDir::secret`].
    pub fn kept_secret(
        directory: &Path,
        name: &str,
        generate: impl FnOnce() -> anyhow::Result<Vec<u8>>,
    ) -> anyhow::Result<Vec<u8>> {
        let keys = directory.join(KEYS);
        create_private(&keys)?;
        let file = keys.join(name);
        if file.is_file() {
            return fs::read(&file).with_context(|| format!("cannot read {}", file.display()));
        }
        let secret = generate()?;
        // Written whole, then named: a crash leaves no half a key.
        let unfinished = keys.join(format!("{name}.new"));
        write_private(&unfinished, &secret).with_context(|| format!("cannot write {}", file.display()))?;
        fs::rename(&unfinished, &file).with_context(|| format!("cannot write {}", file.display()))?;
        File::open(&keys)?.sync_all()?;
        Ok(secret)
    }
}

/// The file of one service in a data directory that several processes share, each with services of its own.
pub struct ServiceDir {
    database: PathBuf,
    _directory: File,
    _service: File,
}

impl ServiceDir {
    /// Opens the directory for one service, or makes it.
    ///
    /// # Errors
    /// When `boxoffice up` uses the directory, another process the service's file, or it cannot be written.
    pub fn open(path: &Path, service: &str) -> anyhow::Result<Self> {
        create_private(path)?;
        let directory = lock_file(&path.join(LOCK_FILE))?;
        match directory.try_lock_shared() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                bail!("{} is in use by `boxoffice up` or a command: stop it first", path.display())
            }
            Err(TryLockError::Error(error)) => {
                return Err(error).with_context(|| format!("cannot lock {}", path.display()));
            }
        }
        let own = lock_file(&path.join(format!("{service}.lock")))?;
        match own.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => bail!(
                "the {service} service in {} is in use by another process: SQLite serves one replica; several need a \
                 database server",
                path.display()
            ),
            Err(TryLockError::Error(error)) => {
                return Err(error).with_context(|| format!("cannot lock {}", path.display()));
            }
        }
        let database = path.join(format!("{service}.db"));
        Ok(Self { database, _directory: directory, _service: own })
    }

    /// The database file.
    #[must_use]
    pub fn database(&self) -> PathBuf {
        self.database.clone()
    }
}

fn lock_file(file: &Path) -> anyhow::Result<File> {
    let lock = OpenOptions::new().create(true).truncate(false).write(true).open(file);
    lock.with_context(|| format!("cannot write {}", file.display()))
}

#[cfg(unix)]
pub(crate) fn create_private(path: &Path) -> anyhow::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    let made = fs::DirBuilder::new().recursive(true).mode(0o700).create(path);
    made.with_context(|| format!("cannot make the directory {}", path.display()))
}

#[cfg(unix)]
fn make_private(path: &Path) -> anyhow::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    let made = fs::set_permissions(path, fs::Permissions::from_mode(0o700));
    made.with_context(|| format!("cannot make {} private", path.display()))
}

#[cfg(not(unix))]
fn make_private(_path: &Path) -> anyhow::Result<()> {
    Ok(())
}

#[cfg(not(unix))]
pub(crate) fn create_private(path: &Path) -> anyhow::Result<()> {
    fs::create_dir_all(path).with_context(|| format!("cannot make the directory {}", path.display()))
}

pub(crate) fn write_private(path: &Path, content: &[u8]) -> std::io::Result<()> {
    let mut options = OpenOptions::new();
    options.create(true).truncate(true).write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    file.write_all(content)?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_process_at_a_time() {
        let dir = tempfile::tempdir().unwrap();
        let first = DataDir::open(dir.path()).unwrap();
        let second = DataDir::open(dir.path()).map(|_| ()).unwrap_err();
        assert!(second.to_string().contains("in use by a running Boxoffice"), "{second}");
        drop(first);
        DataDir::open_existing(dir.path()).unwrap();
    }

    #[test]
    fn services_share_a_directory_and_each_has_one_process() {
        let dir = tempfile::tempdir().unwrap();
        let why =
            |outcome: anyhow::Result<ServiceDir>| outcome.err().map(|e| e.to_string()).unwrap_or_default();
        let ticket = ServiceDir::open(dir.path(), "ticket").unwrap();
        let event = ServiceDir::open(dir.path(), "event").unwrap();
        assert!(why(ServiceDir::open(dir.path(), "ticket")).contains("another process"));
        assert!(DataDir::open(dir.path()).is_err(), "`up` needs it for itself");
        drop((ticket, event));
        let _up = DataDir::open(dir.path()).unwrap();
        assert!(why(ServiceDir::open(dir.path(), "ticket")).contains("boxoffice up"));
    }

    #[test]
    fn a_secret_is_made_once_and_only_its_owner_reads_it() {
        let dir = tempfile::tempdir().unwrap();
        let data = DataDir::open(dir.path()).unwrap();
        let made = data.secret("test", || Ok(vec![1, 2, 3])).unwrap();
        assert_eq!(data.secret("test", || bail!("made twice")).unwrap(), made);
        #[cfg(unix)]
        {
            let mode = fs::metadata(dir.path().join("keys/test")).unwrap();
            assert_eq!(std::os::unix::fs::PermissionsExt::mode(&mode.permissions()) & 0o777, 0o600);
            let mode = fs::metadata(dir.path()).unwrap();
            assert_eq!(std::os::unix::fs::PermissionsExt::mode(&mode.permissions()) & 0o777, 0o700);
        }
    }
}
