/** What a rule does, action by action. */

import { html } from "../../vendor/preact-htm.js";
import { textOf } from "../parts.js";
import { t } from "../strings.js";

/** @typedef {import("./rule.js").Action} Action @typedef {import("./rule.js").Target} Target */

const KINDS = /** @type {const} */ (["pin", "hide", "boost", "bury", "redirect"]);

/** An action of another kind about the same. @param {Action} action @param {string} kind @returns {Action} */
function turned(action, kind) {
    const target = "target" in action ? action.target : { product_ids: "product_id" in action && action.product_id ? [action.product_id] : [] };
    switch (kind) {
        case "pin": return { action: "pin", product_id: target.product_ids?.[0] ?? "", position: 1 };
        case "hide": return { action: "hide", target };
        case "boost": case "bury": return { action: kind, target, factor: "factor" in action ? action.factor : 2 };
        default: return { action: "redirect", url: "/" };
    }
}

/** @param {{ actions: Action[], setActions: (actions: Action[]) => void }} props */
export function Actions({ actions, setActions }) {
    const put = (/** @type {number} */ at, /** @type {Action} */ action) => setActions(actions.map((one, index) => (index === at ? action : one)));
    return html`<fieldset><legend>${t.whatIsDone}</legend>
        ${actions.length === 0 && html`<p class="soft">${t.dragHint}</p>`}
        ${actions.map((action, at) => html`<div class="row action">
            <select aria-label=${t.whatIsDone} onChange=${(/** @type {Event} */ event) => put(at, turned(action, textOf(event)))}>
                ${KINDS.map((one) => html`<option value=${one} selected=${one === action.action}>${t.actionKinds[one]}</option>`)}</select>
            <${Details} action=${action} put=${(/** @type {Action} */ changed) => put(at, changed)} />
            <button type="button" class="quiet" aria-label=${t.removeOne(t.actionKinds[action.action])} onClick=${() => setActions(actions.filter((_, index) => index !== at))}>×</button>
        </div>`)}
        <button type="button" onClick=${() => setActions([...actions, { action: "pin", product_id: "", position: 1 }])}>${t.addAction}</button>
    </fieldset>`;
}

/** @param {{ action: Action, put: (action: Action) => void }} props */
function Details({ action, put }) {
    if (action.action === "pin") {
        return html`<input aria-label=${t.productId} placeholder=${t.productId} required value=${action.product_id} onInput=${(/** @type {Event} */ event) => put({ ...action, product_id: textOf(event).trim() })} />
            <label>${t.place} <input type="number" min="1" max="100" value=${action.position} onInput=${(/** @type {Event} */ event) => put({ ...action, position: Number(textOf(event)) })} /></label>`;
    }
    if (action.action === "redirect") {
        return html`<input aria-label=${t.address} value=${action.url} required onInput=${(/** @type {Event} */ event) => put({ ...action, url: textOf(event).trim() })} />`;
    }
    const { target } = action;
    const aim = (/** @type {Target} */ change) => {
        const aimed = { ...target, ...change };
        put({ ...action, target: Object.fromEntries(Object.entries(aimed).filter(([, value]) => (Array.isArray(value) ? value.length > 0 : value))) });
    };
    const list = (/** @type {string} */ text, /** @type {string} */ separator) => text.split(separator).map((one) => one.trim()).filter(Boolean);
    return html`<input aria-label=${t.productIds} placeholder=${t.productIds} value=${(target.product_ids ?? []).join(", ")} onChange=${(/** @type {Event} */ event) => aim({ product_ids: list(textOf(event), ",") })} />
        <input aria-label=${t.fieldNames.brand} placeholder=${t.fieldNames.brand} value=${target.brand ?? ""} onInput=${(/** @type {Event} */ event) => aim({ brand: textOf(event) })} />
        <input aria-label=${t.fieldNames.categories} placeholder=${t.fieldNames.categories} value=${(target.category ?? []).join(" > ")} onChange=${(/** @type {Event} */ event) => aim({ category: list(textOf(event), ">") })} />
        ${action.action !== "hide" && html`<label>${t.factor} <input type="number" min="1.01" max="100" step="0.01" value=${action.factor}
            onInput=${(/** @type {Event} */ event) => put({ ...action, factor: Number(textOf(event)) })} /></label>`}`;
}
