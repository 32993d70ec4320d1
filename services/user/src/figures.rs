//! What is counted of sign-ins.

use kit::{Code, Metrics, ServiceError};
use prometheus_client::metrics::counter::Counter;

/// Sign-ins by what became of them.
pub(crate) struct Logins {
    ok: Counter,
    wrong: Counter,
    throttled: Counter,
    bad_input: Counter,
    failed: Counter,
}

impl Logins {
    /// Registers them.
    pub(crate) fn new(metrics: &Metrics) -> Self {
        let logins = metrics.register(|catalogue| {
            catalogue.counters(
                "boxoffice_logins_total",
                &["outcome"],
                "Sign-ins: ok, wrong_credentials, throttled (too many wrong ones before), bad_input, failed (the \
                 service could not answer)",
            )
        });
        Self {
            ok: logins.with(["ok"]),
            wrong: logins.with(["wrong_credentials"]),
            throttled: logins.with(["throttled"]),
            bad_input: logins.with(["bad_input"]),
            failed: logins.with(["failed"]),
        }
    }

    /// Counts one.
    pub(crate) fn count<T>(&self, outcome: &Result<T, ServiceError>) {
        let counter = match outcome.as_ref().map_err(|error| error.code) {
            Ok(_) => &self.ok,
            Err(Code::Unauthenticated) => &self.wrong,
            Err(Code::TooMany) => &self.throttled,
            Err(Code::BadInput) => &self.bad_input,
            Err(_) => &self.failed,
        };
        counter.inc();
    }
}
