//! kill -9: whatever is killed, what was answered is there, and all comes to rest.

use boxoffice::serve::Role;

use crate::{
    load::{Load, must_be_true},
    support::{Fleet, Layout},
    visitor::Visitor,
};

#[tokio::test(flavor = "multi_thread")]
async fn each_role_is_killed_twice_under_load_and_nothing_answered_is_lost() {
    let directory = tempfile::tempdir().unwrap();
    let Some(mut fleet) = tokio::task::block_in_place(|| Fleet::start(directory.path(), Layout::Sqlite))
    else {
        return;
    };
    let mut buyers = Vec::new();
    for name in ["Anna", "Bruno", "Carla", "Dino"] {
        buyers.push(Visitor::register(&fleet.url(), name).await);
    }
    let sales = [buyers[0].publish(100_000, 0).await, buyers[1].publish(200, 0).await];
    let load = Load::start(&buyers, &sales);
    load.goes_on(10).await;
    for _ in 0..2 {
        for role in Role::SERVICES.into_iter().chain([Role::Gateway]) {
            tokio::task::block_in_place(|| {
                fleet.kill((role, 0));
                fleet.launch((role, 0));
                fleet.wait_until_ready((role, 0));
            });
            load.goes_on(5).await;
        }
    }
    let told = load.end().await;
    let audit = tokio::task::block_in_place(|| fleet.audit());
    assert!(audit.contains("audit clean"), "{audit}");
    must_be_true(&told, &buyers, 0).await;
    assert!(told.booked.len() > 50, "{}", told.booked.len());
    tokio::task::block_in_place(|| fleet.stop_all());
}
