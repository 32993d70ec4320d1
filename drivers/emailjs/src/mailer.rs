//! The mailer: waits for its turn, posts, and says what the answer means.

use std::{sync::Arc, time::Duration};

use domain::notification::{Mail, MailError, Mailer, Sending};
use reqwest::{Client, Response, StatusCode, Url, header::RETRY_AFTER, redirect::Policy};

use crate::{
    answer,
    pace::{MAX_WAIT, Pace},
    request::Body,
    settings::{Settings, SetupError},
};

/// How long a request may take, answer included.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(12);
/// How long the notification service waits for a mailer.
const MAILER_TIMEOUT: Duration = Duration::from_secs(120);
// Whoever has a turn also has the time to use it.
const _: () = assert!(MAX_WAIT.as_millis() + REQUEST_TIMEOUT.as_millis() < MAILER_TIMEOUT.as_millis());
/// How much of an answer is read, in bytes; what EmailJS says is a sentence.
const MAX_ANSWER_BYTES: usize = 1_024;

/// Hands mails to EmailJS, one a second.
///
/// It tries each mail once: the notification service tries again, with growing pauses and an end. The rate is that of
/// the account, so one process with this mailer is enough; with several, EmailJS refuses some with 429 and they go
/// later.
pub struct EmailJsMailer {
    shared: Arc<Shared>,
}

struct Shared {
    client: Client,
    url: Url,
    settings: Settings,
    pace: Pace,
}

impl EmailJsMailer {
    /// A mailer for an account.
    ///
    /// # Errors
    /// When a setting is missing or wrong, or the system has no CA certificates.
    pub fn new(settings: Settings) -> Result<Self, SetupError> {
        let url = settings.checked()?;
        // Somebody who redirects would be sent the keys.
        let client = Client::builder().timeout(REQUEST_TIMEOUT).redirect(Policy::none()).build();
        let client = client.map_err(|_| SetupError::NoTls)?;
        Ok(Self { shared: Arc::new(Shared { client, url, settings, pace: Pace::new() }) })
    }
}

impl Mailer for EmailJsMailer {
    fn send(&self, mail: Mail) -> Sending {
        let shared = Arc::clone(&self.shared);
        Box::pin(async move { shared.send(&mail).await })
    }
}

impl Shared {
    async fn send(&self, mail: &Mail) -> Result<(), MailError> {
        let body = Body::new(&self.settings, mail)?;
        if self.pace.turn().await.is_none() {
            return Err(MailError::Transient("more mails are waiting than EmailJS takes in time".to_owned()));
        }
        let sent = self.client.post(self.url.clone()).json(&body).send().await;
        let response = sent.map_err(|error| MailError::Transient(unanswered(&error).to_owned()))?;
        let status = response.status();
        if status == StatusCode::TOO_MANY_REQUESTS {
            self.pace.rest(asked_pause(&response));
        }
        answer::outcome(status, &beginning(response).await)
    }
}

/// Why there is no answer. The error itself names the address, which may be a proxy's with a password.
fn unanswered(error: &reqwest::Error) -> &'static str {
    if error.is_timeout() {
        "EmailJS did not answer in time"
    } else if error.is_connect() {
        "EmailJS cannot be reached"
    } else {
        "the connection to EmailJS broke"
    }
}

/// For how long it asks to be left alone.
fn asked_pause(response: &Response) -> Option<Duration> {
    let seconds = response.headers().get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok()?;
    Some(Duration::from_secs(seconds))
}

/// The first part of an answer's text; what cannot be read is left out, since the status says enough.
async fn beginning(mut response: Response) -> String {
    let mut bytes = Vec::new();
    while bytes.len() < MAX_ANSWER_BYTES {
        match response.chunk().await {
            Ok(Some(chunk)) => bytes.extend_from_slice(&chunk),
            Ok(None) | Err(_) => break,
        }
    }
    bytes.truncate(MAX_ANSWER_BYTES);
    String::from_utf8_lossy(&bytes).into_owned()
}
