//! What operators ask of both services.

use std::time::Duration;

use catalog_proto::v1;
use tonic::{Status, Streaming};

use crate::upstream::call::call;
use crate::upstream::caller::Caller;
use crate::upstream::clients::Upstream;

/// Events are applied one by one, from the log.
const RETRY_DEADLINE: Duration = Duration::from_secs(60);

impl Upstream {
    pub(crate) async fn write_status(
        &self,
        caller: &Caller,
    ) -> Result<v1::GetWriteStatusResponse, Status> {
        let mut client = self.write_operations.clone();
        let message = v1::GetWriteStatusRequest {};
        call(caller, self.batch_deadline, message, |request| {
            client.get_write_status(request)
        })
        .await
    }

    pub(crate) async fn read_status(
        &self,
        caller: &Caller,
    ) -> Result<v1::GetReadStatusResponse, Status> {
        let mut client = self.read_operations.clone();
        let message = v1::GetReadStatusRequest {};
        call(caller, self.batch_deadline, message, |request| {
            client.get_read_status(request)
        })
        .await
    }

    pub(crate) async fn parked_events(
        &self,
        caller: &Caller,
    ) -> Result<v1::ListParkedEventsResponse, Status> {
        let mut client = self.read_operations.clone();
        let message = v1::ListParkedEventsRequest {};
        call(caller, self.batch_deadline, message, |request| {
            client.list_parked_events(request)
        })
        .await
    }

    pub(crate) async fn retry_parked(
        &self,
        caller: &Caller,
        positions: Vec<i64>,
    ) -> Result<v1::RetryParkedEventsResponse, Status> {
        let mut client = self.read_operations.clone();
        let message = v1::RetryParkedEventsRequest { positions };
        call(caller, RETRY_DEADLINE, message, |request| {
            client.retry_parked_events(request)
        })
        .await
    }

    /// Begins a rebuild, which goes on when nobody reads its steps.
    pub(crate) async fn rebuild(
        &self,
        caller: &Caller,
    ) -> Result<Streaming<v1::RebuildProgress>, Status> {
        let mut client = self.read_operations.clone();
        let steps = client.rebuild(caller.patiently(v1::RebuildRequest {}));
        Ok(steps.await?.into_inner())
    }

    /// Begins to go back to the generation before.
    pub(crate) async fn rollback(
        &self,
        caller: &Caller,
    ) -> Result<Streaming<v1::RebuildProgress>, Status> {
        let mut client = self.read_operations.clone();
        let steps = client.rollback(caller.patiently(v1::RollbackRequest {}));
        Ok(steps.await?.into_inner())
    }

    pub(crate) async fn ranking_profiles(
        &self,
        caller: &Caller,
    ) -> Result<v1::ListRankingProfilesResponse, Status> {
        let mut client = self.read_operations.clone();
        let message = v1::ListRankingProfilesRequest {};
        call(caller, self.batch_deadline, message, |request| {
            client.list_ranking_profiles(request)
        })
        .await
    }

    /// Begins to look for synonyms, until nobody reads its steps any more.
    pub(crate) async fn suggest_synonyms(
        &self,
        caller: &Caller,
        limit: i32,
    ) -> Result<Streaming<v1::SuggestSynonymsResponse>, Status> {
        let mut client = self.read_operations.clone();
        let message = v1::SuggestSynonymsRequest { limit };
        let steps = client.suggest_synonyms(caller.patiently(message));
        Ok(steps.await?.into_inner())
    }
}
