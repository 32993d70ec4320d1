//! The rpcs of the notification service.

use std::{collections::BTreeMap, sync::Arc};

use domain::{
    EventId, Refusal, UserId,
    notification::{MailError, Mailer, Notification, Occasion},
};
use kit::{Caller, Desk, Handle, ServiceError, pages};
use proto::{v1, v1::notification_service_server::NotificationService};
use store::{Condition, Cursor, Direction, Key, MAX_PAGE, Query, Row, StoreError, Value};
use tonic::{Request, Response, Status};

use crate::{
    convert,
    machine::NotificationMachine,
    rows::{NotificationRow, event_key, user_key},
};

/// The most captured mails of a list.
const MAX_CAPTURED: usize = 100;
/// The most pages of one export: a hundred thousand records.
const MAX_EXPORT_PAGES: usize = 100;

/// The notification service on a running pipeline.
pub struct Notifications {
    handle: Handle<NotificationMachine>,
    desk: Desk<NotificationMachine>,
    mailer: Arc<dyn Mailer>,
}

impl Notifications {
    /// The service on this pipeline. `mailer` is asked for the mail that it captured.
    #[must_use]
    pub fn new(
        handle: Handle<NotificationMachine>,
        desk: Desk<NotificationMachine>,
        mailer: Arc<dyn Mailer>,
    ) -> Self {
        Self { handle, desk, mailer }
    }

    async fn query(&self, query: &Query) -> Result<Vec<NotificationRow>, ServiceError> {
        let found = self.handle.store().query(query).await.map_err(unavailable)?;
        Ok(found.into_iter().map(store::Versioned::into_row).collect())
    }

    /// The events that the notifications are about, as far as they are known.
    async fn events(&self, rows: &[NotificationRow]) -> Result<BTreeMap<EventId, Occasion>, ServiceError> {
        let notifications = rows.iter().filter_map(NotificationRow::as_notification);
        let mut keys: Vec<Key> = notifications.map(|n| event_key(n.event_id)).collect();
        keys.sort();
        keys.dedup();
        let loaded = self.handle.store().load(&keys, &[]).await.map_err(unavailable)?;
        let events = loaded.rows.iter().flatten().filter_map(|versioned| versioned.row.as_event());
        Ok(events.map(|event| (event.event_id, event.clone())).collect())
    }

    /// Every notification of a user.
    async fn all_of(&self, user_id: UserId) -> Result<Vec<NotificationRow>, ServiceError> {
        let mut query = Query::all("notification").filter(of_user(user_id));
        let mut rows: Vec<NotificationRow> = Vec::new();
        for _ in 0..MAX_EXPORT_PAGES {
            let page = self.query(&query).await?;
            let is_last = page.len() < MAX_PAGE;
            rows.extend(page);
            let Some(last) = rows.last().filter(|_| !is_last) else { break };
            query = query.after(Some(Cursor { value: Value::Null, id: last.key().id.to_string() }));
        }
        Ok(rows)
    }
}

#[tonic::async_trait]
impl NotificationService for Notifications {
    async fn list_notifications(
        &self,
        request: Request<v1::ListNotificationsRequest>,
    ) -> Result<Response<v1::ListNotificationsResponse>, Status> {
        let user_id = Caller::of(&request).user().map_err(ServiceError::from)?;
        let message = request.into_inner();
        let size = pages::page_size(message.page_size).map_err(ServiceError::from)?;
        let list = format!("notifications {user_id}");
        let after = pages::cursor(&list, &message.page_token).map_err(ServiceError::from)?;

        let query = Query::all("notification")
            .filter(of_user(user_id))
            .order("at", Direction::Descending)
            .after(after)
            // One more than the page, to know whether there is another.
            .limit(size + 1);
        let mut found = self.query(&query).await?;
        let has_more = found.len() > size;
        found.truncate(size);
        let events = self.events(&found).await?;

        let notifications: Vec<&Notification> =
            found.iter().filter_map(NotificationRow::as_notification).collect();
        let last = notifications.last().filter(|_| has_more);
        let next_page_token = last.map_or_else(String::new, |last| {
            pages::token(&list, &Cursor { value: Value::Int(last.at.micros()), id: last.id() })
        });
        let shown = |n: &&Notification| convert::notification(n, events.get(&n.event_id));
        let notifications = notifications.iter().map(shown).collect();
        Ok(Response::new(v1::ListNotificationsResponse { notifications, next_page_token }))
    }

    async fn list_captured_mail(
        &self,
        _: Request<v1::ListCapturedMailRequest>,
    ) -> Result<Response<v1::ListCapturedMailResponse>, Status> {
        let Some(mailbox) = self.mailer.mailbox() else {
            return Ok(Response::new(v1::ListCapturedMailResponse::default()));
        };
        let mails = mailbox.newest(MAX_CAPTURED).await.map_err(unreadable)?;
        let mails = mails.into_iter().map(convert::captured).collect();
        Ok(Response::new(v1::ListCapturedMailResponse { captures: true, mails }))
    }

    async fn get_captured_mail(
        &self,
        request: Request<v1::GetCapturedMailRequest>,
    ) -> Result<Response<v1::CapturedMail>, Status> {
        let found = match self.mailer.mailbox() {
            Some(mailbox) => mailbox.read(&request.get_ref().mail_id).await.map_err(unreadable)?,
            None => None,
        };
        let mail = found.ok_or_else(|| ServiceError::from(Refusal::not_found("mail")))?;
        Ok(Response::new(convert::captured(mail)))
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

        let rows = self.all_of(user_id).await?;
        let loaded = self.handle.store().load(&[user_key(user_id)], &[]).await.map_err(unavailable)?;

        let notifications: Vec<_> = rows.iter().filter_map(NotificationRow::as_notification).collect();
        let recipient = loaded.rows.iter().flatten().find_map(|versioned| versioned.row.as_user());
        let json = serde_json::json!({ "notifications": notifications, "recipient": recipient });
        Ok(Response::new(v1::ExportResponse { json: json.to_string() }))
    }
}

fn of_user(user_id: UserId) -> Condition {
    Condition::Is("user_id", Value::Text(user_id.to_string()))
}

fn unreadable(error: MailError) -> ServiceError {
    tracing::warn!(%error, "captured mail cannot be read");
    ServiceError::unavailable("unavailable", "the captured mail cannot be read now")
}

fn unavailable(error: StoreError) -> ServiceError {
    tracing::warn!(%error, "store unavailable");
    ServiceError::unavailable("unavailable", "the service cannot reach its store now; nothing was changed")
}
