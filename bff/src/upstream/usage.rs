//! Calls about what becomes of searches, all of them to the read side.

use std::time::Duration;

use catalog_proto::v1;
use tonic::Status;

use crate::upstream::call::call;
use crate::upstream::caller::Caller;
use crate::upstream::clients::Upstream;

/// Statistics are added up over months, for people who look now and then.
const ANALYTICS_DEADLINE: Duration = Duration::from_secs(5);

impl Upstream {
    pub(crate) async fn record_click(
        &self,
        caller: &Caller,
        message: v1::RecordClickRequest,
    ) -> Result<(), Status> {
        let mut client = self.usage.clone();
        call(caller, self.get_deadline, message, |request| {
            client.record_click(request)
        })
        .await?;
        Ok(())
    }

    pub(crate) async fn search_analytics(
        &self,
        caller: &Caller,
        message: v1::GetSearchAnalyticsRequest,
    ) -> Result<v1::GetSearchAnalyticsResponse, Status> {
        let mut client = self.usage.clone();
        call(caller, ANALYTICS_DEADLINE, message, |request| {
            client.get_search_analytics(request)
        })
        .await
    }
}
