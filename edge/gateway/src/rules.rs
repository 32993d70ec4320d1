//! The REST bindings of the rpcs, as `google.api.http` gives them.

use http::Method;
use prost_reflect::{DescriptorPool, DynamicMessage, MethodDescriptor, ServiceDescriptor};

use crate::{GatewayError, template::Template};

/// One way to reach an rpc by REST.
#[derive(Debug, Clone)]
pub(crate) struct Binding {
    /// The rpc.
    pub rpc: MethodDescriptor,
    /// How it is reached.
    pub method: Method,
    /// The template as the proto has it.
    pub path: String,
    /// The template.
    pub template: Template,
    /// `*`, a field, or nothing.
    pub body: String,
    /// The field that is the answer, or nothing.
    pub response_body: String,
}

/// The services that have an rpc with a REST binding, in the order of their names.
pub(crate) fn rest_services(pool: &DescriptorPool) -> Vec<ServiceDescriptor> {
    let mut services: Vec<_> = pool.services().collect();
    services.sort_by(|a, b| a.full_name().cmp(b.full_name()));
    services
}

/// All bindings of a service, in the order of its rpcs. Streams of a client have no REST form.
pub(crate) fn bindings(service: &ServiceDescriptor) -> Result<Vec<Binding>, GatewayError> {
    let mut found = Vec::new();
    let Some(option) = service.parent_pool().get_extension_by_name("google.api.http") else {
        return Ok(found);
    };
    for rpc in service.methods() {
        let options = rpc.options();
        if rpc.is_client_streaming() || !options.has_extension(&option) {
            continue;
        }
        if let Some(rule) = options.get_extension(&option).as_message() {
            collect(&rpc, rule, &mut found)?;
        }
    }
    Ok(found)
}

fn collect(
    rpc: &MethodDescriptor,
    rule: &DynamicMessage,
    found: &mut Vec<Binding>,
) -> Result<(), GatewayError> {
    let text = |name: &str| {
        rule.get_field_by_name(name).and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default()
    };
    let methods = [
        ("get", Method::GET),
        ("put", Method::PUT),
        ("post", Method::POST),
        ("delete", Method::DELETE),
        ("patch", Method::PATCH),
    ];
    let pattern = methods.into_iter().find(|(name, _)| rule.has_field_by_name(name));
    let pattern = pattern.map(|(name, method)| (method, text(name))).or_else(|| custom(rule));
    let (method, path) = pattern.ok_or_else(|| GatewayError::Rule {
        rpc: rpc.full_name().to_owned(),
        why: "it needs one of get, put, post, delete, patch and custom".to_owned(),
    })?;
    let template = Template::parse(&path)?;
    let (body, response_body) = (text("body"), text("response_body"));
    found.push(Binding { rpc: rpc.clone(), method, path, template, body, response_body });
    let more = rule.get_field_by_name("additional_bindings");
    for rule in more.iter().filter_map(|value| value.as_list()).flatten() {
        if let Some(rule) = rule.as_message() {
            collect(rpc, rule, found)?;
        }
    }
    Ok(())
}

/// `custom: { kind: "HEAD" path: "/v1/x" }`.
fn custom(rule: &DynamicMessage) -> Option<(Method, String)> {
    if !rule.has_field_by_name("custom") {
        return None;
    }
    let custom = rule.get_field_by_name("custom")?;
    let custom = custom.as_message()?;
    let text = |name: &str| custom.get_field_by_name(name)?.as_str().map(str::to_owned);
    Some((Method::from_bytes(text("kind")?.as_bytes()).ok()?, text("path")?))
}
