//! Load on the echo: a fixed number of calls on their way over one connection.

use std::time::{Duration, Instant};

use futures_util::future::try_join_all;
use tonic::transport::Endpoint;

use crate::echo::{EchoMessage, echo_service_client::EchoServiceClient};

/// What is sent: as long as the identifiers that a booking's request carries.
const TEXT: &str = "0198c0de-0000-7000-8000-000000000000";

/// Calls as often as it goes, and prints how often that was. One thread, as with the other generator.
///
/// # Errors
/// When a call fails: the figure would be of something else.
#[tokio::main(flavor = "current_thread")]
pub async fn run(url: &str, streams: u32, time: Duration) -> anyhow::Result<()> {
    let channel = Endpoint::from_shared(url.to_owned())?.tcp_nodelay(true).connect().await?;
    let client = EchoServiceClient::new(channel);
    let start = Instant::now();
    let callers = (0..streams).map(|_| {
        let mut client = client.clone();
        async move {
            let mut calls = 0_u64;
            while start.elapsed() < time {
                client.echo(EchoMessage { text: TEXT.to_owned() }).await?;
                calls += 1;
            }
            anyhow::Ok(calls)
        }
    });
    let calls: u64 = try_join_all(callers).await?.into_iter().sum();
    let seconds = start.elapsed().as_secs_f64();
    println!(
        "{}",
        serde_json::json!({ "calls": calls, "seconds": seconds, "per_s": calls as f64 / seconds })
    );
    Ok(())
}
