//! What a figure depends on beside the program.

use std::{fs, path::Path, process::Command, time::Duration};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

const BYTES_PER_MB: u64 = 1_000_000;

/// How many cores there are.
pub fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get)
}

/// The model of the processor, where the operating system says it.
pub fn processor() -> Option<String> {
    let text = fs::read_to_string("/proc/cpuinfo").ok()?;
    let line = text.lines().find(|line| line.starts_with("model name"))?;
    Some(line.split_once(':')?.1.trim().to_owned())
}

/// The commit of the working directory, where there is one.
pub fn commit() -> Option<String> {
    let output = Command::new("git").args(["rev-parse", "--short=12", "HEAD"]).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| text.trim().to_owned())
}

/// How many processes wanted to run in the last minute, on average; above the number of cores a figure
/// was measured on a machine that was busy with something else.
pub fn load_average() -> Option<f64> {
    fs::read_to_string("/proc/loadavg").ok()?.split_whitespace().next()?.parse().ok()
}

/// The most memory that a process ever used, where the operating system says it.
pub fn peak_memory_mb(process: u32) -> Option<u64> {
    memory_mb(process, "VmHWM:")
}

/// The memory that a process uses now, where the operating system says it.
pub fn memory_in_use_mb(process: u32) -> Option<u64> {
    memory_mb(process, "VmRSS:")
}

fn memory_mb(process: u32, name: &str) -> Option<u64> {
    let text = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = text.lines().find(|line| line.starts_with(name))?;
    let kib: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kib * 1_024 / BYTES_PER_MB)
}

/// Lets this process and its children open as many files as the operating system allows: each connection
/// is one.
pub fn open_many_files() {
    let limit = getrlimit(Resource::Nofile);
    // When it is refused, connections fail, and that is told then.
    let _ = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit });
}

/// The processor time that was used in a while, in user mode and in the kernel.
#[derive(Debug, Clone, Copy, Default)]
pub struct Cpu {
    /// By the server, where it is known which process that is.
    pub server: Option<Duration>,
    /// By this process.
    pub generator: Option<Duration>,
}

/// Reads the processor time of a while.
pub struct Meter {
    server: Option<u32>,
    before: Cpu,
}

impl Meter {
    /// The while begins.
    pub fn start(server: Option<u32>) -> Self {
        let before = used(server);
        Self { server, before }
    }

    /// The while has ended.
    pub fn read(&self) -> Cpu {
        let (now, before) = (used(self.server), self.before);
        let between = |now: Option<Duration>, before: Option<Duration>| now?.checked_sub(before?);
        Cpu {
            server: between(now.server, before.server),
            generator: between(now.generator, before.generator),
        }
    }
}

fn used(server: Option<u32>) -> Cpu {
    let read = |process: &str| cpu_time(&fs::read_to_string(format!("/proc/{process}/stat")).ok()?);
    Cpu { server: server.and_then(|process| read(&process.to_string())), generator: read("self") }
}

/// The user and kernel time in a `stat` file of proc(5).
fn cpu_time(stat: &str) -> Option<Duration> {
    // The name of the program comes second, in brackets, and may hold anything.
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace();
    let user: u64 = fields.nth(11)?.parse().ok()?;
    let kernel: u64 = fields.next()?.parse().ok()?;
    Some(Duration::from_micros((user + kernel) * 1_000_000 / rustix::param::clock_ticks_per_second()))
}

/// The size of all files in a directory.
pub fn directory_mb(path: &Path) -> u64 {
    bytes(path) / BYTES_PER_MB
}

fn bytes(path: &Path) -> u64 {
    let entries = fs::read_dir(path).into_iter().flatten().flatten();
    entries
        .map(|entry| match entry.metadata() {
            Ok(data) if data.is_dir() => bytes(&entry.path()),
            Ok(data) => data.len(),
            Err(_) => 0,
        })
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_of_a_process_is_read_behind_its_name() {
        let stat = "7 (a) b 9) S 1 2 3 4 5 6 7 8 9 10 200 100 0 0 20";
        let ticks = rustix::param::clock_ticks_per_second();
        assert_eq!(cpu_time(stat), Some(Duration::from_micros(300 * 1_000_000 / ticks)));
        assert_eq!(cpu_time("7 (a"), None);
    }
}
