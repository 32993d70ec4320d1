//! Kong's entities: what each is called, how it is found beside its id, what it belongs to, and its schema.

use std::sync::LazyLock;

use serde_json::{Value, json};

use crate::{
    rules,
    schema::{Field, Type},
};

/// The kinds of entities, in the order in which they can refer to each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// An API behind the gateway.
    Services,
    /// Which requests go to a service.
    Routes,
    /// Who calls.
    Consumers,
    /// A consumer's key for signed tokens.
    JwtSecrets,
    /// A consumer's key that is sent as it is.
    KeyAuths,
    /// A group that a consumer is in.
    Acls,
    /// A name that several targets stand behind.
    Upstreams,
    /// A place that answers for an upstream.
    Targets,
    /// A certificate with its key, for TLS towards clients.
    Certificates,
    /// A certificate that others are verified with.
    CaCertificates,
    /// A host name that a certificate is for.
    Snis,
    /// What happens to requests on their way.
    Plugins,
}

/// What is known about a kind.
#[derive(Debug)]
pub struct Definition {
    /// The kind.
    pub kind: Kind,
    /// The name of its collection, also in paths and files.
    pub name: &'static str,
    /// Under which name it is in paths below its parent, such as `jwt` below a consumer.
    pub nested: &'static str,
    /// The field that finds it beside its id, unique among its kind.
    pub key: Option<&'static str>,
    /// The field that names its parent: whoever removes the parent removes it.
    pub parents: &'static [(&'static str, Kind)],
    /// Its fields.
    pub fields: Vec<Field>,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 12] = [
        Self::Services,
        Self::Routes,
        Self::Consumers,
        Self::JwtSecrets,
        Self::KeyAuths,
        Self::Acls,
        Self::Upstreams,
        Self::Targets,
        Self::Certificates,
        Self::CaCertificates,
        Self::Snis,
        Self::Plugins,
    ];

    /// What is known about it.
    #[must_use]
    pub fn definition(self) -> &'static Definition {
        // The list is in the order of the kinds, which a test holds.
        &DEFINITIONS[self as usize]
    }

    /// The kind of a collection's name, such as `services`, or as a path may also say it.
    #[must_use]
    pub fn of_collection(name: &str) -> Option<Self> {
        let name = match name {
            "jwts" => "jwt_secrets",
            "key-auths" => "keyauth_credentials",
            other => other,
        };
        Self::ALL.into_iter().find(|kind| kind.definition().name == name)
    }
}

static DEFINITIONS: LazyLock<Vec<Definition>> = LazyLock::new(|| {
    vec![
        define(Kind::Services, "services", "services", Some("name"), &[], service()),
        define(Kind::Routes, "routes", "routes", Some("name"), &[("service", Kind::Services)], route()),
        define(Kind::Consumers, "consumers", "consumers", Some("username"), &[], consumer()),
        define(Kind::JwtSecrets, "jwt_secrets", "jwt", Some("key"), OF_CONSUMER, jwt_secret()),
        define(Kind::KeyAuths, "keyauth_credentials", "key-auth", Some("key"), OF_CONSUMER, key_auth()),
        define(Kind::Acls, "acls", "acls", None, OF_CONSUMER, acl()),
        define(Kind::Upstreams, "upstreams", "upstreams", Some("name"), &[], upstream()),
        define(Kind::Targets, "targets", "targets", None, &[("upstream", Kind::Upstreams)], target()),
        define(Kind::Certificates, "certificates", "certificates", None, &[], certificate()),
        define(Kind::CaCertificates, "ca_certificates", "ca_certificates", None, &[], ca_certificate()),
        define(Kind::Snis, "snis", "snis", Some("name"), &[("certificate", Kind::Certificates)], sni()),
        define(Kind::Plugins, "plugins", "plugins", Some("instance_name"), OF_PLUGIN, plugin()),
    ]
});

const OF_CONSUMER: &[(&str, Kind)] = &[("consumer", Kind::Consumers)];
const OF_PLUGIN: &[(&str, Kind)] =
    &[("service", Kind::Services), ("route", Kind::Routes), ("consumer", Kind::Consumers)];

fn define(
    kind: Kind,
    name: &'static str,
    nested: &'static str,
    key: Option<&'static str>,
    parents: &'static [(&'static str, Kind)],
    fields: Vec<Field>,
) -> Definition {
    let common = [
        Field::text("id", "its UUID").rule(rules::uuid),
        Field::integer("created_at", "when it was made, in seconds since 1970 UTC"),
        Field::integer("updated_at", "when it was last changed, in seconds since 1970 UTC"),
        Field::new("tags", Type::Set(Box::new(Type::Text)), "words to group it by").rule(rules::tag),
    ];
    Definition { kind, name, nested, key, parents, fields: common.into_iter().chain(fields).collect() }
}

/// The protocols of services.
const SERVICE_PROTOCOLS: &[&str] = &["http", "https", "grpc", "grpcs"];
/// The protocols of routes.
const ROUTE_PROTOCOLS: &[&str] = &["http", "https", "grpc", "grpcs"];
/// The longest timeout, in milliseconds, as Kong has it.
const MAX_TIMEOUT_MS: f64 = 2_147_483_646.0;

fn port(name: &'static str) -> Field {
    Field::integer(name, "the port").between(0.0, 65_535.0)
}

fn timeout(name: &'static str, about: &'static str) -> Field {
    Field::integer(name, about).default(60_000).between(1.0, MAX_TIMEOUT_MS)
}

fn service() -> Vec<Field> {
    vec![
        Field::text("name", "a name of your own").rule(rules::name),
        Field::text("protocol", "how it is spoken to").required().default("http").one_of(SERVICE_PROTOCOLS),
        Field::text("host", "a host, an address, or the name of an upstream").required().rule(rules::host),
        port("port").required().default(80),
        Field::text("path", "what is put in front of each path").rule(rules::path),
        Field::integer("retries", "how often an attempt is made again").default(5).between(0.0, 32_767.0),
        timeout("connect_timeout", "how long connecting may take, in milliseconds"),
        timeout("write_timeout", "how long may pass between two writes, in milliseconds"),
        timeout("read_timeout", "how long may pass between two reads, in milliseconds"),
        Field::boolean("enabled", "whether its routes answer").required().default(true),
        Field::boolean("tls_verify", "whether its certificate is verified; null means yes"),
        Field::integer("tls_verify_depth", "how long its chain may be").between(0.0, 64.0),
        Field::new(
            "ca_certificates",
            Type::Array(Box::new(Type::Text)),
            "which authorities it is verified with",
        ),
        Field::new("client_certificate", Type::Foreign("certificates"), "what is shown to it"),
    ]
}

fn route() -> Vec<Field> {
    vec![
        Field::text("name", "a name of your own").rule(rules::name),
        Field::new("protocols", Type::Set(Box::new(Type::Text)), "which protocols it answers")
            .required()
            .default(json!(["http", "https"]))
            .one_of(ROUTE_PROTOCOLS),
        Field::new("methods", Type::Set(Box::new(Type::Text)), "which methods").rule(rules::method),
        Field::texts("hosts", "which hosts; `*` may stand at one end").rule(rules::route_host),
        Field::texts("paths", "which beginnings of paths; `~` in front of a regular expression")
            .rule(rules::route_path),
        Field::new(
            "headers",
            Type::Map(Box::new(Type::Array(Box::new(Type::Text)))),
            "which headers, each with its values",
        ),
        Field::texts("snis", "which names of TLS").rule(rules::host),
        Field::new("sources", Type::Array(Box::new(Type::Record(address()))), "for streams; not used"),
        Field::new("destinations", Type::Array(Box::new(Type::Record(address()))), "for streams; not used"),
        Field::integer("https_redirect_status_code", "the answer where only https is spoken")
            .required()
            .default(426),
        Field::integer("regex_priority", "which of several regular expressions is tried first").default(0),
        Field::boolean("strip_path", "whether what matched is left out").required().default(true),
        Field::text("path_handling", "how paths are joined").default("v0").one_of(&["v0", "v1"]),
        Field::boolean("preserve_host", "whether the client's Host is sent on").required().default(false),
        Field::boolean("request_buffering", "whether a request is gathered first").required().default(true),
        Field::boolean("response_buffering", "whether an answer is gathered first").required().default(true),
        Field::new("service", Type::Foreign("services"), "where its requests go"),
    ]
}

fn address() -> Vec<Field> {
    vec![Field::text("ip", "an address"), port("port")]
}

fn consumer() -> Vec<Field> {
    vec![Field::text("username", "a name of your own"), Field::text("custom_id", "its id elsewhere")]
}

fn of_consumer() -> Field {
    Field::new("consumer", Type::Foreign("consumers"), "whose it is").required()
}

/// The algorithms of tokens.
pub const JWT_ALGORITHMS: &[&str] = &[
    "HS256", "HS384", "HS512", "RS256", "RS384", "RS512", "ES256", "ES384", "PS256", "PS384", "PS512",
    "EdDSA",
];

fn jwt_secret() -> Vec<Field> {
    vec![
        of_consumer(),
        Field::text("key", "what `key_claim_name` of a token says; made when it is left out").required(),
        Field::text("algorithm", "how its tokens are signed")
            .required()
            .default("HS256")
            .one_of(JWT_ALGORITHMS),
        Field::text("secret", "for HS*; made when it is left out"),
        Field::text("rsa_public_key", "the public key as PEM, for all others").rule(rules::public_key),
    ]
}

fn key_auth() -> Vec<Field> {
    vec![
        of_consumer(),
        Field::text("key", "what is sent; made when it is left out").required(),
        Field::integer("ttl", "for how long it is good, in seconds"),
    ]
}

fn acl() -> Vec<Field> {
    vec![of_consumer(), Field::text("group", "the group").required()]
}

/// The ways to choose a target.
const ALGORITHMS: &[&str] = &["round-robin", "consistent-hashing", "least-connections"];
/// What consistent hashing goes by.
const HASH_ON: &[&str] = &["none", "consumer", "ip", "header", "cookie", "path", "query_arg", "uri_capture"];

fn upstream() -> Vec<Field> {
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

fn target() -> Vec<Field> {
    vec![
        Field::new("upstream", Type::Foreign("upstreams"), "what it answers for").required(),
        Field::text("target", "host or address, and port").required().rule(rules::target),
        Field::integer("weight", "how much it gets; 0 is nothing").default(100).between(0.0, 65_535.0),
    ]
}

fn certificate() -> Vec<Field> {
    vec![
        Field::text("cert", "the chain as PEM").required().rule(rules::certificate),
        Field::text("key", "its private key as PEM").required().rule(rules::private_key),
    ]
}

fn ca_certificate() -> Vec<Field> {
    vec![
        Field::text("cert", "the certificate as PEM").required().rule(rules::certificate),
        Field::text("cert_digest", "its SHA-256; made here"),
    ]
}

fn sni() -> Vec<Field> {
    vec![
        Field::text("name", "the host name").required().rule(rules::route_host),
        Field::new("certificate", Type::Foreign("certificates"), "what is shown for it").required(),
    ]
}

fn plugin() -> Vec<Field> {
    vec![
        Field::text("name", "which plugin").required(),
        Field::text("instance_name", "a name of your own"),
        Field::new("service", Type::Foreign("services"), "only for this service"),
        Field::new("route", Type::Foreign("routes"), "only for this route"),
        Field::new("consumer", Type::Foreign("consumers"), "only for this consumer"),
        // Its fields are those of the plugin.
        Field::record("config", Vec::new(), "how it works"),
        Field::new("protocols", Type::Set(Box::new(Type::Text)), "for which protocols")
            .required()
            .default(json!(["grpc", "grpcs", "http", "https"]))
            .one_of(ROUTE_PROTOCOLS),
        Field::boolean("enabled", "whether it works").required().default(true),
        Field::new("ordering", Type::Map(Box::new(Type::Text)), "not used: priorities are Kong's"),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_finds_its_own_definition() {
        for kind in Kind::ALL {
            assert_eq!(kind.definition().kind, kind);
            assert_eq!(Kind::of_collection(kind.definition().name), Some(kind));
        }
    }
}
