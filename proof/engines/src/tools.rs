//! The programs that peers need: where they are, which package has them, and installing it.

use std::{
    cmp::Ordering,
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::Context;

use super::process;

/// Where packages put programs that are not for everyday use.
const HIDDEN: &[&str] = &["/usr/sbin", "/usr/local/sbin"];
/// Where Debian puts the servers of PostgreSQL, one directory for each version.
const POSTGRES: &str = "/usr/lib/postgresql";

/// Something to install before a peer can be measured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Package {
    /// A package of Debian.
    Debian(&'static str),
    /// Packages of PyPI, in a virtual environment of their own.
    Python {
        /// The environment's name.
        environment: &'static str,
        /// What is installed in it.
        packages: &'static [&'static str],
    },
}

impl Package {
    /// How people install it.
    pub fn hint(&self) -> String {
        match self {
            Self::Debian(name) => format!("apt-get install {name}"),
            Self::Python { packages, .. } => format!("pip install {}", packages.join(" ")),
        }
    }
}

/// Where the peers' own programs and environments are kept between comparisons.
#[derive(Debug, Clone)]
pub struct Tools {
    root: PathBuf,
}

impl Tools {
    /// Keeps environments below this directory.
    pub fn in_directory(root: PathBuf) -> Self {
        Self { root }
    }

    /// A program of a Python environment.
    pub fn python(&self, environment: &str, program: &str) -> PathBuf {
        self.root.join(environment).join("bin").join(program)
    }

    /// Every file of this name below a Python environment's packages.
    pub fn python_file(&self, environment: &str, path: &str) -> Option<PathBuf> {
        let versions = fs::read_dir(self.root.join(environment).join("lib")).ok()?;
        let candidates = versions.flatten().map(|version| version.path().join("site-packages").join(path));
        candidates.into_iter().find(|candidate| candidate.is_file())
    }

    /// Installs it.
    pub fn install(&self, package: &Package) -> anyhow::Result<()> {
        eprintln!("installing: {}", package.hint());
        match package {
            Package::Debian(name) => {
                process::output(Command::new("apt-get").arg("update"))?;
                let mut install = Command::new("apt-get");
                install.args(["install", "--yes", "--no-install-recommends", name]);
                // The system's own service is not wanted: the comparison starts one of its own.
                install.envs([("DEBIAN_FRONTEND", "noninteractive"), ("RUNLEVEL", "1")]);
                process::output(&mut install)?;
            }
            Package::Python { environment, packages } => {
                fs::create_dir_all(&self.root)?;
                let python = find("python3").context("there is no python3: apt-get install python3-venv")?;
                process::output(Command::new(python).args(["-m", "venv"]).arg(self.root.join(environment)))?;
                let pip = self.python(environment, "pip");
                process::output(Command::new(pip).args(["install", "--quiet"]).args(*packages))?;
            }
        }
        Ok(())
    }
}

/// A program by its name.
pub fn find(name: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let directories = env::split_paths(&path).chain(HIDDEN.iter().map(PathBuf::from));
    let candidates = directories.chain(postgres_directories()).map(|directory| directory.join(name));
    candidates.into_iter().find(|candidate| candidate.is_file())
}

/// A program by its name; an error names the package that has it.
pub fn need(name: &str, package: &'static str) -> anyhow::Result<PathBuf> {
    find(name).with_context(|| format!("there is no {name}: {}", Package::Debian(package).hint()))
}

/// Where the scripts in `.ci/engines` put what they download.
pub fn downloads() -> PathBuf {
    let home = || PathBuf::from(env::var_os("HOME").unwrap_or_default()).join(".cache/boxoffice-engines");
    env::var_os("BOXOFFICE_ENGINES").map_or_else(home, PathBuf::from)
}

/// A program that the script `.ci/engines/NAME` installs, by its path in the downloads or by its name; an error says
/// how it is had.
pub fn downloaded(script: &str, path: &str, hint: &str) -> anyhow::Result<PathBuf> {
    let here = downloads().join(path);
    let name = Path::new(path).file_name().and_then(|name| name.to_str()).unwrap_or(path);
    let found = if here.is_file() { Some(here) } else { find(name) };
    found.with_context(|| format!("there is no {name}: run .ci/engines/{script}, or {hint}"))
}

/// The packages of which a program is missing.
pub fn missing(programs: &[(&str, &'static str)]) -> Vec<Package> {
    let mut packages: Vec<Package> = Vec::new();
    for (program, package) in programs {
        let package = Package::Debian(package);
        if find(program).is_none() && !packages.contains(&package) {
            packages.push(package);
        }
    }
    packages
}

/// The newest first.
fn postgres_directories() -> Vec<PathBuf> {
    let versions = fs::read_dir(Path::new(POSTGRES)).into_iter().flatten().flatten();
    let number = |path: &PathBuf| path.file_name()?.to_str()?.parse::<f64>().ok();
    let mut found: Vec<PathBuf> = versions.map(|version| version.path()).collect();
    found.sort_by(|one, other| number(other).partial_cmp(&number(one)).unwrap_or(Ordering::Equal));
    found.into_iter().map(|version| version.join("bin")).collect()
}

/// A name with the version that a program prints.
pub fn version(name: &str, program: &Path) -> anyhow::Result<String> {
    let printed = process::output(Command::new(program).arg("--version"))?;
    // The path may have a version of something else in it.
    let printed = printed.replace(&program.display().to_string(), "");
    let number = version_in(&printed).with_context(|| format!("{name} does not say its version"))?;
    Ok(format!("{name} {number}"))
}

/// The first number with a point in it.
fn version_in(printed: &str) -> Option<&str> {
    let mut words = printed.split(|letter: char| !letter.is_ascii_digit() && letter != '.');
    words.find(|word| word.starts_with(|letter: char| letter.is_ascii_digit()) && word.contains('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_found_in_what_programs_print() {
        for (printed, expected) in [
            ("postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)", "15.18"),
            ("mariadbd  Ver 10.11.19-MariaDB-0+deb12u1 for debian-linux-gnu", "10.11.19"),
            ("Redis server v=7.0.15 sha=00000000:0 malloc=jemalloc-5.3.0", "7.0.15"),
            ("  version: 9e55809337/1.40.0/Clean/RELEASE/BoringSSL", "1.40.0"),
        ] {
            assert_eq!(version_in(printed), Some(expected), "{printed}");
        }
    }

    #[test]
    fn what_is_missing_names_each_package_once() {
        let missing = missing(&[("sh", "dash"), ("no-such-1", "thing"), ("no-such-2", "thing")]);
        assert_eq!(missing, [Package::Debian("thing")]);
        assert_eq!(missing[0].hint(), "apt-get install thing");
    }
}
