/** Asks the API. The shapes are those of `/api/openapi.json`. */

/**
 * @typedef {{ id: string, title: string, description?: string, price?: number, currency?: string,
 *   image_url?: string, brand?: string, sku?: string, gtins?: string[], categories?: string[],
 *   attributes?: Record<string, unknown>, status?: string, updated_at?: string, created_at?: string }} Product
 * @typedef {{ value: string, count: number, from?: number, to?: number }} FacetValue
 * @typedef {{ field: string, values: FacetValue[], other: number, missing: number,
 *   numbers?: { count: number, min: number, max: number, mean: number } }} Facet
 * @typedef {{ field: string, text: string, spans: [number, number][] }} Highlight
 * @typedef {{ items: Product[], total: number, facets?: Facet[], price_currency?: string, degraded: boolean,
 *   next_page_token: string | null, search_id?: string, corrected_query?: string, did_you_mean?: string,
 *   relaxed?: string[], redirect_url?: string, highlights?: Highlight[][] }} SearchAnswer
 * @typedef {{ version: number, type: string, occurred_at: string, product?: Product }} Change
 * @typedef {{ text: string, documents: number, views: number }} Suggestion
 */

/** An answer that is no success. */
export class Refused extends Error {
    /** @param {number} status @param {string} detail */
    constructor(status, detail) {
        super(detail);
        this.status = status;
    }
}

/**
 * @param {string} path
 * @param {URLSearchParams} [params]
 * @param {AbortSignal} [signal]
 * @returns {Promise<any>}
 */
async function get(path, params, signal) {
    const query = params && [...params].length > 0 ? `?${params}` : "";
    const answer = await fetch(`/api/${path}${query}`, { signal });
    if (answer.ok) {
        return answer.json();
    }
    const problem = await answer.json().catch(() => ({}));
    throw new Refused(answer.status, problem.detail ?? answer.statusText);
}

/** @param {URLSearchParams} params @param {AbortSignal} [signal] @returns {Promise<SearchAnswer>} */
export const search = (params, signal) => get("products/search", params, signal);

/** @param {string} query @param {AbortSignal} [signal] @returns {Promise<Suggestion[]>} */
export async function suggest(query, signal) {
    const params = new URLSearchParams({ q: query, limit: "6" });
    return (await get("autocomplete", params, signal)).items;
}

/** @param {string} id @returns {Promise<Product>} */
export const product = (id) => get(`products/${encodeURIComponent(id)}`);

/** @param {string} id @returns {Promise<Product[]>} */
export async function similar(id) {
    const params = new URLSearchParams({ limit: "6", fields: "id,title,price,currency,image_url,brand,categories,status" });
    return (await get(`products/${encodeURIComponent(id)}/similar`, params)).items;
}

/** The newest changes of a product, newest first. @param {string} id @returns {Promise<Change[]>} */
export async function history(id) {
    return (await get(`products/${encodeURIComponent(id)}/history`, new URLSearchParams({ limit: "100" }))).items;
}

/**
 * Tells that a hit was opened; sent even while the page is left.
 * @param {string} searchId @param {string} productId @param {number} position from 1
 */
export function clicked(searchId, productId, position) {
    void fetch("/api/events/click", {
        method: "POST",
        keepalive: true,
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ search_id: searchId, product_id: productId, position }),
    }).catch(() => undefined);
}
