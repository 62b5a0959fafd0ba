/** Events that could not be applied: why, and trying again. */

import { html, useState } from "../../vendor/preact-htm.js";
import * as format from "../../shared/format.js";
import { ask } from "../ask.js";
import { Failure, Moment, Panel, useAnswer } from "../parts.js";
import { t } from "../strings.js";

/** @typedef {{ position: number, product_id: string | null, error: string, parked_at: string | null, retries: number }} Parked */

export function ParkedPanel() {
    const parked = useAnswer((signal) => ask("parked-events", { signal }), [], 10_000);
    const [busy, setBusy] = useState(false);
    const [failed, setFailed] = useState(/** @type {unknown} */ (null));
    const [told, setTold] = useState("");
    const retry = async (/** @type {string} */ query) => {
        setBusy(true);
        setFailed(null);
        try {
            const { applied, failed: still } = await ask(`parked-events/retry${query}`, { method: "POST" });
            setTold(t.retried(format.number(applied.length), format.number(still.length)));
            parked.again();
        } catch (err) {
            setFailed(err);
        }
        setBusy(false);
    };
    const items = /** @type {Parked[]} */ (parked.answer?.items ?? []);
    const actions = items.length > 0 && html`<button type="button" disabled=${busy} onClick=${() => retry("")}>${t.retryAll}</button>`;
    return html`<${Panel} title=${t.parked} actions=${actions}>
        <${Failure} failed=${failed ?? parked.failed} />
        ${told && html`<p role="status">${told}</p>`}
        ${parked.answer && items.length === 0 && html`<p class="soft">${t.nothingParked}</p>`}
        <ul class="parked">${items.map((one) => html`<li key=${one.position}>
            <b>${format.number(one.position)}</b>
            ${one.product_id ? html`<a href=${`/console/products?id=${encodeURIComponent(one.product_id)}`}>${one.product_id}</a>` : html`<span>${t.noProduct}</span>`}
            <span>${one.error}</span>
            <span class="soft"><${Moment} at=${one.parked_at} />, ${t.tries(one.retries, format.number(one.retries))}</span>
            <button type="button" disabled=${busy} onClick=${() => retry(`?position=${one.position}`)}>${t.retry}</button>
        </li>`)}</ul>
    <//>`;
}
