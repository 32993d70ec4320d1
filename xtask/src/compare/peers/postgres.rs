//! PostgreSQL taking the seats of one event: the counter and the ticket in one transaction, as durable as
//! it is out of the box. Measured by its own pgbench.

use std::path::PathBuf;

use anyhow::{Context, bail};
use engines::{
    postgres, process,
    tools::{self, Package, Tools},
};

use crate::compare::{
    figure::Figure,
    group::{Peer, Place, Running},
    ours::{self, Ours},
};

/// What measures it, and the package of Debian that has it.
const LOAD: &[(&str, &str)] = &[("pgbench", "postgresql-contrib")];

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

struct Database {
    server: postgres::Postgres,
    directory: PathBuf,
}

impl Peer for Postgres {
    fn name(&self) -> &'static str {
        "postgres"
    }

    fn figures(&self) -> &'static [Figure] {
        &[TRANSACTION_8, TRANSACTION_32, STATEMENT_8, STATEMENT_32]
    }

    fn beside(&self) -> &'static [Ours] {
        &[ours::BOOKINGS, ours::FLEET_POSTGRES, ours::FLEET_POSTGRES_3]
    }

    fn missing(&self, _: &Tools) -> Vec<Package> {
        tools::missing(&[postgres::PROGRAMS, LOAD].concat())
    }

    fn start(&self, place: &Place) -> anyhow::Result<Box<dyn Running>> {
        let directory = place.fresh_directory(self.name())?;
        let server = postgres::Postgres::start(&directory, &[])?;
        Ok(Box::new(Database { server, directory }))
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
        self.server.run(SCHEMA)?;
        let file = self.directory.join("hot-row.sql");
        std::fs::write(&file, script)?;
        let mut pgbench = postgres::client("pgbench", self.server.port)?;
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
