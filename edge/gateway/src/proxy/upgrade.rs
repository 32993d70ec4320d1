//! Upgraded connections, such as WebSocket: once both sides have agreed, bytes go both ways as they are.

use http::{
    HeaderMap, HeaderValue, StatusCode,
    header::{CONNECTION, UPGRADE},
};
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;

use crate::balancer::Running;

/// The one protocol that connections go on with. `h2c` above all is not passed on: whatever is said in it would reach
/// the upstream unseen.
const WEBSOCKET: &str = "websocket";

/// The protocol that a request wants to go on with.
pub(super) fn wanted(headers: &HeaderMap) -> Option<HeaderValue> {
    let connection = headers.get(CONNECTION)?.to_str().ok()?;
    let says_so = connection.split(',').any(|token| token.trim().eq_ignore_ascii_case("upgrade"));
    let is_websocket =
        |protocol: &&HeaderValue| protocol.as_bytes().eq_ignore_ascii_case(WEBSOCKET.as_bytes());
    headers.get(UPGRADE).filter(|_| says_so).filter(is_websocket).cloned()
}

/// Asks the other side for the same.
pub(super) fn ask(headers: &mut HeaderMap, protocol: HeaderValue) {
    headers.insert(CONNECTION, HeaderValue::from_static("upgrade"));
    headers.insert(UPGRADE, protocol);
}

/// Whether the other side agreed.
pub(super) fn is_agreed(status: StatusCode) -> bool {
    status == StatusCode::SWITCHING_PROTOCOLS
}

/// Carries bytes both ways until one side ends. The call runs as long.
pub(super) fn join(client: OnUpgrade, upstream: OnUpgrade, running: Running) {
    tokio::spawn(async move {
        let (Ok(client), Ok(upstream)) = tokio::join!(client, upstream) else { return };
        let (mut client, mut upstream) = (TokioIo::new(client), TokioIo::new(upstream));
        // How it ends is between the two.
        let _ = tokio::io::copy_bidirectional(&mut client, &mut upstream).await;
        drop(running);
    });
}
