//! The program while it runs.

use std::{
    io::{BufRead, BufReader, Read},
    process::{Child, Command, ExitStatus, Stdio},
    sync::{Arc, Mutex},
    thread::JoinHandle,
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process};

/// The longest that the program may take to be ready; a machine that is busy with other tests is slow.
const START_TIMEOUT: Duration = Duration::from_secs(30);
/// The longest that it may take to stop.
const STOP_TIMEOUT: Duration = Duration::from_secs(40);
const LOOK_EVERY: Duration = Duration::from_millis(5);

/// A running `boxoffice up`; killed when it is dropped.
pub struct Running {
    /// Where it listens.
    pub url: String,
    child: Child,
    out: Arc<Mutex<String>>,
    err: Arc<Mutex<String>>,
    readers: Vec<JoinHandle<()>>,
}

impl Running {
    /// Starts a command and waits until it says that it is ready and what it prints with that is there.
    pub fn start(mut command: Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let (out, err) = (Arc::default(), Arc::default());
        let readers = vec![
            collect(child.stdout.take().unwrap(), Arc::clone(&out)),
            collect(child.stderr.take().unwrap(), Arc::clone(&err)),
        ];
        let mut running = Self { url: String::new(), child, out, err, readers };
        let until = Instant::now() + START_TIMEOUT;
        while !running.out().contains("Stop it with Ctrl-C") {
            let ended = running.child.try_wait().unwrap();
            assert!(ended.is_none() && Instant::now() < until, "not ready: {ended:?} {}", running.err());
            std::thread::sleep(LOOK_EVERY);
        }
        let printed = running.out();
        let url = printed.lines().find_map(|line| line.strip_prefix("Boxoffice is ready at "));
        running.url = url.expect("the first line says where it listens").to_owned();
        running
    }

    /// What it printed so far.
    pub fn out(&self) -> String {
        self.out.lock().unwrap().clone()
    }

    /// What it logged so far.
    pub fn err(&self) -> String {
        self.err.lock().unwrap().clone()
    }

    pub fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    /// Waits until it has ended.
    pub fn wait(&mut self) -> ExitStatus {
        let until = Instant::now() + STOP_TIMEOUT;
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                self.readers.drain(..).for_each(|reader| reader.join().unwrap());
                return status;
            }
            assert!(Instant::now() < until, "does not stop: {}", self.err());
            std::thread::sleep(LOOK_EVERY);
        }
    }

    /// Stops it as an operator does; it must end well.
    pub fn stop(mut self) {
        self.signal(Signal::TERM);
        assert_eq!(self.wait().code(), Some(0), "{}", self.err());
    }

    /// Ends it without any chance to tidy up.
    pub fn kill(mut self) {
        self.signal(Signal::KILL);
        assert!(!self.wait().success());
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Neither is an error when it has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn collect(from: impl Read + Send + 'static, into: Arc<Mutex<String>>) -> JoinHandle<()> {
    std::thread::spawn(move || {
        let mut reader = BufReader::new(from);
        let mut line = String::new();
        while reader.read_line(&mut line).unwrap_or_default() > 0 {
            into.lock().unwrap().push_str(&line);
            line.clear();
        }
    })
}
