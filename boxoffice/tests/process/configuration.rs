//! Flags, then the environment, then the file; and what is wrong is named.

use crate::support::{Home, Ran, Running, Visitor};

#[tokio::test]
async fn the_written_configuration_is_accepted() {
    let home = Home::new();
    let template = home.run(&["config"]).succeeded().out;
    // Every setting is in it as a comment; the ones with a default are put in force here.
    let mut in_force = String::new();
    let mut settings = 0;
    for line in template.lines() {
        let setting =
            line.strip_prefix('#').filter(|rest| rest.starts_with(|c: char| c.is_ascii_lowercase()));
        match setting.and_then(|setting| setting.split_once('=')) {
            Some((name, value)) if !value.trim().is_empty() => {
                settings += 1;
                let is_listen = name.trim() == "listen";
                let value = if is_listen { "\"127.0.0.1:0\"" } else { value.trim() };
                in_force.push_str(&format!("{} = {value}\n", name.trim()));
            }
            _ => in_force.push_str(&format!("{line}\n")),
        }
    }
    assert!(settings >= 6, "{template}");
    for text in [template, in_force] {
        home.write("boxoffice.toml", &text);
        let running = Running::start(home.command(&["up", "--listen", "127.0.0.1:0"]));
        Visitor::known(&running.url, "", "").see("/readyz").await;
        running.stop();
        assert!(home.data().is_dir(), "the default of data_dir is ./data");
    }
}

#[test]
fn an_unknown_key_in_the_file_is_named() {
    let home = Home::new();
    home.write("boxoffice.toml", "colour = \"red\"\n");
    home.run(&["up"]).refused(&["colour", "boxoffice.toml"]);
    home.write("other.toml", "hold_minutes = \"soon\"\n");
    home.run(&["up", "--config", "other.toml"]).refused(&["hold_minutes", "other.toml"]);
    home.write("broken.toml", "data_dir = \n");
    home.run(&["up", "--config", "broken.toml"]).refused(&["broken.toml"]);
    home.run(&["up", "--config", "missing.toml"]).refused(&["missing.toml"]);
    assert!(!home.data().exists());
}

#[test]
fn a_wrong_value_in_the_environment_is_named() {
    let home = Home::new();
    for (name, value, said) in [
        ("BOXOFFICE_HOLD_MINUTES", "soon", "BOXOFFICE_HOLD_MINUTES"),
        ("BOXOFFICE_HOLD_MINUTES", "0", "hold_minutes"),
        ("BOXOFFICE_HOLD_MINUTES", "1441", "hold_minutes"),
        ("BOXOFFICE_KEEP_FACTS_DAYS", "3651", "keep_facts_days"),
        ("BOXOFFICE_TRACE_RATIO", "1.5", "trace_ratio"),
        ("BOXOFFICE_LISTEN", "nowhere", "BOXOFFICE_LISTEN"),
        ("BOXOFFICE_LOG_FORMAT", "xml", "BOXOFFICE_LOG_FORMAT"),
        ("BOXOFFICE_LOG", "this=is=no=filter", "this=is=no=filter"),
        ("BOXOFFICE_SMTP_URL", "not a url", "smtp_url"),
        ("BOXOFFICE_MAIL_FROM", "nobody", "mail"),
    ] {
        let mut command = home.command(&["up"]);
        if name != "BOXOFFICE_LISTEN" {
            command.env("BOXOFFICE_LISTEN", "127.0.0.1:0");
        }
        Ran::of(command.env(name, value).output().unwrap()).refused(&[said]);
    }
}

/// The message of a command that refuses names the directory that it was told of.
#[test]
fn flags_win_over_the_environment_and_it_over_the_file() {
    let home = Home::new();
    home.write("boxoffice.toml", "data_dir = \"from-file\"\n");
    home.run(&["audit"]).refused(&["from-file is not a data directory"]);
    let with_env = |arguments: &[&str]| {
        Ran::of(home.command(arguments).env("BOXOFFICE_DATA_DIR", "from-environment").output().unwrap())
    };
    with_env(&["audit"]).refused(&["from-environment is not"]);
    with_env(&["audit", "--data-dir", "from-flag"]).refused(&["from-flag is not"]);
    std::fs::remove_file(home.path("boxoffice.toml")).unwrap();
    home.run(&["audit"]).refused(&["./data is not"]);
}
