//! The script that runs in Envoy: parts in Lua beside this file, after what they need of the contracts.

use gateway::limits;
use kit::Code;
use prost_reflect::Kind;
use serde_json::{Map, Value, json};

use crate::export::{
    Upstream,
    contract::{self, Forms},
};

/// In the order in which they need each other.
const PARTS: [&str; 6] = [
    include_str!("json.lua"),
    include_str!("handle.lua"),
    include_str!("check.lua"),
    include_str!("problem.lua"),
    include_str!("request.lua"),
    include_str!("response.lua"),
];

/// The whole script.
pub(super) fn source(upstreams: &[Upstream]) -> String {
    format!("local CONTRACT = {}\n{}", as_lua(&contract(upstreams)), PARTS.join("\n"))
}

fn contract(upstreams: &[Upstream]) -> Value {
    let (mut rpcs, mut forms) = (Map::new(), Forms::default());
    for rpc in upstreams.iter().flat_map(|upstream| contract::rpcs_of(upstream.service)) {
        forms.add(&rpc.descriptor.input());
        rpcs.insert(rpc.name(), rpc.described());
    }
    let codes = Code::ALL
        .iter()
        .map(|code| (code.name().to_owned(), json!({ "status": code.http(), "title": code.title() })));
    json!({
        "rpcs": rpcs,
        "messages": forms.messages,
        "enums": forms.enums,
        "whole": contract::names_of(|kind| matches!(kind, Kind::Int64)),
        "fractions": contract::names_of(|kind| matches!(kind, Kind::Double)),
        "codes": codes.collect::<Map<_, _>>(),
        "limits": {
            "body_bytes": limits::MAX_BODY_BYTES,
            "uri_bytes": limits::MAX_URI_BYTES,
            "json_depth": limits::MAX_JSON_DEPTH,
            "query_parameters": limits::MAX_QUERY_PARAMETERS,
            "request_id_bytes": limits::MAX_REQUEST_ID_BYTES,
            "wait_seconds": kit::request::MAX_WAIT.as_secs(),
        },
    })
}

/// JSON as a table of Lua. Strings are names of the contract and our own titles, which need no other escapes than
/// those that both languages have.
fn as_lua(value: &Value) -> String {
    let list = |entries: Vec<String>| format!("{{{}}}", entries.join(","));
    match value {
        Value::Null => "nil".to_owned(),
        Value::Array(entries) => list(entries.iter().map(as_lua).collect()),
        Value::Object(entries) => {
            list(entries.iter().map(|(key, value)| format!("[\"{key}\"]={}", as_lua(value))).collect())
        }
        plain => plain.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_of_lua_says_what_the_json_says() {
        let json = json!({"a": [1, true, "b \"c\""], "d": null});
        assert_eq!(as_lua(&json), r#"{["a"]={1,true,"b \"c\""},["d"]=nil}"#);
    }
}
