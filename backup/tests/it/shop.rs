//! A database of the write side with a log of made-up events.

use catalog_migrations::COMMAND;
use devkit::Devkit;
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};
use tokio::sync::OnceCell;

/// Products that the events are of, in turn.
const PRODUCTS: i64 = 1_000;

static DEVKIT: OnceCell<Devkit> = OnceCell::const_new();

pub(crate) struct Shop {
    pub(crate) url: String,
}

impl Shop {
    /// A database without anything.
    pub(crate) async fn empty() -> Self {
        let devkit = DEVKIT
            .get_or_init(|| async { Devkit::throwaway().await.expect("start devkit") })
            .await;
        let url = devkit.unique_database("backup").await.expect("database");
        Self { url }
    }

    /// A catalog without products.
    pub(crate) async fn open() -> Self {
        let shop = Self::empty().await;
        let mut db = shop.connect().await;
        COMMAND.run(&mut db).await.expect("migrate");
        shop
    }

    pub(crate) async fn connect(&self) -> PgConnection {
        PgConnection::connect(&self.url).await.expect("connect")
    }

    pub(crate) async fn run(&self, statement: &str) {
        let mut db = self.connect().await;
        let run = sqlx::raw_sql(AssertSqlSafe(statement.to_owned()));
        run.execute(&mut db).await.expect(statement);
        db.close().await.expect("close");
    }

    /// Events at these positions, as an older release wrote them: without a digest.
    pub(crate) async fn sell(&self, first: i64, last: i64) {
        let product = format!(
            "json_build_object('id', 'p' || (at - 1) % {PRODUCTS}, 'title', E'Größe \\\\ \"a\"\\n\\tb ' || at,
                'price', json_build_object('minor', at, 'currency', 'EUR'),
                'created_at', '2026-01-01T00:00:00Z', 'updated_at', '2026-01-01T00:00:00Z')"
        );
        self.run(&format!(
            "INSERT INTO event_log (position, event_id, product_id, version, event_type, occurred_at, actor,
                change, product)
             SELECT at, gen_random_uuid(), 'p' || (at - 1) % {PRODUCTS}, (at - 1) / {PRODUCTS} + 1,
                'catalog.product.updated', now(), 'test', '{{}}', {product}
             FROM generate_series({first}, {last}) AS at;
             INSERT INTO products (id, version, product, updated_at)
             SELECT DISTINCT ON (product_id) product_id, version, product::jsonb, now() FROM event_log
             WHERE position BETWEEN {first} AND {last} ORDER BY product_id, version DESC
             ON CONFLICT (id) DO UPDATE SET version = excluded.version, product = excluded.product;
             UPDATE log_head SET position = {last}"
        ))
        .await;
    }

    /// One more event, by which a product is gone.
    pub(crate) async fn delete_product(&self, number: i64) {
        self.run(&format!(
            "INSERT INTO event_log (position, event_id, product_id, version, event_type, occurred_at, actor, change)
             SELECT position + 1, gen_random_uuid(), id, version + 1, 'catalog.product.deleted', now(), 'test', '{{}}'
             FROM log_head, products WHERE id = 'p{number}';
             UPDATE products SET version = version + 1, product = NULL WHERE id = 'p{number}';
             UPDATE log_head SET position = position + 1"
        ))
        .await;
    }

    /// A write whose event has no position yet.
    pub(crate) async fn leave_waiting(&self) {
        self.run(
            "WITH new AS (
                 INSERT INTO outbox (event_id, product_id, version, event_type, occurred_at, actor, change)
                 SELECT gen_random_uuid(), 'q' || count(*), 1, 'catalog.product.deleted', now(), 'test', '{}'
                 FROM outbox RETURNING product_id
             )
             INSERT INTO products (id, version, updated_at) SELECT product_id, 1, now() FROM new",
        )
        .await;
    }

    /// All rows of all tables, in no order but that of their text.
    pub(crate) async fn content(&self) -> Vec<(String, String)> {
        let mut db = self.connect().await;
        let names: Vec<String> = sqlx::query_scalar(
            "SELECT relname::text FROM pg_class
             WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' ORDER BY 1",
        )
        .fetch_all(&mut db)
        .await
        .expect("tables");
        let mut content = Vec::new();
        for name in names.into_iter().filter(|name| name != "_sqlx_migrations") {
            let sum = format!(
                "SELECT count(*) || ' ' || coalesce(md5(string_agg(md5(r::text), '' ORDER BY md5(r::text))), '')
                 FROM {name} AS r"
            );
            let sum: String = sqlx::query_scalar(AssertSqlSafe(sum))
                .fetch_one(&mut db)
                .await
                .expect("rows");
            content.push((name, sum));
        }
        db.close().await.expect("close");
        content
    }
}
