//! The rpcs of the analytics service. They only read.

use domain::analytics::trend;
use kit::{Caller, Desk, Handle, ServiceError};
use proto::{v1, v1::analytics_service_server::AnalyticsService};
use tonic::{Request, Response, Status};

use crate::{convert, machine::AnalyticsMachine, read::Reader};

/// The most points of one trend.
const MAX_TREND_POINTS: usize = 1_000;

/// The analytics service on a running pipeline.
pub struct Analytics {
    reader: Reader,
    desk: Desk<AnalyticsMachine>,
}

impl Analytics {
    /// The service on this pipeline.
    #[must_use]
    pub fn new(handle: &Handle<AnalyticsMachine>, desk: Desk<AnalyticsMachine>) -> Self {
        Self { reader: Reader::new(handle.store().clone()), desk }
    }
}

#[tonic::async_trait]
impl AnalyticsService for Analytics {
    async fn get_popularity(
        &self,
        request: Request<v1::GetPopularityRequest>,
    ) -> Result<Response<v1::Popularity>, Status> {
        let caller = Caller::of(&request);
        let event_id = convert::event_id(&request.get_ref().event_id).map_err(ServiceError::from)?;
        let event = self.reader.event(&caller, event_id).await?;
        Ok(Response::new(convert::popularity(&event)))
    }

    async fn get_demographics(
        &self,
        request: Request<v1::GetDemographicsRequest>,
    ) -> Result<Response<v1::Demographics>, Status> {
        let caller = Caller::of(&request);
        let event_id = convert::event_id(&request.get_ref().event_id).map_err(ServiceError::from)?;
        let event = self.reader.event(&caller, event_id).await?;
        let groups = self.reader.tickets_by_group(&event).await?;
        Ok(Response::new(convert::demographics(&event, groups)))
    }

    async fn get_ratings(
        &self,
        request: Request<v1::GetRatingsRequest>,
    ) -> Result<Response<v1::Ratings>, Status> {
        let caller = Caller::of(&request);
        let event_id = convert::event_id(&request.get_ref().event_id).map_err(ServiceError::from)?;
        let event = self.reader.event(&caller, event_id).await?;
        let groups = self.reader.ratings_by_group(&event).await?;
        Ok(Response::new(convert::ratings(&event, groups)))
    }

    async fn get_trends(
        &self,
        request: Request<v1::GetTrendsRequest>,
    ) -> Result<Response<v1::Trends>, Status> {
        let caller = Caller::of(&request);
        let event_id = convert::event_id(&request.get_ref().event_id).map_err(ServiceError::from)?;
        let period = convert::period(request.get_ref().period).map_err(ServiceError::from)?;
        let event = self.reader.event(&caller, event_id).await?;
        let days = self.reader.days(event_id).await?;
        let points = trend(days.iter(), period, MAX_TREND_POINTS);
        Ok(Response::new(convert::trends(&event, points)))
    }

    async fn list_top_events(
        &self,
        request: Request<v1::ListTopEventsRequest>,
    ) -> Result<Response<v1::ListTopEventsResponse>, Status> {
        let caller = Caller::of(&request);
        let limit = convert::limit(request.get_ref().limit).map_err(ServiceError::from)?;
        let events = self.reader.top_events(&caller, limit).await?;
        let events = events.iter().map(convert::top_event).collect();
        Ok(Response::new(v1::ListTopEventsResponse { events }))
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
        let users = self.reader.users(std::iter::once(user_id)).await?;
        let json = serde_json::json!({ "user_stat": users.get(&user_id) });
        Ok(Response::new(v1::ExportResponse { json: json.to_string() }))
    }
}
