//! Stories of a configuration.

use serde_json::{Value, json};
use uuid::Uuid;

use crate::{Body, Config, Field, Given, Kind, PluginSchemas, Refusal, Write, declarative};

/// One plugin, with a bound on its number.
struct Plugins(Vec<Field>);

impl PluginSchemas for Plugins {
    fn fields(&self, name: &str) -> Option<&[Field]> {
        (name == "rate-limiting").then_some(&self.0)
    }

    fn names(&self) -> Vec<&'static str> {
        vec!["rate-limiting"]
    }

    fn check(&self, _: &str, config: &Value) -> Result<(), (String, String)> {
        match config["minute"].is_null() {
            true => Err(("minute".to_owned(), "is needed".to_owned())),
            false => Ok(()),
        }
    }
}

fn plugins() -> Plugins {
    Plugins(vec![Field::integer("minute", ""), Field::text("policy", "").default("local")])
}

fn given(number: u128) -> Given {
    Given { id: Uuid::from_u128(number), secret: "0123456789abcdef".to_owned(), now_s: 7 }
}

fn body(value: Value) -> Body {
    match value {
        Value::Object(body) => body,
        _ => Body::new(),
    }
}

fn create(config: &mut Config, kind: Kind, id: u128, value: Value) -> Result<Value, Refusal> {
    let change = config.draft(kind, Write::Create, body(value), given(id), &plugins())?;
    let fields = change.2.as_deref().cloned().unwrap_or_default();
    config.apply(&[change]);
    Ok(fields)
}

fn shop() -> Config {
    let mut config = Config::default();
    create(&mut config, Kind::Services, 1, json!({"name": "users", "url": "grpc://users:50051"})).unwrap();
    create(&mut config, Kind::Routes, 2, json!({"paths": ["/users"], "service": {"name": "users"}})).unwrap();
    create(&mut config, Kind::Consumers, 3, json!({"username": "ada"})).unwrap();
    create(&mut config, Kind::JwtSecrets, 4, json!({"consumer": {"username": "ada"}})).unwrap();
    let limit = json!({"name": "rate-limiting", "service": "users", "config": {"minute": 5}});
    create(&mut config, Kind::Plugins, 5, limit).unwrap();
    config
}

#[test]
fn a_url_becomes_its_parts_and_names_become_ids() {
    let config = shop();
    let service = config.find(Kind::Services, "users").unwrap();
    assert_eq!((service.text("protocol"), service.integer("port")), (Some("grpc"), Some(50_051)));
    assert_eq!(service.fields["retries"], 5);
    let route = config.get(Kind::Routes, Uuid::from_u128(2)).unwrap();
    assert_eq!(route.foreign("service"), Some(Uuid::from_u128(1)));
    assert_eq!(route.fields["strip_path"], true);
    let secret = config.get(Kind::JwtSecrets, Uuid::from_u128(4)).unwrap();
    assert_ne!(secret.text("key"), secret.text("secret"));
    assert_eq!(config.get(Kind::Plugins, Uuid::from_u128(5)).unwrap().fields["config"]["policy"], "local");
}

#[test]
fn what_is_wrong_is_refused_with_its_field() {
    let mut config = shop();
    let cases = [
        (Kind::Services, json!({"host": "a", "colour": 1}), "colour"),
        (Kind::Services, json!({"url": "nonsense"}), "url"),
        (Kind::Services, json!({"url": "grpc://a/b"}), "path"),
        (Kind::Routes, json!({"paths": ["a"]}), "paths"),
        (Kind::Routes, json!({}), "@entity"),
        (Kind::Consumers, json!({}), "@entity"),
        (Kind::JwtSecrets, json!({"consumer": "ada", "algorithm": "RS256"}), "rsa_public_key"),
        (Kind::Plugins, json!({"name": "unheard-of"}), "name"),
        (Kind::Plugins, json!({"name": "rate-limiting", "config": {"minute": "5"}}), "config"),
        (Kind::Plugins, json!({"name": "rate-limiting"}), "config"),
    ];
    for (kind, wrong, field) in cases {
        let refusal = create(&mut config, kind, 99, wrong.clone()).unwrap_err();
        assert!(refusal.body()["fields"].get(field).is_some(), "{wrong}: {refusal}");
    }
    let taken = create(&mut config, Kind::Services, 99, json!({"name": "users", "host": "a"})).unwrap_err();
    assert_eq!(taken, Refusal::Unique("name".to_owned(), "users".to_owned()));
    let twice = json!({"name": "rate-limiting", "service": "users", "config": {"minute": 6}});
    assert_eq!(create(&mut config, Kind::Plugins, 99, twice).unwrap_err().status(), 409);
    let nowhere = json!({"paths": ["/a"], "service": {"id": Uuid::from_u128(77)}});
    assert!(matches!(
        create(&mut config, Kind::Routes, 99, nowhere),
        Err(Refusal::ForeignKey("services", _))
    ));
}

#[test]
fn an_update_merges_records_and_replaces_the_rest() {
    let mut config = shop();
    let id = Uuid::from_u128(5);
    let change = json!({"config": {"policy": "redis"}});
    let change = config.draft(Kind::Plugins, Write::Update(id), body(change), given(9), &plugins()).unwrap();
    config.apply(&[change]);
    assert_eq!(
        config.get(Kind::Plugins, id).unwrap().fields["config"],
        json!({"minute": 5, "policy": "redis"})
    );
}

#[test]
fn what_belongs_to_something_goes_with_it_and_routes_keep_their_service() {
    let mut config = shop();
    let refused = config.removal(Kind::Services, Uuid::from_u128(1)).unwrap_err();
    assert_eq!(refused.status(), 400);
    let ada = config.removal(Kind::Consumers, Uuid::from_u128(3)).unwrap();
    config.apply(&ada);
    assert_eq!((config.count(Kind::Consumers), config.count(Kind::JwtSecrets)), (0, 0));
    assert!(config.find(Kind::Consumers, "ada").is_none());
}

#[test]
fn a_file_that_was_dumped_loads_as_the_same() {
    let config = shop();
    let file = serde_json::to_string(&declarative::dump(&config)).unwrap();
    let mut next = 100;
    let mut source = || {
        next += 1;
        given(next)
    };
    let parsed = declarative::parse(&file).unwrap();
    let loaded = declarative::load(parsed, &Config::default(), &plugins(), &mut source).unwrap();
    assert_eq!(config.changes_to(&loaded), []);
}

#[test]
fn a_file_may_nest_what_belongs_together() {
    let file = r#"
_format_version: "3.0"
services:
- name: users
  url: grpc://127.0.0.1:50051
  routes:
  - name: users
    paths: [/v1/users]
    plugins:
    - name: rate-limiting
      config: {minute: 3}
consumers:
- username: ada
  jwt_secrets:
  - key: issuer
"#;
    let mut next = 0;
    let mut source = || {
        next += 1;
        given(next)
    };
    let parsed = declarative::parse(file).unwrap();
    let config = declarative::load(parsed, &Config::default(), &plugins(), &mut source).unwrap();
    let route = config.find(Kind::Routes, "users").unwrap();
    assert_eq!(route.foreign("service"), Some(config.find(Kind::Services, "users").unwrap().id));
    assert_eq!(config.of(Kind::Plugins, "route", route.id).count(), 1);
    assert!(config.find(Kind::JwtSecrets, "issuer").is_some());
}
