//! Who may call what, as a matrix: each rpc of the contracts, under every identity that somebody could claim, at the
//! gateway and at the ports of the services.
//!
//! What is right follows from the rows of [`crate::authorisation`] and, for the rpcs between services, from their
//! `access` option. An rpc without either fails.

use std::collections::BTreeMap;

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use prost_reflect::{DynamicMessage, MethodDescriptor, Value as Field, prost::Message};
use proto::v1::Access;
use serde_json::Value;

use crate::{
    authorisation::{Cast, all_rpcs, rows_of},
    fixture::{Sketch, Stage, play},
};

/// The least number of pairs of a call and an identity, at the gateway and at the ports together.
const PAIRS: usize = 5_000;

/// Who a caller really is, whatever they claim.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Who {
    /// What they show is no token of ours, which is never taken for none.
    Refused,
    Nobody,
    Stranger,
}

/// What somebody shows.
#[derive(Clone)]
struct Identity {
    name: String,
    who: Who,
    headers: Vec<(&'static str, String)>,
}

/// Headers that a client could make up. None of them says anything.
fn claims(owner: &str) -> Vec<(&'static str, Vec<(&'static str, String)>)> {
    let owner = || owner.to_owned();
    vec![
        ("nothing more", vec![]),
        ("the owner's claims", vec![("x-jwt-claim-sub", owner()), ("x-jwt-claim-roles", "USER".to_owned())]),
        (
            "an administrator's claims",
            vec![("x-jwt-claim-sub", owner()), ("x-jwt-claim-roles", "ADMIN,USER".to_owned())],
        ),
        (
            "a service's name",
            vec![
                ("x-internal", "true".to_owned()),
                ("x-boxoffice-service", "user".to_owned()),
                ("user-agent", "tonic/0.14".to_owned()),
            ],
        ),
        (
            "a user's id",
            vec![("x-user-id", owner()), ("x-user", owner()), ("x-user-role", "ADMIN".to_owned())],
        ),
        (
            "a proxy's word",
            vec![
                ("x-forwarded-user", owner()),
                ("x-forwarded-for", "127.0.0.1".to_owned()),
                ("x-real-ip", "127.0.0.1".to_owned()),
            ],
        ),
        (
            "metadata by hand",
            vec![
                ("grpc-metadata-x-jwt-claim-sub", owner()),
                ("grpc-metadata-authorization", "Bearer x".to_owned()),
            ],
        ),
    ]
}

/// What can stand in `Authorization`.
async fn tokens(stage: &Stage, cast: &Cast<'_>) -> Vec<(&'static str, Who, Vec<String>)> {
    let (owner, stranger) = (cast.owner.token().to_owned(), cast.stranger.token().to_owned());
    let organiser = stage.user("Another organiser").await;
    organiser.publishes(Sketch::new("Elsewhere").free("Standing", 3)).await;
    let refresh = cast.owner.logs_in(crate::fixture::actor::PASSWORD).await.json();
    let parts: Vec<&str> = owner.split('.').collect();
    let theirs: Vec<&str> = stranger.split('.').collect();
    let encoded = |json: &str| BASE64_URL_SAFE_NO_PAD.encode(json);
    let payload = String::from_utf8(BASE64_URL_SAFE_NO_PAD.decode(parts[1]).unwrap()).unwrap();
    let admin = encoded(&payload.replace("\"USER\"", "\"ADMIN\""));
    let other_key = kit::identity::Signer::from_pkcs8(&kit::identity::Signer::generate().unwrap()).unwrap();
    let environment = kit::Environment::system();
    let id = cast.owner.id.parse().unwrap();
    let roles = [kit::identity::Role::Admin];
    let foreign = other_key.sign(id, &roles, environment.id(), environment.now()).unwrap();
    let header = |json: &str| format!("{}.{}.{}", encoded(json), parts[1], parts[2]);
    let refused = [
        ("an expired token", stage.with_token_of(&cast.owner, 301).token().to_owned()),
        ("a token of tomorrow", stage.with_token_of(&cast.owner, -3_600).token().to_owned()),
        ("a token of another key", foreign),
        ("an unsigned token", format!("{}.{}.", encoded(r#"{"alg":"none","typ":"at+jwt"}"#), parts[1])),
        ("a signature taken off", format!("{}.{}.", parts[0], parts[1])),
        ("another's signature", format!("{}.{}.{}", parts[0], parts[1], theirs[2])),
        ("another's payload", format!("{}.{}.{}", parts[0], theirs[1], parts[2])),
        ("a role put in", format!("{}.{admin}.{}", parts[0], parts[2])),
        ("another kind of token", header(r#"{"alg":"EdDSA","typ":"JWT"}"#)),
        ("another algorithm", header(r#"{"alg":"HS256","typ":"at+jwt","kid":"x"}"#)),
        (
            "a key from the header",
            header(r#"{"alg":"EdDSA","typ":"at+jwt","jwk":{"kty":"OKP"},"kid":"../../x"}"#),
        ),
        ("a refresh token", refresh["refresh_token"].as_str().unwrap().to_owned()),
        ("half a token", owner[..owner.len() / 2].to_owned()),
        ("no token", "internal".to_owned()),
        ("a long token", "x".repeat(5_000)),
    ];
    let bearer = |token: &str| vec![format!("Bearer {token}")];
    let mut found = vec![
        ("nothing", Who::Nobody, vec![]),
        ("a buyer's token", Who::Stranger, bearer(&stranger)),
        ("an organiser's token", Who::Stranger, bearer(organiser.token())),
        ("the owner's token twice", Who::Refused, [bearer(&owner), bearer(&owner)].concat()),
        ("a stranger's and the owner's token", Who::Refused, [bearer(&stranger), bearer(&owner)].concat()),
        ("another scheme", Who::Refused, vec![format!("Basic {owner}")]),
        ("a token without a scheme", Who::Refused, vec![owner.clone()]),
        ("an empty header", Who::Refused, vec![String::new()]),
    ];
    found.extend(refused.iter().map(|(name, token)| (*name, Who::Refused, bearer(token))));
    found
}

async fn identities(stage: &Stage, cast: &Cast<'_>) -> Vec<Identity> {
    let mut found = Vec::new();
    for (token, who, values) in tokens(stage, cast).await {
        for (claim, headers) in claims(&cast.owner.id) {
            let shown = values.iter().map(|value| ("authorization", value.clone()));
            let headers = shown.chain(headers).collect();
            found.push(Identity { name: format!("{token} and {claim}"), who, headers });
        }
    }
    found
}

/// A call and what it must come to, for nobody and for a stranger.
struct Case {
    rpc: MethodDescriptor,
    call: String,
    body: String,
    nobody: u16,
    stranger: u16,
}

impl Case {
    fn expected(&self, who: Who) -> u16 {
        match who {
            Who::Refused => 401,
            Who::Nobody => self.nobody,
            Who::Stranger => self.stranger,
        }
    }

    /// What is allowed and changes something is told elsewhere, once.
    fn is_told_here(&self, who: Who) -> bool {
        self.expected(who) >= 400 || self.call.starts_with("GET ")
    }

    /// The request message of the call.
    fn message(&self) -> Vec<u8> {
        let mut message = DynamicMessage::new(self.rpc.input());
        if let Ok(body) = serde_json::from_str::<Value>(&self.body) {
            let mut known = DynamicMessage::deserialize(self.rpc.input(), body).unwrap();
            std::mem::swap(&mut message, &mut known);
        }
        let ids: Vec<&str> =
            self.call.split(['/', ':', ' ']).filter(|part| uuid::Uuid::parse_str(part).is_ok()).collect();
        let input = self.rpc.input();
        let fields = input.fields().filter(|field| field.name().ends_with("_id"));
        for (field, id) in fields.zip(ids) {
            message.set_field(&field, Field::String(id.to_owned()));
        }
        message.encode_to_vec()
    }
}

async fn cases(cast: &Cast<'_>) -> Vec<Case> {
    let mut found = Vec::new();
    for rpc in all_rpcs() {
        let name = format!("{}.{}", rpc.parent_service().name(), rpc.name());
        for row in rows_of(&name) {
            let texts = cast.prepare(&format!("{}\n{}", row.1, row.2), cast.number()).await;
            let (call, body) = texts.split_once('\n').unwrap();
            let (call, body) = (call.to_owned(), body.to_owned());
            found.push(Case { rpc: rpc.clone(), call, body, nobody: row.3[0], stranger: row.3[1] });
        }
    }
    found
}

/// The rpcs that no path leads to, by their `access` option alone.
fn inner_cases() -> Vec<Case> {
    let is_inner = |rpc: &MethodDescriptor| {
        let name = format!("{}.{}", rpc.parent_service().name(), rpc.name());
        rows_of(&name).is_empty() && !rpc.is_server_streaming()
    };
    let case = |rpc: MethodDescriptor| {
        let path = format!("/{}/{}", rpc.parent_service().full_name(), rpc.name());
        let (nobody, stranger) = match kit::access::access_of(&path) {
            Access::Admin => (401, 403),
            // What is held about the caller, so nothing is another's.
            Access::SignedIn => (401, 200),
            other => panic!("{path} is {other:?}: say here who may call it"),
        };
        Case { rpc, call: format!("GET {path}"), body: String::new(), nobody, stranger }
    };
    all_rpcs().into_iter().filter(is_inner).map(case).collect()
}

/// The status of HTTP that a code of gRPC stands for, as far as it matters here.
fn http_status(code: tonic::Code) -> u16 {
    match code {
        tonic::Code::Ok => 200,
        tonic::Code::Unauthenticated => 401,
        tonic::Code::PermissionDenied => 403,
        tonic::Code::NotFound => 404,
        tonic::Code::InvalidArgument => 400,
        _ => 599,
    }
}

async fn at_the_gateway(cast: &Cast<'_>, case: &Case, identity: &Identity) -> u16 {
    let (method, path) = case.call.split_once(' ').unwrap();
    let mut call = cast.nobody.call(method.parse().unwrap(), path);
    for (name, value) in &identity.headers {
        call = call.header(name, value);
    }
    if !case.body.is_empty() {
        call = call.raw("application/json", case.body.clone());
    }
    call.await.status
}

async fn at_the_port(transport: kit::Transport, case: &Case, identity: &Identity) -> u16 {
    let mut request = tonic::Request::new(case.message());
    for (name, value) in &identity.headers {
        // What is no metadata cannot be sent.
        let Ok(value) = value.parse() else { return case.expected(identity.who) };
        request.metadata_mut().append(*name, value);
    }
    let path = format!("/{}/{}", case.rpc.parent_service().full_name(), case.rpc.name());
    let mut client = tonic::client::Grpc::new(transport);
    client.ready().await.unwrap();
    match client.unary(request, path.parse().unwrap(), Raw).await {
        Ok(_) => 200,
        Err(status) => http_status(status.code()),
    }
}

/// Holds one answer against what is right.
fn check(place: &str, case: &Case, identity: &Identity, status: u16, wrong: &mut Vec<String>) {
    let expected = case.expected(identity.who);
    let is_right = if expected < 400 { status < 400 } else { status == expected };
    if !is_right {
        wrong.push(format!(
            "{} at {place} with {}: {status}, not {expected}",
            case.rpc.full_name(),
            identity.name
        ));
    }
}

#[test]
fn no_identity_that_somebody_claims_is_worth_more_than_their_token() {
    play(async |stage| {
        let cast = Cast::of(stage).await;
        let identities = identities(stage, &cast).await;
        let (outer, inner) = (cases(&cast).await, inner_cases());
        let ports = stage.services();
        let (mut pairs, mut wrong) = (BTreeMap::<&str, usize>::new(), Vec::new());
        for case in outer.iter().chain(&inner) {
            let is_inner =
                rows_of(&format!("{}.{}", case.rpc.parent_service().name(), case.rpc.name())).is_empty();
            for identity in identities.iter().filter(|identity| case.is_told_here(identity.who)) {
                if !is_inner {
                    let status = at_the_gateway(&cast, case, identity).await;
                    check("the gateway", case, identity, status, &mut wrong);
                    *pairs.entry("gateway").or_default() += 1;
                }
                // In a fleet the ports are other processes', whose guard is the same.
                let Some(transport) =
                    ports.as_ref().map(|ports| ports[case.rpc.parent_service().full_name()].clone())
                else {
                    continue;
                };
                let status = at_the_port(transport, case, identity).await;
                check("the port", case, identity, status, &mut wrong);
                *pairs.entry("ports").or_default() += 1;
            }
        }
        assert!(wrong.is_empty(), "{} of {pairs:?}:\n{}", wrong.len(), wrong.join("\n"));
        assert!(pairs.values().sum::<usize>() >= PAIRS, "{pairs:?}");
        println!("{pairs:?} pairs of a call and an identity, every answer right");
    });
}

/// Messages as bytes.
#[derive(Clone, Copy, Default)]
struct Raw;

impl tonic::codec::Codec for Raw {
    type Encode = Vec<u8>;
    type Decode = Vec<u8>;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        Self
    }

    fn decoder(&mut self) -> Self {
        Self
    }
}

impl tonic::codec::Encoder for Raw {
    type Item = Vec<u8>;
    type Error = tonic::Status;

    fn encode(&mut self, item: Vec<u8>, to: &mut tonic::codec::EncodeBuf<'_>) -> Result<(), tonic::Status> {
        prost::bytes::BufMut::put_slice(to, &item);
        Ok(())
    }
}

impl tonic::codec::Decoder for Raw {
    type Item = Vec<u8>;
    type Error = tonic::Status;

    fn decode(&mut self, from: &mut tonic::codec::DecodeBuf<'_>) -> Result<Option<Vec<u8>>, tonic::Status> {
        let length = prost::bytes::Buf::remaining(from);
        Ok(Some(prost::bytes::Buf::copy_to_bytes(from, length).to_vec()))
    }
}
