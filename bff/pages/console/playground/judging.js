/** The file of judgments: loaded, measured with both ways, and saved. */

import { html, useRef, useState } from "../../vendor/preact-htm.js";
import * as format from "../../shared/format.js";
import { saveAs } from "../feeds/report.js";
import { Failure, Panel } from "../parts.js";
import { t } from "../strings.js";
import * as judgments from "./judgments.js";
import { askedIn } from "./asked.js";

const AT_ONCE = 4;

/** @typedef {{ done: number, total: number, means: (number | null)[], worse: { query: string, values: (number | null)[] }[] }} Measured */

/** @param {{ file: judgments.Judgments, setFile: (file: judgments.Judgments) => void, ways: import("./asked.js").Way[] }} props */
export function Judging({ file, setFile, ways }) {
    const [measured, setMeasured] = useState(/** @type {Measured | null} */ (null));
    const [failed, setFailed] = useState(/** @type {unknown} */ (null));
    const stop = useRef(/** @type {AbortController | null} */ (null));
    const count = [...file.values()].reduce((sum, ratings) => sum + ratings.size, 0);
    const load = async (/** @type {Event} */ event) => {
        const chosen = /** @type {HTMLInputElement} */ (event.target).files?.[0];
        if (chosen) {
            setMeasured(null);
            const read = judgments.parse(await chosen.text());
            setFailed(read.size === 0 ? new Error() : null);
            if (read.size > 0) {
                setFile(judgments.keep(read));
            }
        }
    };
    const measure = async () => {
        const mine = new AbortController();
        stop.current = mine;
        setFailed(null);
        const queries = [...file];
        /** @type {{ query: string, values: (number | null)[] }[]} */
        const found = [];
        const mean = (/** @type {number} */ at) => {
            const values = found.map((one) => one.values[at]).filter((value) => value !== null);
            return values.length > 0 ? values.reduce((sum, value) => sum + value, 0) / values.length : null;
        };
        const draw = () => setMeasured({
            done: found.length,
            total: queries.length,
            means: ways.map((_, at) => mean(at)),
            worse: [...found].sort((a, b) => Math.abs(difference(b)) - Math.abs(difference(a))).slice(0, 10),
        });
        const next = async () => {
            for (let one = queries.shift(); one && !mine.signal.aborted; one = queries.shift()) {
                const [query, ratings] = one;
                const answers = await Promise.all(ways.map((way) => askedIn(query, way, {}, mine.signal)));
                found.push({ query, values: answers.map((answer) => judgments.ndcg(answer.items.map((item) => item.id), ratings)) });
                draw();
            }
        };
        const total = queries.length;
        try {
            await Promise.all(Array.from({ length: AT_ONCE }, next));
            setMeasured((before) => before && { ...before, total });
        } catch (err) {
            if (!mine.signal.aborted) {
                setFailed(err);
            }
        }
    };
    const label = (/** @type {import("./asked.js").Way} */ way) => [way.profile, t.strategies[way.strategy]].filter(Boolean).join(" · ");
    return html`<${Panel} title=${t.judgments}>
        <p>${t.judgmentsAbout(format.number(count), format.number(file.size))}</p>
        <div class="row">
            <label>${t.loadFile} <input type="file" name="judgments" accept=".csv,text/csv" onChange=${load} /></label>
            <button type="button" disabled=${file.size === 0} onClick=${() => saveAs(new Blob([judgments.write(file)], { type: "text/csv" }), "judgments.csv")}>${t.saveFile}</button>
            <button type="button" class="primary" disabled=${file.size === 0} onClick=${measure}>${t.measure}</button>
            ${file.size > 0 && html`<button type="button" onClick=${() => { if (confirm(t.forgetSure)) { setFile(judgments.keep(new Map())); setMeasured(null); } }}>${t.forget}</button>`}
        </div>
        <${Failure} failed=${failed} />
        ${measured && html`<p role="status">${t.outOf(format.number(measured.done), format.number(Math.max(measured.total, measured.done)))}</p>
            <div class="scroll" tabindex="0" role="group" aria-label=${t.judgments}><table>
                <thead><tr><th scope="col">NDCG@10</th>${ways.map((way) => html`<th scope="col" class="number">${label(way)}</th>`)}</tr></thead>
                <tbody><tr><th scope="row">${t.mean}</th>${measured.means.map((one) => html`<td class="number"><b>${one === null ? "–" : one.toFixed(4)}</b></td>`)}</tr>
                    ${measured.worse.filter((one) => Math.abs(difference(one)) > 0.0005).map((one) => html`<tr><th scope="row"><a href=${`/console/playground?${new URLSearchParams({ q: one.query })}`}>${one.query}</a></th>
                        ${one.values.map((value) => html`<td class="number">${value === null ? "–" : value.toFixed(3)}</td>`)}</tr>`)}</tbody>
            </table></div>`}
    <//>`;
}

/** @param {{ values: (number | null)[] }} one */
const difference = ({ values }) => (values[0] ?? 0) - (values[1] ?? 0);
