//! The messages of all contracts in the form that transcoding needs: read once from the descriptors, so
//! that a request looks nothing up in them.

use std::{collections::HashMap, sync::Arc};

use prost_reflect::{Cardinality, EnumDescriptor, FieldDescriptor, Kind as Reflected, MessageDescriptor};

use crate::wire::WireType;

/// Which message, in its [`Schema`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct MessageId(usize);

/// Whose contracts are served.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Dialect {
    /// Ours: the zero of an enum means "not sent", a PATCH fills its mask, and streams have no REST form.
    #[default]
    Ours,
    /// Anybody's, as `google.api.http` and the JSON form of protobuf have it.
    Any,
}

/// All messages that are reachable from the ones asked for.
#[derive(Debug, Default)]
pub(crate) struct Schema {
    dialect: Dialect,
    messages: Vec<Message>,
    ids: HashMap<String, MessageId>,
}

/// One message type.
#[derive(Debug)]
pub(crate) struct Message {
    /// How it looks in JSON.
    pub shape: Shape,
    /// Its fields in the order of their declaration.
    pub fields: Vec<Field>,
    /// By proto name and by lowerCamelCase name.
    by_name: HashMap<String, usize>,
    by_number: HashMap<u32, usize>,
}

/// How a message looks in JSON.
#[derive(Debug, Clone)]
pub(crate) enum Shape {
    /// An object with a key for each field.
    Object,
    /// A time in RFC 3339.
    Timestamp,
    /// Seconds with an `s` behind.
    Duration,
    /// Field names with commas between.
    FieldMask,
    /// The value that it wraps.
    Wrapper,
    /// A file: not JSON.
    HttpBody,
    /// Another well-known type; prost-reflect knows how it looks.
    Other(MessageDescriptor),
}

/// One field of a message.
#[derive(Debug)]
pub(crate) struct Field {
    /// The name in the proto, and in JSON.
    pub name: String,
    /// The name as it stands in front of a value: `"name":`.
    pub key: String,
    /// The number on the wire.
    pub number: u32,
    /// How often it occurs.
    pub label: Label,
    /// What it holds.
    pub kind: Kind,
    /// Which `oneof` of the message it belongs to.
    pub oneof: Option<String>,
}

/// How often a field occurs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Label {
    /// It always has a value; what is not sent is the default.
    Plain,
    /// It is there or not.
    Optional,
    /// A list.
    Repeated,
    /// A map; the kind is its entry.
    Map,
}

/// What a field holds.
#[derive(Debug, Clone)]
pub(crate) enum Kind {
    /// 64-bit floating point.
    Double,
    /// 32-bit floating point.
    Float,
    /// `int32`, `sint32` or `sfixed32`.
    Int32(Packing),
    /// `int64`, `sint64` or `sfixed64`.
    Int64(Packing),
    /// `uint32` or `fixed32`.
    Uint32(Packing),
    /// `uint64` or `fixed64`.
    Uint64(Packing),
    /// True or false.
    Bool,
    /// Text.
    String,
    /// Bytes; base64 in JSON.
    Bytes,
    /// One of some names.
    Enum(Arc<Enum>),
    /// A message.
    Message(MessageId),
}

/// How an integer is written on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Packing {
    /// As a varint.
    Plain,
    /// As a varint in which small negative numbers are short.
    Zigzag,
    /// In four or eight bytes.
    Fixed,
}

/// The values of an enum.
#[derive(Debug)]
pub(crate) struct Enum {
    values: Vec<(String, i32)>,
    dialect: Dialect,
    /// What is right, for people: `must be one of DRAFT, PUBLISHED`.
    pub expected: String,
}

impl Enum {
    fn of(descriptor: &EnumDescriptor, dialect: Dialect) -> Self {
        let values: Vec<_> = descriptor.values().map(|v| (v.name().to_owned(), v.number())).collect();
        let is_choice = |number: i32| number != 0 || dialect == Dialect::Any;
        let choices: Vec<&str> = values.iter().filter(|v| is_choice(v.1)).map(|v| v.0.as_str()).collect();
        let expected = format!("must be one of {}", choices.join(", "));
        Self { values, expected, dialect }
    }

    /// The number of a value that a client may send. In our contracts `*_UNSPECIFIED` means "not sent", so it cannot
    /// be sent.
    pub fn number(&self, name: &str) -> Option<i32> {
        let is_choice = |number: i32| number != 0 || self.dialect == Dialect::Any;
        self.values.iter().find(|(known, number)| known == name && is_choice(*number)).map(|value| value.1)
    }

    /// Whether values may be sent as numbers, also ones without a name, as the JSON form of protobuf has it.
    pub fn takes_numbers(&self) -> bool {
        self.dialect == Dialect::Any
    }

    /// The name of a value.
    pub fn name(&self, number: i32) -> Option<&str> {
        self.values.iter().find(|value| value.1 == number).map(|value| value.0.as_str())
    }
}

impl Kind {
    /// How its values stand on the wire when they are not packed.
    pub fn wire_type(&self) -> WireType {
        match self {
            Self::Double | Self::Int64(Packing::Fixed) | Self::Uint64(Packing::Fixed) => WireType::Fixed64,
            Self::Float | Self::Int32(Packing::Fixed) | Self::Uint32(Packing::Fixed) => WireType::Fixed32,
            Self::Int32(_)
            | Self::Int64(_)
            | Self::Uint32(_)
            | Self::Uint64(_)
            | Self::Bool
            | Self::Enum(_) => WireType::Varint,
            Self::String | Self::Bytes | Self::Message(_) => WireType::Bytes,
        }
    }
}

impl Message {
    /// A field by its proto name or its lowerCamelCase name.
    pub fn index_of(&self, name: &str) -> Option<usize> {
        self.by_name.get(name).copied()
    }

    /// A field by its number.
    pub fn index_of_number(&self, number: u32) -> Option<usize> {
        // Most messages number their fields from 1 in the order of their declaration.
        let guess = (number as usize).wrapping_sub(1);
        match self.fields.get(guess) {
            Some(field) if field.number == number => Some(guess),
            _ => self.by_number.get(&number).copied(),
        }
    }
}

impl Schema {
    /// Of somebody's contracts.
    pub fn of(dialect: Dialect) -> Self {
        Self { dialect, ..Self::default() }
    }

    /// Whose contracts they are.
    pub fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// One message.
    pub fn message(&self, id: MessageId) -> &Message {
        &self.messages[id.0]
    }

    /// Adds a message and all that it holds.
    pub fn add(&mut self, descriptor: &MessageDescriptor) -> MessageId {
        if let Some(id) = self.ids.get(descriptor.full_name()) {
            return *id;
        }
        let id = MessageId(self.messages.len());
        self.ids.insert(descriptor.full_name().to_owned(), id);
        // The place is taken before the fields are read: a message may hold itself.
        let placeholder = Message {
            shape: shape_of(descriptor),
            fields: Vec::new(),
            by_name: HashMap::new(),
            by_number: HashMap::new(),
        };
        self.messages.push(placeholder);
        let (mut by_name, mut by_number) = (HashMap::new(), HashMap::new());
        let mut fields = Vec::new();
        let declared = declared_order(descriptor);
        for (index, field) in declared.iter().enumerate() {
            by_name.insert(field.json_name().to_owned(), index);
            by_name.insert(field.name().to_owned(), index);
            by_number.insert(field.number(), index);
            fields.push(self.field(field));
        }
        let message = &mut self.messages[id.0];
        (message.fields, message.by_name, message.by_number) = (fields, by_name, by_number);
        id
    }

    fn field(&mut self, descriptor: &FieldDescriptor) -> Field {
        let label = if descriptor.is_map() {
            Label::Map
        } else if descriptor.cardinality() == Cardinality::Repeated {
            Label::Repeated
        } else if descriptor.supports_presence() {
            Label::Optional
        } else {
            Label::Plain
        };
        let oneof = descriptor.containing_oneof().filter(|oneof| !oneof.is_synthetic());
        Field {
            name: descriptor.name().to_owned(),
            key: format!("\"{}\":", descriptor.name()),
            number: descriptor.number(),
            label,
            kind: self.kind(&descriptor.kind()),
            oneof: oneof.map(|oneof| oneof.name().to_owned()),
        }
    }

    fn kind(&mut self, kind: &Reflected) -> Kind {
        match kind {
            Reflected::Double => Kind::Double,
            Reflected::Float => Kind::Float,
            Reflected::Int32 => Kind::Int32(Packing::Plain),
            Reflected::Sint32 => Kind::Int32(Packing::Zigzag),
            Reflected::Sfixed32 => Kind::Int32(Packing::Fixed),
            Reflected::Int64 => Kind::Int64(Packing::Plain),
            Reflected::Sint64 => Kind::Int64(Packing::Zigzag),
            Reflected::Sfixed64 => Kind::Int64(Packing::Fixed),
            Reflected::Uint32 => Kind::Uint32(Packing::Plain),
            Reflected::Fixed32 => Kind::Uint32(Packing::Fixed),
            Reflected::Uint64 => Kind::Uint64(Packing::Plain),
            Reflected::Fixed64 => Kind::Uint64(Packing::Fixed),
            Reflected::Bool => Kind::Bool,
            Reflected::String => Kind::String,
            Reflected::Bytes => Kind::Bytes,
            Reflected::Enum(descriptor) => Kind::Enum(Arc::new(Enum::of(descriptor, self.dialect))),
            Reflected::Message(descriptor) => Kind::Message(self.add(descriptor)),
        }
    }
}

/// The fields as the proto declares them; reflection gives them by number.
pub(crate) fn declared_order(descriptor: &MessageDescriptor) -> Vec<FieldDescriptor> {
    let mut fields: Vec<FieldDescriptor> = descriptor.fields().collect();
    fields.sort_by_key(|field| field.path().last().copied());
    fields
}

fn shape_of(descriptor: &MessageDescriptor) -> Shape {
    match descriptor.full_name() {
        "google.api.HttpBody" => Shape::HttpBody,
        "google.protobuf.Timestamp" => Shape::Timestamp,
        "google.protobuf.Duration" => Shape::Duration,
        "google.protobuf.FieldMask" => Shape::FieldMask,
        "google.protobuf.Any"
        | "google.protobuf.Struct"
        | "google.protobuf.Value"
        | "google.protobuf.ListValue" => Shape::Other(descriptor.clone()),
        name if name.starts_with("google.protobuf.") && name.ends_with("Value") => Shape::Wrapper,
        _ => Shape::Object,
    }
}
