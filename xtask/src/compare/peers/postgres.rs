//! PostgreSQL taking the seats of one event: the counter and the ticket in one transaction, as durable as
//! it is out of the box. Measured by its own pgbench.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, bail};
use rustix::process::Signal;

use crate::compare::{
    figure::Figure,
    group::{Peer, Place, Running},
    ours::{self, Ours},
    process::{self, Server, Unprivileged},
    tools::{self, Package, Tools},
};

/// The account that Debian's package makes for it.
const ACCOUNT: &str = "postgres";
/// The database's superuser; it is reached over loopback only, and lives as long as the comparison.
const USER: &str = "compare";
/// The programs, and the packages of Debian that have them.
pub const PROGRAMS: &[(&str, &str)] = &[
    ("initdb", "postgresql"),
    ("postgres", "postgresql"),
    ("psql", "postgresql-client"),
    ("pgbench", "postgresql-contrib"),
];

const TRANSACTION_8: Figure =
    Figure { id: "postgres-8", title: "PostgreSQL, hot row in a transaction, 8 clients", unit: "commits" };
const TRANSACTION_32: Figure =
    Figure { id: "postgres-32", title: "PostgreSQL, hot row in a transaction, 32 clients", unit: "commits" };
const STATEMENT_8: Figure = Figure {
    id: "postgres-statement-8",
    title: "PostgreSQL, hot row as one statement, 8 clients",
    unit: "commits",
};
const STATEMENT_32: Figure = Figure {
    id: "postgres-statement-32",
    title: "PostgreSQL, hot row as one statement, 32 clients",
    unit: "commits",
};

const SCHEMA: &str = "
    DROP TABLE IF EXISTS event, ticket;
    CREATE TABLE event (id bigint PRIMARY KEY, seats_left bigint NOT NULL);
    CREATE TABLE ticket (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        event_id bigint NOT NULL, buyer bigint NOT NULL, code uuid NOT NULL DEFAULT gen_random_uuid());
    INSERT INTO event VALUES (1, 1000000000);";
const TRANSACTION: &str = "
    BEGIN;
    UPDATE event SET seats_left = seats_left - 1 WHERE id = 1 AND seats_left > 0;
    INSERT INTO ticket (event_id, buyer) VALUES (1, :client_id);
    COMMIT;";
const STATEMENT: &str = "
    WITH taken AS (
        UPDATE event SET seats_left = seats_left - 1 WHERE id = 1 AND seats_left > 0 RETURNING id)
    INSERT INTO ticket (event_id, buyer) SELECT id, :client_id FROM taken;";

pub struct Postgres;

/// A running server with a database of its own.
pub struct Database {
    /// Where it listens.
    pub port: u16,
    directory: PathBuf,
    _server: Server,
}

impl Database {
    /// Starts it on an empty directory.
    ///
    /// # Errors
    /// When it does not start.
    pub fn start(directory: &Path) -> anyhow::Result<Self> {
        let account = Unprivileged::named(ACCOUNT)?;
        let own = directory.join("postgres");
        account.directory(&own)?;
        let data = own.join("data");
        let mut initdb = account.command(tools::need("initdb", "postgresql")?);
        initdb.current_dir(&own).arg("--pgdata").arg(&data);
        initdb.args(["--username", USER, "--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8"]);
        process::output(&mut initdb)?;

        let port = process::free_port()?;
        let mut command = account.command(tools::need("postgres", "postgresql")?);
        command.current_dir(&own).arg("-D").arg(&data);
        command.args(["-h", "127.0.0.1", "-k", "", "-p", &port.to_string()]);
        // INT is its fast shutdown: it does not wait for clients.
        let mut server = Server::start("postgres", directory, Signal::INT, &mut command)?;
        let answers = |mut psql: Command| process::output(psql.args(["--command", "SELECT 1"]));
        server.wait_until(|_| client("psql", port).and_then(answers).is_ok())?;
        Ok(Self { port, directory: directory.to_owned(), _server: server })
    }

    /// The superuser.
    pub fn user(&self) -> &'static str {
        USER
    }

    /// Runs statements.
    pub fn run(&self, sql: &str) -> anyhow::Result<String> {
        let mut psql = client("psql", self.port)?;
        process::output(psql.args(["--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", "--command", sql]))
    }
}

fn client(program: &str, port: u16) -> anyhow::Result<Command> {
    let mut command = Command::new(tools::need(program, "postgresql-client")?);
    command.args(["-h", "127.0.0.1", "-p", &port.to_string(), "-U", USER]).env("PGDATABASE", "postgres");
    Ok(command)
}

impl Peer for Postgres {
    fn name(&self) -> &'static str {
        "postgres"
    }

    fn figures(&self) -> &'static [Figure] {
        &[TRANSACTION_8, TRANSACTION_32, STATEMENT_8, STATEMENT_32]
    }

    fn beside(&self) -> &'static [Ours] {
        &[ours::BOOKINGS]
    }

    fn missing(&self, _: &Tools) -> Vec<Package> {
        tools::missing(PROGRAMS)
    }

    fn start(&self, place: &Place) -> anyhow::Result<Box<dyn Running>> {
        Ok(Box::new(Database::start(&place.fresh_directory(self.name())?)?))
    }
}

impl Running for Database {
    fn version(&self) -> anyhow::Result<String> {
        tools::version("PostgreSQL", &tools::need("postgres", "postgresql")?)
    }

    fn measure(&mut self, figure: Figure, seconds: u64) -> anyhow::Result<f64> {
        let (script, clients) = match figure {
            TRANSACTION_8 => (TRANSACTION, "8"),
            TRANSACTION_32 => (TRANSACTION, "32"),
            STATEMENT_8 => (STATEMENT, "8"),
            STATEMENT_32 => (STATEMENT, "32"),
            other => bail!("{} is no figure of PostgreSQL", other.id),
        };
        self.run(SCHEMA)?;
        let file = self.directory.join("hot-row.sql");
        std::fs::write(&file, script)?;
        let mut pgbench = client("pgbench", self.port)?;
        pgbench.args(["--no-vacuum", "--protocol=prepared", "--jobs=2", "--client", clients]);
        pgbench.args(["--time", &seconds.to_string()]).arg("--file").arg(&file);
        rate(&process::output(&mut pgbench)?)
    }
}

/// Reads what pgbench prints.
fn rate(printed: &str) -> anyhow::Result<f64> {
    let line = printed.lines().find_map(|line| line.strip_prefix("tps = "));
    let number = line.and_then(|line| line.split_whitespace().next()).context("pgbench prints no rate")?;
    Ok(number.parse()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rate_is_in_what_pgbench_prints() {
        let printed = "number of transactions actually processed: 13012\nnumber of failed transactions: 0 (0.000%)\n\
                       latency average = 3.073 ms\ninitial connection time = 9.1 ms\n\
                       tps = 2603.126519 (without initial connection time)\n";
        assert_eq!(rate(printed).unwrap(), 2_603.126_519);
        assert!(rate("pgbench: error: no such file").is_err());
    }
}
