//! Calls about API keys, all of them to the write service.

use catalog_proto::v1;
use tonic::Status;

use crate::upstream::call::call;
use crate::upstream::caller::Caller;
use crate::upstream::clients::Upstream;

impl Upstream {
    pub(crate) async fn list_keys(
        &self,
        caller: &Caller,
        message: v1::ListApiKeysRequest,
    ) -> Result<v1::ListApiKeysResponse, Status> {
        let mut client = self.api_keys.clone();
        call(caller, self.batch_deadline, message, |request| {
            client.list_api_keys(request)
        })
        .await
    }

    /// Returns the key and its secret.
    pub(crate) async fn create_key(
        &self,
        caller: &Caller,
        message: v1::CreateApiKeyRequest,
    ) -> Result<(v1::ApiKey, String), Status> {
        let mut client = self.api_keys.clone();
        let made = call(caller, self.write_deadline, message, |request| {
            client.create_api_key(request)
        })
        .await?;
        with_key(made.key, made.secret_token)
    }

    /// Returns the key and its new secret.
    pub(crate) async fn rotate_key(
        &self,
        caller: &Caller,
        message: v1::RotateApiKeyRequest,
    ) -> Result<(v1::ApiKey, String), Status> {
        let mut client = self.api_keys.clone();
        let rotated = call(caller, self.write_deadline, message, |request| {
            client.rotate_api_key(request)
        })
        .await?;
        with_key(rotated.key, rotated.secret_token)
    }

    pub(crate) async fn revoke_key(
        &self,
        caller: &Caller,
        message: v1::RevokeApiKeyRequest,
    ) -> Result<(), Status> {
        let mut client = self.api_keys.clone();
        call(caller, self.write_deadline, message, |request| {
            client.revoke_api_key(request)
        })
        .await?;
        Ok(())
    }
}

fn with_key(key: Option<v1::ApiKey>, secret: String) -> Result<(v1::ApiKey, String), Status> {
    let key = key.ok_or_else(|| Status::internal("the answer holds no key"))?;
    Ok((key, secret))
}
