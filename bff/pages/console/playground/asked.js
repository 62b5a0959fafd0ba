/** A query, answered in one of the ways that are compared. */

import { ask } from "../ask.js";

const SHOWN = 10;

/** @typedef {{ profile: string, strategy: string }} Way */
/** @typedef {{ items: import("../../shared/api.js").Product[], total: number, explanation: any, why_not?: { reason: string, detail: string, position: number | null },
 *   corrected_query?: string, did_you_mean?: string, relaxed?: string[] }} Answer */

/** The id of the product that somebody names by its id or its title; what they wrote where there is none. @param {string} named @returns {Promise<string>} */
export async function productId(named) {
    if (!/\s/.test(named)) {
        const known = await ask(`products/${encodeURIComponent(named)}`).catch(() => null);
        if (known) {
            return named;
        }
    }
    const params = new URLSearchParams({ q: named, limit: "1", strategy: "keyword", match: "all", prefix: "none", untracked: "true", fields: "id" });
    const found = await ask(`products/search?${params}`).catch(() => null);
    return found?.items[0]?.id ?? named;
}

/** Asks for a query in a way. @param {string} query @param {Way} way @param {Record<string, string>} more @param {AbortSignal} [signal] @returns {Promise<Answer>} */
export function askedIn(query, way, more, signal) {
    const params = new URLSearchParams({ q: query || "*", limit: String(SHOWN), strategy: way.strategy, untracked: "true", fields: "id,title,price,currency,image_url,brand,categories,attributes", ...more });
    if (way.profile) {
        params.set("profile", way.profile);
    }
    return ask(`products/search?${params}`, { signal });
}
