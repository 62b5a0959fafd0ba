/** How the catalog is at this moment: the way of a write, what is asked, and what changes. */

import { html, useEffect, useRef, useState } from "../../vendor/preact-htm.js";
import { ask, send } from "../ask.js";
import { Failure, Panel, useAnswer } from "../parts.js";
import { t } from "../strings.js";
import { LiveEvents } from "./live-events.js";
import { Pipeline } from "./pipeline.js";
import { Traffic, counts } from "./traffic.js";

const STATUS_MS = 1000;
const TRAFFIC_MS = 2000;

export function OverviewPage() {
    const status = useAnswer((signal) => ask("status", { signal }), [], STATUS_MS);
    const rate = useRate(status.answer?.write?.log_position);
    return html`
        <${Failure} failed=${status.failed} />
        ${status.answer?.errors.map((/** @type {string} */ error) => html`<p class="failure" role="alert">${error}</p>`)}
        <${Panel} title=${t.pipeline}>${status.answer && html`<${Pipeline} status=${status.answer} rate=${rate} />`}<//>
        <${TrafficPanel} />
        <${LiveEvents} />`;
}

/** How fast a number grows, a second. @param {number | undefined} value */
function useRate(value) {
    const [rate, setRate] = useState(0);
    const last = useRef(/** @type {{ value: number, at: number } | null} */ (null));
    useEffect(() => {
        const timer = setInterval(() => {
            const now = performance.now();
            const at = last.current;
            const present = current.current;
            if (present !== undefined) {
                setRate(at ? Math.max(0, (present - at.value) / ((now - at.at) / 1000)) : 0);
                last.current = { value: present, at: now };
            }
        }, STATUS_MS * 2);
        return () => clearInterval(timer);
    }, []);
    const current = useRef(value);
    current.current = value;
    return rate;
}

function TrafficPanel() {
    const [before, setBefore] = useState(/** @type {ReturnType<typeof counts> | null} */ (null));
    const [now, setNow] = useState(/** @type {ReturnType<typeof counts> | null} */ (null));
    const asked = useAnswer(async (signal) => counts(await (await send("metrics", { signal })).text()), [], TRAFFIC_MS);
    useEffect(() => {
        if (asked.answer) {
            setBefore(now);
            setNow(asked.answer);
        }
    }, [asked.answer]);
    return html`<${Panel} title=${t.traffic}>
        <${Failure} failed=${asked.failed} />
        ${now && html`<${Traffic} before=${before} now=${now} />`}
    <//>`;
}
