//! The REST surface in process, and a client of it.

use std::sync::{Arc, Once};

use anyhow::ensure;
use async_trait::async_trait;
use bytes::Bytes;
use futures_util::future::join_all;
use gateway::{Gateway, Options, Part, Readiness, Upstreams};
use http::{HeaderMap, HeaderValue, Request, StatusCode, header};
use http_body_util::{BodyExt, Full};
use kit::{
    Environment, Guard, Transport,
    identity::{Role, Signer},
};
use tokio::runtime::{Builder, Runtime};
use tower::Service;
use uuid::Uuid;

use super::{BUYER, NOW};

/// The gateway with the ticket service behind it, and what a buyer sends.
pub struct Rest {
    runtime: Runtime,
    gateway: Gateway,
    headers: HeaderMap,
    body: Bytes,
}

/// One thread for everything, and a clock that stands: it moves on only when there is nothing to do.
pub fn single_thread() -> anyhow::Result<Runtime> {
    Ok(Builder::new_current_thread().enable_time().start_paused(true).build()?)
}

impl Rest {
    /// On a runtime of its own.
    pub fn new(
        tickets: Transport,
        guard: Guard,
        signer: &Signer,
        environment: Environment,
    ) -> anyhow::Result<Self> {
        Self::on(single_thread()?, tickets, guard, signer, environment)
    }

    /// On the runtime that the service is on.
    pub fn on(
        runtime: Runtime,
        tickets: Transport,
        guard: Guard,
        signer: &Signer,
        environment: Environment,
    ) -> anyhow::Result<Self> {
        log_to_nowhere();
        let token = signer.sign(BUYER, &[Role::User], Uuid::from_u128(1), NOW)?;
        let body = Bytes::from(super::wish());
        let mut headers = HeaderMap::new();
        headers.insert(header::HOST, HeaderValue::from_static("127.0.0.1:8000"));
        headers.insert(header::AUTHORIZATION, HeaderValue::try_from(format!("Bearer {token}"))?);
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(header::CONTENT_LENGTH, HeaderValue::from(body.len()));
        headers.insert("prefer", HeaderValue::from_static("wait=10"));
        let upstreams = Upstreams::from([("boxoffice.v1.TicketService".to_owned(), tickets)]);
        let (readiness, options) = (Arc::new(Always), Options::default());
        let no_more = Arc::new(String::new);
        let gateway = Gateway::new(upstreams, guard, environment, readiness, options, no_more)?;
        Ok(Self { runtime, gateway, headers, body })
    }

    /// Books so many times at once; an error when one is not booked.
    pub fn book(&mut self, times: u64) -> anyhow::Result<()> {
        let Self { runtime, gateway, headers, body } = self;
        runtime.block_on(async {
            let requests = (0..times).map(|_| book(gateway.clone(), headers.clone(), body.clone()));
            join_all(requests).await.into_iter().collect()
        })
    }
}

async fn book(mut gateway: Gateway, headers: HeaderMap, body: Bytes) -> anyhow::Result<()> {
    let mut request = Request::post("/v1/bookings").body(Full::new(body))?;
    *request.headers_mut() = headers;
    let (head, body) = gateway.call(request).await?.into_parts();
    let body = body.collect().await?.to_bytes();
    let is_booked = body.windows(BOOKED.len()).any(|text| text == BOOKED);
    ensure!(head.status == StatusCode::CREATED && is_booked, "not booked: {} {body:?}", head.status);
    Ok(())
}

const BOOKED: &[u8] = br#""status":"BOOKED""#;

/// Spans cost what they cost in the program, which logs at this level too.
fn log_to_nowhere() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let lines = tracing_subscriber::fmt().with_max_level(tracing_subscriber::filter::LevelFilter::INFO);
        lines.with_writer(std::io::sink).init();
    });
}

struct Always;

#[async_trait]
impl Readiness for Always {
    async fn parts(&self) -> Vec<Part> {
        Vec::new()
    }
}
