//! A working directory of a test's own.

use std::{
    path::{Path, PathBuf},
    process::{Command, Output},
};

use tempfile::TempDir;

use super::Running;

/// A fresh working directory, removed at the end of the test.
pub struct Home {
    directory: TempDir,
}

/// What a command printed and how it ended.
#[derive(Debug)]
pub struct Ran {
    /// The exit code; none after a signal.
    pub code: Option<i32>,
    /// Standard output.
    pub out: String,
    /// Standard error.
    pub err: String,
}

impl Home {
    pub fn new() -> Self {
        Self { directory: tempfile::tempdir().unwrap() }
    }

    /// The working directory itself.
    pub fn directory(&self) -> &Path {
        self.directory.path()
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// The data directory.
    pub fn data(&self) -> PathBuf {
        self.path("data")
    }

    /// The same as an argument.
    pub fn data_arg(&self) -> String {
        self.data().display().to_string()
    }

    pub fn write(&self, name: &str, content: &str) -> PathBuf {
        let path = self.path(name);
        std::fs::write(&path, content).unwrap();
        path
    }

    /// The program, run here without any configuration from outside.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_boxoffice"));
        command.args(arguments).current_dir(self.directory.path()).env_clear();
        let kept = std::env::vars_os().filter(|(name, _)| !name.to_string_lossy().starts_with("BOXOFFICE_"));
        command.envs(kept);
        command
    }

    /// Runs a command to its end.
    pub fn run(&self, arguments: &[&str]) -> Ran {
        Ran::of(self.command(arguments).output().unwrap())
    }

    /// Audits the data directory.
    pub fn audit(&self) -> Ran {
        self.run(&["audit", "--data-dir", &self.data_arg()])
    }

    /// Starts the platform on the data directory; returns when it is ready.
    pub fn up(&self) -> Running {
        self.up_with(&[])
    }

    /// As [`Home::up`], with further arguments.
    pub fn up_with(&self, arguments: &[&str]) -> Running {
        let data = self.data_arg();
        let mut all = vec!["up", "--listen", "127.0.0.1:0", "--data-dir", &data];
        all.extend(arguments);
        Running::start(self.command(&all))
    }

    /// A file of the sample data.
    pub fn sample(name: &str) -> String {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(name).display().to_string()
    }
}

impl Ran {
    pub fn of(output: Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Self { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
    }

    /// It must have ended well.
    #[track_caller]
    pub fn succeeded(self) -> Self {
        assert_eq!(self.code, Some(0), "{self:?}");
        self
    }

    /// It must have ended with 1, and said all of this on standard error.
    #[track_caller]
    pub fn refused(self, said: &[&str]) -> Self {
        assert_eq!(self.code, Some(1), "{self:?}");
        for part in said {
            assert!(self.err.contains(part), "does not say `{part}`: {self:?}");
        }
        assert!(!self.err.contains("panicked"), "{self:?}");
        self
    }
}
