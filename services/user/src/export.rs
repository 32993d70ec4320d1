//! Everything that is held about the caller, from every service, as one JSON file.

use std::time::Duration;

use domain::user::Account;
use kit::{ServiceError, Transport, deadline::Deadline, request, transport::MAX_RESPONSE_BYTES};
use proto::{
    google_api::HttpBody,
    v1::{
        ExportMeRequest, ExportRequest, ExportResponse, analytics_service_client::AnalyticsServiceClient,
        event_service_client::EventServiceClient, feedback_service_client::FeedbackServiceClient,
        notification_service_client::NotificationServiceClient, ticket_service_client::TicketServiceClient,
    },
};
use serde_json::{Map, Value, json};
use tokio::{task::JoinSet, time};
use tonic::{
    Request, Response, Status,
    metadata::{MetadataMap, MetadataValue},
};

use crate::{
    read,
    service::{Service, json_body, unreadable},
};

/// How long a service may take to say what it holds.
pub(crate) const PEER_DEADLINE: Duration = Duration::from_secs(5);
/// The file is saved, not shown, and kept by nobody on the way.
const DISPOSITION: &str = "attachment; filename=\"boxoffice-export.json\"";
/// Metadata that the caller's request carries and that the services need to know them by.
const PASSED_ON: [&str; 2] = ["authorization", request::TRACEPARENT];

impl Service {
    /// Gathers what every service holds about the caller.
    pub(crate) async fn export(
        &self,
        request: Request<ExportMeRequest>,
    ) -> Result<Response<HttpBody>, ServiceError> {
        let account = self.caller(&request).await?;
        let mut peers = JoinSet::new();
        let deadline = Deadline::left(&request, PEER_DEADLINE);
        for (name, transport) in self.peers.clone() {
            peers.spawn(ask(
                name,
                transport,
                pass_on(ExportRequest {}, request.metadata(), deadline),
                deadline,
            ));
        }
        let mut everything = Map::new();
        everything.insert("user".to_owned(), self.own_records(&account).await?);
        while let Some(asked) = peers.join_next().await {
            let (name, records) = asked.map_err(|error| ServiceError::internal(&error))??;
            everything.insert(name, records);
        }
        let mut response = Response::new(json_body(Value::Object(everything).to_string()));
        let metadata = response.metadata_mut();
        metadata.insert("content-disposition", MetadataValue::from_static(DISPOSITION));
        metadata.insert("cache-control", MetadataValue::from_static("no-store"));
        Ok(response)
    }

    /// What this service holds, but for the hashes of secrets.
    async fn own_records(&self, account: &Account) -> Result<Value, ServiceError> {
        let sessions = read::sessions(self.handle.store().as_ref(), account).await.map_err(unreadable)?;
        let sessions: Vec<_> = sessions
            .iter()
            .map(|session| {
                json!({
                    "created_at": session.created_at,
                    "renewed_at": session.renewed_at,
                    "expires_at": session.expires_at,
                })
            })
            .collect();
        let account = json!({
            "id": account.id,
            "name": account.name,
            "email": account.email,
            "roles": account.roles,
            "gender": account.gender,
            "birth_year": account.birth_year,
            "created_at": account.created_at,
        });
        Ok(json!({"account": account, "sessions": sessions}))
    }
}

/// A request of the caller's to another service.
pub(crate) fn pass_on<T>(message: T, metadata: &MetadataMap, deadline: Duration) -> Request<T> {
    let mut request = Request::new(message);
    for name in PASSED_ON {
        if let Some(value) = metadata.get(name) {
            request.metadata_mut().insert(name, value.clone());
        }
    }
    request.set_timeout(deadline);
    request
}

/// Asks one service, within the deadline.
async fn ask(
    name: String,
    transport: Transport,
    request: Request<ExportRequest>,
    deadline: Duration,
) -> Result<(String, Value), ServiceError> {
    let answer = match time::timeout(deadline, call(&name, transport, request)).await {
        Ok(Ok(answer)) => answer.into_inner(),
        Ok(Err(status)) => return Err(silent(&name, &format!("it answered {:?}", status.code()))),
        Err(_) => return Err(silent(&name, "it took too long")),
    };
    match serde_json::from_str(&answer.json) {
        Ok(records @ Value::Object(_)) => Ok((name, records)),
        _ => Err(silent(&name, "its answer is no JSON object")),
    }
}

async fn call(
    name: &str,
    transport: Transport,
    request: Request<ExportRequest>,
) -> Result<Response<ExportResponse>, Status> {
    macro_rules! export_of {
        ($client:ident) => {
            $client::new(transport).max_decoding_message_size(MAX_RESPONSE_BYTES).export(request).await
        };
    }
    match name {
        "event" => export_of!(EventServiceClient),
        "ticket" => export_of!(TicketServiceClient),
        "feedback" => export_of!(FeedbackServiceClient),
        "notification" => export_of!(NotificationServiceClient),
        "analytics" => export_of!(AnalyticsServiceClient),
        _ => Err(Status::unimplemented("no such service")),
    }
}

/// An export that lacks a service would be taken for all there is, so there is none.
fn silent(name: &str, cause: &str) -> ServiceError {
    tracing::warn!(service = name, cause, "a service did not answer an export");
    ServiceError::unavailable(
        "unavailable",
        format!("the {name} service does not answer now: try again later"),
    )
}
