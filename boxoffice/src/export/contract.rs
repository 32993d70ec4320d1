//! The rpcs that have a REST form, as other gateways are told of them.

use prost_reflect::{Cardinality, FieldDescriptor, Kind, MessageDescriptor, MethodDescriptor};
use proto::v1::Access;
use serde_json::{Map, Value, json};

/// The verbs of `google.api.http` that our contracts use.
const VERBS: [&str; 4] = ["get", "post", "patch", "delete"];

/// An rpc with its binding.
pub(super) struct Rpc {
    pub descriptor: MethodDescriptor,
    /// In capitals.
    pub method: String,
    /// Such as `/v1/events/{event_id}:publish`.
    pub template: String,
    /// Whether the body is the request message, without what the path gives.
    pub has_body: bool,
}

/// The rpcs of a service that clients may call by REST.
pub(super) fn rpcs_of(service: &str) -> Vec<Rpc> {
    let pool = proto::descriptors();
    let Some(option) = pool.get_extension_by_name("google.api.http") else { return Vec::new() };
    let Some(service) = pool.get_service_by_name(service) else { return Vec::new() };
    let bound = service.methods().filter_map(|descriptor| {
        let options = descriptor.options();
        let rule = options.get_extension(&option);
        let rule = rule.as_message()?;
        let text = |name: &str| Some(rule.get_field_by_name(name)?.as_str()?.to_owned());
        let (method, template) = VERBS.iter().find_map(|verb| {
            let template = text(verb).filter(|template| !template.is_empty())?;
            Some((verb.to_uppercase(), template))
        })?;
        let has_body = text("body").is_some_and(|body| !body.is_empty());
        let name = format!("/{}/{}", descriptor.parent_service().full_name(), descriptor.name());
        let is_open = kit::access::access_of(&name) != Access::Unspecified;
        is_open.then_some(Rpc { descriptor, method, template, has_body })
    });
    bound.collect()
}

impl Rpc {
    /// Such as `boxoffice.v1.EventService/GetEvent`.
    pub fn name(&self) -> String {
        format!("{}/{}", self.descriptor.parent_service().full_name(), self.descriptor.name())
    }

    /// A regular expression that the whole path matches. Every variable of ours is one segment.
    pub fn pattern(&self) -> String {
        let mut pattern = String::new();
        let mut rest = self.template.as_str();
        while let Some((before, after)) = rest.split_once('{') {
            pattern += &before.replace('.', "\\.");
            pattern += "[^/:]+";
            rest = after.split_once('}').map_or("", |(_, after)| after);
        }
        pattern + &rest.replace('.', "\\.")
    }

    /// What a script needs to know of it.
    pub fn described(&self) -> Value {
        let (input, output) = (self.descriptor.input(), self.descriptor.output());
        let is_bound = |field: &FieldDescriptor| self.template.contains(&format!("{{{}}}", field.name()));
        // A body may be left out where no field of it always has a value.
        let body_is_optional = input.fields().all(|field| is_bound(&field) || !always_has_value(&field));
        let file = output.fields().find(|field| is_file(&field.kind()));
        json!({
            "method": self.method,
            "path": self.template,
            "input": input.full_name(),
            "body": self.has_body,
            "body_is_optional": body_is_optional,
            "stream": self.descriptor.is_server_streaming(),
            "empty": output.full_name() == "google.protobuf.Empty",
            "is_file": output.full_name() == FILE,
            "file": file.map(|field| field.name().to_owned()),
        })
    }
}

const FILE: &str = "google.api.HttpBody";

fn is_file(kind: &Kind) -> bool {
    matches!(kind, Kind::Message(message) if message.full_name() == FILE)
}

fn always_has_value(field: &FieldDescriptor) -> bool {
    field.cardinality() != Cardinality::Repeated && !field.supports_presence()
}

/// The messages and enums that requests are made of, by their names.
#[derive(Default)]
pub(super) struct Forms {
    pub messages: Map<String, Value>,
    pub enums: Map<String, Value>,
}

impl Forms {
    /// Adds a message, with those inside.
    pub fn add(&mut self, message: &MessageDescriptor) {
        if self.messages.contains_key(message.full_name()) {
            return;
        }
        self.messages.insert(message.full_name().to_owned(), Value::Null);
        let fields: Vec<Value> = message.fields().map(|field| self.field(&field)).collect();
        self.messages.insert(message.full_name().to_owned(), fields.into());
    }

    fn field(&mut self, field: &FieldDescriptor) -> Value {
        let (is, of) = match field.kind() {
            Kind::String => ("string", None),
            Kind::Bool => ("bool", None),
            Kind::Int32 => ("int32", None),
            Kind::Int64 => ("int64", None),
            Kind::Double => ("double", None),
            Kind::Enum(choices) => {
                // `*_UNSPECIFIED` means "not sent", so it cannot be sent.
                let names = choices.values().filter(|value| value.number() != 0);
                let names: Vec<Value> = names.map(|value| value.name().into()).collect();
                self.enums.insert(choices.full_name().to_owned(), names.into());
                ("enum", Some(choices.full_name().to_owned()))
            }
            Kind::Message(message) if message.full_name() == "google.protobuf.Timestamp" => ("time", None),
            Kind::Message(message) if message.full_name().starts_with("boxoffice.") => {
                self.add(&message);
                ("message", Some(message.full_name().to_owned()))
            }
            Kind::Message(message) if message.full_name() == "google.protobuf.FieldMask" => ("mask", None),
            // Nothing else is in our requests; the transcoder reads it.
            _ => ("text", None),
        };
        let is_list = field.cardinality() == Cardinality::Repeated;
        json!({ "name": field.name(), "json": field.json_name(), "is": is, "of": of, "list": is_list })
    }
}

/// The names of our fields that are of such a kind.
pub(super) fn names_of(is_such: impl Fn(&Kind) -> bool) -> Vec<String> {
    let pool = proto::descriptors();
    let ours = pool.all_messages().filter(|message| message.full_name().starts_with("boxoffice."));
    let fields = ours.flat_map(|message| message.fields().collect::<Vec<_>>());
    let mut names: Vec<String> =
        fields.filter(|field| is_such(&field.kind())).map(|field| field.name().to_owned()).collect();
    names.sort();
    names.dedup();
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn templates_become_patterns() {
        let patterns: Vec<String> = rpcs_of("boxoffice.v1.TicketService").iter().map(Rpc::pattern).collect();
        for expected in ["/v1/bookings", "/v1/bookings/[^/:]+:pay", "/v1/tickets/[^/:]+/qr\\.svg"] {
            assert!(patterns.contains(&expected.to_owned()), "{expected}");
        }
    }

    #[test]
    fn a_name_of_a_number_is_no_name_of_a_text() {
        let texts = names_of(|kind| matches!(kind, Kind::String));
        let numbers = names_of(|kind| matches!(kind, Kind::Int64 | Kind::Double));
        assert!(numbers.contains(&"minor".to_owned()));
        assert!(numbers.iter().all(|name| !texts.contains(name)), "{numbers:?}");
    }
}
