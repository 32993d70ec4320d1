//! The REST surface as the commands of this program call it: over HTTP, or in process without a socket.

use anyhow::Context;
use axum::body::Body;
use gateway::Gateway;
use http::{Request, StatusCode, header};
use http_body_util::BodyExt;
use kit::identity::{Role, Signer};
use serde_json::Value;
use tower::ServiceExt;

/// How often a call is made again when the platform is busy.
const MAX_TRIES: u32 = 6;
/// The pause before the first repetition; it doubles.
const FIRST_PAUSE: std::time::Duration = std::time::Duration::from_millis(100);

/// An answer: its status and its JSON, null where it had none.
pub type Reply = (StatusCode, Value);

/// Who is called, and as whom.
pub enum Api {
    /// A platform in this process, as a user of it.
    Local {
        /// Its REST surface.
        gateway: Gateway,
        /// Makes the user's tokens.
        signer: Signer,
        /// The clock and the ids.
        environment: kit::Environment,
        /// As whom; anonymous where it is none.
        user: Option<domain::UserId>,
    },
    /// A platform elsewhere, with somebody's token.
    Remote {
        /// The connections.
        client: reqwest::Client,
        /// Where, without a slash at the end.
        url: String,
        /// The access token.
        token: String,
    },
}

impl Api {
    /// A platform at a URL, with an access token.
    ///
    /// # Errors
    /// When the URL is none.
    pub fn remote(url: &str, token: &str) -> anyhow::Result<Self> {
        let parsed = reqwest::Url::parse(url).with_context(|| format!("--url {url} is not a URL"))?;
        anyhow::ensure!(
            matches!(parsed.scheme(), "http" | "https"),
            "--url must begin with http:// or https://"
        );
        let client = reqwest::Client::builder().timeout(std::time::Duration::from_secs(60)).build()?;
        Ok(Self::Remote { client, url: url.trim_end_matches('/').to_owned(), token: token.to_owned() })
    }

    /// Posts JSON; a busy platform is asked again, later and later.
    ///
    /// # Errors
    /// When there is no answer, or the platform stays busy.
    pub async fn post(&self, path: &str, body: &Value) -> anyhow::Result<Reply> {
        self.call("POST", path, Some(body)).await
    }

    /// Gets JSON, as [`Api::post`].
    ///
    /// # Errors
    /// As [`Api::post`].
    pub async fn get(&self, path: &str) -> anyhow::Result<Reply> {
        self.call("GET", path, None).await
    }

    async fn call(&self, method: &str, path: &str, body: Option<&Value>) -> anyhow::Result<Reply> {
        let mut pause = FIRST_PAUSE;
        for _ in 1..MAX_TRIES {
            let reply = self.once(method, path, body).await?;
            if !matches!(reply.0, StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS) {
                return Ok(reply);
            }
            tokio::time::sleep(pause).await;
            pause *= 2;
        }
        self.once(method, path, body).await
    }

    async fn once(&self, method: &str, path: &str, body: Option<&Value>) -> anyhow::Result<Reply> {
        let body = body.map(Value::to_string).unwrap_or_default();
        match self {
            Self::Local { gateway, signer, environment, user } => {
                let mut request = Request::builder().method(method).uri(path);
                if !body.is_empty() {
                    request = request.header(header::CONTENT_TYPE, "application/json");
                }
                if let Some(user) = user {
                    // Made for each call: an import may take longer than a token lives.
                    let token = signer.sign(*user, &[Role::User], environment.id(), environment.now())?;
                    request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
                }
                let response = gateway.clone().oneshot(request.body(Body::from(body))?).await?;
                let status = response.status();
                let bytes = response.into_body().collect().await?.to_bytes();
                Ok((status, serde_json::from_slice(&bytes).unwrap_or_default()))
            }
            Self::Remote { client, url, token } => {
                let mut request = client.request(method.parse()?, format!("{url}{path}")).bearer_auth(token);
                if !body.is_empty() {
                    request = request.header(header::CONTENT_TYPE, "application/json").body(body);
                }
                let response = request.send().await.with_context(|| format!("no answer from {url}"))?;
                let status = response.status();
                Ok((status, response.json().await.unwrap_or_default()))
            }
        }
    }
}
