//! The figures of targets: which are well, where their breakers are, and how many calls run.

use std::fmt::Write;

use kit::{breaker::State, metrics::Described};

use crate::balancer::{Balancer, Endpoint};

const LABELS: &[&str] = &["upstream", "target", "address"];
const HEALTHY: Described = Described {
    name: "boxoffice_gateway_target_healthy",
    kind: "gauge",
    labels: LABELS,
    help: "Whether checks and answers say that a target is well: 1 or 0",
};
const BREAKER: Described = Described {
    name: "boxoffice_gateway_target_breaker",
    kind: "gauge",
    labels: LABELS,
    help: "Where the circuit breaker of a target is: 0 closed, 1 half-open, 2 open",
};
const IN_FLIGHT: Described = Described {
    name: "boxoffice_gateway_target_calls_in_flight",
    kind: "gauge",
    labels: LABELS,
    help: "Calls of a target that run now",
};

/// What there is.
pub(crate) const DESCRIBED: [Described; 3] = [HEALTHY, BREAKER, IN_FLIGHT];

/// The figures of some balancers in the text format of Prometheus.
pub(crate) fn text<'b>(balancers: impl Iterator<Item = (String, &'b Balancer)>) -> String {
    let all: Vec<_> = balancers.map(|(name, balancer)| (name, balancer.endpoints())).collect();
    let mut text = String::new();
    for described in DESCRIBED {
        let Described { name, kind, help, .. } = described;
        // Writing to a text cannot fail.
        let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} {kind}");
        for (upstream, endpoint) in all.iter().flat_map(|(name, all)| all.iter().map(move |one| (name, one)))
        {
            let (target, address, value) = (&endpoint.name, endpoint.address, value(&described, endpoint));
            // Names and addresses have nothing to escape: their schemas allow letters, digits, dots and colons.
            let _ = writeln!(
                text,
                "{name}{{upstream=\"{upstream}\",target=\"{target}\",address=\"{address}\"}} {value}"
            );
        }
    }
    text
}

fn value(described: &Described, endpoint: &Endpoint) -> usize {
    match described.name {
        name if name == HEALTHY.name => usize::from(endpoint.is_healthy()),
        name if name == BREAKER.name => match endpoint.breaker() {
            State::Closed => 0,
            State::HalfOpen => 1,
            State::Open => 2,
        },
        _ => endpoint.in_flight(),
    }
}
