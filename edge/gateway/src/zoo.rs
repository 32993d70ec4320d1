//! For tests: a message with a field of each kind, which no contract of ours has.

use prost_reflect::{DescriptorPool, MessageDescriptor};
use prost_types::{
    DescriptorProto, EnumDescriptorProto, EnumValueDescriptorProto, FieldDescriptorProto,
    FileDescriptorProto, FileDescriptorSet, MessageOptions, OneofDescriptorProto,
    field_descriptor_proto::{Label, Type},
};

use crate::schema::{MessageId, Schema};

fn field(name: &str, number: i32, kind: Type, label: Label, type_name: &str) -> FieldDescriptorProto {
    FieldDescriptorProto {
        name: Some(name.to_owned()),
        number: Some(number),
        label: Some(label as i32),
        r#type: Some(kind as i32),
        type_name: (!type_name.is_empty()).then(|| type_name.to_owned()),
        ..Default::default()
    }
}

const SCALARS: [(&str, Type); 15] = [
    ("a_double", Type::Double),
    ("a_float", Type::Float),
    ("an_int32", Type::Int32),
    ("an_int64", Type::Int64),
    ("a_uint32", Type::Uint32),
    ("a_uint64", Type::Uint64),
    ("a_sint32", Type::Sint32),
    ("a_sint64", Type::Sint64),
    ("a_fixed32", Type::Fixed32),
    ("a_fixed64", Type::Fixed64),
    ("a_sfixed32", Type::Sfixed32),
    ("a_sfixed64", Type::Sfixed64),
    ("a_bool", Type::Bool),
    ("a_string", Type::String),
    ("a_bytes", Type::Bytes),
];

/// The one descriptor: those of two pools are never equal.
pub(crate) fn zoo() -> MessageDescriptor {
    static ZOO: std::sync::LazyLock<MessageDescriptor> = std::sync::LazyLock::new(build);
    ZOO.clone()
}

/// The message, with `a_*` plain, `many_*` repeated, and one of each other thing.
fn build() -> MessageDescriptor {
    let mut fields = Vec::new();
    for (at, (name, kind)) in (0..).zip(SCALARS) {
        fields.push(field(name, 40 - at, kind, Label::Optional, ""));
        fields.push(field(&format!("many_{name}"), 60 + at, kind, Label::Repeated, ""));
    }
    let message = |name, number, of| field(name, number, Type::Message, Label::Optional, of);
    fields.push(message("a_time", 1, ".google.protobuf.Timestamp"));
    fields.push(message("a_duration", 2, ".google.protobuf.Duration"));
    fields.push(message("a_mask", 3, ".google.protobuf.FieldMask"));
    fields.push(message("a_wrapped", 4, ".google.protobuf.Int64Value"));
    fields.push(message("a_struct", 5, ".google.protobuf.Struct"));
    fields.push(message("inner", 6, ".zoo.Zoo"));
    fields.push(field("inners", 7, Type::Message, Label::Repeated, ".zoo.Zoo"));
    fields.push(field("a_map", 8, Type::Message, Label::Repeated, ".zoo.Zoo.AMapEntry"));
    fields.push(field("a_kind", 9, Type::Enum, Label::Optional, ".zoo.Kind"));
    fields.push(field("many_kinds", 10, Type::Enum, Label::Repeated, ".zoo.Kind"));
    for (name, number) in [("left", 11), ("right", 12)] {
        let choice = field(name, number, Type::String, Label::Optional, "");
        fields.push(FieldDescriptorProto { oneof_index: Some(0), ..choice });
    }
    let entry = DescriptorProto {
        name: Some("AMapEntry".to_owned()),
        field: vec![
            field("key", 1, Type::Int32, Label::Optional, ""),
            field("value", 2, Type::String, Label::Optional, ""),
        ],
        options: Some(MessageOptions { map_entry: Some(true), ..Default::default() }),
        ..Default::default()
    };
    let zoo = DescriptorProto {
        name: Some("Zoo".to_owned()),
        field: fields,
        nested_type: vec![entry],
        oneof_decl: vec![OneofDescriptorProto { name: Some("side".to_owned()), options: None }],
        ..Default::default()
    };
    let value = |name: &str, number| EnumValueDescriptorProto {
        name: Some(name.to_owned()),
        number: Some(number),
        options: None,
    };
    let kinds = EnumDescriptorProto {
        name: Some("Kind".to_owned()),
        value: vec![value("KIND_UNSPECIFIED", 0), value("CAT", 1), value("DOG", 2)],
        ..Default::default()
    };
    let known = ["timestamp", "duration", "field_mask", "wrappers", "struct"];
    let file = FileDescriptorProto {
        name: Some("zoo.proto".to_owned()),
        package: Some("zoo".to_owned()),
        dependency: known.map(|name| format!("google/protobuf/{name}.proto")).to_vec(),
        message_type: vec![zoo],
        enum_type: vec![kinds],
        syntax: Some("proto3".to_owned()),
        ..Default::default()
    };
    let mut pool = DescriptorPool::global();
    pool.add_file_descriptor_set(FileDescriptorSet { file: vec![file] }).unwrap();
    pool.get_message_by_name("zoo.Zoo").unwrap()
}

/// The message in our form.
pub(crate) fn schema() -> (Schema, MessageId) {
    let mut schema = Schema::default();
    let id = schema.add(&zoo());
    (schema, id)
}
