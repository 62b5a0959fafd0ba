//! The gRPC face of webhooks.

mod message;

use std::sync::Arc;

use bytes::Bytes;
use catalog_proto::v1;
use catalog_proto::v1::webhook_service_server::WebhookService;
use service_kit::status;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use tokio::sync::Semaphore;
use tonic::{Code, Request, Response, Status};
use uuid::Uuid;

use self::message::{message, page_token, patch, waiting_message, waiting_page, webhook_message};
use crate::commands::{Commands, Place, ShownWebhook};
use crate::domain::{Reach, SigningSecret, Start, Violation, WebhookFields};
use crate::grpc::call::call;
use crate::grpc::convert::expected_version;
use crate::grpc::error::{command_status, invalid_webhook};
use crate::grpc::grace::grace;
use crate::webhooks::{Endpoint, Outcome, Sender};

/// Tests that are under way at one time: each keeps a call waiting for as long as the endpoint does.
const TESTS_MAX: usize = 16;

/// Makes, changes and tests webhooks.
pub(crate) struct WebhookGrpc {
    commands: Commands,
    sender: Sender,
    reach: Reach,
    tests: Arc<Semaphore>,
}

impl WebhookGrpc {
    pub(crate) fn new(commands: Commands, sender: Sender, reach: Reach) -> Self {
        Self {
            commands,
            sender,
            reach,
            tests: Arc::new(Semaphore::new(TESTS_MAX)),
        }
    }
}

#[tonic::async_trait]
impl WebhookService for WebhookGrpc {
    async fn create_webhook(
        &self,
        request: Request<v1::CreateWebhookRequest>,
    ) -> Result<Response<v1::CreateWebhookResponse>, Status> {
        let (call, request) = call(request).map_err(invalid_webhook)?;
        let start = Start {
            products: request.after_position,
            rules: request.after_rule_position,
        };
        let fields = WebhookFields {
            url: request.url,
            description: request.description,
            types: request.types,
            product_ids: request.product_ids,
        };
        let made = self
            .commands
            .create_webhook(fields, start, self.reach, &call);
        let made = made.await.map_err(command_status)?;
        Ok(Response::new(v1::CreateWebhookResponse {
            secret: shown(made.secret),
            webhook: Some(webhook_message(made)),
        }))
    }

    async fn get_webhook(
        &self,
        request: Request<v1::GetWebhookRequest>,
    ) -> Result<Response<v1::GetWebhookResponse>, Status> {
        let id = webhook_id(&request.get_ref().id).map_err(invalid_webhook)?;
        let found = self.commands.webhook(id).await.map_err(command_status)?;
        let webhook = Some(message(found.0.webhook, found.1));
        Ok(Response::new(v1::GetWebhookResponse { webhook }))
    }

    async fn list_webhooks(
        &self,
        _request: Request<v1::ListWebhooksRequest>,
    ) -> Result<Response<v1::ListWebhooksResponse>, Status> {
        let all = self.commands.webhooks().await.map_err(command_status)?;
        let webhooks = all.into_iter().map(webhook_message).collect();
        Ok(Response::new(v1::ListWebhooksResponse { webhooks }))
    }

    async fn update_webhook(
        &self,
        request: Request<v1::UpdateWebhookRequest>,
    ) -> Result<Response<v1::UpdateWebhookResponse>, Status> {
        let (call, request) = call(request).map_err(invalid_webhook)?;
        let id = webhook_id(&request.id).map_err(invalid_webhook)?;
        let expected = expected_version(request.expected_version).map_err(invalid_webhook)?;
        let patch = patch(request).map_err(invalid_webhook)?;
        let updated = self
            .commands
            .update_webhook(id, patch, self.reach, expected, &call);
        let webhook = answered(updated.await.map_err(command_status)?);
        Ok(Response::new(v1::UpdateWebhookResponse { webhook }))
    }

    async fn delete_webhook(
        &self,
        request: Request<v1::DeleteWebhookRequest>,
    ) -> Result<Response<v1::DeleteWebhookResponse>, Status> {
        let (call, request) = call(request).map_err(invalid_webhook)?;
        let id = webhook_id(&request.id).map_err(invalid_webhook)?;
        let expected = expected_version(request.expected_version).map_err(invalid_webhook)?;
        let deleted = self.commands.delete_webhook(id, expected, &call).await;
        deleted.map_err(command_status)?;
        Ok(Response::new(v1::DeleteWebhookResponse {}))
    }

    async fn rotate_webhook_secret(
        &self,
        request: Request<v1::RotateWebhookSecretRequest>,
    ) -> Result<Response<v1::RotateWebhookSecretResponse>, Status> {
        let (call, request) = call(request).map_err(invalid_webhook)?;
        let id = webhook_id(&request.id).map_err(invalid_webhook)?;
        let expected = expected_version(request.expected_version).map_err(invalid_webhook)?;
        let grace = grace(request.grace_seconds).map_err(invalid_webhook)?;
        let rotated = self.commands.rotate_webhook(id, grace, expected, &call);
        let rotated = rotated.await.map_err(command_status)?;
        Ok(Response::new(v1::RotateWebhookSecretResponse {
            secret: shown(rotated.secret),
            webhook: Some(webhook_message(rotated)),
        }))
    }

    async fn replay_webhook(
        &self,
        request: Request<v1::ReplayWebhookRequest>,
    ) -> Result<Response<v1::ReplayWebhookResponse>, Status> {
        let (call, request) = call(request).map_err(invalid_webhook)?;
        let id = webhook_id(&request.id).map_err(invalid_webhook)?;
        let expected = expected_version(request.expected_version).map_err(invalid_webhook)?;
        let place = place(&request).map_err(invalid_webhook)?;
        let moved = self.commands.replay_webhook(id, place, expected, &call);
        let webhook = answered(moved.await.map_err(command_status)?);
        Ok(Response::new(v1::ReplayWebhookResponse { webhook }))
    }

    async fn test_webhook(
        &self,
        request: Request<v1::TestWebhookRequest>,
    ) -> Result<Response<v1::TestWebhookResponse>, Status> {
        let id = webhook_id(&request.get_ref().id).map_err(invalid_webhook)?;
        let _place = self.tests.try_acquire().map_err(|_| {
            let message = format!("{TESTS_MAX} tests are under way already: try again later");
            status(Code::ResourceExhausted, "TOO_MANY_TESTS", message, [])
        })?;
        let (stored, _) = self.commands.webhook(id).await.map_err(command_status)?;
        let event_id = Uuid::new_v4().to_string();
        let body = test_body(id, OffsetDateTime::now_utc());
        let endpoint = Endpoint::of(&stored);
        let (outcome, took) = self.sender.try_out(&endpoint, &event_id, body).await;
        Ok(Response::new(test_message(outcome, took, event_id)))
    }

    async fn list_waiting_deliveries(
        &self,
        request: Request<v1::ListWaitingDeliveriesRequest>,
    ) -> Result<Response<v1::ListWaitingDeliveriesResponse>, Status> {
        let request = request.into_inner();
        let id = webhook_id(&request.id).map_err(invalid_webhook)?;
        let page = waiting_page(id, &request).map_err(invalid_webhook)?;
        let listed = self.commands.waiting_deliveries(&page).await;
        let (deliveries, more) = listed.map_err(command_status)?;
        let last = deliveries.last().filter(|_| more);
        Ok(Response::new(v1::ListWaitingDeliveriesResponse {
            next_page_token: last.map_or(String::new(), page_token),
            deliveries: deliveries.into_iter().map(waiting_message).collect(),
        }))
    }
}

fn webhook_id(text: &str) -> Result<Uuid, Vec<Violation>> {
    text.parse().map_err(|_| {
        vec![Violation::new(
            "id",
            "is no id of a webhook, which is a UUID",
        )]
    })
}

fn place(request: &v1::ReplayWebhookRequest) -> Result<Place, Vec<Violation>> {
    let start = Start {
        products: request.after_position,
        rules: request.after_rule_position,
    };
    match (request.from_now, start == Start::default()) {
        (true, true) => Ok(Place::Now),
        (false, false) => Ok(Place::After(start)),
        (true, false) => {
            let reason = "is stated together with a position: state one of them";
            Err(vec![Violation::new("from_now", reason)])
        }
        (false, true) => {
            let reason = "is not stated: state a position, or from_now";
            Err(vec![Violation::new("after_position", reason)])
        }
    }
}

fn shown(secret: Option<SigningSecret>) -> String {
    secret.map_or(String::new(), SigningSecret::to_shown)
}

fn answered(shown: ShownWebhook) -> Option<v1::Webhook> {
    Some(webhook_message(shown))
}

fn test_body(id: Uuid, now: OffsetDateTime) -> Bytes {
    let body = serde_json::json!({
        "type": "webhook.test",
        "timestamp": now.format(&Rfc3339).unwrap_or_default(),
        "data": {"webhook_id": id},
    });
    Bytes::from(body.to_string())
}

fn test_message(
    outcome: Outcome,
    took: std::time::Duration,
    event_id: String,
) -> v1::TestWebhookResponse {
    let (delivered, status, error) = match outcome {
        Outcome::Delivered { status } => (true, Some(status), String::new()),
        Outcome::Gone => (false, Some(410), "answered 410".to_owned()),
        Outcome::Failed { status, error, .. } => (false, status, error),
    };
    v1::TestWebhookResponse {
        delivered,
        status: status.map_or(0, i32::from),
        error,
        took_ms: i64::try_from(took.as_millis()).unwrap_or(i64::MAX),
        event_id,
    }
}
