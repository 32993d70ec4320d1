//! The call of a service. Messages pass as bytes: they were checked when they were written.

use std::time::Duration;

use bytes::{Buf, BufMut, Bytes};
use http::uri::PathAndQuery;
use kit::{Transport, transport::MAX_RESPONSE_BYTES};
use tonic::{
    Request, Response, Status, Streaming,
    client::Grpc,
    codec::{BufferSettings, Codec, DecodeBuf, Decoder, EncodeBuf, Encoder},
    metadata::MetadataMap,
};

use crate::{forward::Forwarded, problem::Problem};

/// Calls an rpc. When the deadline passes, the call is dropped.
pub(crate) async fn call(
    transport: Transport,
    rpc: PathAndQuery,
    message: Vec<u8>,
    forwarded: Forwarded,
    deadline: Duration,
) -> Result<Response<Bytes>, Problem> {
    let deadline = deadline + forwarded.wait;
    let metadata = MetadataMap::from_headers(forwarded.metadata);
    let mut request = Request::from_parts(metadata, tonic::Extensions::default(), message);
    // The service learns of the deadline; a local one has nobody else to keep it.
    request.set_timeout(deadline);
    let mut client = Grpc::new(transport).max_decoding_message_size(MAX_RESPONSE_BYTES);
    let answer = async {
        client.ready().await.map_err(|error| Status::unavailable(error.to_string()))?;
        client.unary(request, rpc, BytesCodec).await
    };
    // Pinned where it is, so that the timeout does not move it.
    let answer = std::pin::pin!(answer);
    match tokio::time::timeout(deadline, answer).await {
        Ok(Ok(response)) => Ok(response),
        Ok(Err(status)) => Err(Problem::from_status(&status)),
        Err(_) => Err(Problem::deadline_exceeded()),
    }
}

/// Opens an rpc with many answers. The deadline is for its beginning.
pub(crate) async fn open(
    transport: Transport,
    rpc: PathAndQuery,
    message: Vec<u8>,
    forwarded: Forwarded,
    deadline: Duration,
) -> Result<Streaming<Bytes>, Problem> {
    let metadata = MetadataMap::from_headers(forwarded.metadata);
    let request = Request::from_parts(metadata, tonic::Extensions::default(), message);
    let mut client = Grpc::new(transport).max_decoding_message_size(MAX_RESPONSE_BYTES);
    let answer = async {
        client.ready().await.map_err(|error| Status::unavailable(error.to_string()))?;
        client.server_streaming(request, rpc, BytesCodec).await
    };
    match tokio::time::timeout(deadline, answer).await {
        Ok(Ok(response)) => Ok(response.into_inner()),
        Ok(Err(status)) => Err(Problem::from_status(&status)),
        Err(_) => Err(Problem::deadline_exceeded()),
    }
}

/// A codec that leaves messages as they are.
#[derive(Debug, Clone, Copy, Default)]
struct BytesCodec;

impl Codec for BytesCodec {
    type Encode = Vec<u8>;
    type Decode = Bytes;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        Self
    }

    fn decoder(&mut self) -> Self {
        Self
    }
}

impl Encoder for BytesCodec {
    type Item = Vec<u8>;
    type Error = Status;

    fn encode(&mut self, message: Vec<u8>, buffer: &mut EncodeBuf<'_>) -> Result<(), Status> {
        buffer.put_slice(&message);
        Ok(())
    }

    fn buffer_settings(&self) -> BufferSettings {
        proto::buffer_settings()
    }
}

impl Decoder for BytesCodec {
    type Item = Bytes;
    type Error = Status;

    fn decode(&mut self, buffer: &mut DecodeBuf<'_>) -> Result<Option<Bytes>, Status> {
        Ok(Some(buffer.copy_to_bytes(buffer.remaining())))
    }

    fn buffer_settings(&self) -> BufferSettings {
        proto::buffer_settings()
    }
}
