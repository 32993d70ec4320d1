//! The table of routes: all that is known about a request before it comes.

use std::{ops::Range, sync::Arc};

use http::{Method, uri::PathAndQuery};
use prost_reflect::DescriptorPool;

use crate::{
    GatewayError,
    rules::{Binding, bindings, rest_services},
    schema::{Dialect, Kind, Label, MessageId, Schema, Shape},
    tree::Tree,
};

/// What the body of a request is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BodyRule {
    /// There is none.
    Nothing,
    /// The request message, without what the path gives.
    Whole,
    /// This field of it.
    Field(usize),
}

/// A field of the request, through its messages.
pub(crate) type FieldPath = Vec<(MessageId, usize)>;

/// One binding of an rpc, ready to be carried out.
pub(crate) struct Route {
    /// The HTTP method.
    pub method: Method,
    /// `/boxoffice.v1.EventService/GetEvent`.
    pub rpc: PathAndQuery,
    /// Its place in [`Routes::bindings`].
    pub number: usize,
    /// Whether the answer is many messages.
    pub is_stream: bool,
    /// The request message.
    pub input: MessageId,
    /// The response message.
    pub output: MessageId,
    /// Whether the response says nothing.
    pub output_is_empty: bool,
    /// What the body is.
    pub body: BodyRule,
    /// Whether the body may be left out.
    pub body_is_optional: bool,
    /// The field that is the answer.
    pub response_body: Option<usize>,
    /// The field of the response that holds a file.
    pub file: Option<usize>,
    /// The fields that the path gives, each with its segments.
    pub variables: Vec<(FieldPath, Range<usize>)>,
    /// The top-level fields among them.
    pub bound: Vec<usize>,
    /// Filled with the names of the fields that a PATCH sends.
    pub update_mask: Option<usize>,
}

/// The routes of one path, by method.
#[derive(Default)]
pub(crate) struct Methods(Vec<Route>);

impl Methods {
    /// The route of a method. HEAD is GET without a body in the answer.
    pub fn get(&self, method: &Method) -> Option<&Route> {
        let method = if *method == Method::HEAD { &Method::GET } else { method };
        self.0.iter().find(|route| route.method == *method)
    }

    /// What the `Allow` header says.
    pub fn allow(&self) -> String {
        let mut names: Vec<&str> = self.0.iter().map(|route| route.method.as_str()).collect();
        if names.contains(&"GET") {
            names.push("HEAD");
        }
        names.join(", ")
    }
}

/// All routes.
pub(crate) struct Routes {
    /// By path.
    pub tree: Tree<Methods>,
    /// The messages that they need.
    pub schema: Arc<Schema>,
    /// What each was made from.
    pub bindings: Vec<Binding>,
    /// The response message of each, and the field of it that is the answer.
    pub outputs: Vec<(MessageId, Option<usize>)>,
}

impl Routes {
    /// Builds the table from the descriptors.
    pub fn build(pool: &DescriptorPool, dialect: Dialect) -> Result<Self, GatewayError> {
        let mut builder = Builder { schema: Schema::of(dialect), dialect };
        let mut tree = Tree::<Methods>::new();
        let (mut all, mut outputs) = (Vec::new(), Vec::new());
        for service in rest_services(pool) {
            for binding in bindings(&service)? {
                let route = builder.route(&binding, all.len())?;
                let place = tree.place(&binding.template);
                if place.0.iter().any(|other| other.method == route.method) {
                    let why = format!("{} {} is taken by another rpc", binding.method, binding.path);
                    return Err(GatewayError::Rule { rpc: binding.rpc.full_name().to_owned(), why });
                }
                outputs.push((route.output, route.response_body));
                place.0.push(route);
                all.push(binding);
            }
        }
        Ok(Self { tree, schema: Arc::new(builder.schema), bindings: all, outputs })
    }
}

struct Builder {
    schema: Schema,
    dialect: Dialect,
}

impl Builder {
    fn route(&mut self, binding: &Binding, number: usize) -> Result<Route, GatewayError> {
        let wrong = |why: String| GatewayError::Rule { rpc: binding.rpc.full_name().to_owned(), why };
        let service = binding.rpc.parent_service().full_name().to_owned();
        let name = format!("/{service}/{}", binding.rpc.name());
        let input = self.schema.add(&binding.rpc.input());
        let output = self.schema.add(&binding.rpc.output());
        let field_of = |id: MessageId, name: &str| {
            let index = self.schema.message(id).index_of(name);
            index.ok_or_else(|| wrong(format!("there is no field {name}")))
        };
        let body = match binding.body.as_str() {
            "" => BodyRule::Nothing,
            "*" => BodyRule::Whole,
            name => BodyRule::Field(field_of(input, name)?),
        };
        let response_body = match binding.response_body.as_str() {
            "" => None,
            name => Some(field_of(output, name)?),
        };
        let mut variables = Vec::new();
        for variable in &binding.template.variables {
            let path = resolve(&self.schema, input, &variable.field)
                .ok_or_else(|| wrong(format!("{} is not a field that a path can give", variable.field)))?;
            variables.push((path, variable.start..variable.end.unwrap_or(usize::MAX)));
        }
        let top = variables.iter().filter(|(path, _)| path.len() == 1);
        let bound: Vec<usize> = top.map(|(path, _)| path[0].1).collect();
        let fills_mask = self.dialect == Dialect::Ours && binding.method == http::Method::PATCH;
        let update_mask = fills_mask.then(|| self.update_mask(input)).flatten();
        Ok(Route {
            method: binding.method.clone(),
            rpc: name.parse().map_err(|_| wrong("its name is no path".to_owned()))?,
            number,
            is_stream: binding.rpc.is_server_streaming(),
            input,
            output,
            output_is_empty: binding.rpc.output().full_name() == "google.protobuf.Empty",
            body,
            body_is_optional: self.body_is_optional(input, body, &bound),
            response_body,
            file: self.file(output),
            variables,
            bound,
            update_mask,
        })
    }

    fn update_mask(&self, input: MessageId) -> Option<usize> {
        let index = self.schema.message(input).index_of("update_mask")?;
        let Kind::Message(id) = self.schema.message(input).fields[index].kind else {
            return None;
        };
        matches!(self.schema.message(id).shape, Shape::FieldMask).then_some(index)
    }

    fn file(&self, output: MessageId) -> Option<usize> {
        self.schema.message(output).fields.iter().position(|field| match field.kind {
            Kind::Message(id) if field.label == Label::Optional => {
                matches!(self.schema.message(id).shape, Shape::HttpBody)
            }
            _ => false,
        })
    }

    /// A body may be left out where no field of it always has a value.
    fn body_is_optional(&self, input: MessageId, body: BodyRule, bound: &[usize]) -> bool {
        let fields = &self.schema.message(input).fields;
        match body {
            _ if self.dialect == Dialect::Any => true,
            BodyRule::Nothing => true,
            BodyRule::Field(_) => false,
            BodyRule::Whole => {
                let mut free = fields.iter().enumerate().filter(|(index, _)| !bound.contains(index));
                free.all(|(_, field)| field.label != Label::Plain)
            }
        }
    }
}

/// The field at a dotted path. Everything but the last step is a single message.
pub(crate) fn resolve(schema: &Schema, root: MessageId, path: &str) -> Option<FieldPath> {
    let mut steps = Vec::new();
    let mut next = Some(root);
    for name in path.split('.') {
        let id = next?;
        let index = schema.message(id).index_of(name)?;
        let field = &schema.message(id).fields[index];
        next = match field.kind {
            Kind::Message(inner) if matches!(field.label, Label::Plain | Label::Optional) => {
                matches!(schema.message(inner).shape, Shape::Object).then_some(inner)
            }
            _ => None,
        };
        steps.push((id, index));
    }
    // A whole message or a map has no text.
    let (id, index) = *steps.last()?;
    let is_map = schema.message(id).fields[index].label == Label::Map;
    (next.is_none() && !is_map).then_some(steps)
}
