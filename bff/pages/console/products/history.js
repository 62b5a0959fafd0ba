/** All that a product ever was: each change with what differs, the product at a moment, and the way back. */

import { html, useState } from "../../vendor/preact-htm.js";
import * as format from "../../shared/format.js";
import { ask } from "../ask.js";
import { Failure, Moment, Panel, useAnswer } from "../parts.js";
import { t } from "../strings.js";

const PAGE = 50;
/** What no person sets. */
const GIVEN = new Set(["id", "version", "created_at", "updated_at", "price_minor"]);

/** @typedef {import("./page.js").Product} Product */
/** @typedef {{ version: number, type: string, occurred_at: string, actor: string, product: Product | null }} Change */

/** The members of a product as texts, attributes one by one. @param {Product | null | undefined} product @returns {Map<string, string>} */
function members(product) {
    const found = new Map();
    for (const [name, value] of Object.entries(product ?? {})) {
        if (name === "attributes") {
            for (const [attribute, one] of Object.entries(/** @type {object} */ (value))) {
                found.set(attribute, format.valueName(one));
            }
        } else if (!GIVEN.has(name) && value !== null && value !== "" && !(Array.isArray(value) && value.length === 0)) {
            found.set(name, memberText(name, value, product));
        }
    }
    return found;
}

/** A member as people write it. @param {string} name @param {unknown} value @param {Product | null | undefined} product */
function memberText(name, value, product) {
    if (name === "price" && typeof value === "number") {
        return format.price(value, product?.currency);
    }
    return Array.isArray(value) ? value.join(name === "categories" ? " > " : ", ") : String(value);
}

/** @param {Product | null | undefined} before @param {Product | null} after */
function differences(before, after) {
    const [old, now] = [members(before), members(after)];
    const names = [...new Set([...old.keys(), ...now.keys()])];
    return names.filter((name) => old.get(name) !== now.get(name)).map((name) => ({ name, before: old.get(name), after: now.get(name) }));
}

/** @param {{ id: string, current: Product | null, written: number, saved: (product: Product) => void }} props */
export function History({ id, current, written, saved }) {
    const [limit, setLimit] = useState(PAGE);
    const path = `products/${encodeURIComponent(id)}`;
    const told = useAnswer((signal) => ask(`${path}/history?limit=${Math.min(limit, 100)}`, { signal }), [id, written, limit]);
    const [failed, setFailed] = useState(/** @type {unknown} */ (null));
    const restore = async (/** @type {Product} */ product, /** @type {string} */ question) => {
        if (!confirm(question)) {
            return;
        }
        setFailed(null);
        const kept = Object.entries(product).filter(([name, value]) => !["version", "created_at", "updated_at", "price"].includes(name) && value !== null);
        /** @type {Record<string, string>} */
        const headers = current ? { "if-match": `"${current.version}"` } : { "if-none-match": "*" };
        try {
            saved(await ask(path, { method: "PUT", body: Object.fromEntries(kept), headers }));
        } catch (err) {
            setFailed(err);
        }
    };
    const items = /** @type {Change[]} */ (told.answer?.items ?? []);
    return html`<${Panel} title=${t.history}>
        <${AsOf} path=${path} restore=${restore} />
        <${Failure} failed=${failed ?? told.failed} />
        <ol class="history">${items.map((change, index) => html`<li key=${change.version}>
            <p><b>${t.version(change.version)}</b> <span class="tag">${t.changeTypes[change.type] ?? change.type}</span>
                <${Moment} at=${change.occurred_at} /> <span class="soft">${change.actor}</span>
                ${change.product && change.version !== current?.version && html` <button type="button" onClick=${() =>
                    restore(/** @type {Product} */ (change.product), t.restoreSure(change.version))}>${t.restore}</button>`}</p>
            ${(index + 1 < items.length || change.version === 1) && html`<${Differences} found=${differences(items[index + 1]?.product, change.product)} />`}
        </li>`)}</ol>
        ${told.answer?.next_before_version && limit < 100 && html`<button type="button" onClick=${() => setLimit(100)}>${t.more}</button>`}
    <//>`;
}

/** @param {{ found: { name: string, before?: string, after?: string }[] }} props */
function Differences({ found }) {
    const short = (/** @type {string} */ text) => (text.length > 120 ? `${text.slice(0, 119)}…` : text);
    return html`<ul class="changes">${found.slice(0, 30).map((one) => html`<li>${t.fieldNames[one.name] ?? format.fieldName(one.name)}:${" "}
        ${one.before !== undefined && html`<del>${short(one.before)}</del>`}${" "}${one.after !== undefined && html`<ins>${short(one.after)}</ins>`}</li>`)}
        ${found.length > 30 && html`<li>${t.andMore(format.number(found.length - 30))}</li>`}</ul>`;
}

/** The product as it was at a moment. @param {{ path: string, restore: (product: Product, question: string) => void }} props */
function AsOf({ path, restore }) {
    const [at, setAt] = useState("");
    const found = useAnswer(async (signal) => (at ? /** @type {Product} */ (await ask(`${path}?${new URLSearchParams({ as_of: new Date(at).toISOString() })}`, { signal })) : null), [at]);
    return html`<div class="row"><label>${t.asOf} <input type="datetime-local" step="1" value=${at}
            onInput=${(/** @type {Event} */ event) => setAt(/** @type {HTMLInputElement} */ (event.target).value)} /></label>
        ${found.failed && html`<${Failure} failed=${found.failed} />`}
        ${found.answer && html`<p role="status">${t.version(found.answer.version)}: ${found.answer.title}, ${format.price(found.answer.price ?? 0, found.answer.currency)}
            <button type="button" onClick=${() => found.answer && restore(found.answer, t.restoreSure(found.answer.version))}>${t.restore}</button></p>`}
    </div>`;
}
