/** What changes, as it happens. */

import { html, useEffect, useRef, useState } from "../../vendor/preact-htm.js";
import * as format from "../../shared/format.js";
import { follow } from "../ask.js";
import { Failure, Moment, Panel } from "../parts.js";
import { t } from "../strings.js";

const KEPT = 40;
/** Events come faster than eyes read: they are drawn together. */
const DRAW_MS = 250;

export function LiveEvents() {
    const [events, setEvents] = useState(/** @type {{ id: string, type: string, data: any }[]} */ ([]));
    const [connected, setConnected] = useState(false);
    const [failed, setFailed] = useState(/** @type {unknown} */ (null));
    const [held, setHeld] = useState(false);
    const waiting = useRef(/** @type {{ id: string, type: string, data: any }[]} */ ([]));
    const seen = useRef(0);
    const isHeld = useRef(false);
    isHeld.current = held;
    useEffect(() => {
        const mine = new AbortController();
        const told = (/** @type {{ id: string, type: string, data: any }} */ event) => {
            waiting.current = [event, ...waiting.current].slice(0, KEPT);
            seen.current += 1;
        };
        follow("", told, setConnected, mine.signal).catch((err) => !mine.signal.aborted && setFailed(err));
        const timer = setInterval(() => {
            if (waiting.current.length > 0 && !isHeld.current) {
                const fresh = waiting.current;
                waiting.current = [];
                setEvents((before) => [...fresh, ...before].slice(0, KEPT));
            }
        }, DRAW_MS);
        return () => {
            mine.abort();
            clearInterval(timer);
        };
    }, []);
    const actions = html`<span class=${connected ? "lamp on" : "lamp"} role="status">${connected ? t.live : t.notLive}</span>
        <button type="button" aria-pressed=${held ? "true" : "false"} onClick=${() => setHeld(!held)}>${held ? t.goOn : t.hold}</button>`;
    return html`<${Panel} title=${t.changes} actions=${actions}>
        <${Failure} failed=${failed} />
        ${events.length === 0 && html`<p class="soft">${t.noChanges}</p>`}
        <ol class="events">${events.map((event) => html`<${Line} key=${event.id} event=${event} />`)}</ol>
    <//>`;
}

/** @param {{ event: { id: string, type: string, data: any } }} props */
function Line({ event }) {
    const { data } = event;
    const product = data.product;
    const id = data.product_id ?? data.rule_id;
    const place = data.product_id ? `/console/products?id=${encodeURIComponent(id)}` : `/console/rules?id=${encodeURIComponent(id)}`;
    const price = (/** @type {any} */ one) => (typeof one?.price === "number" ? format.price(one.price, one.currency) : "");
    const what = data.previous_price ? `${price(data.previous_price)} → ${price(product)}` : (data.changed_fields ?? []).join(", ");
    return html`<li>
        <${Moment} at=${data.occurred_at} />
        <span class=${`tag ${event.type.replace(/\W/g, "-")}`}>${event.type}</span>
        <a href=${place}>${product?.title ?? id}</a>
        <span class="soft">${what}</span>
        <span class="soft number">${format.number(data.position)}</span>
    </li>`;
}
