//! Our event list, with as many events as a peer's has.

use std::{fmt::Write, fs, path::Path, process::Command};

use anyhow::Context;
use engines::process::{self, Server};
use rustix::process::Signal;

use super::group::{self, Place};

/// How many events a page has, here and with a peer.
pub const EVENTS: u32 = 20;

/// The account of `boxoffice up --demo` that organises events.
const ORGANIZER: &str = "organizer@demo.example";
/// The line that says where the program listens begins so.
const READY: &str = "Boxoffice is ready at ";

/// Pages per second of a fresh platform.
///
/// # Errors
/// When the figure does not count.
pub fn measure(place: &Place) -> anyhow::Result<f64> {
    let directory = tempfile::tempdir_in(&place.directory)?;
    let program = place.program("boxoffice");
    // The sample accounts are made by a first start; events are imported while it is stopped.
    drop(start(&program, directory.path(), &["--demo"])?);
    let file = directory.path().join("events.csv");
    fs::write(&file, csv())?;
    let mut import = boxoffice(&program, directory.path());
    import.args(["import", "events", "--organizer", ORGANIZER, "--data-dir", "data"]).arg(&file);
    process::output(&mut import)?;

    let (_server, url) = start(&program, directory.path(), &[])?;
    let (path, connections) = (format!("/v1/events?page_size={EVENTS}"), place.connections.to_string());
    let request = ["request", "--url", &url, "--path", &path, "--connections", &connections];
    group::rate(&place.bench(request, place.seconds)?, "/per_s")
}

/// A page of events and more.
fn csv() -> String {
    let mut text = "name,start_date,city,country,places\n".to_owned();
    for number in 0..EVENTS {
        let _ = writeln!(text, "On sale now {number},2099-06-01,Amsterdam,Netherlands,1000000");
    }
    text
}

/// The program, as its own configuration and not as the user's has it.
fn boxoffice(program: &Path, directory: &Path) -> Command {
    let mut command = Command::new(program);
    let inherited = std::env::vars_os().filter(|(name, _)| !name.to_string_lossy().starts_with("BOXOFFICE_"));
    command.current_dir(directory).env_clear().envs(inherited).env("BOXOFFICE_LOG", "warn");
    command
}

fn start(program: &Path, directory: &Path, options: &[&str]) -> anyhow::Result<(Server, String)> {
    let mut command = boxoffice(program, directory);
    command.args(["up", "--listen", "127.0.0.1:0", "--data-dir", "data"]).args(options);
    let mut server = Server::start("boxoffice", directory, Signal::TERM, &mut command)?;
    server.wait_until(|server| url_in(&server.output()).is_some())?;
    let url = url_in(&server.output()).context("the program prints no address")?;
    Ok((server, url))
}

fn url_in(output: &str) -> Option<String> {
    let (_, rest) = output.split_once(READY)?;
    Some(rest.split_once('\n')?.0.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_is_there_when_its_line_is_whole() {
        assert_eq!(url_in("Boxoffice is ready at http://127.0.0.1:8"), None);
        let output = "\nBoxoffice is ready at http://127.0.0.1:8000\nmore";
        assert_eq!(url_in(output).as_deref(), Some("http://127.0.0.1:8000"));
    }

    #[test]
    fn there_are_enough_events_for_a_page() {
        assert_eq!(csv().lines().count(), 21);
    }
}
