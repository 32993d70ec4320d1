//! Figures of parts that not every deployment has: breakers in front of other services, relays to a broker.

use prometheus_client::metrics::{counter::Counter, gauge::Gauge};

use super::catalogue::{Catalogue, Family, FloatGauge};

/// Where a breaker is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BreakerState {
    /// Calls go through.
    Closed,
    /// One call is let through, to see.
    HalfOpen,
    /// Calls are refused at once.
    Open,
}

/// The figures of one breaker.
#[derive(Clone)]
pub struct BreakerFigures {
    state: Gauge,
    openings: Counter,
}

impl BreakerFigures {
    /// The breaker is now in this state.
    pub fn set(&self, state: BreakerState) {
        let number = match state {
            BreakerState::Closed => 0,
            BreakerState::HalfOpen => 1,
            BreakerState::Open => 2,
        };
        if self.state.set(number) != number && state == BreakerState::Open {
            self.openings.inc();
        }
    }
}

/// The figures of the relay of one outbox.
#[derive(Clone)]
pub struct RelayFigures {
    behind: Gauge,
    oldest_age: FloatGauge,
    /// Facts that the broker has acknowledged.
    pub published: Counter,
    /// Tries that failed.
    pub failures: Counter,
}

impl RelayFigures {
    /// So many facts of the outbox are not published yet, and the oldest of them is this old; 0 when there is none.
    pub fn lag(&self, facts: usize, oldest_age_seconds: f64) {
        self.behind.set(facts as i64);
        self.oldest_age.set(oldest_age_seconds);
    }
}

/// What became of spans.
#[derive(Clone)]
pub struct SpanFigures {
    /// Handed over.
    pub ended: Counter,
    /// Taken by the collector.
    pub exported: Counter,
    /// Not taken, and given up.
    pub failed: Counter,
}

/// The figures of all such parts.
#[derive(Clone)]
pub struct PartFamilies {
    breaker_state: Family<Gauge, 1>,
    breaker_openings: Family<Counter, 1>,
    relay_behind: Family<Gauge, 1>,
    relay_oldest: Family<FloatGauge, 1>,
    relay_published: Family<Counter, 1>,
    relay_failures: Family<Counter, 1>,
    spans: Family<Counter, 1>,
}

impl PartFamilies {
    pub(super) fn register(catalogue: &mut Catalogue) -> Self {
        Self {
            breaker_state: catalogue.gauges(
                "boxoffice_breaker_state",
                &["breaker"],
                "Where a circuit breaker is: 0 closed, 1 half open, 2 open",
            ),
            breaker_openings: catalogue.counters(
                "boxoffice_breaker_openings_total",
                &["breaker"],
                "How often a circuit breaker opened",
            ),
            relay_behind: catalogue.gauges(
                "boxoffice_relay_facts_behind",
                &["service"],
                "Facts of the outbox that are not published to the broker yet",
            ),
            relay_oldest: catalogue.float_gauges(
                "boxoffice_relay_oldest_fact_age_seconds",
                &["service"],
                "The age of the oldest fact that is not published to the broker yet; 0 when there is none",
            ),
            relay_published: catalogue.counters(
                "boxoffice_relay_facts_total",
                &["service"],
                "Facts that the broker has acknowledged",
            ),
            relay_failures: catalogue.counters(
                "boxoffice_relay_failures_total",
                &["service"],
                "Tries to publish that failed and are made again",
            ),
            spans: catalogue.counters(
                "boxoffice_spans_total",
                &["outcome"],
                "Spans of traces: ended, and of those exported to the collector or failed; the others wait or were \
                 dropped because too many waited",
            ),
        }
    }

    pub(super) fn breaker(&self, name: &'static str) -> BreakerFigures {
        BreakerFigures {
            state: self.breaker_state.with([name]),
            openings: self.breaker_openings.with([name]),
        }
    }

    pub(super) fn spans(&self) -> SpanFigures {
        let [ended, exported, failed] =
            ["ended", "exported", "failed"].map(|outcome| self.spans.with([outcome]));
        SpanFigures { ended, exported, failed }
    }

    pub(super) fn relay(&self, service: &'static str) -> RelayFigures {
        RelayFigures {
            behind: self.relay_behind.with([service]),
            oldest_age: self.relay_oldest.with([service]),
            published: self.relay_published.with([service]),
            failures: self.relay_failures.with([service]),
        }
    }
}
