/** The price of a product over time, drawn in steps: a price holds until the next. */

import { html } from "../vendor/preact-htm.js";
import * as api from "../shared/api.js";
import * as format from "../shared/format.js";
import { t } from "../shared/strings.js";

/** The prices that a product has had in its present currency, the oldest first. @param {api.Change[]} changes @param {string | undefined} currency */
function prices(changes, currency) {
    /** @type {{ at: string, price: number }[]} */
    const found = [];
    for (const change of [...changes].reverse()) {
        const price = change.product?.price;
        const isOther = price !== undefined && price !== found.at(-1)?.price;
        if (isOther && change.product?.currency === currency) {
            found.push({ at: change.occurred_at, price });
        }
    }
    return found;
}

/** @param {{ changes: api.Change[], product: api.Product }} props */
export function PriceCurve({ changes, product }) {
    const points = prices(changes, product.currency);
    if (points.length === 0) {
        return null;
    }
    if (points.length === 1) {
        return html`<section><h2>${t.priceHistory}</h2><p>${t.priceSteady(format.day(points[0].at))}</p></section>`;
    }
    const times = points.map((one) => Date.parse(one.at));
    const until = Math.max(Date.now(), times[times.length - 1] + 1);
    const amounts = points.map((one) => one.price);
    const low = Math.min(...amounts);
    const high = Math.max(...amounts);
    const x = (/** @type {number} */ time) => 2 + ((time - times[0]) / (until - times[0])) * 96;
    const y = (/** @type {number} */ amount) => 36 - ((amount - low) / (high - low || 1)) * 32;
    const line = points.map((one, index) => `${index === 0 ? `M${x(times[0])} ` : `H${x(times[index])}V`}${y(one.price)}`).join("");
    return html`<section><h2>${t.priceHistory}</h2>
        <svg class="curve" viewBox="0 0 100 40" preserveAspectRatio="none" aria-hidden="true"><path d=${`${line}H98`} /></svg>
        <ol class="steps">${points.map((one) => html`<li>${t.priceWas(format.day(one.at), format.price(one.price, product.currency))}</li>`)}</ol>
    </section>`;
}
