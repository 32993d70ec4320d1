//! Where a target is: an address as it stands, or by DNS. A name without a port of its own may be an SRV record,
//! which says ports and weights; otherwise its A and AAAA records count, for as long as they are good.

use std::{
    net::{IpAddr, SocketAddr},
    sync::LazyLock,
    time::Duration,
};

use hickory_resolver::{TokioResolver, proto::rr::RData};
use tokio::time::Instant;

/// No name is asked for more often than that, whatever its records say.
const LEAST_TTL: Duration = Duration::from_secs(1);
/// And none less often, so that a wrong answer does not stay.
const MOST_TTL: Duration = Duration::from_secs(300);
/// How soon a name is asked for again that could not be found.
pub(super) const RETRY_AFTER: Duration = Duration::from_secs(1);
/// How long an answer may take.
const TIMEOUT: Duration = Duration::from_secs(5);
/// The most addresses of one name.
const MAX_ADDRESSES: usize = 256;

/// An address that a name stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    pub address: SocketAddr,
    /// Of an SRV record; 1 for all others.
    pub weight: u32,
}

/// What a name stands for, and for how long; none is for good.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Places {
    pub places: Vec<Place>,
    pub good_for: Option<Duration>,
}

/// The system's configuration of DNS; none where it has none, and then only addresses can be used.
static RESOLVER: LazyLock<Option<TokioResolver>> = LazyLock::new(|| {
    let built = TokioResolver::builder_tokio().and_then(|builder| builder.build());
    built.inspect_err(|error| tracing::warn!(%error, "names cannot be looked up")).ok()
});

/// A target that is no name.
pub(super) fn as_it_stands(target: &str, usual_port: u16) -> Option<Places> {
    let bare = target.trim_start_matches('[').trim_end_matches(']');
    let address = match target.parse::<SocketAddr>() {
        Ok(address) => address,
        Err(_) => SocketAddr::new(bare.parse::<IpAddr>().ok()?, usual_port),
    };
    Some(Places { places: vec![Place { address, weight: 1 }], good_for: None })
}

/// Looks a target up.
pub(super) async fn look_up(target: &str, usual_port: u16) -> Result<Places, String> {
    if let Some(places) = as_it_stands(target, usual_port) {
        return Ok(places);
    }
    let (host, port) = crate::router::split_host(target);
    if host.eq_ignore_ascii_case("localhost") {
        // RFC 6761, 6.3: never asked of anybody.
        let address = SocketAddr::new(IpAddr::from([127, 0, 0, 1]), port.unwrap_or(usual_port));
        return Ok(Places { places: vec![Place { address, weight: 1 }], good_for: None });
    }
    let looked_up = tokio::time::timeout(TIMEOUT, ask(host, port, usual_port)).await;
    looked_up.unwrap_or_else(|_| Err(format!("{host} was not found in time")))
}

async fn ask(host: &str, port: Option<u16>, usual_port: u16) -> Result<Places, String> {
    let resolver = RESOLVER.as_ref().ok_or_else(|| "names cannot be looked up here".to_owned())?;
    // As Kong: SRV comes first where no port is given.
    if port.is_none()
        && let Ok(places) = services(resolver, host).await
    {
        return Ok(places);
    }
    addresses(resolver, host, port.unwrap_or(usual_port)).await
}

async fn addresses(resolver: &TokioResolver, host: &str, port: u16) -> Result<Places, String> {
    let found = resolver.lookup_ip(host).await.map_err(|error| error.to_string())?;
    let good_for = until(found.valid_until());
    let mut places: Vec<Place> = found
        .iter()
        .take(MAX_ADDRESSES)
        .map(|ip| Place { address: SocketAddr::new(ip, port), weight: 1 })
        .collect();
    places.sort_by_key(|place| place.address);
    if places.is_empty() { Err(format!("{host} has no address")) } else { Ok(Places { places, good_for }) }
}

async fn services(resolver: &TokioResolver, host: &str) -> Result<Places, String> {
    let found = resolver.srv_lookup(host).await.map_err(|error| error.to_string())?;
    let mut good_for = until(found.valid_until());
    let records: Vec<_> = found
        .answers()
        .iter()
        .filter_map(|record| match &record.data {
            RData::SRV(service) => Some(service.clone()),
            _ => None,
        })
        .collect();
    // The smallest number is the first choice; others are for when it fails.
    let first = records.iter().map(|record| record.priority).min();
    let mut places = Vec::new();
    for record in records.iter().filter(|record| Some(record.priority) == first).take(MAX_ADDRESSES) {
        let name = record.target.to_ascii();
        if let Ok(found) = addresses(resolver, &name, record.port).await {
            good_for = good_for.min(found.good_for);
            let weight = u32::from(record.weight).max(1);
            places.extend(found.places.into_iter().map(|place| Place { weight, ..place }));
        }
    }
    places.truncate(MAX_ADDRESSES);
    places.sort_by_key(|place| place.address);
    if places.is_empty() { Err(format!("{host} has no service")) } else { Ok(Places { places, good_for }) }
}

fn until(valid_until: std::time::Instant) -> Option<Duration> {
    let left = Instant::from_std(valid_until).saturating_duration_since(Instant::now());
    Some(left.clamp(LEAST_TTL, MOST_TTL))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_stand_as_they_are() {
        for (target, address) in [
            ("127.0.0.1:9000", "127.0.0.1:9000"),
            ("127.0.0.1", "127.0.0.1:80"),
            ("[::1]:9000", "[::1]:9000"),
            ("[::1]", "[::1]:80"),
        ] {
            let places = as_it_stands(target, 80).unwrap();
            assert_eq!(places.places[0].address, address.parse().unwrap(), "{target}");
            assert_eq!(places.good_for, None);
        }
        assert_eq!(as_it_stands("users:9000", 80), None);
    }
}
