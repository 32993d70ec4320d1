//! The rpcs of the feedback service.

use domain::{
    BookingId, EventId, UserId,
    feedback::{FeedbackId, Rate, Summary, visible},
};
use kit::{
    Caller, Desk, Handle, Replied, ServiceError, idempotency, pages,
    request::{self, IDEMPOTENCY_REPLAYED},
};
use prost::Message;
use proto::{HTTP_STATUS_HEADER, v1, v1::feedback_service_server::FeedbackService};
use store::{Condition, Cursor, Direction, MAX_PAGE, Query, Row, Store, StoreError, Value, Versioned};
use tonic::{Request, Response, Status, metadata::MetadataValue};

use crate::{
    convert,
    machine::{Command, FeedbackMachine},
    rows::{FeedbackRow, event_key, summary_key},
};

/// The most pages of one export: a hundred thousand records.
const MAX_EXPORT_PAGES: usize = 100;

/// The feedback service on a running pipeline.
pub struct Feedback {
    handle: Handle<FeedbackMachine>,
    desk: Desk<FeedbackMachine>,
}

impl Feedback {
    /// The service on this pipeline.
    #[must_use]
    pub fn new(handle: Handle<FeedbackMachine>, desk: Desk<FeedbackMachine>) -> Self {
        Self { handle, desk }
    }

    /// The figures of an event that everybody may see.
    async fn summary(&self, event_id: EventId) -> Result<Summary, ServiceError> {
        let keys = [event_key(event_id), summary_key(event_id)];
        let loaded = self.handle.store().load(&keys, &[]).await.map_err(unavailable)?;
        let rows: Vec<Option<FeedbackRow>> =
            loaded.rows.into_iter().map(|row| row.map(Versioned::into_row)).collect();
        visible(rows.iter().flatten().find_map(FeedbackRow::as_event))?;
        let summary = rows.iter().flatten().find_map(FeedbackRow::as_summary);
        Ok(summary.cloned().unwrap_or_else(|| Summary::empty(event_id)))
    }

    /// Every row of a table that names the user.
    async fn all_of(&self, table: &'static str, user_id: UserId) -> Result<Vec<FeedbackRow>, ServiceError> {
        let condition = Condition::Is("user_id", Value::Text(user_id.to_string()));
        let mut query = Query::all(table).filter(condition);
        let mut rows: Vec<FeedbackRow> = Vec::new();
        for _ in 0..MAX_EXPORT_PAGES {
            let page = self.handle.store().query(&query).await.map_err(unavailable)?;
            let is_last = page.len() < MAX_PAGE;
            rows.extend(page.into_iter().map(Versioned::into_row));
            let Some(last) = rows.last().filter(|_| !is_last) else { break };
            query = query.after(Some(Cursor { value: Value::Null, id: last.key().id.to_string() }));
        }
        Ok(rows)
    }
}

/// A booking by which a user holds a place now.
///
/// # Errors
/// When the store cannot be read.
pub async fn evidence(
    store: &dyn Store<FeedbackRow>,
    event_id: EventId,
    user_id: UserId,
) -> Result<Option<BookingId>, StoreError> {
    let query = Query::all("holding")
        .filter(Condition::Is("user_id", Value::Text(user_id.to_string())))
        .filter(Condition::Is("event_id", Value::Text(event_id.to_string())))
        .filter(Condition::AtLeast("places", Value::Int(1)))
        .limit(1);
    let found = store.query(&query).await?;
    let holding = found.first().and_then(|versioned| versioned.row.as_holding());
    Ok(holding.map(|holding| holding.booking_id))
}

#[tonic::async_trait]
impl FeedbackService for Feedback {
    async fn create_feedback(
        &self,
        request: Request<v1::CreateFeedbackRequest>,
    ) -> Result<Response<v1::Feedback>, Status> {
        let user_id = Caller::of(&request).user().map_err(ServiceError::from)?;
        let key = request::idempotency_key(request.metadata()).map_err(ServiceError::from)?;
        let body = request.get_ref().encode_to_vec();
        let idempotency = key.map(|key| idempotency(key, &user_id.to_string(), "CreateFeedback", &body));
        let traceparent = request::traceparent(request.metadata());
        let message = request.into_inner();
        let event_id = convert::event_id(&message.event_id).map_err(ServiceError::from)?;

        let evidence =
            evidence(self.handle.store().as_ref(), event_id, user_id).await.map_err(unavailable)?;

        let comment = message.comment.trim().to_owned();
        let new_id = FeedbackId(self.handle.environment().id());
        let rate =
            Rate { event_id, user_id, rating: message.rating, comment: comment.clone(), new_id, evidence };
        let request = kit::Request { command: Command::Rate(rate), idempotency, traceparent };

        let Replied { reply, replayed } = self.handle.submit(request).await?;

        let feedback = convert::rated(reply, message.rating, event_id, comment)
            .ok_or_else(|| ServiceError::internal(&"a rating was answered like a fact"))?;
        let mut response = Response::new(feedback);
        response.metadata_mut().insert(HTTP_STATUS_HEADER, MetadataValue::from_static("201"));
        if replayed {
            response.metadata_mut().insert(IDEMPOTENCY_REPLAYED, MetadataValue::from_static("true"));
        }
        Ok(response)
    }

    async fn list_feedback(
        &self,
        request: Request<v1::ListFeedbackRequest>,
    ) -> Result<Response<v1::ListFeedbackResponse>, Status> {
        let message = request.into_inner();
        let event_id = convert::event_id(&message.event_id).map_err(ServiceError::from)?;
        let size = pages::page_size(message.page_size).map_err(ServiceError::from)?;
        let list = format!("feedback {event_id}");
        let after = pages::cursor(&list, &message.page_token).map_err(ServiceError::from)?;

        let summary = self.summary(event_id).await?;
        let query = Query::all("rating")
            .filter(Condition::Is("event_id", Value::Text(event_id.to_string())))
            .order("sequence", Direction::Descending)
            .after(after)
            .limit(size + 1);
        let found = self.handle.store().query(&query).await.map_err(unavailable)?;

        let next_page_token = next_token(&list, &found, size);
        let ratings = found.iter().take(size).filter_map(|versioned| versioned.row.as_rating());
        Ok(Response::new(v1::ListFeedbackResponse {
            average_rating: summary.average(),
            count: i64::try_from(summary.count).unwrap_or(i64::MAX),
            feedback: ratings.map(convert::feedback).collect(),
            next_page_token,
        }))
    }

    async fn get_standing(
        &self,
        _: Request<v1::GetStandingRequest>,
    ) -> Result<Response<v1::Standing>, Status> {
        Ok(Response::new(self.desk.standing().await?))
    }

    async fn redrive(&self, _: Request<v1::RedriveRequest>) -> Result<Response<v1::RedriveResponse>, Status> {
        Ok(Response::new(self.desk.redrive().await?))
    }

    async fn export(
        &self,
        request: Request<v1::ExportRequest>,
    ) -> Result<Response<v1::ExportResponse>, Status> {
        let user_id = Caller::of(&request).user().map_err(ServiceError::from)?;

        let ratings = self.all_of("rating", user_id).await?;
        let holdings = self.all_of("holding", user_id).await?;

        let ratings: Vec<_> = ratings.iter().filter_map(FeedbackRow::as_rating).collect();
        let holdings: Vec<_> = holdings.iter().filter_map(FeedbackRow::as_holding).collect();
        let json = serde_json::json!({ "feedback": ratings, "booked_places": holdings });
        Ok(Response::new(v1::ExportResponse { json: json.to_string() }))
    }
}

/// The token of the next page; one row more than the page was asked for, to know whether there is one.
///
/// A token can be read by anybody and the id of a rating's row names its author, so the token has
/// the sequence alone, which no two ratings of an event share.
fn next_token(list: &str, found: &[Versioned<FeedbackRow>], size: usize) -> String {
    let last = found.get(size).and(found.get(size.saturating_sub(1))).and_then(|last| last.row.as_rating());
    let Some(last) = last else { return String::new() };
    let sequence = i64::try_from(last.sequence).unwrap_or(i64::MAX);
    pages::token(list, &Cursor { value: Value::Int(sequence), id: String::new() })
}

fn unavailable(error: StoreError) -> ServiceError {
    tracing::warn!(%error, "store unavailable");
    ServiceError::unavailable("unavailable", "the service cannot reach its store now; nothing was changed")
}
