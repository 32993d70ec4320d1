//! What a test does about a server or a program that cannot be had.

use std::{env, path::PathBuf};

use anyhow::Context;

/// What was started; none where it could not be, which is printed by name. Where the environment variable `CI` is set,
/// everything must be tested.
///
/// # Panics
/// When it could not be started and `CI` is set. The message names the package to install.
pub fn wanted<T>(name: &str, started: anyhow::Result<T>) -> Option<T> {
    match started {
        Ok(started) => Some(started),
        Err(why) if env::var_os("CI").is_some() => panic!("{name} cannot be tested: {why:#}"),
        Err(why) => {
            println!("NOT TESTED: {name}: {why:#}");
            None
        }
    }
}

/// A program that the script of this name in `.ci/engines` makes.
///
/// # Errors
/// When it is not there; the error names the script.
pub fn made(name: &str) -> anyhow::Result<PathBuf> {
    let kept = env::var_os("BOXOFFICE_ENGINES").map(PathBuf::from).or_else(|| {
        let home = env::var_os("HOME")?;
        Some(PathBuf::from(home).join(".cache/boxoffice-engines"))
    });
    let program = kept.map(|kept| kept.join(name)).filter(|program| program.is_file());
    program.with_context(|| format!("there is no {name}: run .ci/engines/{name}"))
}
