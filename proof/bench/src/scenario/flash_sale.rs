//! One hot event, and everybody wants a ticket of it.

use serde_json::{Map, Value, json};

use super::{Outcome, Scenario, login::Login};
use crate::{
    http::Connection,
    load::{self, Pace, Plan, Tally},
    report::{ms, per_second},
    sale::{self, Sale},
    target::Target,
};

/// The options of the scenario.
#[derive(Debug, Clone, clap::Args)]
pub struct Options {
    #[command(flatten)]
    sale: sale::Options,
    /// How many connections sign in in a loop meanwhile
    #[arg(long, default_value_t = 0, value_parser = clap::value_parser!(u32).range(0..=1_000))]
    logins: u32,
}

/// How many accounts the logins beside the sale use.
const LOGIN_ACCOUNTS: u32 = 16;

/// The scenario `flash-sale`.
pub struct FlashSale {
    sale: Sale,
    logins: Option<Logins>,
}

/// Logins beside the sale.
struct Logins {
    connections: u32,
    login: Login,
    tally: Option<Tally>,
}

impl Scenario for FlashSale {
    type Options = Options;

    const NAME: &str = "flash-sale";
    const KINDS: &[&str] = sale::KINDS;

    async fn set_up(target: &Target, options: &Options) -> anyhow::Result<Self> {
        let sale = Sale::open(target, &options.sale, 0).await?;
        let logins = match options.logins {
            0 => None,
            connections => {
                let login = Login::with(target, LOGIN_ACCOUNTS).await?;
                Some(Logins { connections, login, tally: None })
            }
        };
        Ok(Self { sale, logins })
    }

    async fn attempt(&self, number: u64, connection: &mut Connection) -> anyhow::Result<Outcome> {
        self.sale.book(number, connection).await
    }

    async fn run(&mut self, target: &Target, plan: &Plan) -> anyhow::Result<Tally> {
        let Some(mut logins) = self.logins.take() else { return load::drive(self, target, plan).await };
        let connections = logins.connections;
        let beside = Plan { connections, pace: Pace::Closed, attempts: u64::MAX, ..*plan };
        let both =
            tokio::try_join!(load::drive(&*self, target, plan), load::drive(&logins.login, target, &beside));
        let (tally, beside) = both?;
        logins.tally = Some(beside);
        self.logins = Some(logins);
        Ok(tally)
    }

    fn problems(&self, tally: &Tally) -> Vec<String> {
        let logins = self.logins.iter().filter_map(|logins| logins.tally.as_ref());
        let problems = logins.flat_map(Tally::problems).map(|problem| format!("logins: {problem}"));
        tally.problems().into_iter().chain(problems).collect()
    }

    async fn check(&mut self, target: &Target, tally: &Tally) -> anyhow::Result<Vec<String>> {
        self.sale.check(target, tally.unknown() + tally.undecided).await
    }

    fn configuration(&self) -> Map<String, Value> {
        let mut configuration = self.sale.configuration();
        let logins = self.logins.as_ref().map_or(0, |logins| logins.connections);
        configuration.insert("logins".to_owned(), json!(logins));
        configuration
    }

    fn details(&self) -> Map<String, Value> {
        let mut details = self.sale.details();
        if let Some(tally) = self.logins.as_ref().and_then(|logins| logins.tally.as_ref()) {
            details.insert("logins".to_owned(), beside(tally));
        }
        details
    }
}

/// The figures of the logins beside the sale.
fn beside(tally: &Tally) -> Value {
    let latency = &tally.done[0].latency;
    json!({
        "count": latency.len(),
        "per_s": per_second(latency.len(), tally.took.as_secs_f64()),
        "p50_ms": ms(latency.value_at_quantile(0.5)),
        "p99_ms": ms(latency.value_at_quantile(0.99)),
        "busy": tally.busy.len(),
        "errors": tally.errors(),
    })
}
