//! What a disk is worth: it is opened, and what it has is held against what was answered.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use rusqlite::Connection;

use super::{disk::Files, writer::Way};

/// The result.
pub enum Verdict {
    Good,
    Bad(String),
}

/// Every answered commit must be there, and no commit by halves.
pub fn judge(files: &Files, answered: usize, way: Way) -> Verdict {
    let directory = tempfile::tempdir().unwrap();
    for (name, bytes) in files {
        std::fs::write(directory.path().join(name), bytes).unwrap();
    }
    match look(&directory.path().join("suite.db")) {
        Err(error) => Verdict::Bad(format!("it does not open: {error}")),
        Ok(Found { integrity, .. }) if integrity != "ok" => Verdict::Bad(integrity),
        Ok(found) => found.held_against(answered, way),
    }
}

struct Found {
    integrity: String,
    a: BTreeSet<usize>,
    b: BTreeSet<usize>,
    /// How many rows each large commit has beside its two.
    beside: BTreeMap<usize, usize>,
    facts: usize,
}

fn look(path: &Path) -> rusqlite::Result<Found> {
    let connection = Connection::open(path)?;
    // What is looked at is thrown away.
    connection.pragma_update(None, "synchronous", "off")?;
    let integrity = connection.query_row("PRAGMA integrity_check", [], |row| row.get(0))?;
    let has = |table: &str| {
        connection.query_row::<i64, _, _>(
            "SELECT count(*) FROM sqlite_schema WHERE name = ?1",
            [table],
            |row| row.get(0),
        )
    };
    let mut found =
        Found { integrity, a: BTreeSet::new(), b: BTreeSet::new(), beside: BTreeMap::new(), facts: 0 };
    // A cut during the very first start leaves an empty file.
    if has("note")? == 0 {
        return Ok(found);
    }
    let mut statement = connection.prepare("SELECT id FROM note")?;
    for id in statement.query_map([], |row| row.get::<_, String>(0))? {
        let id = id?;
        let (half, number) = id.split_at(1);
        match (half, number.split_once('-')) {
            ("a", _) => drop(found.a.insert(number.parse().unwrap())),
            ("b", _) => drop(found.b.insert(number.parse().unwrap())),
            (_, of_row) => *found.beside.entry(of_row.unwrap().0.parse().unwrap()).or_default() += 1,
        }
    }
    found.facts = connection
        .query_row("SELECT count(*) FROM outbox_ticket_event", [], |row| row.get::<_, i64>(0))?
        as usize;
    Ok(found)
}

impl Found {
    fn held_against(&self, answered: usize, way: Way) -> Verdict {
        if let Some(lost) = (1..=answered).find(|number| !self.a.contains(number) || !self.b.contains(number))
        {
            return Verdict::Bad(format!("commit {lost} is lost"));
        }
        if self.a != self.b {
            return Verdict::Bad("a commit is there by halves".to_owned());
        }
        let beside = self.a.iter().map(|number| (*number, way.rows_beside(*number)));
        let beside: BTreeMap<usize, usize> = beside.filter(|(_, rows)| *rows > 0).collect();
        if self.beside != beside {
            return Verdict::Bad("a large commit is there in part".to_owned());
        }
        // One after the other: none without those before it.
        if self.a.last().is_some_and(|last| *last != self.a.len()) {
            return Verdict::Bad("a commit is missing in between".to_owned());
        }
        // A plain writer publishes nothing.
        if self.facts != 0 && self.facts != self.a.len() {
            return Verdict::Bad(format!("{} facts of {} commits", self.facts, self.a.len()));
        }
        Verdict::Good
    }
}
