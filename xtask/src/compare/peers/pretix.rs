//! pretix, the ticket shop that many run: orders of one hot event and its pages, over HTTP, on PostgreSQL
//! and Redis as its documentation says.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, bail};
use engines::{
    postgres::{self, Postgres},
    process::{self, Server},
    tools::{self, Package, Tools},
};
use rustix::process::Signal;
use serde::Deserialize;
use serde_json::json;

use super::redis::{self, Durability, Store};
use crate::compare::{
    figure::Figure,
    group::{self, Peer, Place, Running},
    listing,
    ours::{self, Ours},
};

const PACKAGE: Package = Package::Python { environment: "pretix", packages: &["pretix", "gunicorn"] };
/// One more than there are cores, so that a core is not idle while a worker waits for the database.
const WORKERS: &str = "3";
const SEED: &str = include_str!("pretix_seed.py");

const ORDERS: Figure =
    Figure { id: "pretix-orders", title: "pretix, orders of one hot event over REST", unit: "orders" };
const EVENT_LIST: Figure =
    Figure { id: "pretix-event-list", title: "pretix, event list over REST", unit: "pages" };
const EVENT_PAGE: Figure = Figure { id: "pretix-event-page", title: "pretix, event page", unit: "pages" };

const API: &str = "/api/v1/organizers/compare/events/";

pub struct Pretix;

/// What the seed prints.
#[derive(Deserialize)]
struct Seeded {
    item: u64,
    token: String,
}

struct Shop {
    place: Place,
    version: String,
    url: String,
    seeded: Seeded,
    // Dropped in this order: the shop before what it needs.
    _server: Server,
    _store: Store,
    _database: Postgres,
}

/// Runs pretix's programs with its configuration.
struct Environment<'a> {
    tools: &'a Tools,
    directory: PathBuf,
}

impl Environment<'_> {
    /// Writes the configuration.
    fn new<'a>(
        tools: &'a Tools,
        directory: &Path,
        database: &Postgres,
        store: &Store,
    ) -> anyhow::Result<Environment<'a>> {
        let own = directory.join("pretix");
        fs::create_dir_all(own.join("data"))?;
        let (data, redis) = (own.join("data"), format!("redis://127.0.0.1:{}", store.port));
        let text = format!(
            "[pretix]\ninstance_name=compare\nurl=http://127.0.0.1\ndatadir={}\n\
             [database]\nbackend=postgresql\nname=pretix\nuser={}\nhost=127.0.0.1\nport={}\n\
             [redis]\nlocation={redis}/0\nsessions=true\n\
             [celery]\nbackend={redis}/1\nbroker={redis}/2\n",
            data.display(),
            postgres::USER,
            database.port,
        );
        fs::write(own.join("pretix.cfg"), text)?;
        Ok(Environment { tools, directory: own })
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(self.tools.python("pretix", program));
        command.current_dir(&self.directory).env("HOME", &self.directory);
        command.env("PRETIX_CONFIG_FILE", self.directory.join("pretix.cfg"));
        command
    }
}

impl Peer for Pretix {
    fn name(&self) -> &'static str {
        super::HEAVY
    }

    fn figures(&self) -> &'static [Figure] {
        &[ORDERS, EVENT_LIST, EVENT_PAGE]
    }

    fn beside(&self) -> &'static [Ours] {
        &[ours::BOOKINGS, ours::EVENT_LIST]
    }

    fn missing(&self, tools: &Tools) -> Vec<Package> {
        let mut missing = tools::missing(postgres::PROGRAMS);
        missing.extend(tools::missing(redis::PROGRAMS));
        if !tools.python("pretix", "gunicorn").is_file() {
            missing.push(PACKAGE);
        }
        missing
    }

    fn start(&self, place: &Place) -> anyhow::Result<Box<dyn Running>> {
        let directory = place.fresh_directory(self.name())?;
        let database = Postgres::start(&directory, &[])?;
        database.run("CREATE DATABASE pretix")?;
        // It keeps sessions and queues there, not orders.
        let store = Store::start(&directory, Durability::Never)?;
        let environment = Environment::new(&place.tools, &directory, &database, &store)?;
        eprintln!("pretix: making its tables, which takes a minute or two");
        process::output(environment.command("python").args(["-m", "pretix", "migrate"]))?;
        let seed = environment.directory.join("seed.py");
        fs::write(&seed, SEED)?;
        let printed =
            process::output(environment.command("python").arg(seed).arg(listing::EVENTS.to_string()))?;
        let last = printed.lines().last().context("the seed of pretix prints nothing")?;
        let seeded = serde_json::from_str(last).context("the seed of pretix prints no JSON")?;
        let version = process::output(
            environment.command("python").args(["-c", "import pretix; print('pretix', pretix.__version__)"]),
        )?;

        let port = process::free_port()?;
        let mut command = environment.command("gunicorn");
        command.args(["pretix.wsgi", "--workers", WORKERS, "--bind", &format!("127.0.0.1:{port}")]);
        let mut server = Server::start("gunicorn", &directory, Signal::TERM, &mut command)?;
        server.wait_for_port(port)?;
        let (place, url) = (place.clone(), format!("http://127.0.0.1:{port}"));
        let version = version.trim().to_owned();
        Ok(Box::new(Shop {
            place,
            version,
            url,
            seeded,
            _server: server,
            _store: store,
            _database: database,
        }))
    }
}

impl Running for Shop {
    fn version(&self) -> anyhow::Result<String> {
        Ok(self.version.clone())
    }

    fn measure(&mut self, figure: Figure, seconds: u64) -> anyhow::Result<f64> {
        let token = format!("authorization: Token {}", self.seeded.token);
        let order = json!({
            "email": "buyer@example.org", "locale": "en", "sales_channel": "web",
            "positions": [{ "item": self.seeded.item }],
        });
        let (order, orders) = (order.to_string(), format!("{API}event0/orders/"));
        let arguments: Vec<&str> = match figure {
            ORDERS => {
                let head = ["--path", &orders, "--method", "POST", "--body", &order, "--expect", "201"];
                head.into_iter().chain(["--header", &token]).collect()
            }
            EVENT_LIST => vec!["--path", API, "--header", &token],
            EVENT_PAGE => vec!["--path", "/compare/event0/"],
            other => bail!("{} is no figure of pretix", other.id),
        };
        let connections = self.place.connections.to_string();
        let target = ["request", "--url", &self.url, "--connections", &connections];
        let report = self.place.bench(target.into_iter().chain(arguments), seconds)?;
        group::rate(&report, "/per_s")
    }
}
