//! What the README says is what happens: its tour is run as it stands.

use std::{
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
};

fn readme() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../README.md");
    std::fs::read_to_string(path).expect("there is a README")
}

/// The shell blocks of a section.
fn blocks(section: &str) -> Vec<String> {
    let readme = readme();
    let text = readme.split(&format!("\n## {section}\n")).nth(1).expect("the section is there");
    let text = text.split("\n## ").next().unwrap_or(text);
    let blocks = text.split("```sh\n").skip(1);
    blocks.map(|block| block.split("```").next().unwrap_or_default().to_owned()).collect()
}

/// A running platform; it is stopped when the test ends, however it ends.
struct Platform(Child, String);

impl Platform {
    fn start(data: &Path) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_boxoffice"))
            .args(["up", "--listen", "127.0.0.1:0", "--data-dir"])
            .arg(data)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the program starts");
        let mut line = String::new();
        BufReader::new(child.stdout.as_mut().expect("its output is a pipe"))
            .read_line(&mut line)
            .expect("it speaks");
        let url = line.split_whitespace().last().expect("it prints its URL").to_owned();
        Self(child, url)
    }
}

impl Drop for Platform {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn run_and_test_are_one_command_each() {
    for (section, command) in [("Run", "cargo run --release -- up\n"), ("Test", "cargo xtask test\n")] {
        assert_eq!(blocks(section)[0], command);
    }
}

#[test]
fn the_tour_works_as_it_is_written() {
    let scratch = tempfile::tempdir().expect("a scratch directory");
    let platform = Platform::start(&scratch.path().join("data"));
    let tour = blocks("A tour in five minutes").concat().replace("http://127.0.0.1:8000", &platform.1);
    let output = Command::new("bash")
        .args(["-eu", "-o", "pipefail", "-c", &tour])
        .current_dir(scratch.path())
        .output()
        .expect("bash and curl are there");
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{told}\n{}", String::from_utf8_lossy(&output.stderr));
    for expected in [
        "\"email\":\"ada@example.org\"",
        "\"status\":\"PUBLISHED\"",
        "\"status\":\"BOOKED\"",
        "\"code\":\"BX1.",
        "\"status\":\"CAPTURED\"",
        "\"status\":\"CANCELLED\",\"reason\":\"buyer\"",
        "\"result\":\"ADMITTED\"",
        "\"rating\":5",
        "\"booked\":1,\"cancelled\":0,\"visits\":1",
        "\"title\":\"On right now\"",
    ] {
        assert!(told.contains(expected), "the tour never says {expected}:\n{told}");
    }
    let pdf = std::fs::read(scratch.path().join("ticket.pdf")).expect("the tour saves a PDF");
    assert!(pdf.starts_with(b"%PDF"));
    let mails = std::fs::read_dir(scratch.path().join("data/mail")).expect("mail is written").count();
    assert!(mails >= 2, "{mails} mails");
}
