//! How long a call may take: what the caller said, held to a limit, kept by the service, and passed on.

use std::{
    convert::Infallible,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use http::{HeaderMap, Request, Response};
use tokio::time::Instant;
use tonic::{Status, body::Body};
use tower::{Layer, Service};

use crate::{request::MAX_WAIT, transport::Rpcs};

/// How long a call may take when the caller did not say, on top of a wait that it asked for.
pub const DEFAULT_DEADLINE: Duration = Duration::from_secs(30);
/// The longest that a call may take, whatever the caller says.
pub const MAX_DEADLINE: Duration = Duration::from_secs(60);

// A wait that is granted is never cut off.
const _: () = assert!(MAX_DEADLINE.as_secs() >= MAX_WAIT.as_secs() + DEFAULT_DEADLINE.as_secs());

/// The header of the gRPC protocol.
pub const GRPC_TIMEOUT: &str = "grpc-timeout";
/// The most digits that the protocol allows.
const MAX_DIGITS: usize = 8;

/// Until when a call must be answered; the service finds it in the request's extensions.
#[derive(Debug, Clone, Copy)]
pub struct Deadline(pub Instant);

impl Deadline {
    /// What is left of it for a further call, at most `most`.
    #[must_use]
    pub fn left<T>(request: &tonic::Request<T>, most: Duration) -> Duration {
        let deadline = request.extensions().get::<Self>();
        deadline.map_or(most, |deadline| deadline.0.saturating_duration_since(Instant::now()).min(most))
    }
}

/// How long a call may take by its headers; none when they do not say.
///
/// # Errors
/// When the header is there and is not what the protocol says.
pub fn timeout_of(headers: &HeaderMap) -> Result<Option<Duration>, Status> {
    let Some(value) = headers.get(GRPC_TIMEOUT) else { return Ok(None) };
    let malformed = || Status::invalid_argument("grpc-timeout must be up to 8 digits and one of H M S m u n");
    let text = value.to_str().map_err(|_| malformed())?;
    let (digits, unit) = text.split_at_checked(text.len().saturating_sub(1)).ok_or_else(malformed)?;
    let is_number = (1..=MAX_DIGITS).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit());
    let amount: u64 =
        if is_number { digits.parse().map_err(|_| malformed())? } else { return Err(malformed()) };
    Ok(Some(match unit {
        "H" => Duration::from_secs(amount * 3_600),
        "M" => Duration::from_secs(amount * 60),
        "S" => Duration::from_secs(amount),
        "m" => Duration::from_millis(amount),
        "u" => Duration::from_micros(amount),
        "n" => Duration::from_nanos(amount),
        _ => return Err(malformed()),
    }))
}

/// Puts [`Timely`] around a server's rpcs.
#[derive(Debug, Clone, Copy)]
pub struct DeadlineLayer;

impl<S> Layer<S> for DeadlineLayer {
    type Service = Timely<S>;

    fn layer(&self, rpcs: S) -> Timely<S> {
        Timely { rpcs }
    }
}

/// Ends each call in time, and refuses one that says nothing sensible about it.
#[derive(Debug, Clone)]
pub struct Timely<S> {
    rpcs: S,
}

impl<S: Rpcs> Service<Request<Body>> for Timely<S> {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, Infallible>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.rpcs.poll_ready(context)
    }

    fn call(&mut self, mut request: Request<Body>) -> Self::Future {
        let timeout = match timeout_of(request.headers()) {
            Ok(timeout) => timeout.unwrap_or(DEFAULT_DEADLINE + MAX_WAIT).min(MAX_DEADLINE),
            Err(status) => return Box::pin(async move { Ok(status.into_http()) }),
        };
        let deadline = Instant::now() + timeout;
        request.extensions_mut().insert(Deadline(deadline));
        if timeout.is_zero() {
            return Box::pin(async { Ok(too_late()) });
        }
        let answer = self.rpcs.call(request);
        Box::pin(async move {
            match tokio::time::timeout_at(deadline, answer).await {
                Ok(answer) => answer,
                Err(_) => Ok(too_late()),
            }
        })
    }
}

fn too_late() -> Response<Body> {
    Status::deadline_exceeded("the call took longer than its caller would wait").into_http()
}

#[cfg(test)]
mod tests {
    use tower::ServiceExt;

    use super::*;

    fn parsed(text: &str) -> Option<Option<Duration>> {
        let mut headers = HeaderMap::new();
        headers.insert(GRPC_TIMEOUT, text.parse().unwrap());
        timeout_of(&headers).ok()
    }

    #[test]
    fn what_the_protocol_allows_is_read_and_nothing_else() {
        assert_eq!(timeout_of(&HeaderMap::new()).unwrap(), None);
        for (text, expected) in [
            ("1S", Duration::from_secs(1)),
            ("2H", Duration::from_secs(7_200)),
            ("3M", Duration::from_secs(180)),
            ("99999999H", Duration::from_secs(99_999_999 * 3_600)),
            ("0m", Duration::ZERO),
            ("250000u", Duration::from_millis(250)),
            ("7n", Duration::from_nanos(7)),
        ] {
            assert_eq!(parsed(text), Some(Some(expected)), "{text}");
        }
        for malformed in ["", "S", "1", "1s", "-1S", "+1S", "1.5S", "100000000S", " 1S", "1 S", "0x1S"] {
            assert_eq!(parsed(malformed), None, "{malformed}");
        }
    }

    async fn status(timeout: &str) -> tonic::Code {
        let slow = tower::service_fn(|request: Request<Body>| async move {
            let left = Deadline::left(&tonic::Request::from_http(request), Duration::from_secs(3));
            assert!(left <= Duration::from_secs(3));
            tokio::time::sleep(Duration::from_secs(100)).await;
            Ok::<_, Infallible>(Response::new(Body::empty()))
        });
        let request = Request::builder().header(GRPC_TIMEOUT, timeout).body(Body::empty()).unwrap();
        let response = Timely { rpcs: slow }.oneshot(request).await.unwrap();
        Status::from_header_map(response.headers()).unwrap().code()
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_ends_in_time_whatever_the_caller_says() {
        let began = Instant::now();
        assert_eq!(status("50m").await, tonic::Code::DeadlineExceeded);
        assert_eq!(began.elapsed(), Duration::from_millis(50));
        assert_eq!(status("0S").await, tonic::Code::DeadlineExceeded);
        assert_eq!(began.elapsed(), Duration::from_millis(50));
        assert_eq!(status("9999H").await, tonic::Code::DeadlineExceeded);
        assert_eq!(began.elapsed(), Duration::from_millis(50) + MAX_DEADLINE);
        assert_eq!(status("soon").await, tonic::Code::InvalidArgument);
    }
}
