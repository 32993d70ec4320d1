//! What HTTP says every server refuses and the parser leaves to us: a host that is not there, is there twice, or is
//! none (RFC 9112, 3.2), and a length that is said twice (6.1). Whoever stands behind might take it for another request than we do.

use axum::response::Response;
use http::{HeaderValue, Request, Version, header};

use super::framing::Ambiguous;
use crate::problem::Problem;

/// The refusal of a head, if it is refused. A connection on which a length was said twice is answered with nothing else.
pub(super) fn refusal<B>(request: &Request<B>, ambiguous: &Ambiguous) -> Option<Response> {
    // HTTP/2 has its own rules, which its parser holds.
    if request.version() == Version::HTTP_2 {
        return None;
    }
    let twice = "there are both Content-Length and Transfer-Encoding: send one of them";
    let why = if ambiguous.is_found() { twice } else { wrong(request)? };
    let mut response = Problem::bad_input(why).into_response_of(request.uri().path(), "");
    response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    Some(response)
}

fn wrong<B>(request: &Request<B>) -> Option<&'static str> {
    let mut hosts = request.headers().get_all(header::HOST).iter();
    let host = hosts.next();
    if hosts.next().is_some() {
        return Some("there is more than one Host");
    }
    let Some(host) = host else {
        let needs_one = request.version() == Version::HTTP_11;
        return needs_one.then_some("there is no Host");
    };
    if !host.as_bytes().iter().all(|byte| is_of_a_host(*byte)) {
        return Some("the Host is not well-formed");
    }
    let authority = request.uri().authority();
    if authority.is_some_and(|authority| !authority.as_str().as_bytes().eq_ignore_ascii_case(host.as_bytes()))
    {
        return Some("the Host is another than that of the target");
    }
    None
}

/// RFC 3986, 3.2.2, with the colon of a port and without what would begin another part of a URI.
fn is_of_a_host(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~:[]%!$&'()*+,;=".contains(&byte)
}
