/** The way of a write, as a picture: write, log, stream, and the projections that follow it. */

import { html } from "../../vendor/preact-htm.js";
import * as format from "../../shared/format.js";
import { t } from "../strings.js";

/**
 * @typedef {{ name: string, position: number, lag: number, documents: number, digest: string | null, error: string | null }} Projection
 * @typedef {{ write: null | { leader: boolean, products: number, log_position: number, digest: string | null, outbox_pending: number,
 *     outbox_oldest_age_ms: number, stream_first_sequence: number, stream_sequence: number, rule_position: number,
 *     rule_stream_sequence: number },
 *   read: null | { generation: number, previous_generation: number | null, documents: number, digest: string,
 *     parked_events: number, projections: Projection[],
 *     rules: null | { position: number, rules: number, active: number, error: string | null } },
 *   errors: string[] }} Status
 */

/** @param {{ name: string, figure: string, note: string, bad?: boolean }} props */
const Station = ({ name, figure, note, bad }) => html`<li class=${bad ? "station bad" : "station"}>
    <span class="station-name">${name}</span>
    <span class="figure">${figure}</span>
    <span class="soft">${note}</span>
</li>`;

/** What is between two stations; it moves while something is on its way. @param {{ moving: boolean }} props */
const Way = ({ moving }) => html`<li class=${moving ? "way moving" : "way"} aria-hidden="true"><span></span></li>`;

/** @param {{ status: Status, rate: number }} props */
export function Pipeline({ status, rate }) {
    const { write, read } = status;
    const streamLag = write ? Math.max(0, write.log_position - write.stream_sequence) : 0;
    const behind = (/** @type {number} */ lag) => (lag > 0 ? t.behind(format.number(lag)) : t.upToDate);
    const rateNote = t.perSecond(format.number(Math.round(rate * 10) / 10));
    return html`<ol class="pipeline">
        <${Station} name=${t.stations.write} figure=${write ? format.number(write.outbox_pending) : "–"}
            note=${write ? (write.outbox_pending > 0 ? t.waitingFor(format.number(write.outbox_oldest_age_ms)) : t.nothingWaits) : t.away} bad=${!write} />
        <${Way} moving=${rate > 0 || (write?.outbox_pending ?? 0) > 0} />
        <${Station} name=${t.stations.log} figure=${write ? format.number(write.log_position) : "–"}
            note=${write ? `${rateNote}, ${t.productCount(write.products, format.number(write.products))}` : t.away} bad=${!write} />
        <${Way} moving=${rate > 0 || streamLag > 0} />
        <${Station} name=${t.stations.stream} figure=${write ? format.number(write.stream_sequence) : "–"}
            note=${write ? behind(streamLag) : t.away} bad=${!write || streamLag > 1000} />
        <${Way} moving=${rate > 0 || (read?.projections.some((one) => one.lag > 0) ?? false)} />
        <li class="stations"><ul>
            ${read
                ? read.projections.map((one) => html`<${Station} key=${one.name} name=${t.projections[one.name] ?? one.name} figure=${format.number(one.position)}
                    note=${one.error ?? (one.name === "embeddings" && one.lag > 0 ? t.toEmbed(format.number(one.lag)) : behind(one.lag))} bad=${Boolean(one.error)} />`)
                : html`<${Station} name=${t.stations.read} figure="–" note=${t.away} bad />`}
            ${read?.rules && html`<${Station} name=${t.stations.rules} figure=${format.number(read.rules.position)}
                note=${read.rules.error ?? t.rulesFollowed(format.number(read.rules.active), format.number(read.rules.rules))} bad=${Boolean(read.rules.error)} />`}
        </ul></li>
    </ol>
    ${read && html`<p class="soft">${t.generation(read.generation)}${read.parked_events > 0 && html`, <a href="/console/projections">${t.parkedCount(format.number(read.parked_events))}</a>`}</p>`}`;
}
