//! One process of a fleet, and asking it something.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    process::{Child, Command, ExitStatus, Stdio},
    sync::{Arc, Mutex},
    thread::JoinHandle,
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process};

/// The longest that it may take to stop.
const STOP_TIMEOUT: Duration = Duration::from_secs(60);
const LOOK_EVERY: Duration = Duration::from_millis(5);
const ASK_TIMEOUT: Duration = Duration::from_secs(10);

/// A running process; killed when it is dropped.
pub struct Process {
    name: String,
    child: Child,
    log: Arc<Mutex<String>>,
    readers: Vec<JoinHandle<()>>,
}

impl Process {
    pub fn start(name: &str, mut command: Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let log = Arc::<Mutex<String>>::default();
        let readers = vec![
            collect(child.stdout.take().unwrap(), Arc::clone(&log)),
            collect(child.stderr.take().unwrap(), Arc::clone(&log)),
        ];
        Self { name: name.to_owned(), child, log, readers }
    }

    /// What it printed and logged so far.
    pub fn log(&self) -> String {
        self.log.lock().unwrap().clone()
    }

    pub fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    pub fn terminate(&self) {
        self.signal(Signal::TERM);
    }

    /// Waits until it has ended.
    pub fn wait(&mut self) -> ExitStatus {
        let until = Instant::now() + STOP_TIMEOUT;
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                self.readers.drain(..).for_each(|reader| reader.join().unwrap());
                return status;
            }
            assert!(Instant::now() < until, "{} does not stop: {}", self.name, self.log());
            std::thread::sleep(LOOK_EVERY);
        }
    }

    /// Stops it as an operator does; it must end well. Its log.
    pub fn stop(self) -> String {
        self.terminate();
        self.ends_well()
    }

    /// Waits until it has ended, which it must do well. Its log.
    pub fn ends_well(mut self) -> String {
        let status = self.wait();
        let log = self.log();
        assert_eq!(status.code(), Some(0), "{}: {log}", self.name);
        log
    }

    /// Ends it without any chance to tidy up.
    pub fn kill(mut self) {
        self.signal(Signal::KILL);
        assert!(!self.wait().success());
    }
}

impl Drop for Process {
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

/// Gets a page; its status and its body, or nothing where nobody answers.
pub fn get(url: &str) -> Option<(u16, String)> {
    let (host, path) = url.strip_prefix("http://")?.split_once('/')?;
    let mut stream = TcpStream::connect(host).ok()?;
    stream.set_read_timeout(Some(ASK_TIMEOUT)).ok()?;
    write!(stream, "GET /{path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n").ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    let status = answer.split(' ').nth(1)?.parse().ok()?;
    let (_, body) = answer.split_once("\r\n\r\n")?;
    Some((status, body.to_owned()))
}
