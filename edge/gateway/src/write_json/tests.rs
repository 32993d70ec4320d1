//! The writer against prost-reflect.

use super::*;
use crate::zoo::{schema, zoo};

fn written(message: &[u8]) -> String {
    let (schema, id) = schema();
    let mut json = Vec::new();
    write(&schema, id, message, &mut json).unwrap();
    String::from_utf8(json).unwrap()
}

#[test]
fn what_is_written_is_what_prost_reflect_writes() {
    let bodies = [
        "{}",
        r#"{"a_double":1.5,"a_float":-2,"an_int32":-2147483648,"an_int64":-9223372036854775808}"#,
        r#"{"a_uint32":4294967295,"a_uint64":18446744073709551615,"a_sint32":-5,"a_sint64":-6}"#,
        r#"{"a_fixed32":7,"a_fixed64":8,"a_sfixed32":-9,"a_sfixed64":-10,"a_bool":true,"a_double":"NaN"}"#,
        r#"{"a_string":"\u00fc\n\"x\"\u0001","a_bytes":"AAEC/w==","a_float":"-Infinity"}"#,
        r#"{"many_an_int32":[1,2,-3],"many_a_string":["a","b"],"many_a_bool":[true,false],"many_a_fixed64":[1,2]}"#,
        r#"{"many_a_sint64":[-1,5],"many_a_double":[0.25],"many_a_bytes":["AA=="]}"#,
        r#"{"a_time":"2030-05-01T18:00:00.500Z","a_duration":"-1.500s"}"#,
        r#"{"a_wrapped":0,"a_struct":{"x":[1,null,{"y":"z"}]},"a_map":{"1":"a"}}"#,
        r#"{"inner":{"a_string":"in","inner":{"a_bool":true}},"inners":[{},{"an_int32":1}]}"#,
        r#"{"a_kind":"DOG","many_kinds":["CAT","DOG"],"left":""}"#,
    ];
    for json in bodies {
        let mut parser = serde_json::Deserializer::from_str(json);
        let message = DynamicMessage::deserialize(zoo(), &mut parser).unwrap();
        let options = SerializeOptions::new()
            .stringify_64_bit_integers(false)
            .use_proto_field_name(true)
            .skip_default_fields(false);
        let mut theirs = serde_json::Serializer::new(Vec::new());
        message.serialize_with_options(&mut theirs, &options).unwrap();
        let theirs: serde_json::Value = serde_json::from_slice(&theirs.into_inner()).unwrap();
        let ours: serde_json::Value = serde_json::from_str(&written(&message.encode_to_vec())).unwrap();
        assert_eq!(ours, theirs, "{json}");
    }
}

#[test]
fn parts_of_a_message_are_one_and_the_last_value_counts() {
    let (schema, id) = schema();
    let part = |json: &str| crate::read_json::read(&schema, id, &[], json.as_bytes()).unwrap().bytes;
    let mut message = part(r#"{"inner":{"a_string":"a"},"an_int32":1,"many_a_string":["x"]}"#);
    message.extend(part(r#"{"inner":{"an_int32":2},"an_int32":3,"many_a_string":["y"]}"#));
    let json: serde_json::Value = serde_json::from_str(&written(&message)).unwrap();
    assert_eq!((&json["inner"]["a_string"], &json["inner"]["an_int32"]), (&"a".into(), &2.into()));
    assert_eq!(json["an_int32"], 3);
    assert_eq!(json["many_a_string"], serde_json::json!(["x", "y"]));
}

#[test]
fn an_unknown_field_is_left_out() {
    let mut message = Vec::new();
    crate::wire::put_bytes(&mut message, 999, b"new");
    assert_eq!(written(&message), written(&[]));
}

proptest::proptest! {
    #[test]
    fn no_answer_makes_the_writer_panic(message in proptest::collection::vec(proptest::num::u8::ANY, 0..60)) {
        let (schema, id) = schema();
        let _ = write(&schema, id, &message, &mut Vec::new());
    }
}
