//! One request of one visitor: who it is, in which language, and the way to the services on their behalf.

use std::sync::{Arc, Mutex, PoisonError};

use axum::{
    extract::FromRequestParts,
    response::{IntoResponse, Redirect, Response},
};
use http::{
    HeaderMap, HeaderValue, Uri,
    header::{AUTHORIZATION, CACHE_CONTROL, HOST, SET_COOKIE},
    request::Parts,
};
use jiff::Timestamp;
use kit::{
    Code, ServiceError,
    request::{IDEMPOTENCY_KEY, LOOK_UP, PREFER_WAIT_MS, TRACEPARENT},
};
use tonic::metadata::{AsciiMetadataValue, MetadataMap};

use crate::{
    Shared,
    cookies::{self, Secure},
    failure::Failure,
    form::{Fields, KEY_FIELD},
    i18n::{Locale, Text},
    limits::{CALL_DEADLINE, DECISION_WAIT, REFRESH_BEFORE_SECONDS, SESSION_COOKIE_SECONDS},
    services::Services,
    session::{Session, SignedIn, exchange},
    view::{Notice, Person, Theme, View},
};

/// The names of the session's cookie: browsers take the first only with `Secure`, without `Domain`, from the host itself.
const SECURE_COOKIE: &str = "__Host-boxoffice";
const PLAIN_COOKIE: &str = "boxoffice";
/// The cookies of what a visitor chose.
pub(crate) const LANGUAGE_COOKIE: &str = "language";
pub(crate) const THEME_COOKIE: &str = "theme";

/// One request of one visitor. Copies share it.
#[derive(Clone)]
pub(crate) struct Visit(Arc<Inner>);

struct Inner {
    shared: Arc<Shared>,
    view: View,
    traceparent: String,
    session: Mutex<Kept>,
}

/// The session, and whether the browser has to be told.
struct Kept {
    session: Session,
    is_new: bool,
}

impl Visit {
    /// Opens the session of a request, with fresh tokens where the old ones end.
    pub async fn open(shared: &Arc<Shared>, headers: &HeaderMap, uri: &Uri, traceparent: String) -> Self {
        let (session, is_new) = session(shared, headers).await;
        let query = Fields::parse(uri.query().unwrap_or_default().as_bytes());
        let locale = cookies::read(headers, LANGUAGE_COOKIE).and_then(Locale::from_code);
        let theme = cookies::read(headers, THEME_COOKIE).and_then(Theme::from_name);
        let path = uri.path_and_query().map_or("/", |path| path.as_str()).to_owned();
        let environment = shared.environment.clone();
        let person = session
            .signed_in
            .as_ref()
            .map(|person| Person { name: person.name.clone(), is_admin: person.is_admin });
        let view = View {
            text: Text(locale.unwrap_or_else(|| Locale::wanted(headers))),
            theme: theme.unwrap_or(Theme::System),
            person,
            path,
            origin: origin(shared, headers),
            now: Timestamp::from_microsecond(environment.now().micros()).unwrap_or_default(),
            notice: Notice::from_code(query.text("done")),
            token: shared.sealer.token(&session),
            environment,
        };
        let session = Mutex::new(Kept { session, is_new });
        Self(Arc::new(Inner { shared: Arc::clone(shared), view, traceparent, session }))
    }

    /// What pages are rendered with.
    pub fn view(&self) -> &View {
        &self.0.view
    }

    /// The texts in the visitor's language.
    pub fn text(&self) -> Text {
        self.0.view.text
    }

    /// The ways to the services.
    pub fn services(&self) -> &Services {
        &self.0.shared.services
    }

    /// What all visits share.
    pub fn shared(&self) -> &Shared {
        &self.0.shared
    }

    /// Who is signed in.
    ///
    /// # Errors
    /// `SignInFirst` when nobody is: the answer leads to the sign-in, and from there back.
    pub fn person(&self) -> Result<&Person, Failure> {
        self.0.view.person.as_ref().ok_or(Failure::SignInFirst)
    }

    /// A message to a service in the visitor's name.
    pub fn request<T>(&self, message: T) -> tonic::Request<T> {
        let mut request = tonic::Request::new(message);
        request.set_timeout(CALL_DEADLINE);
        let metadata = request.metadata_mut();
        set(metadata, TRACEPARENT, &self.0.traceparent);
        if let Some(signed_in) = &self.kept().session.signed_in {
            set(metadata, AUTHORIZATION.as_str(), &format!("Bearer {}", signed_in.access_token));
        }
        request
    }

    /// As [`Visit::request`], for what is read of an event beside its page: it is no visit.
    pub fn request_look_up<T>(&self, message: T) -> tonic::Request<T> {
        let mut request = self.request(message);
        set(request.metadata_mut(), LOOK_UP, "1");
        request
    }

    /// As [`Visit::request`], for a form that acts once however often it is sent.
    pub fn request_once<T>(&self, message: T, form: &Fields) -> tonic::Request<T> {
        let mut request = self.request(message);
        if let Some(key) = form.filled(KEY_FIELD) {
            set(request.metadata_mut(), IDEMPOTENCY_KEY, key);
        }
        request
    }

    /// As [`Visit::request_once`], and the answer waits for the saga's decision.
    pub fn request_decided<T>(&self, message: T, form: &Fields) -> tonic::Request<T> {
        let mut request = self.request_once(message, form);
        set(request.metadata_mut(), PREFER_WAIT_MS, &DECISION_WAIT.as_millis().to_string());
        request
    }

    /// What a service answers, within the deadline:
    /// `visit.ask(visit.services().event().get_event(visit.request(message))).await?`
    ///
    /// # Errors
    /// What the service says.
    pub async fn ask<T>(
        &self,
        call: impl Future<Output = Result<tonic::Response<T>, tonic::Status>>,
    ) -> Result<T, ServiceError> {
        match tokio::time::timeout(CALL_DEADLINE, call).await {
            Ok(Ok(response)) => Ok(response.into_inner()),
            Ok(Err(status)) => Err(ServiceError::from_status(&status)),
            Err(_) => {
                Err(ServiceError::unavailable("deadline_exceeded", "the service did not answer in time"))
            }
        }
    }

    /// Signs somebody in, or out. The session is a fresh one.
    pub fn become_person(&self, signed_in: Option<SignedIn>) {
        let session = Session::fresh(&self.0.shared.environment, signed_in);
        *self.kept() = Kept { session, is_new: true };
    }

    /// Who is signed in, with the tokens.
    pub fn signed_in(&self) -> Option<SignedIn> {
        self.kept().session.signed_in.clone()
    }

    /// The name has changed.
    pub fn rename(&self, name: &str) {
        let mut kept = self.kept();
        if let Some(signed_in) = &mut kept.session.signed_in {
            name.clone_into(&mut signed_in.name);
        }
        kept.is_new = true;
    }

    /// Refuses a form that is not of this session.
    ///
    /// # Errors
    /// When it is not.
    pub fn check_token(&self, token: &str) -> Result<(), Failure> {
        let is_right = self.0.shared.sealer.has_token(&self.kept().session, token);
        if is_right { Ok(()) } else { Err(Failure::Forged) }
    }

    /// Sets a cookie with what the visitor chose.
    pub fn choice_cookie(&self, name: &str, value: &str, max_age_seconds: i64) -> Option<HeaderValue> {
        cookies::written(name, value, max_age_seconds, self.0.shared.secure())
    }

    /// Adds the cookie, where the browser needs a new one.
    pub fn close(&self, response: &mut Response) {
        let kept = self.kept();
        let headers = response.headers_mut();
        if !headers.contains_key(CACHE_CONTROL) {
            headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        }
        if !kept.is_new {
            return;
        }
        let shared = &self.0.shared;
        let sealed = shared.sealer.seal(&kept.session, &shared.environment);
        let line = sealed.and_then(|value| {
            cookies::written(cookie_name(shared), &value, SESSION_COOKIE_SECONDS, shared.secure())
        });
        if let Some(line) = line {
            response.headers_mut().append(SET_COOKIE, line);
        }
    }

    fn kept(&self) -> std::sync::MutexGuard<'_, Kept> {
        // Nothing panics while the lock is held.
        self.0.session.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Visit {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Failure> {
        parts.extensions.get::<Self>().cloned().ok_or(Failure::BadRequest)
    }
}

/// The fields of the query.
impl<S: Send + Sync> FromRequestParts<S> for Fields {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Failure> {
        Ok(Self::parse(parts.uri.query().unwrap_or_default().as_bytes()))
    }
}

/// The answer to a form that was carried out: another address, to be fetched with GET (303).
pub(crate) fn see_other(url: impl std::fmt::Display, notice: Option<Notice>) -> Response {
    let url = url.to_string();
    let Some(notice) = notice else { return Redirect::to(&url).into_response() };
    let mark = if url.contains('?') { '&' } else { '?' };
    Redirect::to(&format!("{url}{mark}done={}", notice.code())).into_response()
}

/// The session of a request, and whether it is not what the browser has.
async fn session(shared: &Arc<Shared>, headers: &HeaderMap) -> (Session, bool) {
    let opened = cookies::read(headers, cookie_name(shared)).and_then(|cookie| shared.sealer.open(cookie));
    let Some(mut session) = opened else {
        return (Session::fresh(&shared.environment, None), true);
    };
    let Some(signed_in) = &session.signed_in else { return (session, false) };
    if signed_in.expires_at - shared.environment.now().seconds() > REFRESH_BEFORE_SECONDS {
        return (session, false);
    }
    let now = shared.environment.now().seconds();
    let services = shared.services.clone();
    match shared.exchanges.exchange(signed_in, now, |old| exchange::spend(services, old, now)).await {
        Ok(fresh) => session.signed_in = Some(fresh),
        // The session has ended elsewhere.
        Err(error) if error.code == Code::Unauthenticated => session.signed_in = None,
        // Nobody is signed in for this request; the browser keeps what it has for the next one.
        Err(_) => {
            session.signed_in = None;
            return (session, false);
        }
    }
    (session, true)
}

fn cookie_name(shared: &Shared) -> &'static str {
    if shared.secure() == Secure::Yes { SECURE_COOKIE } else { PLAIN_COOKIE }
}

fn origin(shared: &Shared, headers: &HeaderMap) -> String {
    if let Some(url) = &shared.options.public_url {
        return url.origin().to_owned();
    }
    let host = headers.get(HOST).and_then(|host| host.to_str().ok()).unwrap_or("localhost");
    let is_host = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | ':' | '[' | ']');
    format!("http://{}", if host.chars().all(is_host) { host } else { "localhost" })
}

fn set(metadata: &mut MetadataMap, name: &'static str, value: &str) {
    // What is not printable is of no use to a service; without it, it says what is missing.
    if let Ok(value) = AsciiMetadataValue::try_from(value) {
        metadata.insert(name, value);
    }
}
