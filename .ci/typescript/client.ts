// A client that is made from the OpenAPI document alone: it creates, finds, changes, exports and deletes.
import createClient from "openapi-fetch";
import type { components, paths } from "./schema.js";

const [url, key] = process.argv.slice(2);
const catalog = createClient<paths>({
  baseUrl: url,
  headers: { authorization: `Bearer ${key}` },
});

function must<T>(answer: { data?: T; error?: components["schemas"]["Problem"] }): T {
  if (answer.data === undefined) throw new Error(JSON.stringify(answer.error));
  return answer.data;
}

const body = { id: "typescript-1", title: "Quilted teapot cosy", price: "12.50", currency: "EUR" };
const created = await catalog.POST("/api/products", { body });
const product: components["schemas"]["Product"] = must(created);
if (product.price_minor !== 1250) throw new Error(`price_minor is ${product.price_minor}`);

// A search that carries the token of a write knows it.
const token = created.response.headers.get("catalog-consistency") ?? "";
const found = must(
  await catalog.GET("/api/products/search", {
    params: { query: { q: "quilted teapot" }, header: { "Catalog-Consistency": token } },
  }),
);
if (!found.items.some((item) => item.id === product.id)) throw new Error("it is not found");

const path = { id: product.id };
const changed = must(
  await catalog.PATCH("/api/products/{id}", {
    params: { path, header: { "If-Match": `"${product.version}"` } },
    body: { price: "11.50" },
  }),
);
if (changed.version !== 2) throw new Error(`version is ${changed.version}`);

const exported = await catalog.GET("/api/export", { parseAs: "text" });
if (!must(exported).includes("Quilted teapot cosy")) throw new Error("it is not exported");

const deleted = await catalog.DELETE("/api/products/{id}", { params: { path } });
if (deleted.response.status !== 204) throw new Error(`deleting it gave ${deleted.response.status}`);
console.log("a TypeScript client created, found, changed, exported and deleted a product");
