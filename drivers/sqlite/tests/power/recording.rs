//! What `strace -f -y -xx` wrote, read as what happened to the files of one directory.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

/// One thing that happened. A write may be on the disk from its beginning on, and is covered only by a sync that began
/// when it was over.
#[derive(Debug, Clone)]
pub enum Event {
    Create(String),
    Write {
        file: String,
        offset: usize,
        bytes: Vec<u8>,
        over: usize,
    },
    Truncate {
        file: String,
        length: usize,
        over: usize,
    },
    Unlink(String),
    /// Of a file; of the directory itself with the empty name.
    Sync {
        file: String,
        begun: usize,
    },
    /// So many commits were answered by now.
    Answer(usize),
}

/// What happened, in order.
pub struct Recording {
    pub events: Vec<Event>,
    /// The files that each thread wrote to, and how often.
    writes: BTreeMap<String, BTreeMap<String, usize>>,
}

/// A call: what was asked, on which lines it began and was over.
struct Call {
    thread: String,
    text: String,
    begun: usize,
    over: usize,
}

impl Recording {
    pub fn read(log: &str, directory: &Path) -> Self {
        let mut events: Vec<(usize, Event)> = Vec::new();
        let mut writes: BTreeMap<String, BTreeMap<String, usize>> = BTreeMap::new();
        for call in calls(log) {
            let Some((line, event)) = event(&call, directory) else { continue };
            if let Event::Write { file, .. } = &event {
                *writes.entry(call.thread).or_default().entry(file.clone()).or_default() += 1;
            }
            events.push((line, event));
        }
        events.sort_by_key(|(line, _)| *line);
        Self { events: events.into_iter().map(|(_, event)| event).collect(), writes }
    }

    /// How often threads wrote to a database that write to nothing else: those that only copy.
    pub fn writes_of_copiers(&self) -> usize {
        let copiers = self.writes.values().filter(|files| files.keys().all(|file| file.ends_with(".db")));
        copiers.flat_map(BTreeMap::values).sum()
    }
}

/// Puts calls together that were interrupted by another thread's.
fn calls(log: &str) -> Vec<Call> {
    let mut open: BTreeMap<&str, (String, usize)> = BTreeMap::new();
    let mut found = Vec::new();
    for (line, text) in log.lines().enumerate() {
        let Some((thread, text)) = text.split_once(' ') else { continue };
        let text = text.trim_start();
        if let Some(begin) = text.strip_suffix("<unfinished ...>") {
            open.insert(thread, (begin.trim_end().to_owned(), line));
        } else if text.starts_with("<... ") {
            let (Some((begin, begun)), Some((_, end))) = (open.remove(thread), text.split_once("resumed>"))
            else {
                panic!("a call goes on that never began: {text}");
            };
            found.push(Call { thread: thread.to_owned(), text: begin + end, begun, over: line });
        } else {
            found.push(Call { thread: thread.to_owned(), text: text.to_owned(), begun: line, over: line });
        }
    }
    assert!(open.values().all(|(text, _)| !text.starts_with("pwrite64")), "a write never ended");
    found
}

fn event(call: &Call, directory: &Path) -> Option<(usize, Event)> {
    let (name, rest) = call.text.split_once('(')?;
    if !matches!(
        name,
        "openat" | "pwrite64" | "write" | "ftruncate" | "fsync" | "fdatasync" | "unlink" | "rename"
    ) {
        return None;
    }
    let (arguments, result) = rest.rsplit_once(" = ")?;
    // A call that was interrupted ends in a column.
    let arguments = arguments.trim_end();
    let arguments = arguments.strip_suffix(')').unwrap_or(arguments);
    if result.starts_with('-') {
        return None;
    }
    // The file is what the descriptor stands for, between the first angle brackets.
    let descriptor = arguments.split_once('<').and_then(|(_, rest)| rest.split_once('>'));
    let here = descriptor.and_then(|(path, _)| within(path, directory));
    let parts: Vec<&str> = arguments.split(", ").collect();
    let number = |at: usize| parts[at].parse::<usize>().unwrap();
    let (begun, over) = (call.begun, call.over);
    Some(match name {
        "write" => {
            let said = String::from_utf8(unquoted(parts.get(1)?)).ok()?;
            let count = said.lines().find_map(|line| line.strip_prefix("answered "))?;
            (begun, Event::Answer(count.trim().parse().unwrap()))
        }
        "openat" => {
            let is_made = arguments.contains("O_CREAT");
            let path = PathBuf::from(String::from_utf8(unquoted(parts[1])).ok()?);
            let file = path.strip_prefix(directory).ok()?.display().to_string();
            is_made.then_some((over, Event::Create(file)))?
        }
        "pwrite64" => {
            let bytes = unquoted(parts[1]);
            let written = result.trim().parse::<usize>().unwrap();
            assert_eq!(bytes.len(), written, "a write was cut short");
            (begun, Event::Write { file: here?, offset: number(3), bytes, over })
        }
        "ftruncate" => (begun, Event::Truncate { file: here?, length: number(1), over }),
        "fsync" | "fdatasync" => (over, Event::Sync { file: here?, begun }),
        "unlink" => {
            let path = PathBuf::from(String::from_utf8(unquoted(parts[0])).ok()?);
            (begun, Event::Unlink(path.strip_prefix(directory).ok()?.display().to_string()))
        }
        other => {
            assert!(!arguments.contains("suite"), "{other} is not known here");
            return None;
        }
    })
}

/// The name within the directory; empty for the directory itself.
fn within(path: &str, directory: &Path) -> Option<String> {
    let path = PathBuf::from(String::from_utf8(unescaped(path)).ok()?);
    Some(path.strip_prefix(directory).ok()?.display().to_string())
}

fn unquoted(text: &str) -> Vec<u8> {
    assert!(!text.ends_with("..."), "the recording is cut short");
    unescaped(text.trim_matches('"'))
}

/// Every byte is written as `\x` and two digits.
fn unescaped(text: &str) -> Vec<u8> {
    let bytes = text.split("\\x").skip(1);
    bytes.map(|digits| u8::from_str_radix(digits, 16).unwrap()).collect()
}
