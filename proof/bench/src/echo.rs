//! The server that the scenario `echo` measures: it reads JSON, and answers with the same.
//!
//! It stands on what the gateway stands on, axum on a runtime with a thread for each core, so that the
//! distance between the two is what the platform does.

use std::net::Ipv4Addr;

use anyhow::Context;
use axum::{Json, Router, routing::post, serve::ListenerExt};
use serde::{Deserialize, Serialize};
use tokio::net::TcpListener;

/// The line that says where it listens begins so.
pub const READY: &str = "echo is ready at ";

/// The body of a booking.
#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Order {
    event_id: String,
    lines: Vec<Line>,
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Line {
    ticket_type_id: String,
    quantity: u32,
}

/// Serves until the process is ended.
///
/// # Errors
/// When no port is free.
pub fn serve() -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.context("no port is free")?;
        println!("{READY}http://{}", listener.local_addr()?);
        let listener = listener.tap_io(|stream| drop(stream.set_nodelay(true)));
        let echo = |Json(order): Json<Order>| async { Json(order) };
        axum::serve(listener, Router::new().route("/echo", post(echo))).await?;
        Ok(())
    })
}
