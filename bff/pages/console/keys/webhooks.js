/** The webhooks: where events are sent, and how far each is. */

import { html, useState } from "../../vendor/preact-htm.js";
import * as format from "../../shared/format.js";
import { ask } from "../ask.js";
import { Failure, Moment, Panel, useAnswer } from "../parts.js";
import { t } from "../strings.js";

/**
 * @typedef {{ id: string, url: string, description: string, types: string[], state: string, disabled_reason: string | null, lag: number,
 *   waiting: number, delivered: number, last_delivered_at: string | null, last_error: string | null }} Webhook
 */

export function WebhooksPanel() {
    const listed = useAnswer((signal) => ask("webhooks", { signal }), [], 5000);
    const [told, setTold] = useState("");
    const [failed, setFailed] = useState(/** @type {unknown} */ (null));
    const change = async (/** @type {() => Promise<void>} */ what) => {
        setFailed(null);
        await what().catch(setFailed);
        listed.again();
    };
    const test = (/** @type {Webhook} */ hook) => change(async () => {
        const tested = await ask(`webhooks/${hook.id}/test`, { method: "POST" });
        setTold(tested.delivered ? t.testDelivered(format.number(tested.took_ms)) : t.testFailed(tested.error ?? String(tested.status)));
    });
    const turn = (/** @type {Webhook} */ hook) => change(async () => {
        await ask(`webhooks/${hook.id}`, { method: "PATCH", body: { state: hook.state === "active" ? "paused" : "active" } });
    });
    const hooks = /** @type {Webhook[]} */ (listed.answer?.items ?? []);
    return html`<${Panel} title=${t.webhooks}>
        <${Failure} failed=${failed ?? listed.failed} />
        ${told && html`<p role="status">${told}</p>`}
        ${listed.answer && hooks.length === 0 && html`<p class="soft">${t.noWebhooks} <code>catalogctl webhooks create URL</code></p>`}
        <ul class="hooks">${hooks.map((hook) => html`<li key=${hook.id}>
            <b>${hook.url}</b> <span class=${hook.state === "active" ? "good" : "bad"}>${t.hookStates[hook.state] ?? hook.state}</span>
            <p class="soft">${hook.description} ${hook.types.join(", ")}</p>
            <p>${t.hookFigures(format.number(hook.delivered), format.number(hook.waiting), format.number(hook.lag))}
                ${hook.last_delivered_at && html` · ${t.lastDelivered} <${Moment} at=${hook.last_delivered_at} />`}</p>
            ${(hook.disabled_reason ?? hook.last_error) && html`<p class="failure">${hook.disabled_reason ?? hook.last_error}</p>`}
            <button type="button" onClick=${() => test(hook)}>${t.test}</button>
            <button type="button" onClick=${() => turn(hook)}>${hook.state === "active" ? t.pause : t.enable}</button>
        </li>`)}</ul>
    <//>`;
}
