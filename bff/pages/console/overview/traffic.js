/** What is asked of this instance, and how long it takes: differences of counts that only grow. */

import { html } from "../../vendor/preact-htm.js";
import * as format from "../../shared/format.js";
import { t } from "../strings.js";

/** What requests of a route are to a reader. */
const GROUPS = /** @type {const} */ ({
    search: ["/api/products/search", "/api/search", "/api/multi-search", "/api/autocomplete", "/api/products/{id}/similar", "/1/indexes/{index}/queries"],
    read: ["/api/products", "/api/products/{id}", "/api/products/{id}/history"],
});

/** @typedef {{ at: number, groups: Record<string, { requests: number, errors: number, buckets: Map<number, number> }> }} Counts */

/** @param {string} route @param {string} method */
function groupOf(route, method) {
    if (/** @type {readonly string[]} */ (GROUPS.search).includes(route)) {
        return "search";
    }
    if (route.startsWith("/api/products") && method !== "GET" && method !== "HEAD") {
        return "write";
    }
    return /** @type {readonly string[]} */ (GROUPS.read).includes(route) ? "read" : "other";
}

/** Reads counts as OpenMetrics writes them. @param {string} text @returns {Counts} */
export function counts(text) {
    /** @type {Counts} */
    const found = { at: performance.now(), groups: {} };
    for (const [, name, labels, value] of text.matchAll(/^(bff_http_request\w+)\{([^}]*(?:\{[^}]*\}[^}]*)*)\} (\S+)$/gm)) {
        const label = Object.fromEntries([...labels.matchAll(/(\w+)="([^"]*)"/g)].map(([, key, one]) => [key, one]));
        const group = groupOf(label.route ?? "", label.method ?? "");
        const sum = (found.groups[group] ??= { requests: 0, errors: 0, buckets: new Map() });
        if (name === "bff_http_requests_total") {
            sum.requests += Number(value);
            sum.errors += Number(label.status) >= 500 ? Number(value) : 0;
        } else if (name === "bff_http_request_seconds_bucket") {
            const bound = label.le === "+Inf" ? Infinity : Number(label.le);
            sum.buckets.set(bound, (sum.buckets.get(bound) ?? 0) + Number(value));
        }
    }
    return found;
}

/** The time below which a share of the requests lies, in ms; none where there were none. @param {Map<number, number>} buckets @param {number} share */
function quantile(buckets, share) {
    const all = [...buckets].sort(([a], [b]) => a - b);
    const total = all.at(-1)?.[1] ?? 0;
    if (total <= 0) {
        return null;
    }
    let before = { bound: 0, count: 0 };
    for (const [bound, count] of all) {
        if (count >= share * total) {
            const within = count > before.count ? (share * total - before.count) / (count - before.count) : 1;
            return (bound === Infinity ? before.bound : before.bound + within * (bound - before.bound)) * 1000;
        }
        before = { bound, count };
    }
    return null;
}

/** @param {{ before: Counts | null, now: Counts }} props */
export function Traffic({ before, now }) {
    const seconds = before ? (now.at - before.at) / 1000 : 0;
    const rows = ["search", "read", "write", "other"].map((group) => {
        const present = now.groups[group] ?? { requests: 0, errors: 0, buckets: new Map() };
        const past = before?.groups[group] ?? { requests: 0, errors: 0, buckets: new Map() };
        const recent = new Map([...present.buckets].map(([bound, count]) => [bound, count - (past.buckets.get(bound) ?? 0)]));
        // Where nothing was asked in this moment, what was asked since the start says more than nothing.
        const times = quantile(recent, 0.5) === null ? present.buckets : recent;
        return {
            group,
            rate: before && seconds > 0 ? (present.requests - past.requests) / seconds : 0,
            p50: quantile(times, 0.5),
            p99: quantile(times, 0.99),
            errors: present.errors,
            requests: present.requests,
        };
    });
    const ms = (/** @type {number | null} */ time) => (time === null ? "–" : t.ms(format.number(Math.round(time * 10) / 10)));
    return html`<div class="scroll" tabindex="0" role="group" aria-label=${t.traffic}><table>
        <thead><tr><th scope="col">${t.requests}</th><th scope="col" class="number">${t.rate}</th><th scope="col" class="number">p50</th>
            <th scope="col" class="number">p99</th><th scope="col" class="number">${t.all}</th><th scope="col" class="number">${t.errors}</th></tr></thead>
        <tbody>${rows.map((row) => html`<tr>
            <th scope="row">${t.traffics[row.group]}</th>
            <td class="number">${format.number(Math.round(row.rate * 10) / 10)}</td>
            <td class="number">${ms(row.p50)}</td><td class="number">${ms(row.p99)}</td>
            <td class="number">${format.number(row.requests)}</td>
            <td class=${row.errors > 0 ? "number bad" : "number"}>${format.number(row.errors)}</td>
        </tr>`)}</tbody>
    </table></div>`;
}
