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

/** How often a read is asked again where the catalog is away or busy for a moment. */
const ASKED_AGAIN = 3;
/** The longest that a reader is kept waiting before the next attempt. */
const PAUSE_MAX_S = 5;
/** What a moment later may be answered. */
const PASSING = [429, 502, 503, 504];

/**
 * @param {string} path
 * @param {URLSearchParams} [params]
 * @param {AbortSignal} [signal]
 * @returns {Promise<any>}
 */
async function get(path, params, signal) {
    const query = params && [...params].length > 0 ? `?${params}` : "";
    for (let attempt = 1; ; attempt += 1) {
        const isLast = attempt > ASKED_AGAIN;
        // What cannot be reached at all may be about to start again.
        const answer = await fetch(`/api/${path}${query}`, { signal }).catch((err) => {
            if (isLast || signal?.aborted) {
                throw err;
            }
        });
        if (answer?.ok) {
            return answer.json();
        }
        const problem = await answer?.json().catch(() => ({}));
        const pause_s = Number(answer?.headers.get("retry-after") ?? attempt);
        // A pause may also be a date, which is no number.
        if (answer && (isLast || !PASSING.includes(answer.status) || !(pause_s <= PAUSE_MAX_S))) {
            throw new Refused(answer.status, problem.detail ?? answer.statusText);
        }
        await pause(pause_s, signal);
    }
}

/** Waits, or ends at once where nobody waits any more. @param {number} seconds @param {AbortSignal} [signal] */
function pause(seconds, signal) {
    return new Promise((resolve, reject) => {
        // Readers who were refused together do not come again together.
        const timer = setTimeout(resolve, seconds * 1000 * (1 + Math.random() / 4));
        signal?.addEventListener("abort", () => {
            clearTimeout(timer);
            reject(signal.reason);
        }, { once: true });
    });
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
