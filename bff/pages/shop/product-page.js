/** The page of one product. */

import { html, useEffect, useState } from "../vendor/preact-htm.js";
import * as api from "../shared/api.js";
import * as format from "../shared/format.js";
import { Picture } from "../shared/picture.js";
import { t } from "../shared/strings.js";
import { Hit } from "./hits.js";
import { PriceCurve } from "./price-curve.js";

/** @param {{ id: string, back: string }} props */
export function ProductPage({ id, back }) {
    const [state, setState] = useState(/** @type {{ product?: api.Product, failed?: unknown }} */ ({}));
    const [near, setNear] = useState(/** @type {api.Product[]} */ ([]));
    const [changes, setChanges] = useState(/** @type {api.Change[]} */ ([]));
    useEffect(() => {
        // What is beside the product may be missing without harm.
        api.product(id).then((product) => setState({ product }), (failed) => setState({ failed }));
        api.similar(id).then(setNear, () => undefined);
        api.history(id).then(setChanges, () => undefined);
    }, [id]);
    const product = state.product;
    useEffect(() => {
        if (product) {
            document.title = t.title(product.title);
        }
    }, [product]);

    if (state.failed) {
        const isGone = state.failed instanceof api.Refused && state.failed.status === 404;
        return html`<div class="nothing" role="alert"><h2>${isGone ? t.gone : t.broken}</h2><p><a href="/">${t.home}</a></p></div>`;
    }
    if (!product) {
        return html`<p class="wait" role="status">${t.searching}</p>`;
    }
    return html`<article class="product">
        <nav><a href=${back}>‹ ${back === "/" ? t.home : t.back}</a></nav>
        <div class="top">
            <${Picture} product=${product} large />
            <div>
                <h1>${product.title}</h1>
                <p class="price">${product.price === undefined ? "" : format.price(product.price, product.currency)}</p>
                ${product.status === "discontinued" && html`<p class="badge">${t.discontinued}</p>`}
                <${Identity} product=${product} />
            </div>
        </div>
        ${product.description && html`<section><h2>${t.description}</h2><p class="text">${format.plainText(product.description)}</p></section>`}
        <${Properties} attributes=${product.attributes ?? {}} />
        <${PriceCurve} changes=${changes} product=${product} />
        ${near.length > 0 && html`<section><h2>${t.similar}</h2>
            <ol class="hits grid">${near.map((one) => html`<${Hit} key=${one.id} product=${one} />`)}</ol></section>`}
    </article>`;
}

/** What the product is called elsewhere. @param {{ product: api.Product }} props */
function Identity({ product }) {
    const link = (/** @type {string} */ name, /** @type {string} */ value) => html`<a href=${`/?${new URLSearchParams({ [name]: value })}`}>${value}</a>`;
    const path = product.categories ?? [];
    /** @type {[string, unknown][]} */
    const rows = [
        [format.fieldName("brand"), product.brand && link("brand", product.brand)],
        [format.fieldName("category"), path.length > 0 && link("category", path.join(" > "))],
        [t.partNumber, product.sku],
        [t.gtin, (product.gtins ?? []).join(", ")],
        [t.number, product.id],
    ];
    return html`<dl class="identity">${rows.filter(([, value]) => value).map(([name, value]) => html`<dt>${name}</dt><dd>${value}</dd>`)}</dl>`;
}

/** @param {{ attributes: Record<string, unknown> }} props */
function Properties({ attributes }) {
    const rows = Object.entries(attributes);
    if (rows.length === 0) {
        return null;
    }
    return html`<section><h2>${t.properties}</h2>
        <table class="properties"><tbody>
            ${rows.map(([name, value]) => {
                const shown = format.valueName(value);
                const others = Array.isArray(value) ? undefined : `/?${new URLSearchParams({ [`attr.${name}`]: String(value) })}`;
                return html`<tr><th scope="row">${format.fieldName(name)}</th><td>${others
                    ? html`<a href=${others} title=${t.alsoHas(shown)}>${shown}</a>`
                    : shown}</td></tr>`;
            })}
        </tbody></table>
    </section>`;
}
