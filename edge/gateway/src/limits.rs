//! A limit on everything that a client can make large.

use std::time::Duration;

/// The longest request body, in bytes.
pub const MAX_BODY_BYTES: usize = 64 * 1024;
/// The longest request target (path and query), in bytes.
pub const MAX_URI_BYTES: usize = 4 * 1024;
/// How deep the objects and arrays of a body may nest.
pub const MAX_JSON_DEPTH: usize = 32;
/// How many query parameters a request may have.
pub const MAX_QUERY_PARAMETERS: usize = 100;
/// How many requests are carried out at the same time, unless the options say otherwise.
pub const MAX_CONCURRENT_REQUESTS: usize = 2_048;
/// How many requests wait for one of those to end; more are refused at once.
pub const MAX_WAITING_REQUESTS: usize = 8_192;
/// How long a request waits for that, and then is refused: long enough to smooth a rush and to slow down who
/// asks again and again, short enough to be of use to who waits.
pub const ADMISSION_WAIT: Duration = Duration::from_millis(400);
/// How long an upstream may take, on top of the wait that the client asked for.
pub const CALL_DEADLINE: Duration = Duration::from_secs(30);
/// How long the client may take to send the body.
pub const BODY_DEADLINE: Duration = Duration::from_secs(10);
/// What `Retry-After` says when the service does not: the least that the header can say.
pub const RETRY_AFTER: Duration = Duration::from_secs(1);
/// The longest request id that is taken from a client, in bytes.
pub const MAX_REQUEST_ID_BYTES: usize = 64;
/// How many streams are open at the same time; more are refused.
pub const MAX_STREAMS: usize = 4_096;
/// After how long without a message a stream says that it is still there.
pub const HEARTBEAT: Duration = Duration::from_secs(15);
/// How long a stream lasts. Browsers connect again by themselves, where the load balancer then sends them.
pub const STREAM_LIFETIME: Duration = Duration::from_secs(15 * 60);
/// How long a client may pause while it sends a body that is passed on.
pub const CLIENT_PAUSE: Duration = Duration::from_secs(60);
/// The longest body of a request or an answer that is gathered before it goes on, in bytes. Longer ones, and those whose
/// length is not known, go on part by part.
pub const MAX_GATHERED_BYTES: usize = 64 * 1024;
/// The longest message of an answer that is read, in bytes.
pub const MAX_GRPC_MESSAGE_BYTES: usize = kit::transport::MAX_RESPONSE_BYTES;
/// How large the program of a regular expression in a configuration may be, in bytes.
pub const MAX_REGEX_BYTES: usize = 256 * 1024;

// JSON is never shorter than its protobuf form, so what is accepted here is accepted by the services.
const _: () = assert!(MAX_BODY_BYTES + MAX_URI_BYTES <= kit::transport::MAX_REQUEST_BYTES);
const _: () = assert!(CALL_DEADLINE.as_secs() >= BODY_DEADLINE.as_secs());
const _: () = assert!(STREAM_LIFETIME.as_secs() > HEARTBEAT.as_secs());
const _: () = assert!(RETRY_AFTER.as_secs() >= 1);
