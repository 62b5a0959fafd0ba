/** A product as a form. What was not changed is not sent, and nobody's change is undone. */

import { html, useState } from "../../vendor/preact-htm.js";
import * as format from "../../shared/format.js";
import { Picture } from "../../shared/picture.js";
import { ask, send } from "../ask.js";
import { Failure, Panel, textOf } from "../parts.js";
import { t } from "../strings.js";

/** @typedef {import("./page.js").Product} Product */

/** How each field is written in a form, and read from it. @type {Record<string, { long?: boolean, lines?: boolean, write: (value: any) => string, read: (text: string) => unknown }>} */
const FIELDS = {
    title: { long: true, write: String, read: (text) => text },
    description: { long: true, lines: true, write: (value) => value ?? "", read: (text) => text },
    price: { write: (value) => (value === undefined ? "" : String(value)), read: (text) => text.trim() },
    currency: { write: (value) => value ?? "EUR", read: (text) => text.trim().toUpperCase() },
    brand: { write: (value) => value ?? "", read: (text) => text.trim() || null },
    sku: { write: (value) => value ?? "", read: (text) => text.trim() || null },
    gtins: { write: (value) => (value ?? []).join(", "), read: (text) => list(text, ",") },
    categories: { write: (value) => (value ?? []).join(" > "), read: (text) => list(text, ">") },
    image_url: { write: (value) => value ?? "", read: (text) => text.trim() || null },
    status: { write: (value) => value ?? "active", read: (text) => text },
};

/** @param {string} text @param {string} separator */
const list = (text, separator) => text.split(separator).map((one) => one.trim()).filter(Boolean);

/** A value of an attribute as it is typed: JSON where it is no text. @param {unknown} value */
const written = (value) => (typeof value === "string" && read(value) === value ? value : JSON.stringify(value));

/** What somebody has typed: a number, yes or no, a list, or a text. @param {string} text @returns {unknown} */
function read(text) {
    try {
        const value = JSON.parse(text);
        return value !== null && (typeof value !== "object" || Array.isArray(value)) ? value : text;
    } catch {
        return text;
    }
}

/** @typedef {{ name: string, text: string }} Row */

/** @param {{ product: Product | null, saved: (product: Product) => void, gone: () => void }} props */
export function Editor({ product, saved, gone }) {
    /** @param {string} name */
    const stored = (name) => FIELDS[name].write(/** @type {any} */ (product ?? { title: "" })[name]);
    const [id, setId] = useState("");
    const [texts, setTexts] = useState(() => Object.fromEntries(Object.keys(FIELDS).map((name) => [name, stored(name)])));
    const [rows, setRows] = useState(() => Object.entries(product?.attributes ?? {}).map(([name, value]) => /** @type {Row} */ ({ name, text: written(value) })));
    const [failed, setFailed] = useState(/** @type {unknown} */ (null));
    const [busy, setBusy] = useState(false);

    /** What changed, as a merge patch. */
    const patch = () => {
        /** @type {Record<string, unknown>} */
        const changed = {};
        for (const [name, field] of Object.entries(FIELDS)) {
            if (!product || texts[name] !== stored(name)) {
                changed[name] = field.read(texts[name]);
            }
        }
        const before = product?.attributes ?? {};
        const now = Object.fromEntries(rows.filter((row) => row.name.trim()).map((row) => [row.name.trim(), read(row.text)]));
        const attributes = Object.fromEntries([
            ...Object.entries(now).filter(([name, value]) => JSON.stringify(value) !== JSON.stringify(before[name])),
            ...Object.keys(before).filter((name) => !(name in now)).map((name) => [name, null]),
        ]);
        return Object.keys(attributes).length > 0 ? { ...changed, attributes } : changed;
    };
    const attempt = async (/** @type {() => Promise<void>} */ what) => {
        setBusy(true);
        setFailed(null);
        await what().catch(setFailed);
        setBusy(false);
    };
    const save = (/** @type {Event} */ event) => {
        event.preventDefault();
        void attempt(async () => {
            const body = /** @type {Record<string, unknown>} */ (patch());
            if (product) {
                saved(await ask(`products/${encodeURIComponent(product.id)}`, { method: "PATCH", body, headers: { "if-match": `"${product.version}"` } }));
            } else {
                const stated = Object.fromEntries(Object.entries({ ...body, ...(id ? { id } : {}) }).filter(([, value]) => value !== null && value !== ""));
                saved(await ask("products", { method: "POST", body: stated }));
            }
        });
    };
    const remove = () => attempt(async () => {
        if (product && confirm(t.deleteSure(product.title))) {
            await send(`products/${encodeURIComponent(product.id)}`, { method: "DELETE", headers: { "if-match": `"${product.version}"` } });
            gone();
        }
    });
    const put = (/** @type {string} */ name, /** @type {string} */ text) => setTexts((before) => ({ ...before, [name]: text }));
    const set = (/** @type {number} */ at, /** @type {Partial<Row>} */ change) => setRows(rows.map((row, index) => (index === at ? { ...row, ...change } : row)));
    const changes = product ? Object.keys(patch()).length : 1;
    return html`<${Panel} title=${product ? product.title : t.newProduct}><form class="editor" onSubmit=${save}>
        ${product && html`<div class="row"><${Picture} product=${product} /><p class="soft">${product.id} · ${t.version(product.version)}
            ${" · "}<a href=${`/products/${encodeURIComponent(product.id)}`} target="_blank">${t.inShop}</a></p></div>`}
        ${!product && html`<label>${t.id} <input name="id" value=${id} pattern="[A-Za-z0-9_\\-]{1,64}" onInput=${(/** @type {Event} */ event) => setId(textOf(event))} /></label>`}
        ${Object.entries(FIELDS).map(([name, field]) => html`<${Field} name=${name} text=${texts[name]} long=${field.long} lines=${field.lines} put=${put} />`)}
        <fieldset><legend>${t.attributes}</legend>
            <p class="soft">${t.attributesHint}</p>
            ${rows.map((row, at) => html`<div class="row attribute">
                <input aria-label=${t.attributeName} value=${row.name} onInput=${(/** @type {Event} */ event) => set(at, { name: textOf(event) })} />
                <input aria-label=${t.valueOf(row.name)} value=${row.text} onInput=${(/** @type {Event} */ event) => set(at, { text: textOf(event) })} />
                <button type="button" class="quiet" aria-label=${t.removeOne(row.name)} onClick=${() => setRows(rows.filter((_, index) => index !== at))}>×</button>
            </div>`)}
            <button type="button" onClick=${() => setRows([...rows, { name: "", text: "" }])}>${t.addAttribute}</button>
        </fieldset>
        <div class="row">
            <button type="submit" class="primary" disabled=${busy || changes === 0}>${t.save}</button>
            ${product && html`<button type="button" class="danger" disabled=${busy} onClick=${remove}>${t.delete}</button>`}
        </div>
        <${Failure} failed=${failed} />
    </form><//>`;
}

/** @param {{ name: string, text: string, long?: boolean, lines?: boolean, put: (name: string, text: string) => void }} props */
function Field({ name, text, long, lines, put }) {
    const label = t.fieldNames[name] ?? format.fieldName(name);
    const typed = (/** @type {Event} */ event) => put(name, textOf(event));
    if (name === "status") {
        return html`<label>${label} <select name=${name} onChange=${typed}>
            ${["active", "discontinued"].map((one) => html`<option value=${one} selected=${one === text}>${t.statuses[one]}</option>`)}</select></label>`;
    }
    return html`<label class=${long ? "long" : ""}>${label} ${lines
        ? html`<textarea name=${name} rows="6" value=${text} onInput=${typed}></textarea>`
        : html`<input name=${name} value=${text} required=${name === "title" || name === "price"} onInput=${typed} />`}</label>`;
}
