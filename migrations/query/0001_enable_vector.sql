-- pgvector: `halfvec` and HNSW.
CREATE EXTENSION IF NOT EXISTS vector;
