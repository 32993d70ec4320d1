//! Chromium, driven by its WebDriver, and axe-core, which looks at pages in it.

use std::{
    fs,
    io::{Read, Write},
    net::{Ipv4Addr, TcpStream},
    path::Path,
    process::Command,
};

use rustix::process::Signal;

use crate::{
    process::{self, Server},
    tools,
};

/// A running WebDriver. It starts a browser for each session, and ends them all when it is dropped.
pub struct Chromedriver {
    port: u16,
    _server: Server,
}

impl Chromedriver {
    /// Starts it, with all that it and its browsers write in a directory.
    ///
    /// # Errors
    /// When it or the browser is not installed, or it does not start.
    pub fn start(directory: &Path) -> anyhow::Result<Self> {
        tools::need("chromium", "chromium")?;
        let port = process::free_port()?;
        let mut command = Command::new(tools::need("chromedriver", "chromium-driver")?);
        command
            .arg(format!("--port={port}"))
            .env("TMPDIR", directory)
            .env("HOME", directory)
            .env("LANGUAGE", "en_US");
        let mut server = Server::start("chromedriver", directory, Signal::TERM, &mut command)?;
        server.wait_for_port(port)?;
        Ok(Self { port, _server: server })
    }

    /// Where it listens.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// A signal would leave its browsers behind.
    fn shut_down(&self) -> std::io::Result<()> {
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port))?;
        stream.write_all(b"GET /shutdown HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")?;
        stream.read_to_end(&mut Vec::new())?;
        Ok(())
    }
}

impl Drop for Chromedriver {
    fn drop(&mut self) {
        // Where it has ended already, nobody answers.
        let _ = self.shut_down();
    }
}

/// The script of axe-core, which finds what bars people from a page.
///
/// # Errors
/// When it was not fetched; the error says how it is had.
pub fn axe() -> anyhow::Result<String> {
    let path = tools::downloaded("axe", "axe/axe.min.js", "unpack the npm package axe-core")?;
    Ok(fs::read_to_string(path)?)
}
