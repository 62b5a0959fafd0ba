/** Prices as a histogram with two handles. */

import { html, useEffect, useState } from "../vendor/preact-htm.js";
import * as format from "../shared/format.js";
import { t } from "../shared/strings.js";

/** About so many bars. */
const BARS = 24;

/** The share of products whose prices the bars show; a few very dear ones would press all others into one bar. */
const SHARE = 0.95;

/**
 * The upper bound of what is drawn.
 * @param {import("../shared/api.js").Facet} facet
 */
function drawnTo(facet) {
    const total = facet.values.reduce((sum, one) => sum + one.count, 0);
    let sum = 0;
    for (const one of facet.values) {
        sum += one.count;
        if (sum >= total * SHARE) {
            return one.to ?? 0;
        }
    }
    return facet.numbers?.max ?? 0;
}

/** A round width for the bars of the next answer. @param {import("../shared/api.js").Facet} facet */
export function bucketWidth(facet) {
    const raw = Math.max((drawnTo(facet) - (facet.numbers?.min ?? 0)) / BARS, 0.01);
    const power = 10 ** Math.floor(Math.log10(raw));
    const step = [1, 2, 5, 10].find((one) => one * power >= raw) ?? 10;
    return Number((step * power).toPrecision(2));
}

/** @param {import("./facets.js").FacetProps} props */
export function PriceRange({ facet, params, currency, change }) {
    const bounds = facet.numbers ?? { min: 0, max: 0 };
    const width = facet.values[0]?.to === undefined ? 1 : facet.values[0].to - (facet.values[0].from ?? 0);
    const lowest = Math.floor(bounds.min / width) * width;
    const all = Math.max(Math.ceil(bounds.max / width) * width, lowest + width);
    const highest = Math.max(Math.min(all, Math.ceil(drawnTo(facet) / width) * width), lowest + width);
    const set = { low: Number(params.get("price_min") ?? lowest), high: Number(params.get("price_max") ?? highest) };
    const [range, setRange] = useState(set);
    useEffect(() => setRange(set), [set.low, set.high, lowest, highest]);

    const commit = (/** @type {{ low: number, high: number }} */ wanted) =>
        change((to) => {
            to.delete("n");
            const put = (/** @type {string} */ name, /** @type {number} */ value, /** @type {boolean} */ whole) =>
                whole ? to.delete(name) : to.set(name, String(value));
            put("price_min", wanted.low, wanted.low <= lowest);
            put("price_max", wanted.high, wanted.high >= highest);
        });
    const moved = (/** @type {"low" | "high"} */ end, /** @type {number} */ value) => {
        const next = end === "low" ? { low: Math.min(value, range.high), high: range.high } : { low: range.low, high: Math.max(value, range.low) };
        setRange(next);
        return next;
    };
    const label = format.fieldName("price");
    const drawn = facet.values.filter((one) => (one.from ?? 0) < highest);
    const tallest = Math.max(...drawn.map((one) => Math.sqrt(one.count)), 1);
    const span = highest - lowest;
    const handle = (/** @type {"low" | "high"} */ end) => html`<input type="range" class=${end} min=${lowest} max=${highest} step=${width}
        value=${range[end]} aria-label=${end === "low" ? t.lowest(label) : t.highest(label)}
        aria-valuetext=${format.price(range[end], currency, { rounded: width >= 1 })}
        onInput=${(/** @type {InputEvent} */ event) => moved(end, Number(/** @type {HTMLInputElement} */ (event.target).value))}
        onChange=${(/** @type {Event} */ event) => commit(moved(end, Number(/** @type {HTMLInputElement} */ (event.target).value)))} />`;
    const rounded = { rounded: width >= 1 };
    return html`<fieldset class="facet range">
        <legend>${label}</legend>
        <svg class="bars" viewBox="0 0 100 32" preserveAspectRatio="none" aria-hidden="true">
            ${drawn.map((one) => {
                const from = one.from ?? 0;
                const tall = (Math.sqrt(one.count) / tallest) * 31;
                const within = from + width > range.low && from < range.high;
                return html`<rect class=${within ? "within" : ""} x=${((from - lowest) / span) * 100} width=${Math.max((width / span) * 100 - 0.6, 0.4)}
                    y=${32 - tall} height=${tall} />`;
            })}
        </svg>
        <div class="handles">${handle("low")}${handle("high")}</div>
        <p class="between">${t.between(format.price(range.low, currency, rounded), format.price(range.high, currency, rounded))}${range.high >= highest && highest < all ? "+" : ""}</p>
    </fieldset>`;
}
