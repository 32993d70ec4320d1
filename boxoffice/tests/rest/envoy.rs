//! The stories of this suite once more, with Envoy in the place of our gateway.
//!
//! One story alone: `BOXOFFICE_TEST_FRONT=envoy cargo test -p boxoffice --test rest NAME`.

use std::process::Command;

use crate::fixture::front;

/// The stories that are about our own gateway by nature, and why.
const LEFT_OUT: &[(&str, &str)] = &[
    ("operations::a_platform_that_runs_is_alive_and_ready_in_each_part", "each process tells its own health"),
    ("operations::the_metrics_are_in_the_prometheus_format_and_count_requests", "/metrics is our gateway's"),
    ("operations::the_openapi_document_has_every_call_of_the_contracts", "our gateway writes /openapi.json"),
    (
        "operations::the_reference_page_lists_the_calls_and_needs_nothing_from_elsewhere",
        "/docs is our gateway's",
    ),
    ("operations::a_problem_has_a_page_that_explains_it", "/docs/errors is our gateway's"),
    ("metrics::what_is_shown_is_what_the_registry_describes", "/metrics is our gateway's"),
    ("metrics::the_figures_of_a_sale_are_true", "/metrics is our gateway's"),
];

#[test]
fn the_stories_pass_through_envoy() {
    if front::is_envoy() || std::env::var_os("BOXOFFICE_TEST_FLEET").is_some() || front::program().is_none() {
        return;
    }
    let suite = std::env::current_exe().unwrap();
    let listed = Command::new(&suite).arg("--list").output().unwrap();
    let listed = String::from_utf8(listed.stdout).unwrap();
    let mut stories = Command::new(&suite);
    stories.env(front::CHOICE, "envoy").arg("--exact");
    for (story, _) in LEFT_OUT {
        assert!(listed.lines().any(|line| line == format!("{story}: test")), "there is no story {story}");
        stories.args(["--skip", story]);
    }
    let told = stories.output().unwrap();
    let (out, err) = (String::from_utf8_lossy(&told.stdout), String::from_utf8_lossy(&told.stderr));
    assert!(told.status.success(), "through Envoy:\n{out}\n{err}");
}
