//! The echo over gRPC.

use std::io::Write;

use tonic::{
    Request, Response, Status,
    transport::{Server, server::TcpIncoming},
};

use crate::echo::{
    EchoMessage,
    echo_service_server::{EchoService, EchoServiceServer},
};

struct Echo;

#[tonic::async_trait]
impl EchoService for Echo {
    async fn echo(&self, request: Request<EchoMessage>) -> Result<Response<EchoMessage>, Status> {
        Ok(Response::new(request.into_inner()))
    }
}

/// Serves until the process is ended.
///
/// # Errors
/// When no port can be had.
#[tokio::main]
pub async fn run() -> anyhow::Result<()> {
    let incoming = TcpIncoming::bind("127.0.0.1:0".parse()?)?.with_nodelay(Some(true));
    println!("http://{}", incoming.local_addr()?);
    std::io::stdout().flush()?;
    Server::builder().add_service(EchoServiceServer::new(Echo)).serve_with_incoming(incoming).await?;
    Ok(())
}
