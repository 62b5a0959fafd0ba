//! Generates the wire code from the `.proto` files with a pure-Rust compiler and compares it with
//! what is committed. `UPDATE_PROTO=1 cargo test -p catalog-proto` writes it anew.

use std::path::{Path, PathBuf};
use std::{env, fs};

use protox::prost::Message as _;
use protox::prost_reflect::prost_types::FileDescriptorSet;

const FILES: [&str; 8] = [
    "catalog/v1/catalog.proto",
    "catalog/v1/commands.proto",
    "catalog/v1/events.proto",
    "catalog/v1/keys.proto",
    "catalog/v1/operations.proto",
    "catalog/v1/rules.proto",
    "catalog/v1/usage.proto",
    "catalog/v1/webhooks.proto",
];
/// Answers with secrets, which no log must show: the crate says itself how these are shown.
const SECRET: [&str; 4] = [
    ".catalog.v1.CreateApiKeyResponse",
    ".catalog.v1.RotateApiKeyResponse",
    ".catalog.v1.CreateWebhookResponse",
    ".catalog.v1.RotateWebhookSecretResponse",
];
/// The file whose service is generated a second time, with products that stay encoded, and what is
/// generated again because it has products.
const READ_API: &str = "catalog/v1/catalog.proto";
const WITH_PRODUCTS: [&str; 4] = [
    "BatchGetProductsResponse",
    "ListProductsResponse",
    "SearchProductsResponse",
    "SimilarProductsResponse",
];
const PACKAGE: &str = "catalog.v1";
const GENERATED: [&str; 3] = ["catalog.v1.rs", "catalog.v1.encoded.rs", "catalog.v1.bin"];

#[test]
fn generated_code_matches_the_protos() {
    let root = PathBuf::from(".");
    let fresh = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("generated");
    generate(&root, &fresh);

    let committed = root.join("src/generated");
    for name in GENERATED {
        let wanted = fs::read(fresh.join(name)).expect("generated file");
        if env::var_os("UPDATE_PROTO").is_some() {
            fs::create_dir_all(&committed).expect("create src/generated");
            fs::write(committed.join(name), &wanted).expect("write generated file");
        }
        let found = fs::read(committed.join(name)).unwrap_or_default();
        assert!(
            found == wanted,
            "src/generated/{name} is out of date: run UPDATE_PROTO=1 cargo test -p catalog-proto"
        );
    }
}

fn generate(root: &Path, out: &Path) {
    fs::create_dir_all(out).expect("create output folder");
    let descriptors = protox::Compiler::new([root])
        .expect("open the proto folder")
        .include_imports(true)
        .include_source_info(true)
        .open_files(FILES)
        .expect("compile the protos")
        .file_descriptor_set();
    let mut slim = descriptors.clone();
    for file in &mut slim.file {
        file.source_code_info = None;
    }
    fs::write(out.join("catalog.v1.bin"), slim.encode_to_vec()).expect("write descriptors");
    generate_encoded(descriptors.clone(), out);
    tonic_prost_build::configure()
        .out_dir(out)
        .btree_map(".")
        .skip_debug(SECRET)
        .compile_fds(descriptors)
        .expect("generate code");
}

/// Generates the read API with `encoded::Product` in the place of `Product`. All messages that have no
/// products are those of `v1`.
fn generate_encoded(mut descriptors: FileDescriptorSet, out: &Path) {
    let mut builder = tonic_prost_build::configure()
        .out_dir(out)
        .extern_path(".catalog.v1.Product", "crate::encoded::Product");
    for file in &mut descriptors.file {
        if file.package() != PACKAGE {
            continue;
        }
        let messages = file.message_type.iter().map(|message| message.name());
        let names = messages.chain(file.enum_type.iter().map(|one| one.name()));
        for name in names.filter(|name| *name != "Product" && !WITH_PRODUCTS.contains(name)) {
            let path = format!(".{PACKAGE}.{name}");
            builder = builder.extern_path(path, format!("crate::v1::{name}"));
        }
        if file.name() != READ_API {
            file.service.clear();
        }
    }
    builder.compile_fds(descriptors).expect("generate code");
    let (from, to) = ("catalog.v1.rs", "catalog.v1.encoded.rs");
    fs::rename(out.join(from), out.join(to)).expect("rename generated code");
}
