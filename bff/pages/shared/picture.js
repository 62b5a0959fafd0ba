/** The picture of a product, or a drawing made from its kind where there is none. */

import { html, useState } from "../vendor/preact-htm.js";
import { t } from "./strings.js";

/** @typedef {import("./api.js").Product} Product */

/** The fields of a product that its drawing is made from, beside its title and its categories. */
export const DRAWN_BY = "attributes.product_type,attributes.type";

/** A number that is always the same for a text. @param {string} text */
function hash(text) {
    let sum = 7;
    for (const one of text) {
        sum = (sum * 31 + (one.codePointAt(0) ?? 0)) >>> 0;
    }
    return sum;
}

/** What a product is, for its drawing. @param {Product} product */
function kind(product) {
    const type = product.attributes?.product_type ?? product.attributes?.type;
    return String(product.categories?.at(-1) ?? type ?? product.title.split(/\s+/)[0] ?? "");
}

/** @param {{ product: Product, large?: boolean }} props */
export function Picture({ product, large }) {
    const [broken, setBroken] = useState("");
    const [loaded, setLoaded] = useState("");
    const address = product.image_url;
    const isShown = address && address !== broken;
    // The drawing holds the place until the picture is there: hosts may be slow, or never answer.
    return html`<span class="picture">
        ${!(isShown && loaded === address) && html`<${Drawing} product=${product} named=${large && !isShown} />`}
        ${isShown && html`<img src=${address} alt=${large ? product.title : ""} loading=${large ? "eager" : "lazy"} decoding="async"
            referrerpolicy="no-referrer" onLoad=${() => setLoaded(address)} onError=${() => setBroken(address)} />`}
    </span>`;
}

/** A drawing that is the same for all products of a kind. @param {{ product: Product, named?: boolean }} props */
function Drawing({ product, named }) {
    const name = kind(product);
    const seed = hash(name.toLowerCase());
    const letters = [...name.replace(/[^\p{L}\p{N}]/gu, "")].slice(0, 2).join("").toUpperCase();
    const label = named ? { role: "img", "aria-label": t.noPicture(product.title) } : { "aria-hidden": "true" };
    return html`<svg class=${`drawn hue-${seed % 8}`} viewBox="0 0 100 100" ...${label}>
        <rect class="ground" width="100" height="100" />
        <circle class="shape" cx=${20 + (seed % 60)} cy=${25 + ((seed >> 6) % 50)} r=${22 + ((seed >> 12) % 18)} />
        <rect class="shape" x=${(seed >> 3) % 55} y=${(seed >> 9) % 55} width="45" height="45" rx="8"
            transform=${`rotate(${seed % 90} 50 50)`} />
        <text x="50" y="60" text-anchor="middle">${letters}</text>
    </svg>`;
}
