//! A limit on everything that a visitor can make large.

use std::time::Duration;

/// The longest form, in bytes.
pub const MAX_FORM_BYTES: usize = 64 * 1024;
/// The most fields of a form or a query.
pub const MAX_FORM_FIELDS: usize = 400;
/// The longest request target (path and query), in bytes.
pub const MAX_URI_BYTES: usize = 4 * 1024;
/// How many requests are carried out at the same time; more are refused with 503.
pub const MAX_CONCURRENT_REQUESTS: usize = 1_024;
/// How long a service may take to answer.
pub const CALL_DEADLINE: Duration = Duration::from_secs(20);
/// How long a buyer waits for the decision on a booking before the page says that it is being decided.
pub const DECISION_WAIT: Duration = Duration::from_secs(5);
/// How long a visitor may take to send a form.
pub const BODY_DEADLINE: Duration = Duration::from_secs(10);
/// The longest cookie that is looked at, in bytes.
pub const MAX_COOKIE_BYTES: usize = 4 * 1024;
/// So long before its end an access token is exchanged, in seconds, so that it lasts for the request.
pub const REFRESH_BEFORE_SECONDS: i64 = 30;
/// How long what a spent refresh token was exchanged for is at hand for requests that were on their way, in seconds.
pub const KEEP_EXCHANGES_SECONDS: i64 = 120;
/// The most exchanges that are at hand.
pub const MAX_EXCHANGES: usize = 10_000;
/// How long a browser keeps a session, in seconds; refresh tokens end by themselves, and earlier.
pub const SESSION_COOKIE_SECONDS: i64 = 30 * 86_400;
/// How long a browser keeps what was chosen of languages and colours, in seconds.
pub const CHOICE_COOKIE_SECONDS: i64 = 365 * 86_400;

const _: () = assert!(DECISION_WAIT.as_secs() < CALL_DEADLINE.as_secs());
const _: () = assert!(DECISION_WAIT.as_secs() <= kit::request::MAX_WAIT.as_secs());
