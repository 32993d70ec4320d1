//! The reader against prost-reflect, and what it refuses.

use prost::Message as _;
use prost_reflect::DynamicMessage;

use super::*;
use crate::zoo::{schema, zoo};

fn read_text(json: &str) -> Result<Body, BadJson> {
    let (schema, id) = schema();
    read(&schema, id, &[], json.as_bytes())
}

/// What is wrong with a body, as `field: reason`.
fn refusal(json: &str) -> String {
    match read_text(json) {
        Err(BadJson::Field(field, reason)) => format!("{field}: {reason}"),
        other => panic!("{json} is {other:?}"),
    }
}

#[test]
fn what_is_read_is_what_prost_reflect_reads() {
    let bodies = [
        "{}",
        r#"{"a_double":1.5,"a_float":-2,"an_int32":-2147483648,"an_int64":-9223372036854775808}"#,
        r#"{"a_uint32":4294967295,"a_uint64":18446744073709551615,"a_sint32":-5,"a_sint64":-6}"#,
        r#"{"a_fixed32":7,"a_fixed64":8,"a_sfixed32":-9,"a_sfixed64":-10,"a_bool":true}"#,
        r#"{"aString":"\u00fc\n\"x\"","a_bytes":"AAEC_w","an_int32":1e3}"#,
        r#"{"many_an_int32":[1,2,-3],"many_a_string":["a","b"],"many_a_bool":[],"manyADouble":[0.5]}"#,
        r#"{"a_time":"2030-05-01T18:00:00.5+02:00","a_duration":"-1.5s","a_mask":"aString,inner"}"#,
        r#"{"a_wrapped":7,"a_struct":{"x":[1,null,{"y":"z"}]},"a_map":{"-2":"b"}}"#,
        r#"{"inner":{"a_string":"in","inner":{"a_bool":true}},"inners":[{},{"an_int32":1}]}"#,
        r#"{"a_kind":"DOG","many_kinds":["CAT","DOG"],"left":"l","right":null,"a_string":null}"#,
    ];
    for json in bodies {
        let ours = DynamicMessage::decode(zoo(), &read_text(json).unwrap().bytes[..]).unwrap();
        let mut parser = serde_json::Deserializer::from_str(json);
        let theirs = DynamicMessage::deserialize(zoo(), &mut parser).unwrap();
        // Comparing the messages themselves would not end: the message holds itself.
        assert_eq!(ours.encode_to_vec(), theirs.encode_to_vec(), "{json}");
    }
}

#[test]
fn a_refusal_names_the_field() {
    let int32 = "must be a whole number from -2147483648 to 2147483647";
    let cases = [
        (r#"{"x":1}"#, "x: is not a known field"),
        (r#"{"inner":{"inners":[{},{"nope":{}}]}}"#, "inner.inners[1].nope: is not a known field"),
        (r#"{"an_int32":1,"an_int32":1}"#, "an_int32: is given more than once"),
        (r#"{"an_int32":1,"anInt32":1}"#, "an_int32: is given more than once"),
        (r#"{"a_map":{"1":"a","1":"b"}}"#, "a_map.1: is given more than once"),
        (r#"{"a_map":{"x":"a"}}"#, &format!("a_map.x: {int32}")),
        (r#"{"a_map":{"1":7}}"#, "a_map.1: must be a string"),
        (r#"{"an_int32":2147483648}"#, &format!("an_int32: {int32}")),
        (r#"{"an_int32":"1"}"#, &format!("an_int32: {int32}")),
        (r#"{"an_int32":1.5}"#, &format!("an_int32: {int32}")),
        (r#"{"an_int32":99999999999999999999999}"#, &format!("an_int32: {int32}")),
        (r#"{"an_int32":true}"#, &format!("an_int32: {int32}")),
        (r#"{"an_int32":[1]}"#, &format!("an_int32: {int32}")),
        (r#"{"a_uint32":-1}"#, "a_uint32: must be a whole number from 0 to 4294967295"),
        (r#"{"many_an_int32":[1,"x"]}"#, &format!("many_an_int32[1]: {int32}")),
        (r#"{"many_an_int32":[1,null]}"#, &format!("many_an_int32[1]: {int32}")),
        (r#"{"many_an_int32":1}"#, "many_an_int32: must be a list"),
        (r#"{"a_float":1e39}"#, "a_float: must be a number"),
        (r#"{"a_bool":"true"}"#, "a_bool: must be true or false"),
        (r#"{"a_string":5}"#, "a_string: must be a string"),
        (r#"{"a_string":{"a":1}}"#, "a_string: must be a string"),
        (r#"{"a_string":"a\u0000b"}"#, "a_string: must not contain the character U+0000"),
        (r#"{"a_bytes":"*"}"#, "a_bytes: must be a string in base64"),
        (r#"{"a_kind":"BIRD"}"#, "a_kind: must be one of CAT, DOG"),
        (r#"{"a_kind":"KIND_UNSPECIFIED"}"#, "a_kind: must be one of CAT, DOG"),
        (r#"{"a_kind":1}"#, "a_kind: must be one of CAT, DOG"),
        (r#"{"inner":[]}"#, "inner: must be an object"),
        (r#"{"inner":"x"}"#, "inner: must be an object"),
        (r#"{"left":"a","right":"b"}"#, "right: is one of several fields of which only one may be given"),
        (
            r#"{"a_time":"2030-05-01"}"#,
            "a_time: must be a time as RFC 3339 has it, such as 2030-05-01T18:00:00Z",
        ),
        (r#"{"a_time":5}"#, "a_time: must be a time as RFC 3339 has it, such as 2030-05-01T18:00:00Z"),
        ("[]", ": must be an object"),
        ("5", ": must be an object"),
        ("null", ": must be an object"),
    ];
    for (json, expected) in cases {
        assert_eq!(refusal(json), expected, "{json}");
    }
}

#[test]
fn what_is_not_json_is_malformed() {
    let deep = format!(r#"{{"a_struct":{{"x":{}1{}}}}}"#, "[".repeat(100_000), "]".repeat(100_000));
    let bad = [
        "",
        "{",
        "{\"a_string\":",
        "{\"a_string\":\"x",
        "{} x",
        "{}{}",
        "{\"a_bool\":tru}",
        "{'a':1}",
        "{\"a_bool\":true,}",
        "{\"a_string\":\"\\ud800\"}",
        "{\"an_int32\":01}",
        "{\"a_double\":1e999}",
        "{\"a_double\":NaN}",
        "\u{feff}{}",
        &deep,
    ];
    for json in bad {
        assert!(matches!(read_text(json), Err(BadJson::Malformed(_))), "{}", &json[..json.len().min(40)]);
    }
    let (schema, id) = schema();
    assert!(matches!(read(&schema, id, &[], b"{\"a_string\":\"\xff\"}"), Err(BadJson::Malformed(_))));
}

#[test]
fn depth_is_counted_outside_strings() {
    assert!(!is_deeper_than(br#"{"a":"[[[[[[\"[[[["}"#, 1));
    assert!(is_deeper_than(b"[[[", 2) && !is_deeper_than(b"[[]][[]]", 2));
}

#[test]
fn what_is_sent_is_present_also_as_null() {
    let (schema, id) = schema();
    let index = |name| schema.message(id).index_of(name).unwrap();
    let body = read(&schema, id, &[], br#"{"a_string":null,"inner":{"a_bool":true},"anInt32":0}"#).unwrap();
    assert_eq!(body.present, [index("a_string"), index("inner"), index("an_int32")]);
    let bound = [index("a_string")];
    let refused = read(&schema, id, &bound, br#"{"aString":"x"}"#).unwrap_err();
    assert_eq!(refused, BadJson::Field("a_string".to_owned(), "is given by the path".into()));
}

proptest::proptest! {
    #[test]
    fn no_body_makes_the_reader_panic(
        name in "(an_int32|a_time|inner|a_map|a_struct|a_bytes|many_kinds)",
        text in "[-0-9eE.TZ:\"\\[\\]{},a-c\\\\ ]{0,30}",
    ) {
        let _ = read_text(&format!("{{\"{name}\":{text}}}"));
        let _ = read_text(&text);
    }
}
