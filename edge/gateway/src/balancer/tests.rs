use super::*;

fn rules(targets: &[(&str, u32)]) -> Rules {
    let target = |(at, (target, weight)): (usize, &(&str, u32))| TargetRule {
        id: Some(Uuid::from_u128(at as u128)),
        target: (*target).to_owned(),
        weight: *weight,
    };
    Rules { upstream: None, targets: targets.iter().enumerate().map(target).collect(), port: 80 }
}

#[tokio::test]
async fn what_is_known_of_an_endpoint_outlives_a_change_of_its_neighbours() {
    let before = Balancer::start(rules(&[("127.0.0.1:1", 100), ("127.0.0.1:2", 100)]), None);
    before.set_healthy(Uuid::from_u128(0), false);
    let after = Balancer::start(rules(&[("127.0.0.1:1", 50), ("127.0.0.1:3", 100)]), Some(&before));
    let healthy: Vec<_> =
        after.endpoints().iter().map(|one| (one.address.port(), one.is_healthy())).collect();
    assert_eq!(healthy, [(1, false), (3, true)]);
    let picked = after.pick(None, &[]).await.unwrap();
    assert_eq!(picked.endpoint.address.port(), 3);
}

#[tokio::test]
async fn a_name_stands_for_an_address_and_one_that_is_not_there_is_told() {
    let balancer = Balancer::start(rules(&[("localhost:7", 100)]), None);
    assert_eq!(balancer.pick(None, &[]).await.unwrap().endpoint.address, ([127, 0, 0, 1], 7).into());
    balancer.note_found("localhost:7", Err("away".to_owned()));
    assert!(balancer.pick(None, &[]).await.is_some(), "DNS that is away takes nothing away");
    assert_eq!(balancer.health(&balancer.rules().targets[0]), ("HEALTHCHECKS_OFF", State::Closed));
}
