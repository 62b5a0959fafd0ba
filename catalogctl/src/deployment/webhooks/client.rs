//! Calls the write service about webhooks.

use std::time::Duration;

use anyhow::Context as _;
use catalog_proto::v1::webhook_service_client::WebhookServiceClient;
use catalog_proto::v1::{
    CreateWebhookRequest, DeleteWebhookRequest, GetWebhookRequest, ListWaitingDeliveriesRequest,
    ListWebhooksRequest, ReplayWebhookRequest, RotateWebhookSecretRequest, TestWebhookRequest,
    TestWebhookResponse, UpdateWebhookRequest, WaitingDelivery, Webhook,
};
use client_kit::Target;
use service_kit::GrpcChannel;

use crate::endpoints::{EndpointArgs, signed};

/// The write service waits for an endpoint for 15 seconds.
const TEST_S_MAX: u64 = 20;

/// A client of the webhooks of the write service.
pub(super) struct Webhooks {
    target: Target,
    client: WebhookServiceClient<GrpcChannel>,
}

/// A webhook with its new secret. It has no `Debug`: nothing must show the secret by accident.
pub(super) struct Made {
    pub(super) webhook: Webhook,
    pub(super) secret: String,
}

impl Webhooks {
    pub(super) fn of(endpoints: &EndpointArgs) -> anyhow::Result<Self> {
        let target = endpoints.resolve()?.command;
        let client = WebhookServiceClient::new(target.channel()?);
        Ok(Self { target, client })
    }

    pub(super) async fn create(&mut self, request: CreateWebhookRequest) -> anyhow::Result<Made> {
        let answer = self.client.create_webhook(signed(request)).await;
        let answer = answer.map_err(|status| self.target.error(&status))?;
        let answer = answer.into_inner();
        made(answer.webhook, answer.secret)
    }

    /// All webhooks, the newest first.
    pub(super) async fn list(&mut self) -> anyhow::Result<Vec<Webhook>> {
        let answer = self.client.list_webhooks(signed(ListWebhooksRequest {}));
        let answer = answer.await.map_err(|status| self.target.error(&status))?;
        Ok(answer.into_inner().webhooks)
    }

    pub(super) async fn get(&mut self, id: &str) -> anyhow::Result<Webhook> {
        let request = GetWebhookRequest { id: id.to_owned() };
        let answer = self.client.get_webhook(signed(request)).await;
        let answer = answer.map_err(|status| self.target.error(&status))?;
        known(answer.into_inner().webhook)
    }

    pub(super) async fn update(
        &mut self,
        request: UpdateWebhookRequest,
    ) -> anyhow::Result<Webhook> {
        let answer = self.client.update_webhook(signed(request)).await;
        let answer = answer.map_err(|status| self.target.error(&status))?;
        known(answer.into_inner().webhook)
    }

    pub(super) async fn delete(&mut self, id: &str) -> anyhow::Result<()> {
        let request = DeleteWebhookRequest {
            id: id.to_owned(),
            ..DeleteWebhookRequest::default()
        };
        let answer = self.client.delete_webhook(signed(request)).await;
        answer.map_err(|status| self.target.error(&status))?;
        Ok(())
    }

    pub(super) async fn rotate(&mut self, id: &str, grace_seconds: i64) -> anyhow::Result<Made> {
        let request = RotateWebhookSecretRequest {
            id: id.to_owned(),
            grace_seconds,
            ..RotateWebhookSecretRequest::default()
        };
        let answer = self.client.rotate_webhook_secret(signed(request)).await;
        let answer = answer.map_err(|status| self.target.error(&status))?;
        let answer = answer.into_inner();
        made(answer.webhook, answer.secret)
    }

    pub(super) async fn replay(
        &mut self,
        request: ReplayWebhookRequest,
    ) -> anyhow::Result<Webhook> {
        let answer = self.client.replay_webhook(signed(request)).await;
        let answer = answer.map_err(|status| self.target.error(&status))?;
        known(answer.into_inner().webhook)
    }

    pub(super) async fn test(&mut self, id: &str) -> anyhow::Result<TestWebhookResponse> {
        let mut request = signed(TestWebhookRequest { id: id.to_owned() });
        request.set_timeout(Duration::from_secs(TEST_S_MAX));
        let answer = self.client.test_webhook(request).await;
        let answer = answer.map_err(|status| self.target.error(&status))?;
        Ok(answer.into_inner())
    }

    /// All deliveries that failed or wait.
    pub(super) async fn waiting(&mut self, id: &str) -> anyhow::Result<Vec<WaitingDelivery>> {
        let mut deliveries = Vec::new();
        let mut page_token = String::new();
        loop {
            let request = ListWaitingDeliveriesRequest {
                id: id.to_owned(),
                limit: 0,
                page_token,
            };
            let answer = self.client.list_waiting_deliveries(signed(request)).await;
            let answer = answer.map_err(|status| self.target.error(&status))?;
            let page = answer.into_inner();
            deliveries.extend(page.deliveries);
            page_token = page.next_page_token;
            if page_token.is_empty() {
                return Ok(deliveries);
            }
        }
    }
}

fn known(webhook: Option<Webhook>) -> anyhow::Result<Webhook> {
    webhook.context("the answer has no webhook")
}

fn made(webhook: Option<Webhook>, secret: String) -> anyhow::Result<Made> {
    let webhook = known(webhook)?;
    Ok(Made { webhook, secret })
}
