//! Which endpoint a call goes to.

use std::{
    hash::{DefaultHasher, Hash, Hasher},
    sync::Arc,
};

use super::endpoint::Endpoint;
use crate::entity::Algorithm;

/// The most turns of one round, so that odd weights do not make it long.
const MAX_TURNS: u64 = 1_024;
/// How many places an endpoint of average weight has on the ring.
const PLACES: u64 = 160;

/// The endpoints of a balancer, prepared for its algorithm.
#[derive(Default)]
pub(super) struct Choice {
    pub endpoints: Vec<Arc<Endpoint>>,
    /// Each endpoint as often as its weight says, well mixed.
    round: Vec<usize>,
    /// Places by hash, in order.
    ring: Vec<(u64, usize)>,
}

impl Choice {
    /// Prepares a choice. Endpoints without weight get nothing.
    pub fn of(endpoints: Vec<Arc<Endpoint>>, algorithm: Algorithm) -> Self {
        let mut choice = Self { endpoints, ..Self::default() };
        match algorithm {
            Algorithm::ConsistentHashing => choice.ring = ring(&choice.endpoints),
            Algorithm::RoundRobin | Algorithm::LeastConnections => choice.round = round(&choice.endpoints),
        }
        choice
    }

    /// A fit endpoint in turn, rather one that was not tried yet.
    pub fn in_turn(&self, turn: usize, tried: &[Arc<Endpoint>]) -> Option<&Arc<Endpoint>> {
        let begin = turn.checked_rem(self.round.len())?;
        let (before, after) = self.round.split_at(begin);
        first_fit(after.iter().chain(before).map(|at| &self.endpoints[*at]), tried)
    }

    /// The fit endpoint with the fewest calls for its weight; equal ones take turns.
    pub fn least_busy(&self, turn: usize, tried: &[Arc<Endpoint>]) -> Option<&Arc<Endpoint>> {
        let begin = turn.checked_rem(self.endpoints.len())?;
        let (before, after) = self.endpoints.split_at(begin);
        let fit = after.iter().chain(before).filter(|one| one.weight > 0 && one.is_fit());
        let load = |one: &Endpoint| (one.in_flight() as u64 + 1) * MAX_TURNS / u64::from(one.weight.max(1));
        fit.min_by_key(|one| (was_tried(one, tried), load(one)))
    }

    /// The first fit endpoint from a hash on around the ring.
    pub fn by_hash(&self, hash: u64, tried: &[Arc<Endpoint>]) -> Option<&Arc<Endpoint>> {
        let begin = self.ring.partition_point(|(place, _)| *place < hash);
        let (before, after) = self.ring.split_at(begin);
        first_fit(after.iter().chain(before).map(|(_, at)| &self.endpoints[*at]), tried)
    }
}

fn was_tried(one: &Arc<Endpoint>, tried: &[Arc<Endpoint>]) -> bool {
    tried.iter().any(|other| other.address == one.address)
}

fn first_fit<'e>(
    order: impl Iterator<Item = &'e Arc<Endpoint>> + Clone,
    tried: &[Arc<Endpoint>],
) -> Option<&'e Arc<Endpoint>> {
    let fresh = order.clone().find(|one| !was_tried(one, tried) && one.is_fit());
    fresh.or_else(|| if tried.is_empty() { None } else { order.clone().find(|one| one.is_fit()) })
}

/// Smooth weighted turns: who is furthest behind its share comes next.
fn round(endpoints: &[Arc<Endpoint>]) -> Vec<usize> {
    let weights: Vec<u64> = endpoints.iter().map(|one| u64::from(one.weight)).collect();
    let total: u64 = weights.iter().sum();
    if total == 0 {
        return Vec::new();
    }
    let divisor = weights.iter().copied().filter(|weight| *weight > 0).reduce(gcd).unwrap_or(1);
    let turns = (total / divisor).min(MAX_TURNS);
    let mut given = vec![0_u64; weights.len()];
    let behind = |at: usize, given: &[u64], turn: u64| {
        i128::from(weights[at]) * i128::from(turn + 1) - i128::from(given[at]) * i128::from(total)
    };
    let mut round = Vec::new();
    for turn in 0..turns {
        let next = (0..weights.len()).filter(|at| weights[*at] > 0);
        if let Some(at) = next.max_by_key(|at| (behind(*at, &given, turn), std::cmp::Reverse(*at))) {
            given[at] += 1;
            round.push(at);
        }
    }
    round
}

fn gcd(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { gcd(b, a % b) }
}

fn ring(endpoints: &[Arc<Endpoint>]) -> Vec<(u64, usize)> {
    let total: u64 = endpoints.iter().map(|one| u64::from(one.weight)).sum();
    let mut ring = Vec::new();
    for (at, one) in endpoints.iter().enumerate() {
        let places = PLACES * endpoints.len() as u64 * u64::from(one.weight);
        for place in 0..places.checked_div(total).unwrap_or(0) {
            ring.push((hash_of(&(one.address, place)), at));
        }
    }
    ring.sort_unstable();
    ring
}

/// The same in every gateway of one build.
pub(crate) fn hash_of(value: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn endpoints(weights: &[u32]) -> Vec<Arc<Endpoint>> {
        let make = |(port, weight): (u16, &u32)| {
            Arc::new(Endpoint::new(([127, 0, 0, 1], port).into(), None, "a", *weight, None))
        };
        (1..).zip(weights).map(make).collect()
    }

    fn ports(choice: &Choice, turns: usize) -> Vec<u16> {
        (0..turns).map(|turn| choice.in_turn(turn, &[]).unwrap().address.port()).collect()
    }

    #[test]
    fn turns_go_by_weight_and_are_mixed() {
        let choice = Choice::of(endpoints(&[100, 300, 0]), Algorithm::RoundRobin);
        let turns = ports(&choice, 8);
        assert_eq!(turns.iter().filter(|port| **port == 1).count(), 2, "{turns:?}");
        assert_eq!(turns.iter().filter(|port| **port == 2).count(), 6);
        assert!(!turns.windows(4).any(|four| four == [2, 2, 2, 2]), "{turns:?}");
    }

    #[test]
    fn who_is_unwell_is_passed_over_and_who_was_tried_comes_last() {
        let choice = Choice::of(endpoints(&[1, 1, 1]), Algorithm::RoundRobin);
        choice.endpoints[0].set_healthy(false);
        assert_eq!(ports(&choice, 3), [2, 2, 3]);
        let tried = [Arc::clone(&choice.endpoints[1])];
        assert_eq!(choice.in_turn(0, &tried).unwrap().address.port(), 3);
        choice.endpoints[2].set_healthy(false);
        assert_eq!(choice.in_turn(0, &tried).unwrap().address.port(), 2, "better again than nobody");
        choice.endpoints[1].set_healthy(false);
        assert!(choice.in_turn(0, &tried).is_none());
    }

    #[test]
    fn a_hash_stays_where_it_is_while_others_come_and_go() {
        let four = Choice::of(endpoints(&[1, 1, 1, 1]), Algorithm::ConsistentHashing);
        let three = Choice::of(endpoints(&[1, 1, 1]), Algorithm::ConsistentHashing);
        let port = |choice: &Choice, key: u64| choice.by_hash(hash_of(&key), &[]).unwrap().address.port();
        let moved = (0..10_000).filter(|key| port(&four, *key) != port(&three, *key)).count();
        let gone = (0..10_000).filter(|key| port(&four, *key) == 4).count();
        assert_eq!(moved, gone, "only the keys of the one that went move");
        assert!((1_500..3_500).contains(&gone), "{gone}");
    }

    #[test]
    fn the_least_busy_one_is_found() {
        let choice = Choice::of(endpoints(&[1, 1]), Algorithm::LeastConnections);
        let busy = choice.endpoints[0].admit().unwrap();
        for turn in 0..4 {
            assert_eq!(choice.least_busy(turn, &[]).unwrap().address.port(), 2);
        }
        drop(busy);
    }
}
