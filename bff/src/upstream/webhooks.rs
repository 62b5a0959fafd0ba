//! Calls about webhooks, all of them to the write service.

use std::time::Duration;

use catalog_proto::v1;
use tonic::Status;
use uuid::Uuid;

use crate::upstream::call::call;
use crate::upstream::caller::Caller;
use crate::upstream::clients::Upstream;

/// The write service waits for an endpoint for 15 seconds.
const TEST_DEADLINE: Duration = Duration::from_secs(20);

impl Upstream {
    pub(crate) async fn list_webhooks(&self, caller: &Caller) -> Result<Vec<v1::Webhook>, Status> {
        let mut client = self.webhooks.clone();
        let message = v1::ListWebhooksRequest {};
        let listed = call(caller, self.batch_deadline, message, |request| {
            client.list_webhooks(request)
        })
        .await?;
        Ok(listed.webhooks)
    }

    pub(crate) async fn get_webhook(
        &self,
        caller: &Caller,
        id: Uuid,
    ) -> Result<v1::Webhook, Status> {
        let mut client = self.webhooks.clone();
        let message = v1::GetWebhookRequest { id: id.to_string() };
        let found = call(caller, self.batch_deadline, message, |request| {
            client.get_webhook(request)
        })
        .await?;
        known(found.webhook)
    }

    /// Returns the webhook and its secret.
    pub(crate) async fn create_webhook(
        &self,
        caller: &Caller,
        message: v1::CreateWebhookRequest,
    ) -> Result<(v1::Webhook, String), Status> {
        let mut client = self.webhooks.clone();
        let made = call(caller, self.write_deadline, message, |request| {
            client.create_webhook(request)
        })
        .await?;
        Ok((known(made.webhook)?, made.secret))
    }

    pub(crate) async fn update_webhook(
        &self,
        caller: &Caller,
        message: v1::UpdateWebhookRequest,
    ) -> Result<v1::Webhook, Status> {
        let mut client = self.webhooks.clone();
        let updated = call(caller, self.write_deadline, message, |request| {
            client.update_webhook(request)
        })
        .await?;
        known(updated.webhook)
    }

    pub(crate) async fn delete_webhook(
        &self,
        caller: &Caller,
        message: v1::DeleteWebhookRequest,
    ) -> Result<(), Status> {
        let mut client = self.webhooks.clone();
        call(caller, self.write_deadline, message, |request| {
            client.delete_webhook(request)
        })
        .await?;
        Ok(())
    }

    /// Returns the webhook and its new secret.
    pub(crate) async fn rotate_webhook(
        &self,
        caller: &Caller,
        message: v1::RotateWebhookSecretRequest,
    ) -> Result<(v1::Webhook, String), Status> {
        let mut client = self.webhooks.clone();
        let rotated = call(caller, self.write_deadline, message, |request| {
            client.rotate_webhook_secret(request)
        })
        .await?;
        Ok((known(rotated.webhook)?, rotated.secret))
    }

    pub(crate) async fn replay_webhook(
        &self,
        caller: &Caller,
        message: v1::ReplayWebhookRequest,
    ) -> Result<v1::Webhook, Status> {
        let mut client = self.webhooks.clone();
        let moved = call(caller, self.write_deadline, message, |request| {
            client.replay_webhook(request)
        })
        .await?;
        known(moved.webhook)
    }

    pub(crate) async fn test_webhook(
        &self,
        caller: &Caller,
        id: Uuid,
    ) -> Result<v1::TestWebhookResponse, Status> {
        let mut client = self.webhooks.clone();
        let message = v1::TestWebhookRequest { id: id.to_string() };
        call(caller, TEST_DEADLINE, message, |request| {
            client.test_webhook(request)
        })
        .await
    }

    pub(crate) async fn waiting_deliveries(
        &self,
        caller: &Caller,
        message: v1::ListWaitingDeliveriesRequest,
    ) -> Result<v1::ListWaitingDeliveriesResponse, Status> {
        let mut client = self.webhooks.clone();
        call(caller, self.batch_deadline, message, |request| {
            client.list_waiting_deliveries(request)
        })
        .await
    }
}

fn known(hook: Option<v1::Webhook>) -> Result<v1::Webhook, Status> {
    hook.ok_or_else(|| Status::internal("the answer holds no webhook"))
}
