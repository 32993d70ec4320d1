//! The command line explains itself.

use crate::support::Home;

#[test]
fn every_command_has_help() {
    let home = Home::new();
    for (command, said) in [
        (vec![], "boxoffice up --demo"),
        (vec!["up"], "--listen"),
        (vec!["import"], "events"),
        (vec!["import", "events"], "--organizer"),
        (vec!["audit"], "--data-dir"),
        (vec!["grant-admin"], "<EMAIL>"),
        (vec!["config"], "configuration file"),
    ] {
        let with_help: Vec<&str> = command.iter().copied().chain(["--help"]).collect();
        let help = home.run(&with_help).succeeded().out;
        assert!(help.contains("Usage: boxoffice") && help.contains(said), "{command:?}: {help}");
    }
}

#[test]
fn the_version_is_that_of_the_package() {
    let version = Home::new().run(&["--version"]).succeeded().out;
    assert_eq!(version.trim(), format!("boxoffice {}", env!("CARGO_PKG_VERSION")));
}

#[test]
fn what_is_not_a_command_is_refused_with_the_usage() {
    let home = Home::new();
    for (arguments, said) in [
        (vec![], "Usage"),
        (vec!["down"], "down"),
        (vec!["up", "--listen", "nowhere"], "nowhere"),
        (vec!["up", "--port", "80"], "--port"),
        (vec!["import", "events"], "<FILE>"),
        (vec!["import", "events", "file.csv", "--url", "http://127.0.0.1:1"], "--token"),
        (vec!["grant-admin"], "<EMAIL>"),
    ] {
        let ran = home.run(&arguments);
        assert_eq!(ran.code, Some(2), "{arguments:?}: {ran:?}");
        assert!(ran.err.contains(said), "{arguments:?}: {ran:?}");
    }
}
