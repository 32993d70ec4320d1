//! Kong's entities: what each is called, how it is found beside its id, what it belongs to, and its schema.

mod fields;
mod upstream;

use std::sync::LazyLock;

use crate::{
    rules,
    schema::{Field, Type},
};
pub use fields::JWT_ALGORITHMS;
use fields::{acl, ca_certificate, certificate, consumer, jwt_secret, key_auth, plugin, route, service, sni};
use upstream::{target, upstream};

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
