//! A registry that knows of each figure what it is, so that a page about all of them can be checked.

use std::{any::Any, borrow::Cow, collections::BTreeMap, sync::atomic::AtomicU64};

use prometheus_client::{
    encoding::{EncodeMetric, text::encode},
    metrics::{MetricType, TypedMetric, counter::Counter, family, gauge::Gauge, histogram::Histogram},
    registry::{Metric, Registry},
};

/// A gauge of a fraction, such as seconds.
pub type FloatGauge = Gauge<f64, AtomicU64>;
/// A counter of fractions, such as money.
pub type FloatCounter = Counter<f64, AtomicU64>;

/// The line that ends the text of a registry.
pub const END: &str = "# EOF\n";

/// What is known of a figure without looking at it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Described {
    /// As Prometheus stores it, such as `boxoffice_logins_total`.
    pub name: &'static str,
    /// `counter`, `gauge` or `histogram`.
    pub kind: &'static str,
    /// What it is told apart by. Their values come from what the program is made of and from the few
    /// currencies, never from requests.
    pub labels: &'static [&'static str],
    /// What it counts.
    pub help: &'static str,
}

/// The label values of one series, each with its name.
type Set<const N: usize> = [(&'static str, Cow<'static, str>); N];

/// Figures of one name that `N` labels tell apart. Look a figure up once, not for each request.
#[derive(Debug)]
pub struct Family<M, const N: usize> {
    labels: [&'static str; N],
    family: family::Family<Set<N>, M, fn() -> M>,
}

impl<M, const N: usize> Clone for Family<M, N> {
    fn clone(&self) -> Self {
        Self { labels: self.labels, family: self.family.clone() }
    }
}

impl<M: Clone, const N: usize> Family<M, N> {
    /// The figure of these label values, in the order of the labels; it is there from now on.
    #[must_use]
    pub fn with(&self, values: [impl Into<Cow<'static, str>>; N]) -> M {
        let mut names = self.labels.into_iter();
        let set = values.map(|value| (names.next().unwrap_or_default(), value.into()));
        self.family.get_or_create_owned(&set)
    }
}

/// A registry with its page of contents. Names are given whole, as Prometheus stores them. What is registered again,
/// as by a second replica of a service in one process, is counted together.
#[derive(Default)]
pub struct Catalogue {
    registry: Registry,
    described: Vec<Described>,
    /// By name.
    made: BTreeMap<&'static str, Box<dyn Any + Send + Sync>>,
}

impl Catalogue {
    /// A number that only grows.
    pub fn counter(&mut self, name: &'static str, help: &'static str) -> Counter {
        self.add(name, &[], help, Counter::default())
    }

    /// Numbers that only grow, told apart by labels.
    pub fn counters<const N: usize>(
        &mut self,
        name: &'static str,
        labels: &'static [&'static str; N],
        help: &'static str,
    ) -> Family<Counter, N> {
        self.family(name, labels, help, Counter::default)
    }

    /// Sums that only grow, told apart by labels.
    pub fn float_counters<const N: usize>(
        &mut self,
        name: &'static str,
        labels: &'static [&'static str; N],
        help: &'static str,
    ) -> Family<FloatCounter, N> {
        self.family(name, labels, help, FloatCounter::default)
    }

    /// A number as it is now.
    pub fn gauge(&mut self, name: &'static str, help: &'static str) -> Gauge {
        self.add(name, &[], help, Gauge::default())
    }

    /// A fraction as it is now.
    pub fn float_gauge(&mut self, name: &'static str, help: &'static str) -> FloatGauge {
        self.add(name, &[], help, FloatGauge::default())
    }

    /// Numbers as they are now, told apart by labels.
    pub fn gauges<const N: usize>(
        &mut self,
        name: &'static str,
        labels: &'static [&'static str; N],
        help: &'static str,
    ) -> Family<Gauge, N> {
        self.family(name, labels, help, Gauge::default)
    }

    /// Fractions as they are now, told apart by labels.
    pub fn float_gauges<const N: usize>(
        &mut self,
        name: &'static str,
        labels: &'static [&'static str; N],
        help: &'static str,
    ) -> Family<FloatGauge, N> {
        self.family(name, labels, help, FloatGauge::default)
    }

    /// How values are spread.
    pub fn histogram(
        &mut self,
        name: &'static str,
        help: &'static str,
        fresh: fn() -> Histogram,
    ) -> Histogram {
        self.add(name, &[], help, fresh())
    }

    /// How values are spread, told apart by labels.
    pub fn histograms<const N: usize>(
        &mut self,
        name: &'static str,
        labels: &'static [&'static str; N],
        help: &'static str,
        fresh: fn() -> Histogram,
    ) -> Family<Histogram, N> {
        self.family(name, labels, help, fresh)
    }

    /// What was registered, in that order.
    #[must_use]
    pub fn described(&self) -> &[Described] {
        &self.described
    }

    /// All figures as text, in the OpenMetrics format.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = String::new();
        if let Err(cause) = encode(&mut text, &self.registry) {
            tracing::error!(%cause, "the figures have no text form");
        }
        text
    }

    fn family<M, const N: usize>(
        &mut self,
        name: &'static str,
        labels: &'static [&'static str; N],
        help: &'static str,
        fresh: fn() -> M,
    ) -> Family<M, N>
    where
        M: EncodeMetric + TypedMetric + Clone + std::fmt::Debug + Send + Sync + 'static,
    {
        let made = family::Family::new_with_constructor(fresh);
        let family = self.add(name, labels, help, made);
        Family { labels: *labels, family }
    }

    fn add<M>(
        &mut self,
        name: &'static str,
        labels: &'static [&'static str],
        help: &'static str,
        metric: M,
    ) -> M
    where
        M: Metric + TypedMetric + Clone,
    {
        if let Some(known) = self.made.get(name).and_then(|known| known.downcast_ref::<M>()) {
            return known.clone();
        }
        let kind = match M::TYPE {
            MetricType::Counter => "counter",
            MetricType::Histogram => "histogram",
            _ => "gauge",
        };
        debug_assert!(!self.made.contains_key(name), "{name} is registered as something else");
        debug_assert_eq!(kind == "counter", name.ends_with("_total"), "{name} is a {kind}");
        self.described.push(Described { name, kind, labels, help });
        self.made.insert(name, Box::new(metric.clone()));
        // The text form of a counter gets its ending back.
        self.registry.register(name.trim_end_matches("_total"), help, metric.clone());
        metric
    }
}
