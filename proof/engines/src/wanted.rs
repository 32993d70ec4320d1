//! What a test does about a server or a program that cannot be had.

use std::env;

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
