//! The access guard in front of a service: who calls, and may they call this rpc at all?

use std::{
    collections::HashMap,
    convert::Infallible,
    future::{Ready, ready},
    sync::{Arc, LazyLock},
    task::{Context, Poll},
};

use futures_util::future::Either;
use http::{Request, Response, header::AUTHORIZATION};
use proto::v1::Access;
use tonic::{Status, body::Body};
use tower::Service;

use crate::{
    clock::Environment,
    error::ServiceError,
    identity::{Caller, Role, Verifier},
    transport::Rpcs,
};

/// Verifies the token of each call and holds the call against the rpc's `access` option.
///
/// An rpc without the option is refused to everyone.
#[derive(Clone)]
pub struct Guard {
    verifier: Verifier,
    environment: Environment,
}

impl Guard {
    /// A guard that believes this verifier.
    #[must_use]
    pub fn new(verifier: Verifier, environment: Environment) -> Self {
        Self { verifier, environment }
    }

    /// Puts the guard in front of a service.
    #[must_use]
    pub fn protect<S: Rpcs>(&self, rpcs: S) -> Guarded<S> {
        Guarded { rpcs, guard: Arc::new(self.clone()) }
    }

    /// Who sends these headers.
    ///
    /// # Errors
    /// When there is a token and it is not valid: a wrong identity is never taken for none.
    pub fn identify(&self, headers: &http::HeaderMap) -> Result<Caller, ServiceError> {
        let mut values = headers.get_all(AUTHORIZATION).iter();
        let Some(value) = values.next() else {
            return Ok(Caller::Anonymous);
        };
        if values.next().is_some() {
            return Err(ServiceError::unauthenticated("there is more than one Authorization header"));
        }
        let text = value.to_str().unwrap_or_default();
        let Some((scheme, token)) = text.split_once(' ') else {
            return Err(ServiceError::unauthenticated(
                "the Authorization header must be `Bearer` and an access token",
            ));
        };
        if !scheme.eq_ignore_ascii_case("bearer") {
            return Err(ServiceError::unauthenticated(
                "the Authorization header must be `Bearer` and an access token",
            ));
        }
        let claims = self
            .verifier
            .verify(token.trim(), self.environment.now())
            .map_err(|error| ServiceError::unauthenticated(error.to_string()))?;
        Ok(Caller::User { id: claims.sub, admin: claims.roles.contains(&Role::Admin) })
    }

    fn admit(&self, request: &mut Request<Body>) -> Result<(), ServiceError> {
        let caller = self.identify(request.headers())?;
        match access_of(request.uri().path()) {
            Access::Public => {}
            Access::SignedIn => {
                caller.user()?;
            }
            Access::Admin => {
                caller.user()?;
                if !caller.is_admin() {
                    let detail = "only an administrator may do that";
                    return Err(ServiceError::new(crate::error::Code::Forbidden, "forbidden", detail));
                }
            }
            Access::Unspecified => {
                return Err(ServiceError::new(
                    crate::error::Code::Forbidden,
                    "forbidden",
                    "no rule allows this call",
                ));
            }
        }
        request.extensions_mut().insert(caller);
        Ok(())
    }
}

/// The access rule of an rpc by its path, such as `/boxoffice.v1.UserService/Login`.
#[must_use]
pub fn access_of(path: &str) -> Access {
    static RULES: LazyLock<HashMap<String, Access>> = LazyLock::new(|| {
        let pool = proto::descriptors();
        let Some(option) = pool.get_extension_by_name("boxoffice.v1.access") else {
            return HashMap::new();
        };
        let methods: Vec<_> =
            pool.services().flat_map(|service| service.methods().collect::<Vec<_>>()).collect();
        methods
            .into_iter()
            .map(|method| {
                let rule = method.options().get_extension(&option).as_enum_number().unwrap_or_default();
                let path = format!("/{}/{}", method.parent_service().full_name(), method.name());
                (path, Access::try_from(rule).unwrap_or(Access::Unspecified))
            })
            .collect()
    });
    // Health and reflection are open, as their standards have it; they say nothing about data.
    if path.starts_with("/grpc.health.v1.Health/") || path.starts_with("/grpc.reflection.") {
        return Access::Public;
    }
    RULES.get(path).copied().unwrap_or(Access::Unspecified)
}

/// A service behind its guard.
#[derive(Clone)]
pub struct Guarded<S> {
    rpcs: S,
    guard: Arc<Guard>,
}

impl<S: Rpcs> Service<Request<Body>> for Guarded<S> {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Either<S::Future, Ready<Result<Response<Body>, Infallible>>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.rpcs.poll_ready(context)
    }

    fn call(&mut self, mut request: Request<Body>) -> Self::Future {
        match self.guard.admit(&mut request) {
            Ok(()) => Either::Left(self.rpcs.call(request)),
            Err(error) => Either::Right(ready(Ok(Status::from(error).into_http()))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rpc_has_an_access_rule() {
        for service in proto::descriptors().services() {
            for method in service.methods() {
                let path = format!("/{}/{}", service.full_name(), method.name());
                assert_ne!(access_of(&path), Access::Unspecified, "{path} needs `option (access)`");
            }
        }
    }

    #[test]
    fn an_unknown_rpc_is_refused() {
        assert_eq!(access_of("/boxoffice.v1.UserService/DropTables"), Access::Unspecified);
    }
}
