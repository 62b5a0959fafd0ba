//! A client of the Python system goes on working. It is made at run time from the six-field proto that
//! the client has, not from our generated code.

use std::path::PathBuf;

use bytes::{Buf as _, BufMut as _};
use http::uri::PathAndQuery;
use protox::prost::Message as _;
use protox::prost_reflect::{DescriptorPool, DynamicMessage, MessageDescriptor, Value};
use tonic::client::Grpc;
use tonic::codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::transport::Channel;
use tonic::{Code, Request, Status};

use crate::harness::{World, folder};

/// Encodes and decodes messages of which only a descriptor is known.
struct DynamicCodec(MessageDescriptor);

impl Codec for DynamicCodec {
    type Encode = DynamicMessage;
    type Decode = DynamicMessage;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        Self(self.0.clone())
    }

    fn decoder(&mut self) -> Self {
        Self(self.0.clone())
    }
}

impl Encoder for DynamicCodec {
    type Item = DynamicMessage;
    type Error = Status;

    fn encode(&mut self, item: DynamicMessage, buffer: &mut EncodeBuf<'_>) -> Result<(), Status> {
        buffer.put_slice(&item.encode_to_vec());
        Ok(())
    }
}

impl Decoder for DynamicCodec {
    type Item = DynamicMessage;
    type Error = Status;

    fn decode(&mut self, buffer: &mut DecodeBuf<'_>) -> Result<Option<DynamicMessage>, Status> {
        let bytes = buffer.copy_to_bytes(buffer.remaining());
        let message = DynamicMessage::decode(self.0.clone(), bytes);
        message
            .map(Some)
            .map_err(|err| Status::internal(err.to_string()))
    }
}

struct OldClient {
    grpc: Grpc<Channel>,
    pool: DescriptorPool,
}

impl OldClient {
    fn new(target: &str) -> Self {
        let folder = PathBuf::from("tests/it");
        let files = protox::compile(["six_fields.proto"], [folder]).expect("compile");
        let pool = DescriptorPool::from_file_descriptor_set(files).expect("descriptors");
        let channel = Channel::from_shared(target.to_owned())
            .expect("uri")
            .connect_lazy();
        Self {
            grpc: Grpc::new(channel),
            pool,
        }
    }

    async fn call(
        &mut self,
        method: &str,
        fields: &[(&str, Value)],
    ) -> Result<DynamicMessage, Status> {
        let service = self
            .pool
            .get_service_by_name("catalog.v1.CatalogService")
            .expect("service");
        let method = service
            .methods()
            .find(|known| known.name() == method)
            .expect("method");
        let mut message = DynamicMessage::new(method.input());
        for (name, value) in fields {
            message.set_field_by_name(name, value.clone());
        }
        let name = format!("/catalog.v1.CatalogService/{}", method.name());
        let path = PathAndQuery::try_from(name).expect("path");
        self.grpc
            .ready()
            .await
            .map_err(|err| Status::unavailable(err.to_string()))?;
        let codec = DynamicCodec(method.output());
        Ok(self
            .grpc
            .unary(Request::new(message), path, codec)
            .await?
            .into_inner())
    }
}

fn text(message: &DynamicMessage, field: &str) -> String {
    let value = message.get_field_by_name(field).expect("known field");
    value.as_str().expect("text").to_owned()
}

fn products(message: &DynamicMessage) -> Vec<DynamicMessage> {
    let value = message.get_field_by_name("products").expect("known field");
    let list = value.as_list().expect("list").iter();
    list.map(|one| one.as_message().expect("message").clone())
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_made_from_the_six_field_proto_works() {
    let mut world = World::without_model().await;
    for n in 0..30 {
        world
            .put(&format!("p{n}"), &format!("Gaming mouse {n}"))
            .await;
    }
    let folder = folder();
    let mut replica = world.replica(&folder).await;
    replica.caught_up(&world).await;
    let mut client = OldClient::new(&replica.target);

    let id = |id: &str| Value::String(id.to_owned());
    let product = client
        .call("GetProduct", &[("id", id("p3"))])
        .await
        .expect("get");
    assert_eq!(text(&product, "title"), "Gaming mouse 3");
    assert_eq!(
        (text(&product, "currency"), text(&product, "image_url")),
        ("USD".into(), "".into())
    );
    let price = product.get_field_by_name("price").expect("price").as_f64();
    assert_eq!(price, Some(19.99));
    let unknown = client
        .call("GetProduct", &[("id", id("nobody"))])
        .await
        .expect_err("unknown");
    assert_eq!(unknown.code(), Code::NotFound);

    let names = Value::List(vec![id("p2"), id("nobody"), id("p1")]);
    let batch = client
        .call("BatchGetProducts", &[("ids", names)])
        .await
        .expect("batch");
    let found: Vec<_> = products(&batch).iter().map(|one| text(one, "id")).collect();
    assert_eq!(found, ["p2", "p1"]);

    // `limit` unset means 20, and more than 100 means 100.
    let query = ("query", Value::String("gaming mouse".to_owned()));
    let found = client
        .call("SearchProducts", std::slice::from_ref(&query))
        .await
        .expect("search");
    assert_eq!(products(&found).len(), 20);
    let all = [query, ("limit", Value::I32(1_000))];
    let found = client.call("SearchProducts", &all).await.expect("search");
    assert_eq!(products(&found).len(), 30);
}
