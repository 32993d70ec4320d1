//! A gRPC server of a contract that the gateway has never seen, by its descriptors; it also answers reflection.

use std::{
    path::Path,
    sync::{Arc, LazyLock, Mutex},
};

use axum::body::Body;
use bytes::{BufMut, Bytes, BytesMut};
use futures_util::stream;
use gateway::builtin;
use http::{HeaderMap, HeaderValue, Request, Response};
use http_body::Frame;
use http_body_util::{BodyExt, StreamBody};
use hyper::body::Incoming;
use kong::Kind;
use prost::Message;
use prost_reflect::{DescriptorPool, DynamicMessage, SerializeOptions};
use protox::{
    Compiler,
    file::{ChainFileResolver, GoogleFileResolver, IncludeFileResolver},
};
use serde_json::{Value, json};
use tonic::Status;

use crate::fixture::{Answer, Backend, Front};

pub const PROTO: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/proxy/protos/library/library.proto");

fn files() -> Vec<u8> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut chain = ChainFileResolver::new();
    chain.add(IncludeFileResolver::new(root.join("tests/proxy/protos")));
    chain.add(IncludeFileResolver::new(root.join("../../core/proto/proto")));
    chain.add(GoogleFileResolver::new());
    let mut compiler = Compiler::with_file_resolver(chain);
    compiler.include_imports(true).open_file("library/library.proto").unwrap();
    compiler.encode_file_descriptor_set()
}

static POOL: LazyLock<DescriptorPool> = LazyLock::new(|| DescriptorPool::decode(files().as_slice()).unwrap());

/// What an rpc is asked, and what it answers.
#[derive(Debug, Clone)]
pub struct Asked {
    pub rpc: String,
    pub message: Value,
    pub headers: HeaderMap,
}

pub type Replies = Result<Vec<Value>, Status>;

/// A server that answers as a test says.
pub struct Library {
    pub backend: Backend,
    pub asked: Arc<Mutex<Vec<Asked>>>,
}

impl Library {
    pub async fn start(reply: impl Fn(&Asked) -> Replies + Clone + Send + Sync + 'static) -> Self {
        let asked = Arc::new(Mutex::new(Vec::new()));
        let noted = Arc::clone(&asked);
        let backend = Backend::start(move |request| answer(request, reply.clone(), Arc::clone(&noted))).await;
        Self { backend, asked }
    }

    /// One that says the title and takes everything.
    pub async fn of_one_book() -> Self {
        Self::start(|asked| {
            let book = json!({"title": "Dune", "copies": 3});
            Ok(vec![match asked.rpc.as_str() {
                "ReserveBook" | "Probe" => json!({}),
                "ListBooks" => json!({"books": [book], "next_page_token": "more"}),
                _ => book,
            }])
        })
        .await
    }

    pub fn last(&self) -> Asked {
        self.asked.lock().unwrap().last().cloned().expect("nothing was asked")
    }

    /// A gateway in front of it, by a file, or by reflection where none is given.
    pub async fn behind(&self, proto: Option<&str>) -> Front {
        let mut front = Front::start().await;
        let url = format!("grpc://{}", self.backend.address);
        let service = front.put(Kind::Services, json!({"url": url}));
        let route = front.put(Kind::Routes, json!({"service": {"id": service}, "paths": ["/v1"]}));
        front.put(
            Kind::Plugins,
            json!({"name": "grpc-gateway", "route": {"id": route}, "config": {"proto": proto}}),
        );
        assert_ne!(service, builtin::SERVICE);
        front
    }
}

fn answer(
    request: Request<Incoming>,
    reply: impl Fn(&Asked) -> Replies + Send + 'static,
    noted: Arc<Mutex<Vec<Asked>>>,
) -> Answer {
    Box::pin(async move {
        let (head, body) = request.into_parts();
        let body = body.collect().await.map(|body| body.to_bytes()).unwrap_or_default();
        let message = body.get(5..).unwrap_or_default().to_vec();
        let path = head.uri.path().to_owned();
        if path.starts_with("/grpc.reflection.") {
            return if path.contains("v1alpha") {
                framed(vec![reflection(&message)], &HeaderMap::new())
            } else {
                Status::unimplemented("only the older one").into_http()
            };
        }
        let name = path.rsplit('/').next().unwrap_or_default().to_owned();
        let service = POOL.get_service_by_name("library.Library").unwrap();
        let Some(rpc) = service.methods().find(|rpc| rpc.name() == name) else {
            return Status::unimplemented(path).into_http();
        };
        let message = DynamicMessage::decode(rpc.input(), message.as_slice()).unwrap();
        let options = SerializeOptions::new().use_proto_field_name(true).stringify_64_bit_integers(false);
        let json = message.serialize_with_options(serde_json::value::Serializer, &options).unwrap();
        let asked = Asked { rpc: name, message: json, headers: head.headers };
        noted.lock().unwrap().push(asked.clone());
        match reply(&asked) {
            Err(status) => status.into_http(),
            Ok(replies) => {
                let encode =
                    |reply| DynamicMessage::deserialize(rpc.output(), reply).unwrap().encode_to_vec();
                let mut headers = HeaderMap::new();
                headers.insert("x-shelf", HeaderValue::from_static("7"));
                framed(replies.into_iter().map(encode).collect(), &headers)
            }
        }
    })
}

fn framed(messages: Vec<Vec<u8>>, headers: &HeaderMap) -> Response<Body> {
    let data = messages.into_iter().map(|message| {
        let mut frame = BytesMut::new();
        frame.put_u8(0);
        frame.put_u32(u32::try_from(message.len()).unwrap());
        frame.put_slice(&message);
        Frame::data(frame.freeze())
    });
    let mut trailers = HeaderMap::new();
    trailers.insert("grpc-status", HeaderValue::from_static("0"));
    let frames: Vec<_> =
        data.chain([Frame::trailers(trailers)]).map(Ok::<Frame<Bytes>, std::convert::Infallible>).collect();
    let mut response = Response::new(Body::new(StreamBody::new(stream::iter(frames))));
    response.headers_mut().extend(headers.clone());
    response.headers_mut().insert("content-type", HeaderValue::from_static("application/grpc"));
    response
}

/// `grpc.reflection.v1alpha`, as far as it is asked.
fn reflection(message: &[u8]) -> Vec<u8> {
    let (field, about) = (message[0] >> 3, &message[2..]);
    let wrap = |number: u8, bytes: &[u8]| {
        let mut out = vec![number << 3 | 2];
        prost::encoding::encode_varint(bytes.len() as u64, &mut out);
        out.extend_from_slice(bytes);
        out
    };
    // Each file by itself: whoever asks must ask for the imports too.
    let found = |name: &[u8]| match POOL.get_file_by_name(std::str::from_utf8(name).unwrap()) {
        Some(file) => wrap(4, &wrap(1, &file.encode_to_vec())),
        None => wrap(7, &wrap(2, b"not there")),
    };
    match field {
        7 => wrap(6, &wrap(1, &wrap(1, b"library.Library"))),
        4 => found(b"library/library.proto"),
        _ => found(about),
    }
}
