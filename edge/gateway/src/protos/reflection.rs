//! gRPC server reflection (`grpc.reflection.v1`, and `v1alpha` where that is not known): all services of an upstream
//! with the files that they need. Each question is a call of its own with one message, which every server answers.

use std::{collections::BTreeMap, time::Duration};

use bytes::Bytes;
use http::HeaderMap;
use prost::Message;
use prost_reflect::DescriptorPool;
use prost_types::FileDescriptorProto;
use tonic::{Code, Status};

use crate::{
    balancer::{Call, CallBody, Way},
    grpc,
    wire::{Fields, Raw, put_bytes},
};

/// The versions of the protocol, the newer one first.
const PATHS: [&str; 2] = [
    "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
    "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
];
/// How long one answer may take.
const TIMEOUT: Duration = Duration::from_secs(5);
/// The most files of one server.
const MAX_FILES: usize = 1_000;

// Fields of ServerReflectionRequest.
const FILE_BY_FILENAME: u32 = 3;
const FILE_CONTAINING_SYMBOL: u32 = 4;
const LIST_SERVICES: u32 = 7;
// Fields of ServerReflectionResponse.
const FILE_DESCRIPTOR_RESPONSE: u32 = 4;
const LIST_SERVICES_RESPONSE: u32 = 6;
const ERROR_RESPONSE: u32 = 7;

/// Asks an upstream for its contracts.
///
/// # Errors
/// When it cannot be asked, or does not answer with well-formed contracts.
pub(crate) async fn reflected(way: &Way) -> Result<DescriptorPool, String> {
    let mut path = PATHS[0];
    let listed = match ask(way, path, LIST_SERVICES, "*").await {
        Err(status) if status.code() == Code::Unimplemented => {
            path = PATHS[1];
            ask(way, path, LIST_SERVICES, "*").await
        }
        listed => listed,
    };
    let listed = listed.map_err(|status| format!("reflection: {}", status.message()))?;
    let mut files = BTreeMap::new();
    for service in names_of(&listed)? {
        let answer = ask(way, path, FILE_CONTAINING_SYMBOL, &service).await;
        take_files(
            &answer.map_err(|status| format!("reflection of {service}: {}", status.message()))?,
            &mut files,
        )?;
    }
    while let Some(missing) = missing(&files) {
        if files.len() >= MAX_FILES {
            return Err(format!("reflection: there are more than {MAX_FILES} files"));
        }
        match super::google_api().file.into_iter().find(|file| file.name() == missing) {
            Some(known) => {
                let bytes = known.encode_to_vec();
                files.insert(missing, File { imports: known.dependency, bytes });
            }
            None => {
                let answer = ask(way, path, FILE_BY_FILENAME, &missing).await;
                let answer =
                    answer.map_err(|status| format!("reflection of {missing}: {}", status.message()))?;
                take_files(&answer, &mut files)?;
                if !files.contains_key(&missing) {
                    return Err(format!("reflection: the server does not know {missing}"));
                }
            }
        }
    }
    let mut set = Vec::new();
    for file in files.values() {
        // FileDescriptorSet has the one field.
        put_bytes(&mut set, 1, &file.bytes);
    }
    super::as_pool(&set)
}

/// A file as it was told, by its name.
struct File {
    imports: Vec<String>,
    bytes: Vec<u8>,
}

/// An import that is not there yet.
fn missing(files: &BTreeMap<String, File>) -> Option<String> {
    files.values().flat_map(|file| &file.imports).find(|name| !files.contains_key(*name)).cloned()
}

async fn ask(way: &Way, path: &str, field: u32, about: &str) -> Result<Bytes, Status> {
    let mut message = Vec::new();
    put_bytes(&mut message, field, about.as_bytes());
    let head = grpc::head("reflection", path, HeaderMap::new()).map_err(Status::internal)?;
    let call = Call {
        head,
        body: CallBody::Again(grpc::frame(&message)),
        client: Default::default(),
        authority: None,
        is_idempotent: true,
        hash: None,
        answer_timeout: TIMEOUT,
        deadline: None,
    };
    let answered = way.call(call).await.map_err(|why| Status::unavailable(format!("no answer: {why:?}")))?;
    if let Some(status) = Status::from_header_map(answered.response.headers()) {
        return Err(status);
    }
    let mut messages = grpc::Messages::of(axum::body::Body::new(answered.response.into_body()));
    let answer = tokio::time::timeout(TIMEOUT, messages.next()).await;
    let answer = answer.map_err(|_| Status::deadline_exceeded("no answer in time"))??;
    let answer = answer.ok_or_else(|| Status::unimplemented("there was no answer"))?;
    match part(&answer, ERROR_RESPONSE) {
        None => Ok(answer),
        Some(error) => Err(Status::not_found(text(part(&error, 2)))),
    }
}

fn part(message: &[u8], wanted: u32) -> Option<Vec<u8>> {
    parts(message, wanted).next()
}

fn parts(message: &[u8], wanted: u32) -> impl Iterator<Item = Vec<u8>> {
    Fields::of(message).filter_map(move |field| match field {
        Ok((number, Raw::Bytes(bytes))) if number == wanted => Some(bytes.to_vec()),
        _ => None,
    })
}

fn text(bytes: Option<Vec<u8>>) -> String {
    String::from_utf8(bytes.unwrap_or_default()).unwrap_or_default()
}

/// Reflection itself is not for REST.
fn names_of(answer: &[u8]) -> Result<Vec<String>, String> {
    let list = part(answer, LIST_SERVICES_RESPONSE).ok_or("reflection: the answer lists no services")?;
    let names = parts(&list, 1).map(|service| text(part(&service, 1)));
    Ok(names.filter(|name| !name.starts_with("grpc.reflection.")).collect())
}

fn take_files(answer: &[u8], files: &mut BTreeMap<String, File>) -> Result<(), String> {
    let list = part(answer, FILE_DESCRIPTOR_RESPONSE).ok_or("reflection: the answer has no files")?;
    for bytes in parts(&list, 1) {
        let file = FileDescriptorProto::decode(bytes.as_slice()).map_err(|error| error.to_string())?;
        files.insert(file.name().to_owned(), File { imports: file.dependency, bytes });
    }
    Ok(())
}
