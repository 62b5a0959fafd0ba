/** The products that were found. */

import { html } from "../vendor/preact-htm.js";
import * as api from "../shared/api.js";
import * as format from "../shared/format.js";
import { Picture } from "../shared/picture.js";
import { t } from "../shared/strings.js";

/** @param {{ answer: api.SearchAnswer, searchId: string, view: string }} props */
export function Hits({ answer, searchId, view }) {
    const isList = view === "list";
    return html`<ol class=${`hits ${isList ? "list" : "grid"}`}>
        ${answer.items.map((product, index) => html`<${Hit} key=${product.id} product=${product} withFacts=${isList} highlights=${answer.highlights?.[index]}
            opened=${() => searchId && api.clicked(searchId, product.id, index + 1)} />`)}
    </ol>`;
}

/** @param {{ product: api.Product, withFacts?: boolean, highlights?: api.Highlight[], opened?: () => void }} props */
export function Hit({ product, withFacts, highlights, opened }) {
    const title = highlights?.find((one) => one.field === "title");
    const facts = withFacts ? Object.entries(product.attributes ?? {}).filter(([, value]) => value !== false).slice(0, 5) : [];
    return html`<li class="hit">
        <a href=${`/products/${encodeURIComponent(product.id)}`} onClick=${opened}>
            <${Picture} product=${product} />
            <span class="about">
                <span class="title">${title ? marked(title) : product.title}</span>
                <span class="brand">${product.brand}</span>
                ${facts.length > 0 && html`<span class="facts">${facts.map(([name, value]) => html`<span>${format.fieldName(name)}: ${format.valueName(value)}</span>`)}</span>`}
                ${product.status === "discontinued" && html`<span class="badge">${t.discontinued}</span>`}
            </span>
            <span class="price">${product.price === undefined ? "" : format.price(product.price, product.currency)}</span>
        </a>
    </li>`;
}

/** A text with what matched marked. The places are counted as JavaScript counts. @param {api.Highlight} highlight */
function marked({ text, spans }) {
    const parts = [];
    let at = 0;
    for (const [from, to] of spans) {
        parts.push(text.slice(at, from), html`<mark>${text.slice(from, to)}</mark>`);
        at = to;
    }
    return html`<span>${parts}${text.slice(at)}</span>`;
}
