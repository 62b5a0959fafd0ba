//! The configuration of the services, as the environment variables of their processes.

use std::path::Path;

use devkit::Devkit;

use crate::cluster::ports::Ports;

/// The index of the query service, in the folder of a cluster.
pub(super) const INDEX: &str = "index";
/// The token of all services of every cluster, which listens on this machine alone.
pub const SERVICE_TOKEN: &str = "service-token-of-a-trial";
pub(super) const COMMAND_DATABASE: &str = "CATALOG_COMMAND_DATABASE_URL";

pub(super) async fn environment(
    devkit: &Devkit,
    ports: Ports,
    folder: &Path,
    model: bool,
) -> anyhow::Result<Vec<(&'static str, String)>> {
    let suffix: String = (0..8).map(|_| fastrand::lowercase()).collect();
    let secret: String = (0..32).map(|_| fastrand::alphanumeric()).collect();
    let model = if model {
        devkit::embedding_model()
            .await?
            .folder
            .display()
            .to_string()
    } else {
        String::new()
    };
    let address = |port: u16| format!("127.0.0.1:{port}");
    let token = || SERVICE_TOKEN.to_owned();
    let free = || "127.0.0.1:0".to_owned();
    Ok(vec![
        (
            COMMAND_DATABASE,
            devkit.database_url(&format!("command_{suffix}")).await?,
        ),
        ("CATALOG_COMMAND_NATS_URL", devkit.nats_url()),
        ("CATALOG_COMMAND_GRPC_ADDR", address(ports.command)),
        ("CATALOG_COMMAND_OPS_ADDR", free()),
        ("CATALOG_COMMAND_SERVICE_TOKEN", token()),
        ("CATALOG_COMMAND_TOKEN_SECRET", secret.clone()),
        // The receivers of a trial are on this machine, and it does not last for days.
        ("CATALOG_COMMAND_WEBHOOK_PRIVATE", "true".to_owned()),
        ("CATALOG_COMMAND_WEBHOOK_BACKOFF_MS", ["200"; 60].join(",")),
        (
            "CATALOG_QUERY_DATABASE_URL",
            devkit.database_url(&format!("query_{suffix}")).await?,
        ),
        ("CATALOG_COMMAND_DRAIN_WAIT_MS", "0".to_owned()),
        ("CATALOG_QUERY_DRAIN_WAIT_MS", "0".to_owned()),
        ("CATALOG_QUERY_NATS_URL", devkit.nats_url()),
        ("CATALOG_QUERY_GRPC_ADDR", address(ports.query)),
        ("CATALOG_QUERY_OPS_ADDR", free()),
        ("CATALOG_QUERY_SERVICE_TOKEN", token()),
        ("CATALOG_QUERY_TOKEN_SECRET", secret),
        (
            "CATALOG_QUERY_COMMAND_GRPC_TARGET",
            format!("http://{}", address(ports.command)),
        ),
        (
            "CATALOG_QUERY_DATA_DIR",
            folder.join(INDEX).display().to_string(),
        ),
        ("CATALOG_QUERY_MODEL_DIR", model),
        ("BFF_HTTP_ADDR", address(ports.http)),
        ("BFF_OPS_ADDR", free()),
        ("BFF_SERVICE_TOKEN", token()),
        ("BFF_DRAIN_WAIT_MS", "0".to_owned()),
        // The clients of a trial are its own.
        ("BFF_PUBLIC", "search,read,write,rules,operate".to_owned()),
        (
            "BFF_CATALOG_GRPC_TARGET",
            format!("http://{}", address(ports.query)),
        ),
        (
            "BFF_COMMAND_GRPC_TARGET",
            format!("http://{}", address(ports.command)),
        ),
    ])
}
