//! `grpc-gateway`: REST to gRPC, by the `google.api.http` rules of a contract. The contract is a `.proto` with its
//! imports, a descriptor set, or, where none is named, what the upstream says of itself by reflection.
//!
//! JSON has the names of the contract and numbers for 64-bit integers, as Kong has it; requests may use
//! lowerCamelCase names and strings as well.

use std::{
    path::Path,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use kong::Field;
use serde::Deserialize;
use serde_json::Value;
use tokio::time::Instant;

use crate::{
    balancer::Way,
    plugin::{BadConfig, Definition, Exchange, Flow, Plugin, Resources, answer, read},
    protos,
    transcode::Transcoder,
};

/// See the module.
pub const DEFINITION: Definition = Definition {
    name: "grpc-gateway",
    priority: 998,
    about: "Serves REST, and calls the service by gRPC.",
    fields,
    make,
};

/// How long what an upstream said of itself is good; then it is asked again, by one request.
const GOOD_FOR: Duration = Duration::from_secs(60);
/// An upstream that could not be asked is not asked again sooner.
const ASK_AGAIN: Duration = Duration::from_secs(1);

fn fields() -> Vec<Field> {
    vec![Field::text(
        "proto",
        "the file of the contract: source (.proto) or a descriptor set (.pb, .binpb, .desc, .protoset); without it \
         the upstream is asked by reflection",
    )]
}

#[derive(Debug, Deserialize)]
struct Config {
    proto: Option<String>,
}

enum GrpcGateway {
    Read(Arc<Transcoder>),
    Reflected(Mutex<Reflected>),
}

#[derive(Default)]
struct Reflected {
    known: Option<Arc<Transcoder>>,
    ask_at: Option<Instant>,
}

fn make(config: &Value, _: &Resources) -> Result<Arc<dyn Plugin>, BadConfig> {
    let config: Config = read(config)?;
    let Some(path) = config.proto else {
        return Ok(Arc::new(GrpcGateway::Reflected(Mutex::default())));
    };
    let wrong = |why: String| BadConfig::new("proto", why);
    let pool = protos::read(Path::new(&path)).map_err(wrong)?;
    let transcoder = Transcoder::of(&pool).map_err(|error| wrong(error.to_string()))?;
    Ok(Arc::new(GrpcGateway::Read(Arc::new(transcoder))))
}

#[async_trait]
impl Plugin for GrpcGateway {
    async fn access(&self, exchange: &mut Exchange) -> Flow {
        let transcoder = match self {
            Self::Read(transcoder) => Some(Arc::clone(transcoder)),
            Self::Reflected(reflected) => by_reflection(reflected, exchange.way.clone()).await,
        };
        match transcoder {
            Some(transcoder) => {
                exchange.transcoder = Some(transcoder);
                Flow::Continue
            }
            None => Flow::Answer(answer(
                http::StatusCode::SERVICE_UNAVAILABLE,
                "the service does not say by reflection what it can do; see the gateway's log",
            )),
        }
    }
}

async fn by_reflection(reflected: &Mutex<Reflected>, way: Option<Arc<Way>>) -> Option<Arc<Transcoder>> {
    let locked = || reflected.lock().unwrap_or_else(PoisonError::into_inner);
    {
        let mut state = locked();
        let now = Instant::now();
        if state.ask_at.is_some_and(|at| now < at) {
            return state.known.clone();
        }
        // Others go by what is known meanwhile.
        state.ask_at = Some(now + if state.known.is_some() { GOOD_FOR } else { ASK_AGAIN });
    }
    let asked = protos::reflected(&*way?)
        .await
        .and_then(|pool| Transcoder::of(&pool).map_err(|error| error.to_string()));
    let mut state = locked();
    match asked {
        Ok(transcoder) => {
            state.known = Some(Arc::new(transcoder));
            state.ask_at = Some(Instant::now() + GOOD_FOR);
        }
        Err(why) => tracing::warn!(why, "an upstream cannot be asked for its contract"),
    }
    state.known.clone()
}
