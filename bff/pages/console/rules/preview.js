/** A query as it is answered now, and as the rule would have it. A product is pinned where it is dragged to. */

import { html, useState } from "../../vendor/preact-htm.js";
import * as format from "../../shared/format.js";
import { Picture } from "../../shared/picture.js";
import { ask } from "../ask.js";
import { Failure, Panel, textOf, useAnswer, useSettled } from "../parts.js";
import { t } from "../strings.js";

const SHOWN = 12;

/** @typedef {import("./rule.js").Action} Action @typedef {import("../../shared/api.js").Product} Product */
/** @typedef {{ items: Product[], total: number, redirect_url?: string, explanation?: { rules?: string[] } }} Answer */

/** @param {string} query @param {object[]} drafts @param {AbortSignal} signal @returns {Promise<Answer>} */
function answer(query, drafts, signal) {
    const body = { q: query || "*", limit: SHOWN, untracked: true, explain: true, fields: ["id", "title", "price", "currency", "image_url", "brand", "categories"], draft_rules: drafts };
    return ask("search", { method: "POST", body, signal });
}

/** Pins a product to a place, in place of what was pinned there and of where it was. @param {Action[]} actions @param {string} id @param {number} position @returns {Action[]} */
export function pinned(actions, id, position) {
    const others = actions.filter((one) => one.action !== "pin" || (one.product_id !== id && one.position !== position));
    return [...others, { action: "pin", product_id: id, position }];
}

/** @param {Action[]} actions @param {string} id @returns {Action[]} */
function hidden(actions, id) {
    const others = actions.filter((one) => one.action !== "pin" || one.product_id !== id);
    const before = others.find((one) => one.action === "hide" && !one.target.brand && !one.target.category);
    if (before?.action === "hide") {
        const ids = [...new Set([...(before.target.product_ids ?? []), id])];
        return others.map((one) => (one === before ? { action: "hide", target: { product_ids: ids } } : one));
    }
    return [...others, { action: "hide", target: { product_ids: [id] } }];
}

/** @param {{ id: string, kind: { actions: Action[] }, first: string, setActions: (actions: Action[]) => void }} props */
export function Preview({ id, kind, first, setActions }) {
    // Until somebody asks for another one, it is the first that the rule is about.
    const [other, setOther] = useState(/** @type {string | null} */ (null));
    const query = other ?? first;
    const settled = useSettled(query.trim(), 200);
    const draft = useSettled(JSON.stringify(kind), 200);
    const now = useAnswer((signal) => answer(settled, [], signal), [settled]);
    const then = useAnswer((signal) => answer(settled, kind.actions.length > 0 ? [{ id, kind: JSON.parse(draft) }] : [], signal), [settled, draft]);
    const drop = (/** @type {number} */ place, /** @type {string} */ product) => setActions(pinned(kind.actions, product, place));
    const followed = (then.answer?.explanation?.rules ?? []).some((one) => one.startsWith(`${id}@`));
    return html`<${Panel} title=${t.preview}>
        <label class="wide">${t.previewQuery} <input type="search" value=${query} onInput=${(/** @type {Event} */ event) => setOther(textOf(event))} /></label>
        ${kind.actions.length > 0 && then.answer && !followed && html`<p class="bad" role="status">${t.notAbout}</p>`}
        ${then.answer?.redirect_url && html`<p>${t.redirectText(then.answer.redirect_url)}</p>`}
        <div class="halves">
            <section aria-label=${t.nowTitle}><h3>${t.nowTitle}</h3><${Failure} failed=${now.failed} />
                <${Results} items=${now.answer?.items ?? []} other=${then.answer?.items ?? []} /></section>
            <section aria-label=${t.thenTitle}><h3>${t.thenTitle}</h3><${Failure} failed=${then.failed} />
                <${Results} items=${then.answer?.items ?? []} other=${now.answer?.items ?? []} drop=${drop}
                    hide=${(/** @type {string} */ product) => setActions(hidden(kind.actions, product))} /></section>
        </div>
    <//>`;
}

/** @param {{ items: Product[], other: Product[], drop?: (place: number, id: string) => void, hide?: (id: string) => void }} props */
function Results({ items, other, drop, hide }) {
    const [over, setOver] = useState(-1);
    const dropped = (/** @type {DragEvent} */ event, /** @type {number} */ place) => {
        event.preventDefault();
        setOver(-1);
        const id = event.dataTransfer?.getData("text/plain");
        if (id && drop) {
            drop(place, id);
        }
    };
    return html`<ol class="ranked">${items.map((product, index) => {
        const before = other.findIndex((one) => one.id === product.id);
        const moved = before === index ? "" : before < 0 ? t.isNew : before > index ? `↑ ${before - index}` : `↓ ${index - before}`;
        return html`<li key=${product.id} class=${over === index ? "over" : ""} draggable=${drop ? "true" : undefined}
            onDragStart=${(/** @type {DragEvent} */ event) => event.dataTransfer?.setData("text/plain", product.id)}
            onDragOver=${(/** @type {DragEvent} */ event) => { if (drop) { event.preventDefault(); setOver(index); } }}
            onDragLeave=${() => setOver(-1)} onDrop=${(/** @type {DragEvent} */ event) => dropped(event, index + 1)}>
            <${Picture} product=${product} /><span class="title">${product.title}<br /><span class="soft">${product.id} · ${product.price === undefined ? "" : format.price(product.price, product.currency)}</span></span>
            ${drop && html`<span class="moved">${moved}</span>
                <button type="button" disabled=${index === 0} aria-label=${t.pinUp(product.title)} onClick=${() => drop(index, product.id)}>↑</button>
                <button type="button" aria-label=${t.pinHere(product.title, index + 1)} onClick=${() => drop(index + 1, product.id)}>${t.pin}</button>
                <button type="button" aria-label=${t.hideOne(product.title)} onClick=${() => hide?.(product.id)}>${t.hide}</button>`}
        </li>`;
    })}</ol>`;
}
