//! For administrators: every account, and how the services stand.

use std::time::Duration;

use domain::{Refusal, user::Account};
use kit::{ServiceError, Transport, deadline::Deadline, pages, transport::MAX_RESPONSE_BYTES};
use proto::v1::{
    GetStandingRequest, GetSystemRequest, ListUsersRequest, ListUsersResponse, RedriveParkedFactsRequest,
    RedriveRequest, RedriveResponse, Standing, System, analytics_service_client::AnalyticsServiceClient,
    event_service_client::EventServiceClient, feedback_service_client::FeedbackServiceClient,
    notification_service_client::NotificationServiceClient, system,
    ticket_service_client::TicketServiceClient,
};
use store::{Cursor, Query, Value};
use tokio::{task::JoinSet, time};
use tonic::{Request, Response, Status};

use crate::{
    convert,
    export::{PEER_DEADLINE, pass_on},
    read,
    rows::UserRow,
    service::{Service, unreadable},
};

/// How long another try of parked facts may take.
const REDRIVE_DEADLINE: Duration = Duration::from_secs(25);
/// The name of the list in its page tokens.
const USERS: &str = "users";

/// Calls an rpc that every service with consumers has.
macro_rules! call {
    ($name:expr, $transport:expr, $rpc:ident, $request:expr) => {{
        macro_rules! of {
            ($client:ident) => {
                $client::new($transport).max_decoding_message_size(MAX_RESPONSE_BYTES).$rpc($request).await
            };
        }
        match $name {
            "event" => of!(EventServiceClient),
            "ticket" => of!(TicketServiceClient),
            "feedback" => of!(FeedbackServiceClient),
            "notification" => of!(NotificationServiceClient),
            "analytics" => of!(AnalyticsServiceClient),
            _ => Err(Status::unimplemented("no such service")),
        }
    }};
}

impl Service {
    /// Accounts in pages, or the one with an address.
    pub(crate) async fn everybody(
        &self,
        request: Request<ListUsersRequest>,
    ) -> Result<Response<ListUsersResponse>, ServiceError> {
        let request = request.into_inner();
        let store = self.handle.store().as_ref();
        if !request.email.trim().is_empty() {
            let found = read::find_by_email(store, &request.email).await.map_err(unreadable)?;
            let users = found.iter().map(convert::user).collect();
            return Ok(Response::new(ListUsersResponse { users, next_page_token: String::new() }));
        }
        let size = pages::page_size(request.page_size)?;
        let after = pages::cursor(USERS, &request.page_token)?;
        // One more than the page tells whether there is a next one.
        let query = Query::all("account").after(after).limit(size + 1);
        let rows = store.query(&query).await.map_err(unreadable)?;
        let has_more = rows.len() > size;
        let accounts: Vec<Account> =
            rows.into_iter().take(size).filter_map(|row| as_account(row.into_row())).collect();
        let next_page_token = match accounts.last() {
            Some(last) if has_more => {
                pages::token(USERS, &Cursor { value: Value::Null, id: last.id.to_string() })
            }
            _ => String::new(),
        };
        let users = accounts.iter().map(convert::user).collect();
        Ok(Response::new(ListUsersResponse { users, next_page_token }))
    }

    /// How every service stands. One that does not answer is shown as such: that is what the page is for.
    pub(crate) async fn system(
        &self,
        request: Request<GetSystemRequest>,
    ) -> Result<Response<System>, ServiceError> {
        let deadline = Deadline::left(&request, PEER_DEADLINE);
        let mut asked = JoinSet::new();
        for (place, (name, transport)) in self.peers.iter().cloned().enumerate() {
            let request = pass_on(GetStandingRequest {}, request.metadata(), deadline);
            asked.spawn(async move {
                let standing = time::timeout(deadline, standing(&name, transport, request)).await;
                (place, name, standing)
            });
        }
        let mut services = Vec::new();
        while let Some(answered) = asked.join_next().await {
            let (place, name, standing) = answered.map_err(|error| ServiceError::internal(&error))?;
            let standing = match standing {
                Ok(Ok(response)) => Some(response.into_inner()),
                Ok(Err(status)) => {
                    tracing::warn!(service = name, code = ?status.code(), "a service does not say how it stands");
                    None
                }
                Err(_) => None,
            };
            services.push((place, system::Service { name, answers: standing.is_some(), standing }));
        }
        services.sort_by_key(|(place, _)| *place);
        let services = services.into_iter().map(|(_, service)| service).collect();
        Ok(Response::new(System { services }))
    }

    /// Another try for what a service set aside.
    pub(crate) async fn redrive(
        &self,
        request: Request<RedriveParkedFactsRequest>,
    ) -> Result<Response<RedriveResponse>, ServiceError> {
        let name = request.get_ref().service.as_str();
        let known = self.peers.iter().find(|(peer, _)| peer == name);
        let (name, transport) = known.cloned().ok_or_else(|| {
            Refusal::field("service", "must be event, ticket, feedback, notification or analytics")
        })?;
        let deadline = Deadline::left(&request, REDRIVE_DEADLINE);
        let asked = pass_on(RedriveRequest {}, request.metadata(), deadline);
        match time::timeout(deadline, redriven(&name, transport, asked)).await {
            Ok(Ok(response)) => Ok(Response::new(response.into_inner())),
            Ok(Err(status)) => Err(ServiceError::from_status(&status)),
            Err(_) => Err(ServiceError::unavailable(
                "unavailable",
                "it takes longer than a call may; it goes on where it stopped when it is asked again",
            )),
        }
    }
}

async fn standing(
    name: &str,
    transport: Transport,
    request: Request<GetStandingRequest>,
) -> Result<Response<Standing>, Status> {
    call!(name, transport, get_standing, request)
}

async fn redriven(
    name: &str,
    transport: Transport,
    request: Request<RedriveRequest>,
) -> Result<Response<RedriveResponse>, Status> {
    call!(name, transport, redrive, request)
}

fn as_account(row: UserRow) -> Option<Account> {
    match row {
        UserRow::Account(account) => Some(account),
        _ => None,
    }
}
