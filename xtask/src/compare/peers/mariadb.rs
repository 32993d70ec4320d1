//! MariaDB taking the seats of one event: the counter and the ticket in one transaction, as durable as it
//! is out of the box. Measured by sysbench.

use std::{path::PathBuf, process::Command};

use anyhow::{Context, bail};
use engines::{
    mariadb, process,
    tools::{self, Package, Tools},
};

use crate::compare::{
    figure::Figure,
    group::{Peer, Place, Running},
    ours::{self, Ours},
};

/// What measures it, and the package of Debian that has it.
const LOAD: &[(&str, &str)] = &[("sysbench", "sysbench")];

const CLIENTS_8: Figure =
    Figure { id: "mariadb-8", title: "MariaDB, hot row in a transaction, 8 clients", unit: "commits" };
const CLIENTS_32: Figure =
    Figure { id: "mariadb-32", title: "MariaDB, hot row in a transaction, 32 clients", unit: "commits" };
const CALL_8: Figure = Figure {
    id: "mariadb-call-8",
    title: "MariaDB, hot row in a stored procedure, 8 clients",
    unit: "commits",
};
const CALL_32: Figure = Figure {
    id: "mariadb-call-32",
    title: "MariaDB, hot row in a stored procedure, 32 clients",
    unit: "commits",
};

const USER: &str = "compare";
const SCHEMA: &str = "
    CREATE DATABASE IF NOT EXISTS compare;
    CREATE USER IF NOT EXISTS compare@'127.0.0.1'; GRANT ALL ON compare.* TO compare@'127.0.0.1';
    USE compare;
    DROP TABLE IF EXISTS event, ticket; DROP PROCEDURE IF EXISTS take;
    CREATE TABLE event (id BIGINT PRIMARY KEY, seats_left BIGINT NOT NULL) ENGINE=InnoDB;
    CREATE TABLE ticket (
        id BIGINT AUTO_INCREMENT PRIMARY KEY,
        event_id BIGINT NOT NULL, buyer BIGINT NOT NULL, code UUID NOT NULL DEFAULT UUID()) ENGINE=InnoDB;
    INSERT INTO event VALUES (1, 1000000000);
    DELIMITER //
    CREATE PROCEDURE take(IN by_whom BIGINT) BEGIN
        START TRANSACTION;
        UPDATE event SET seats_left = seats_left - 1 WHERE id = 1 AND seats_left > 0;
        INSERT INTO ticket (event_id, buyer) VALUES (1, by_whom);
        COMMIT;
    END//";
/// Prepared statements, so that it need not parse.
const TRANSACTION: &str = r#"
function thread_init()
    connection = sysbench.sql.driver():connect()
    begin = connection:prepare("BEGIN")
    take = connection:prepare("UPDATE event SET seats_left = seats_left - 1 WHERE id = 1 AND seats_left > 0")
    issue = connection:prepare("INSERT INTO ticket (event_id, buyer) VALUES (1, " .. sysbench.tid .. ")")
    commit = connection:prepare("COMMIT")
end

function event()
    begin:execute()
    take:execute()
    issue:execute()
    commit:execute()
end
"#;
/// The whole transaction in one round trip, which an application seldom does.
const CALL: &str = r#"
function thread_init()
    connection = sysbench.sql.driver():connect()
end

function event()
    connection:query("CALL take(" .. sysbench.tid .. ")")
end
"#;

pub struct MariaDb;

struct Database {
    server: mariadb::MariaDb,
    directory: PathBuf,
}

impl Peer for MariaDb {
    fn name(&self) -> &'static str {
        "mariadb"
    }

    fn figures(&self) -> &'static [Figure] {
        &[CLIENTS_8, CLIENTS_32, CALL_8, CALL_32]
    }

    fn beside(&self) -> &'static [Ours] {
        &[ours::BOOKINGS, ours::FLEET_MARIADB]
    }

    fn missing(&self, _: &Tools) -> Vec<Package> {
        tools::missing(&[mariadb::PROGRAMS, LOAD].concat())
    }

    fn start(&self, place: &Place) -> anyhow::Result<Box<dyn Running>> {
        let directory = place.fresh_directory(self.name())?;
        let server = mariadb::MariaDb::start(&directory, &[])?;
        Ok(Box::new(Database { server, directory }))
    }
}

impl Running for Database {
    fn version(&self) -> anyhow::Result<String> {
        tools::version("MariaDB", &tools::need("mariadbd", "mariadb-server")?)
    }

    fn measure(&mut self, figure: Figure, seconds: u64) -> anyhow::Result<f64> {
        let (script, clients) = match figure {
            CLIENTS_8 => (TRANSACTION, 8),
            CLIENTS_32 => (TRANSACTION, 32),
            CALL_8 => (CALL, 8),
            CALL_32 => (CALL, 32),
            other => bail!("{} is no figure of MariaDB", other.id),
        };
        self.server.run(SCHEMA)?;
        let file = self.directory.join("hot-row.lua");
        std::fs::write(&file, script)?;
        let mut sysbench = Command::new(tools::need("sysbench", "sysbench")?);
        sysbench.arg(&file).args(["--db-driver=mysql", "--mysql-host=127.0.0.1", "--mysql-db=compare"]);
        sysbench.args([format!("--mysql-port={}", self.server.port), format!("--mysql-user={USER}")]);
        sysbench.args([format!("--threads={clients}"), format!("--time={seconds}")]).arg("run");
        rate(&process::output(&mut sysbench)?)
    }
}

/// Reads what sysbench prints.
fn rate(printed: &str) -> anyhow::Result<f64> {
    let line = printed.lines().find(|line| line.trim_start().starts_with("transactions:"));
    let rate = line.and_then(|line| line.split_once('(')).and_then(|(_, rest)| rest.split_once(" per sec."));
    let (number, _) = rate.context("sysbench prints no rate")?;
    Ok(number.trim().parse()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rate_is_in_what_sysbench_prints() {
        let printed = "SQL statistics:\n    queries performed:\n        total:   132360\n    \
                       transactions:                        33090  (6615.72 per sec.)\n    \
                       queries:                             132360 (26462.88 per sec.)\n";
        assert_eq!(rate(printed).unwrap(), 6_615.72);
        assert!(rate("FATAL: unable to connect").is_err());
    }
}
