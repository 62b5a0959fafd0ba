//! The identity of a request that may come again: its id, and a hash of the operation and its
//! arguments. Invariant: equal messages have one encoding, since maps are generated as ordered ones.

use catalog_proto::v1;
use prost::Message;
use sha2::{Digest as _, Sha256};
use tonic::metadata::MetadataMap;

use crate::domain::{InvalidRequestId, RequestId, RequestKey, Violation};

/// A BFF of an older release reads the product's currency itself and derives minor units and an
/// expected version from the decimal text that its client stated; it puts a digest of that text
/// here. A repeated request is then known by the digest, because what is derived from the same text
/// later may differ. Today's BFF passes the text on and sends no such header; the header is read as
/// long as both releases may run side by side in a rolling upgrade.
const DERIVED_FROM: &str = "catalog-derived-from";

/// Takes the request id out of the message and hashes the rest; none when the request has no id.
/// `metadata` is that of the call.
pub(crate) fn request_key<M: Repeatable>(
    message: &mut M,
    metadata: &MetadataMap,
) -> Result<Option<RequestKey>, Vec<Violation>> {
    let id = std::mem::take(message.request_id());
    if id.is_empty() {
        return Ok(None);
    }
    let parsed: RequestId = id
        .parse()
        .map_err(|err: InvalidRequestId| vec![Violation::new("request_id", err.to_string())])?;
    let mut hasher = Sha256::new();
    feed(&mut hasher, M::OPERATION.as_bytes());
    let derived_from = metadata.get(DERIVED_FROM);
    let content = match derived_from.and_then(|_| message.without_derived()) {
        Some(rest) => rest.encode_to_vec(),
        None => message.encode_to_vec(),
    };
    feed(
        &mut hasher,
        derived_from.map_or(b"", |text| text.as_bytes()),
    );
    feed(&mut hasher, &content);
    let hash = hasher.finalize().into();
    Ok(Some(RequestKey { id: parsed, hash }))
}

/// A request that can carry an id.
pub(crate) trait Repeatable: Message + Sized {
    const OPERATION: &'static str;

    fn request_id(&mut self) -> &mut String;

    /// The message without what a caller may derive; none where it has nothing of that kind.
    fn without_derived(&self) -> Option<Self> {
        None
    }
}

impl Repeatable for v1::CreateProductRequest {
    const OPERATION: &'static str = "CreateProduct";

    fn request_id(&mut self) -> &mut String {
        &mut self.request_id
    }
}

impl Repeatable for v1::UpdateProductRequest {
    const OPERATION: &'static str = "UpdateProduct";

    fn request_id(&mut self) -> &mut String {
        &mut self.request_id
    }

    fn without_derived(&self) -> Option<Self> {
        let mut rest = self.clone();
        rest.expected_version = None;
        if let Some(product) = &mut rest.product {
            product.price_minor = 0;
            product.currency.clear();
        }
        Some(rest)
    }
}

impl Repeatable for v1::ChangePriceRequest {
    const OPERATION: &'static str = "ChangePrice";

    fn request_id(&mut self) -> &mut String {
        &mut self.request_id
    }

    fn without_derived(&self) -> Option<Self> {
        Some(Self {
            id: self.id.clone(),
            ..Self::default()
        })
    }
}

impl Repeatable for v1::DeleteProductRequest {
    const OPERATION: &'static str = "DeleteProduct";

    fn request_id(&mut self) -> &mut String {
        &mut self.request_id
    }
}

impl Repeatable for v1::PutSearchRuleRequest {
    const OPERATION: &'static str = "PutSearchRule";

    fn request_id(&mut self) -> &mut String {
        &mut self.request_id
    }
}

impl Repeatable for v1::DeleteSearchRuleRequest {
    const OPERATION: &'static str = "DeleteSearchRule";

    fn request_id(&mut self) -> &mut String {
        &mut self.request_id
    }
}

impl Repeatable for v1::PutProductRequest {
    const OPERATION: &'static str = "PutProduct";

    fn request_id(&mut self) -> &mut String {
        &mut self.request_id
    }
}

impl Repeatable for v1::WriteProductsRequest {
    const OPERATION: &'static str = "WriteProducts";

    fn request_id(&mut self) -> &mut String {
        &mut self.request_id
    }
}

impl Repeatable for v1::CreateApiKeyRequest {
    const OPERATION: &'static str = "CreateApiKey";

    fn request_id(&mut self) -> &mut String {
        &mut self.request_id
    }
}

impl Repeatable for v1::RotateApiKeyRequest {
    const OPERATION: &'static str = "RotateApiKey";

    fn request_id(&mut self) -> &mut String {
        &mut self.request_id
    }
}

impl Repeatable for v1::RevokeApiKeyRequest {
    const OPERATION: &'static str = "RevokeApiKey";

    fn request_id(&mut self) -> &mut String {
        &mut self.request_id
    }
}

impl Repeatable for v1::CreateWebhookRequest {
    const OPERATION: &'static str = "CreateWebhook";

    fn request_id(&mut self) -> &mut String {
        &mut self.request_id
    }
}

impl Repeatable for v1::UpdateWebhookRequest {
    const OPERATION: &'static str = "UpdateWebhook";

    fn request_id(&mut self) -> &mut String {
        &mut self.request_id
    }
}

impl Repeatable for v1::DeleteWebhookRequest {
    const OPERATION: &'static str = "DeleteWebhook";

    fn request_id(&mut self) -> &mut String {
        &mut self.request_id
    }
}

impl Repeatable for v1::RotateWebhookSecretRequest {
    const OPERATION: &'static str = "RotateWebhookSecret";

    fn request_id(&mut self) -> &mut String {
        &mut self.request_id
    }
}

impl Repeatable for v1::ReplayWebhookRequest {
    const OPERATION: &'static str = "ReplayWebhook";

    fn request_id(&mut self) -> &mut String {
        &mut self.request_id
    }
}

impl Repeatable for v1::ImportProductsRequest {
    const OPERATION: &'static str = "ImportProducts";

    fn request_id(&mut self) -> &mut String {
        &mut self.request_id
    }
}

/// Hashes a part with its length before it, so that no two lists of parts look alike.
fn feed(hasher: &mut Sha256, part: &[u8]) {
    hasher.update((part.len() as u64).to_be_bytes());
    hasher.update(part);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn update(change: impl FnOnce(&mut v1::UpdateProductRequest)) -> v1::UpdateProductRequest {
        let mut request = v1::UpdateProductRequest {
            product: Some(v1::ProductInput {
                id: "p1".to_owned(),
                price_minor: 1999,
                currency: "USD".to_owned(),
                attributes: (0..20)
                    .map(|n| (format!("a{n}"), v1::AttributeValue { kind: None }))
                    .collect(),
                ..Default::default()
            }),
            update_mask: Some(prost_types::FieldMask {
                paths: vec!["attributes".to_owned()],
            }),
            expected_version: Some(3),
            request_id: "r1".to_owned(),
        };
        change(&mut request);
        request
    }

    fn hash<M: Repeatable + Clone>(message: &M, derived_from: Option<&'static str>) -> [u8; 32] {
        let mut metadata = MetadataMap::new();
        if let Some(statement) = derived_from {
            metadata.insert(DERIVED_FROM, statement.parse().expect("ASCII"));
        }
        let key = request_key(&mut message.clone(), &metadata).expect("valid id");
        key.expect("an id").hash
    }

    #[test]
    fn the_hash_is_of_the_content_and_nothing_else() {
        let first = hash(&update(|_| ()), None);
        // The order in which a client sends the entries of a map is not content.
        let shuffled = update(|request| {
            let attributes = &mut request.product.as_mut().expect("product").attributes;
            let entries: Vec<_> = std::mem::take(attributes).into_iter().rev().collect();
            attributes.extend(entries);
        });
        assert_eq!(hash(&shuffled, None), first);
        let again = update(|request| request.request_id = "r2".to_owned());
        assert_eq!(hash(&again, None), first, "the id is not content");
        let others = [
            update(|request| request.expected_version = None),
            update(|request| request.update_mask = None),
            update(|request| request.product.as_mut().expect("product").price_minor = 1),
            update(|request| {
                let attributes = &mut request.product.as_mut().expect("product").attributes;
                attributes.remove("a7");
            }),
        ];
        for other in others {
            assert_ne!(hash(&other, None), first, "{other:?}");
        }
        let delete = v1::DeleteProductRequest {
            request_id: "r1".to_owned(),
            ..Default::default()
        };
        let change = v1::ChangePriceRequest {
            request_id: "r1".to_owned(),
            ..Default::default()
        };
        assert_ne!(hash(&delete, None), hash(&change, None), "the operation");
    }

    #[test]
    fn what_is_derived_counts_as_what_it_was_derived_from() {
        let first = hash(&update(|_| ()), Some("19.99"));
        let later = update(|request| {
            request.expected_version = Some(4);
            request.product.as_mut().expect("product").price_minor = 1;
        });
        assert_eq!(hash(&later, Some("19.99")), first);
        assert_ne!(hash(&later, Some("20")), first);
        assert_ne!(hash(&update(|_| ()), None), first);
        let other = update(|request| request.product.as_mut().expect("product").id.clear());
        assert_ne!(hash(&other, Some("19.99")), first);
    }
}
