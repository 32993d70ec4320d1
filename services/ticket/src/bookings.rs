//! Bookings: placing, reading, paying and cancelling them.

use std::time::Duration;

use domain::{
    BookingId, PaymentId, RefundId, Refusal,
    ticket::{Booking, BookingStatus, Command, PaymentStatus},
};
use kit::{Code, Idempotency, ServiceError, pages, request as metadata};
use proto::v1;
use store::{Condition, Cursor, Direction, Query, Value};
use tonic::{Request, Response};

use crate::{
    convert::{self, Wish},
    decisions::Awaited,
    machine::TicketCommand,
    service::{Answer, Tickets, actor, as_booking, respond, set},
    sweep::PROVIDER_TIMEOUT,
};

/// How long an answer to a payment waits for the tickets when the client did not say.
const WAIT_FOR_TICKETS: Duration = Duration::from_secs(2);

impl Tickets {
    pub(crate) async fn create(&self, request: Request<v1::CreateBookingRequest>) -> Answer<v1::Booking> {
        let actor = actor(&request)?;
        let wish = convert::wish(request.get_ref())?;
        let idempotency = self.bind(&request, actor, "CreateBooking")?;
        let wait = metadata::prefer_wait(request.metadata());
        self.refuse_sold_out(&wish, idempotency.as_ref()).await?;
        let id = BookingId::from_bits(self.handle.environment().id().as_u128());
        let event_id = wish.event_id;
        let place = Command::Place {
            id,
            event_id,
            user_id: actor.user_id,
            lines: wish.lines,
            promo_code: wish.promo_code,
            attendees: wish.attendees,
        };
        // Whoever waits must do so before the booking is there: its decision may follow at once.
        let decided = wait.and_then(|_| self.decisions.wait(id, Awaited::Decided));
        let submitted =
            self.submit(&request, idempotency, TicketCommand::Own(actor, id, event_id, place)).await;
        let replied = match submitted {
            Ok(replied) => replied,
            Err(error) => {
                drop(decided);
                self.decisions.forget(id);
                return Err(error);
            }
        };
        let placed = replied.reply;
        let booking = match wait {
            None => None,
            Some(wait) if replied.replayed => self.wait_for(placed.id, Awaited::Decided, wait).await?,
            Some(wait) => match decided {
                Some(decided) => tokio::time::timeout(wait, decided).await.ok().and_then(Result::ok),
                None => None,
            },
        };
        self.decisions.forget(id);
        Ok(created(placed, booking, wait.is_some(), replied.replayed))
    }

    /// Refuses what is known to be sold out, unless the same request has its answer already.
    async fn refuse_sold_out(
        &self,
        wish: &Wish,
        idempotency: Option<&Idempotency>,
    ) -> Result<(), ServiceError> {
        let sold_out = self.handle.machine().sold_out();
        if !sold_out.refuses(wish.event_id, &wish.lines, self.handle.environment().now()) {
            return Ok(());
        }
        if let Some(idempotency) = idempotency {
            let loaded = self.handle.store().load(&[], std::slice::from_ref(&idempotency.key)).await?;
            if loaded.answers.iter().any(Option::is_some) {
                return Ok(());
            }
        }
        Err(Refusal::conflict("sold_out", "there are not so many places left").into())
    }

    /// Waits until a booking is what is awaited; `None` when the time runs out first.
    async fn wait_for(
        &self,
        id: BookingId,
        awaited: Awaited,
        wait: Duration,
    ) -> Result<Option<Booking>, ServiceError> {
        let heard = self.decisions.wait(id, awaited);
        let now = self.booking(id).await?;
        let booking = match (now, heard) {
            (Some(booking), _) if awaited.is_met(&booking) => Some(booking),
            (_, Some(heard)) => tokio::time::timeout(wait, heard).await.ok().and_then(Result::ok),
            (_, None) => None,
        };
        self.decisions.forget(id);
        Ok(booking)
    }

    pub(crate) async fn get(&self, request: Request<v1::GetBookingRequest>) -> Answer<v1::Booking> {
        let actor = actor(&request)?;
        let id = convert::booking_id(&request.get_ref().booking_id)?;
        let booking = self.own_booking(actor, id).await?;
        Ok(Response::new(convert::to_booking(&booking)))
    }

    pub(crate) async fn list_own_bookings(
        &self,
        request: Request<v1::ListBookingsRequest>,
    ) -> Answer<v1::ListBookingsResponse> {
        let actor = actor(&request)?;
        let body = request.get_ref();
        let size = pages::page_size(body.page_size)?;
        let list = format!("bookings {} {} {}", actor.user_id, body.event_id, body.status);
        let cursor = pages::cursor(&list, &body.page_token)?;
        let mut query = Query::all("booking")
            .filter(Condition::Is("user_id", Value::Text(actor.user_id.to_string())))
            .after(cursor)
            .limit(size + 1);
        // Ids sort by the time of their making.
        query.direction = Direction::Descending;
        if !body.event_id.is_empty() {
            let Ok(event_id) = convert::event_id(&body.event_id) else {
                return Err(Refusal::field("event_id", "must be the id of an event").into());
            };
            query = query.filter(Condition::Is("event_id", Value::Text(event_id.to_string())));
        }
        if let Some(status) = convert::read_status(body.status) {
            query = query.filter(Condition::Is("status", status.name().into()));
        }
        let rows = self.handle.store().query(&query).await?;
        let has_more = rows.len() > size;
        let bookings: Vec<Booking> = rows.into_iter().take(size).filter_map(as_booking).collect();
        let next_page_token = match bookings.last() {
            Some(last) if has_more => {
                pages::token(&list, &Cursor { value: Value::Null, id: last.id.to_string() })
            }
            _ => String::new(),
        };
        let bookings = bookings.iter().map(convert::to_booking).collect();
        Ok(Response::new(v1::ListBookingsResponse { bookings, next_page_token }))
    }

    pub(crate) async fn cancel(&self, request: Request<v1::CancelBookingRequest>) -> Answer<v1::Booking> {
        let actor = actor(&request)?;
        let id = convert::booking_id(&request.get_ref().booking_id)?;
        let numbers = convert::ticket_numbers(id, &request.get_ref().ticket_ids)?;
        let idempotency = self.bind(&request, actor, "CancelBooking")?;
        let event_id = self.own_booking(actor, id).await?.event_id;
        let event_starts_at = self.event_info(event_id).await?.map(|event| event.starts_at);
        let refund_id = RefundId(self.handle.environment().id());
        let cancel = Command::Cancel { numbers, refund_id, event_starts_at };
        let command = TicketCommand::Own(actor, id, event_id, cancel);
        let replied = self.submit(&request, idempotency, command).await?;
        Ok(respond(convert::to_booking(&replied.reply), replied.replayed))
    }

    pub(crate) async fn pay(&self, request: Request<v1::PayBookingRequest>) -> Answer<v1::Booking> {
        let actor = actor(&request)?;
        let id = convert::booking_id(&request.get_ref().booking_id)?;
        let method = request.get_ref().payment_method.clone();
        self.provider.check(&method).map_err(|reason| Refusal::field("payment_method", reason))?;
        let idempotency = self.bind(&request, actor, "PayBooking")?;
        let booking = self.own_booking(actor, id).await?;
        let wait = metadata::prefer_wait(request.metadata()).unwrap_or(WAIT_FOR_TICKETS);
        if let Some(idempotency) = &idempotency
            && let Some(first) = self.first_payment_answer(idempotency).await?
        {
            return self.paid(&first, payment_id(idempotency, id), wait, true).await;
        }
        let payment = match &idempotency {
            Some(idempotency) => payment_id(idempotency, id),
            None => PaymentId(self.handle.environment().id()),
        };
        let start = TicketCommand::Own(actor, id, booking.event_id, Command::StartPayment(payment));
        let started = match self.submit(&request, None, start).await {
            Ok(replied) => replied.reply,
            Err(error) => {
                return Err(same_request_is_running(error, &self.own_booking(actor, id).await?, payment));
            }
        };
        let amount = started.total.ok_or_else(|| ServiceError::internal(&"a payment without an amount"))?;
        let asked = self.provider.capture(payment, amount, &method);
        let Ok(Ok(answer)) = tokio::time::timeout(PROVIDER_TIMEOUT, asked).await else {
            // The sweep asks the provider again; until then the payment is open.
            let mut response = Response::new(convert::to_booking(&started));
            set(&mut response, proto::HTTP_STATUS_HEADER, "202");
            return Ok(response);
        };
        let finish = TicketCommand::Own(actor, id, booking.event_id, Command::FinishPayment(payment, answer));
        let finished = self.submit(&request, idempotency, finish).await?;
        self.paid(&finished.reply, payment, wait, finished.replayed).await
    }

    /// The booking right after a payment was answered by an earlier request with this key.
    async fn first_payment_answer(&self, idempotency: &Idempotency) -> Result<Option<Booking>, ServiceError> {
        let loaded = self.handle.store().load(&[], std::slice::from_ref(&idempotency.key)).await?;
        let Some(answer) = loaded.answers.into_iter().flatten().next() else { return Ok(None) };
        if answer.fingerprint != idempotency.fingerprint {
            let detail = "the Idempotency-Key was used for a request with another body: use a fresh key";
            return Err(ServiceError::new(Code::KeyReused, "idempotency_key_reused", detail));
        }
        match serde_json::from_str(&answer.body) {
            Ok(crate::machine::TicketReply::Booking(booking)) => Ok(Some(*booking)),
            _ => Err(ServiceError::internal(&"the first answer to a payment cannot be read")),
        }
    }

    /// The answer to a payment: the booking with its tickets, or why the payment failed.
    async fn paid(
        &self,
        finished: &Booking,
        payment: PaymentId,
        wait: Duration,
        replayed: bool,
    ) -> Answer<v1::Booking> {
        let status = finished.payments.iter().find(|made| made.id == payment).map(|made| made.status);
        if status == Some(PaymentStatus::Declined) {
            let detail = match finished.status {
                BookingStatus::Held => "the payment was declined; the seats are still held: try another card",
                _ => "the payment was declined too often; the booking has ended",
            };
            return Err(Refusal::conflict("payment_declined", detail).into());
        }
        let booked = self.wait_for(finished.id, Awaited::Settled, wait).await?;
        let booking = match booked {
            Some(booking) if !booking.tickets.is_empty() => booking.as_booked(),
            _ => finished.clone(),
        };
        Ok(respond(convert::to_booking(&booking), replayed))
    }
}

/// 201 once the saga has decided, 202 while it has not.
fn created(
    placed: Booking,
    decided: Option<Booking>,
    asked_to_wait: bool,
    replayed: bool,
) -> Response<v1::Booking> {
    let status = if decided.is_some() { "201" } else { "202" };
    let booking = decided.map_or(placed, |booking| booking.as_decided());
    let mut response = respond(convert::to_booking(&booking), replayed);
    set(&mut response, proto::HTTP_STATUS_HEADER, status);
    set(&mut response, "location", &format!("/v1/bookings/{}", booking.id));
    if asked_to_wait {
        set(&mut response, "preference-applied", "wait");
    }
    response
}

/// The payment that a request with an idempotency key makes: the same for the same request.
fn payment_id(idempotency: &Idempotency, booking: BookingId) -> PaymentId {
    PaymentId(kit::clock::derived_id(&[idempotency.key.0.as_bytes(), booking.0.as_bytes()]))
}

/// A refusal because of this very payment means that the same request is still running.
fn same_request_is_running(error: ServiceError, booking: &Booking, payment: PaymentId) -> ServiceError {
    if error.reason == "payment_in_progress" && booking.open_payment().is_some_and(|open| open.id == payment)
    {
        let detail = "the same request is still running: ask for the booking, or repeat in a moment";
        return ServiceError::new(Code::Conflict, "request_in_progress", detail);
    }
    error
}
