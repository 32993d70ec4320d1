//! The fields of upstreams and of their targets.

use serde_json::{Value, json};

use crate::{
    rules,
    schema::{Field, Type},
};

/// The ways to choose a target.
const ALGORITHMS: &[&str] = &["round-robin", "consistent-hashing", "least-connections"];
/// What consistent hashing goes by.
const HASH_ON: &[&str] = &["none", "consumer", "ip", "header", "cookie", "path", "query_arg", "uri_capture"];

pub(super) fn upstream() -> Vec<Field> {
    vec![
        Field::text("name", "the host that services say").required().rule(rules::host),
        Field::text("algorithm", "how a target is chosen").default("round-robin").one_of(ALGORITHMS),
        Field::text("hash_on", "what hashing goes by").default("none").one_of(HASH_ON),
        Field::text("hash_fallback", "and where that is not there").default("none").one_of(HASH_ON),
        Field::text("hash_on_header", "the header of `header`"),
        Field::text("hash_fallback_header", "the header of `header`"),
        Field::text("hash_on_cookie", "the cookie of `cookie`"),
        Field::text("hash_on_cookie_path", "its path").default("/"),
        Field::text("hash_on_query_arg", "the parameter of `query_arg`"),
        Field::text("hash_fallback_query_arg", "the parameter of `query_arg`"),
        Field::text("hash_on_uri_capture", "the capture of `uri_capture`"),
        Field::text("hash_fallback_uri_capture", "the capture of `uri_capture`"),
        Field::integer("slots", "the places of a hash ring").default(10_000).between(10.0, 65_536.0),
        Field::record("healthchecks", healthchecks(), "how it is found out which targets are well"),
        Field::text("host_header", "the Host that targets are sent").rule(rules::host),
        Field::new("client_certificate", Type::Foreign("certificates"), "what is shown to targets"),
        Field::boolean("use_srv_name", "whether SRV names are sent as Host").default(false),
    ]
}

fn healthchecks() -> Vec<Field> {
    let count = |name| Field::integer(name, "how many in a row; 0 is never").default(0).between(0.0, 255.0);
    let interval = |about| Field::number("interval", about).default(0).between(0.0, 65_535.0);
    let statuses = |default: Value| {
        Field::new("http_statuses", Type::Array(Box::new(Type::Integer)), "which answers count")
            .default(default)
            .between(100.0, 999.0)
    };
    let kind = || {
        Field::text("type", "what a check is")
            .default("http")
            .one_of(&["http", "https", "tcp", "grpc", "grpcs"])
    };
    let bad = json!([429, 404, 500, 501, 502, 503, 504, 505]);
    let good: Vec<u16> = (200..=208).chain([226]).chain(300..=308).collect();
    let active = vec![
        kind(),
        Field::number("timeout", "how long a check may take, in seconds").default(1).between(0.0, 65_535.0),
        Field::integer("concurrency", "how many targets are checked at once")
            .default(10)
            .between(1.0, 100_000.0),
        Field::text("http_path", "what is asked for").default("/").rule(rules::path),
        Field::text("https_sni", "the name of TLS").rule(rules::host),
        Field::boolean("https_verify_certificate", "whether certificates are verified").default(true),
        Field::new("headers", Type::Map(Box::new(Type::Array(Box::new(Type::Text)))), "what is sent"),
        Field::record(
            "healthy",
            vec![
                interval("how often well targets are checked, in seconds; 0 is never"),
                statuses(json!([200, 302])),
                count("successes"),
            ],
            "what makes a target well",
        ),
        Field::record(
            "unhealthy",
            vec![
                interval("how often others are checked, in seconds; 0 is never"),
                statuses(bad),
                count("tcp_failures"),
                count("timeouts"),
                count("http_failures"),
            ],
            "what makes it unwell",
        ),
    ];
    let passive = vec![
        kind(),
        Field::record("healthy", vec![statuses(json!(good)), count("successes")], "what makes a target well"),
        Field::record(
            "unhealthy",
            vec![
                statuses(json!([429, 500, 503])),
                count("tcp_failures"),
                count("timeouts"),
                count("http_failures"),
            ],
            "what makes it unwell",
        ),
    ];
    vec![
        Field::record("active", active, "by asking them"),
        Field::record("passive", passive, "by what they answer to clients"),
        Field::number("threshold", "which share must be well, in percent").default(0).between(0.0, 100.0),
    ]
}

pub(super) fn target() -> Vec<Field> {
    vec![
        Field::new("upstream", Type::Foreign("upstreams"), "what it answers for").required(),
        Field::text("target", "host or address, and port").required().rule(rules::target),
        Field::integer("weight", "how much it gets; 0 is nothing").default(100).between(0.0, 65_535.0),
    ]
}
