//! A server as a child process.

use std::{
    io::{BufRead, BufReader},
    process::{Child, Command, ExitStatus, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context, bail};

/// How long a server may take to finish what it took in.
const STOP_TIMEOUT: Duration = Duration::from_secs(60);
/// The pause between two looks at whether it has ended.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// A running server; killed when it is dropped.
pub struct Process {
    /// Where it listens.
    pub url: String,
    child: Child,
}

impl Process {
    /// Starts a server, and returns when it has printed the line that begins so and ends with its address.
    ///
    /// # Errors
    /// When the program does not start.
    pub fn start(command: &mut Command, ready: &str) -> anyhow::Result<Self> {
        let started = command.stdout(Stdio::piped()).spawn();
        let program = command.get_program().to_string_lossy().into_owned();
        let child = started.with_context(|| format!("{program} cannot be started"))?;
        let mut process = Self { url: String::new(), child };
        process.url = read_url(&mut process.child, ready)?;
        Ok(process)
    }

    /// Its number.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Tells it to stop, as an operator would, and waits until it has.
    ///
    /// # Errors
    /// When it does not stop in time, or says that something went wrong.
    pub async fn stop(mut self) -> anyhow::Result<()> {
        let process = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(process, rustix::process::Signal::TERM)
            .context("the program cannot be stopped")?;
        let status = self.wait().await?;
        anyhow::ensure!(status.success(), "the program ended with {status}");
        Ok(())
    }

    async fn wait(&mut self) -> anyhow::Result<ExitStatus> {
        let until = Instant::now() + STOP_TIMEOUT;
        while Instant::now() < until {
            if let Some(status) = self.child.try_wait()? {
                return Ok(status);
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
        bail!("the program was told to stop and still runs after {STOP_TIMEOUT:?}")
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Neither is an error when it has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Reads what the program prints up to its address. It ends with the program at the latest.
fn read_url(child: &mut Child, ready: &str) -> anyhow::Result<String> {
    let output = child.stdout.take().context("the program has no output")?;
    let mut lines = BufReader::new(output).lines();
    let url = loop {
        let line = lines.next().context("the program ended before it was ready")??;
        if let Some(url) = line.strip_prefix(ready) {
            break url.to_owned();
        }
    };
    // Read on, so that the program is never stopped by a full pipe.
    std::thread::spawn(move || lines.for_each(drop));
    Ok(url)
}
