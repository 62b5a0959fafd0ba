/** Products: found, made and changed, with all that they ever were. */

import { html, useEffect, useState } from "../../vendor/preact-htm.js";
import * as format from "../../shared/format.js";
import { Picture } from "../../shared/picture.js";
import { ask } from "../ask.js";
import { Failure, Panel, textOf, useAnswer, useSettled } from "../parts.js";
import { t } from "../strings.js";
import { Editor } from "./editor.js";
import { History } from "./history.js";

const SHOWN = 20;

/** @typedef {import("../../shared/api.js").Product & { version: number, price_minor: number }} Product */

/** @param {import("../main.js").RoomProps} props */
export function ProductsPage({ params, go }) {
    const id = params.get("id");
    if (id !== null) {
        return html`<p><a href=${`/console/products${params.get("q") ? `?${new URLSearchParams({ q: params.get("q") ?? "" })}` : ""}`}>← ${t.backToList}</a></p>
            <${One} key=${id} id=${id} go=${go} />`;
    }
    return html`<${List} params=${params} go=${go} />`;
}

/** @param {import("../main.js").RoomProps} props */
function List({ params, go }) {
    const [text, setText] = useState(params.get("q") ?? "");
    const settled = useSettled(text.trim(), 150);
    useEffect(() => go(settled ? `/console/products?${new URLSearchParams({ q: settled })}` : "/console/products", { replace: true }), [settled]);
    const found = useAnswer((signal) => {
        const asked = new URLSearchParams({ q: settled || "*", limit: String(SHOWN), untracked: "true", fields: "id,title,price,currency,image_url,brand,categories,status,sku" });
        if (!settled) {
            asked.set("sort", "newest");
        }
        return ask(`products/search?${asked}`, { signal });
    }, [settled]);
    const items = /** @type {Product[]} */ (found.answer?.items ?? []);
    const actions = html`<a class="button" href="/console/products?id=">${t.newProduct}</a>`;
    return html`<${Panel} title=${t.findProduct} actions=${actions}>
        <label class="wide"><span class="heard">${t.findProduct}</span><input type="search" placeholder=${t.findProductHint} value=${text}
            onInput=${(/** @type {Event} */ event) => setText(textOf(event))} /></label>
        <${Failure} failed=${found.failed} />
        <p class="soft" role="status">${found.answer && t.productCount(found.answer.total, format.number(found.answer.total))}</p>
        <ul class="list">${items.map((product) => html`<li key=${product.id}>
            <a href=${`/console/products?${new URLSearchParams({ id: product.id, ...(settled ? { q: settled } : {}) })}`}>
                <${Picture} product=${product} /><span class="title">${product.title}</span>
                <span class="soft">${[product.brand, product.sku, product.id].filter(Boolean).join(" · ")}</span>
                <span class="price">${product.price === undefined ? "" : format.price(product.price, product.currency)}</span>
            </a>
        </li>`)}</ul>
    <//>`;
}

/** @param {{ id: string, go: (to: string) => void }} props */
function One({ id, go }) {
    const isNew = id === "";
    const found = useAnswer(async (signal) => (isNew ? null : /** @type {Product} */ (await ask(`products/${encodeURIComponent(id)}`, { signal }))), [id]);
    const [written, setWritten] = useState(/** @type {Product | null} */ (null));
    const saved = (/** @type {Product} */ product) => {
        setWritten(product);
        if (isNew) {
            go(`/console/products?id=${encodeURIComponent(product.id)}`);
        } else {
            found.again();
        }
    };
    const gone = () => go("/console/products");
    // A write answers with the product as it is now; what is read may be older while the read side is slow.
    const product = written && written.version >= (found.answer?.version ?? 0) ? written : found.answer ?? null;
    if (!isNew && !product) {
        return html`<${Failure} failed=${found.failed} />${!found.failed && html`<p class="wait" role="status">${t.asking}</p>`}
            ${found.failed && html`<${History} id=${id} current=${null} written=${0} saved=${saved} />`}`;
    }
    return html`<${Editor} key=${`${id} ${product?.version ?? 0}`} product=${product} saved=${saved} gone=${gone} />
        ${written && html`<p class="good" role="status">${t.saved(written.version)}</p>`}
        ${!isNew && html`<${History} id=${id} current=${product} written=${written?.version ?? 0} saved=${saved} />`}`;
}
