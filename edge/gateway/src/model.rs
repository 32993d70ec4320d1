//! The REST surface as data, read from the descriptors and their comments. The OpenAPI document and the
//! reference page are two renderings of it.

use std::collections::{BTreeMap, HashMap};

use prost_reflect::{
    Cardinality, DescriptorPool, EnumDescriptor, FieldDescriptor, FileDescriptor, Kind, MessageDescriptor,
};
use proto::v1::Access;

use crate::{
    GatewayError,
    rules::{Binding, bindings, rest_services},
    schema::declared_order,
    template::Segment,
};

/// All services with a REST binding, and the messages that their calls exchange.
pub(crate) struct Model {
    /// In the order of their names.
    pub services: Vec<Service>,
    /// By name.
    pub messages: BTreeMap<String, Message>,
}

/// One service.
pub(crate) struct Service {
    /// Its name without `Service`.
    pub tag: String,
    /// What it is.
    pub comment: String,
    /// Its calls.
    pub operations: Vec<Operation>,
}

/// One binding of an rpc.
pub(crate) struct Operation {
    /// `EventService_GetEvent`; the second binding of an rpc has a number behind.
    pub id: String,
    /// The method in capital letters.
    pub method: String,
    /// The path with `{variables}`.
    pub path: String,
    /// What it does.
    pub comment: String,
    /// Whether it needs an access token.
    pub signed_in: bool,
    /// What stands in the path.
    pub path_parameters: Vec<Field>,
    /// What may stand in the query.
    pub query_parameters: Vec<Field>,
    /// The fields of the body; none when there is no body.
    pub body: Option<Vec<Field>>,
    /// What comes back.
    pub answer: Answer,
}

/// What comes back.
pub(crate) enum Answer {
    /// Nothing: 204.
    Nothing,
    /// A file.
    File,
    /// JSON of this type.
    Json(Type),
    /// Any number of these, one after the other.
    Stream(Type),
}

/// One message.
pub(crate) struct Message {
    /// What it is.
    pub comment: String,
    /// Its fields in the order of their declaration.
    pub fields: Vec<Field>,
    /// Whether clients send it.
    pub in_requests: bool,
}

/// One field or parameter.
#[derive(Clone)]
pub(crate) struct Field {
    /// Its name.
    pub name: String,
    /// What it is.
    pub comment: String,
    /// What it holds.
    pub holds: Type,
    /// Whether an answer may leave it out.
    pub optional: bool,
}

/// What a field holds.
#[derive(Clone)]
pub(crate) enum Type {
    /// 32-bit integers and smaller ones; the format of OpenAPI.
    Integer(&'static str),
    /// Floating point; the format of OpenAPI.
    Number(&'static str),
    /// True or false.
    Bool,
    /// Text; the format of OpenAPI, or nothing.
    String(&'static str),
    /// One of these names, each with its comment.
    Enum(Vec<(String, String)>),
    /// An object of [`Model::messages`].
    Message(String),
    /// Any JSON.
    Any,
    /// A list.
    List(Box<Type>),
    /// An object with any keys.
    Map(Box<Type>),
}

impl Model {
    /// Reads the descriptors.
    pub fn read(pool: &DescriptorPool) -> Result<Self, GatewayError> {
        let comments = pool.files().map(|file| (file.name().to_owned(), comments_of(&file))).collect();
        let mut reader = Reader { comments, messages: BTreeMap::new() };
        let mut services = Vec::new();
        for service in rest_services(pool) {
            let mut operations: Vec<Operation> = Vec::new();
            for binding in bindings(&service)? {
                let mut operation = reader.operation(&binding);
                let same = operations.iter().filter(|other| other.id.starts_with(&operation.id)).count();
                let is_additional = operations.iter().any(|other| other.id == operation.id);
                if is_additional {
                    operation.id = format!("{}_{}", operation.id, same + 1);
                }
                operations.push(operation);
            }
            if !operations.is_empty() {
                let name = service.name();
                let tag = name.strip_suffix("Service").unwrap_or(name).to_owned();
                let comment = reader.comment(&service.parent_file(), service.path());
                services.push(Service { tag, comment, operations });
            }
        }
        Ok(Self { services, messages: reader.messages })
    }
}

struct Reader {
    /// By file, then by the path of the element.
    comments: HashMap<String, HashMap<Vec<i32>, String>>,
    messages: BTreeMap<String, Message>,
}

impl Reader {
    fn comment(&self, file: &FileDescriptor, path: &[i32]) -> String {
        self.comments.get(file.name()).and_then(|of| of.get(path)).cloned().unwrap_or_default()
    }

    fn operation(&mut self, binding: &Binding) -> Operation {
        let (rpc, input, output) = (&binding.rpc, binding.rpc.input(), binding.rpc.output());
        let service = rpc.parent_service();
        let bound: Vec<&str> = binding.template.variables.iter().map(|v| v.field.as_str()).collect();
        let mut path_parameters = Vec::new();
        let (mut query_parameters, mut body) = (Vec::new(), (!binding.body.is_empty()).then(Vec::new));
        for descriptor in declared_order(&input) {
            let name = descriptor.name();
            let is_bound = bound.iter().any(|field| *field == name || field.starts_with(&format!("{name}.")));
            if is_bound {
                let mut field = self.field(&descriptor, false);
                if let Some(whole) = bound.iter().find(|other| other.starts_with(&format!("{name}."))) {
                    field = Field { name: (*whole).to_owned(), holds: Type::String(""), ..field };
                }
                path_parameters.push(field);
            } else if is_update_mask(&descriptor) {
                // The gateway fills it.
            } else if binding.body == "*" {
                let field = self.field(&descriptor, true);
                body.get_or_insert_default().push(field);
            } else if binding.body == name {
                let inner = descriptor.kind().as_message().map(declared_order).unwrap_or_default();
                let fields = inner.iter().map(|field| self.field(field, true)).collect();
                body = Some(fields);
            } else {
                query_parameters.push(self.field(&descriptor, false));
            }
        }
        let rpc_path = format!("/{}/{}", service.full_name(), rpc.name());
        Operation {
            id: format!("{}_{}", service.name(), rpc.name()),
            method: binding.method.to_string(),
            path: path_of(binding),
            comment: self.comment(&service.parent_file(), rpc.path()),
            signed_in: kit::access::access_of(&rpc_path) != Access::Public,
            path_parameters,
            query_parameters,
            body,
            answer: self.answer(binding, &output),
        }
    }

    fn answer(&mut self, binding: &Binding, output: &MessageDescriptor) -> Answer {
        match output.full_name() {
            "google.protobuf.Empty" => Answer::Nothing,
            "google.api.HttpBody" => Answer::File,
            _ => match output.get_field_by_name(&binding.response_body) {
                Some(field) => Answer::Json(self.field(&field, false).holds),
                None if binding.rpc.is_server_streaming() => Answer::Stream(self.message(output, false)),
                None => Answer::Json(self.message(output, false)),
            },
        }
    }

    fn field(&mut self, descriptor: &FieldDescriptor, in_request: bool) -> Field {
        let holds = if descriptor.is_map() {
            let entry = descriptor.kind().as_message().map(MessageDescriptor::map_entry_value_field);
            let value = entry.map_or(Type::Any, |field| self.kind(&field.kind(), in_request));
            Type::Map(Box::new(value))
        } else {
            let one = self.kind(&descriptor.kind(), in_request);
            let is_list = descriptor.cardinality() == Cardinality::Repeated;
            if is_list { Type::List(Box::new(one)) } else { one }
        };
        Field {
            name: descriptor.name().to_owned(),
            comment: self.comment(&descriptor.parent_message().parent_file(), descriptor.path()),
            holds,
            optional: descriptor.supports_presence(),
        }
    }

    fn kind(&mut self, kind: &Kind, in_request: bool) -> Type {
        match kind {
            Kind::Double => Type::Number("double"),
            Kind::Float => Type::Number("float"),
            Kind::Int32 | Kind::Sint32 | Kind::Sfixed32 => Type::Integer("int32"),
            Kind::Uint32 | Kind::Fixed32 => Type::Integer("uint32"),
            Kind::Int64 | Kind::Sint64 | Kind::Sfixed64 => Type::Integer("int64"),
            Kind::Uint64 | Kind::Fixed64 => Type::Integer("uint64"),
            Kind::Bool => Type::Bool,
            Kind::String => Type::String(""),
            Kind::Bytes => Type::String("byte"),
            Kind::Enum(descriptor) => self.values(descriptor),
            Kind::Message(descriptor) => self.message(descriptor, in_request),
        }
    }

    /// The zero value means "not sent" and is no choice.
    fn values(&self, descriptor: &EnumDescriptor) -> Type {
        let choices = descriptor.values().filter(|value| value.number() != 0);
        let file = descriptor.parent_file();
        Type::Enum(choices.map(|v| (v.name().to_owned(), self.comment(&file, v.path()))).collect())
    }

    fn message(&mut self, descriptor: &MessageDescriptor, in_request: bool) -> Type {
        match descriptor.full_name() {
            "google.protobuf.Timestamp" => return Type::String("date-time"),
            "google.protobuf.Duration" | "google.protobuf.FieldMask" => return Type::String(""),
            "google.api.HttpBody" => return Type::Any,
            name if name.starts_with("google.protobuf.") => {
                let inner = descriptor.get_field_by_name("value").filter(|_| name.ends_with("Value"));
                return inner.map_or(Type::Any, |field| self.kind(&field.kind(), in_request));
            }
            _ => {}
        }
        let full_name = descriptor.full_name();
        let name = full_name.strip_prefix("boxoffice.v1.").unwrap_or(full_name).to_owned();
        let known = self.messages.get(&name).is_some_and(|message| message.in_requests || !in_request);
        if !known {
            let comment = self.comment(&descriptor.parent_file(), descriptor.path());
            let empty = Message { comment, fields: Vec::new(), in_requests: in_request };
            // The name is taken before the fields are read: a message may hold itself.
            self.messages.insert(name.clone(), empty);
            let fields =
                declared_order(descriptor).iter().map(|field| self.field(field, in_request)).collect();
            if let Some(message) = self.messages.get_mut(&name) {
                message.fields = fields;
            }
        }
        Type::Message(name)
    }
}

fn is_update_mask(field: &FieldDescriptor) -> bool {
    let mask = |kind: &Kind| kind.as_message().is_some_and(|m| m.full_name() == "google.protobuf.FieldMask");
    field.name() == "update_mask" && mask(&field.kind())
}

/// The template with each variable as its name alone.
fn path_of(binding: &Binding) -> String {
    let mut path = String::new();
    let mut at = 0;
    while let Some(segment) = binding.template.segments.get(at) {
        path.push('/');
        match binding.template.variables.iter().find(|variable| variable.start == at) {
            Some(variable) => {
                path.push_str(&format!("{{{}}}", variable.field));
                at = variable.end.unwrap_or(usize::MAX);
                continue;
            }
            None => match segment {
                Segment::Literal(text) => path.push_str(text),
                Segment::One => path.push('*'),
                Segment::Rest => path.push_str("**"),
            },
        }
        at += 1;
    }
    if let Some(verb) = &binding.template.verb {
        path.push(':');
        path.push_str(verb);
    }
    path
}

fn comments_of(file: &FileDescriptor) -> HashMap<Vec<i32>, String> {
    let proto = file.file_descriptor_proto();
    let locations = proto.source_code_info.iter().flat_map(|info| &info.location);
    let mut comments = HashMap::new();
    for location in locations {
        let text = location.leading_comments().trim();
        let text = if text.is_empty() { location.trailing_comments().trim() } else { text };
        if !text.is_empty() {
            let lines: Vec<&str> = text.lines().map(str::trim).collect();
            comments.insert(location.path.clone(), lines.join(" "));
        }
    }
    comments
}
