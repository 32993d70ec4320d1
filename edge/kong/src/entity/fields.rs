//! The fields of each kind but upstreams and their targets.

use serde_json::json;

use crate::{
    rules,
    schema::{Field, Type},
};

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

pub(super) fn service() -> Vec<Field> {
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

pub(super) fn route() -> Vec<Field> {
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

pub(super) fn consumer() -> Vec<Field> {
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

pub(super) fn jwt_secret() -> Vec<Field> {
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

pub(super) fn key_auth() -> Vec<Field> {
    vec![
        of_consumer(),
        Field::text("key", "what is sent; made when it is left out").required(),
        Field::integer("ttl", "for how long it is good, in seconds"),
    ]
}

pub(super) fn acl() -> Vec<Field> {
    vec![of_consumer(), Field::text("group", "the group").required()]
}

pub(super) fn certificate() -> Vec<Field> {
    vec![
        Field::text("cert", "the chain as PEM").required().rule(rules::certificate),
        Field::text("key", "its private key as PEM").required().rule(rules::private_key),
    ]
}

pub(super) fn ca_certificate() -> Vec<Field> {
    vec![
        Field::text("cert", "the certificate as PEM").required().rule(rules::certificate),
        Field::text("cert_digest", "its SHA-256; made here"),
    ]
}

pub(super) fn sni() -> Vec<Field> {
    vec![
        Field::text("name", "the host name").required().rule(rules::route_host),
        Field::new("certificate", Type::Foreign("certificates"), "what is shown for it").required(),
    ]
}

pub(super) fn plugin() -> Vec<Field> {
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
