/** What was searched for: popular, without a result, without a click, and what is opened at each place. */

import { html } from "../../vendor/preact-htm.js";
import * as format from "../../shared/format.js";
import { ask } from "../ask.js";
import { Failure, Panel, textOf, useAnswer } from "../parts.js";
import { t } from "../strings.js";

const DAYS = ["1", "7", "30", "90"];
/** A query that fewer searches asked says little about clicks. */
const SEARCHES_MIN = 3;

/** @typedef {{ query: string, searches: number, total: number, clicks: number }} Query */
/** @typedef {{ position: number, shown: number, clicks: number, click_through: number | null }} Place */

/** @param {import("../main.js").RoomProps} props */
export function AnalyticsPage({ params, go }) {
    const days = params.get("days") ?? "7";
    const told = useAnswer((signal) => ask(`analytics/searches?days=${days}&limit=200`, { signal }), [days], 10_000);
    const answer = told.answer;
    const popular = /** @type {Query[]} */ (answer?.popular ?? []);
    const unopened = popular.filter((one) => one.clicks === 0 && one.total > 0 && one.searches >= SEARCHES_MIN);
    return html`
        <p><label>${t.lookBack} <select onChange=${(/** @type {Event} */ event) => go(`/console/analytics?days=${textOf(event)}`)}>
            ${DAYS.map((one) => html`<option value=${one} selected=${one === days}>${t.days(Number(one), one)}</option>`)}</select></label></p>
        <${Failure} failed=${told.failed} />
        ${answer && html`<dl class="counts">
            ${["searches", "without_result", "corrected", "degraded", "clicks"].map((one) => html`<div><dt>${t.totals[one]}</dt><dd>${format.number(answer.totals[one])}</dd></div>`)}
            <div><dt>p50</dt><dd>${answer.latency.p50_ms === null ? "–" : t.ms(format.number(answer.latency.p50_ms))}</dd></div>
            <div><dt>p95</dt><dd>${answer.latency.p95_ms === null ? "–" : t.ms(format.number(answer.latency.p95_ms))}</dd></div>
        </dl>
        <${Queries} title=${t.withoutResult} queries=${answer.without_result} none=${t.noneWithoutResult} />
        <${Queries} title=${t.withoutClick} queries=${unopened} none=${t.noneWithoutClick} />
        <${Queries} title=${t.popular} queries=${popular} none=${t.nonePopular} />
        <${Places} places=${answer.positions} />`}`;
}

/** @param {{ title: string, queries: Query[], none: string }} props */
function Queries({ title, queries, none }) {
    return html`<${Panel} title=${title}>
        ${queries.length === 0 ? html`<p class="soft">${none}</p>` : html`<div class="scroll" tabindex="0" role="group" aria-label=${title}><table>
            <thead><tr><th scope="col">${t.query}</th><th scope="col" class="number">${t.totals.searches}</th><th scope="col" class="number">${t.found}</th>
                <th scope="col" class="number">${t.totals.clicks}</th><th scope="col">${t.whatToDo}</th></tr></thead>
            <tbody>${queries.slice(0, 50).map((one) => html`<tr key=${one.query}>
                <th scope="row"><a href=${`/console/playground?${new URLSearchParams({ q: one.query })}`}>${one.query}</a></th>
                <td class="number">${format.number(one.searches)}</td><td class="number">${format.number(one.total)}</td><td class="number">${format.number(one.clicks)}</td>
                <td><a href=${`/console/synonyms?${new URLSearchParams({ term: one.query })}`} aria-label=${t.synonymFor(one.query)}>${t.synonym}</a>
                    ${" · "}<a href=${`/console/rules?${new URLSearchParams({ id: "", query: one.query })}`} aria-label=${t.ruleFor(one.query)}>${t.rule}</a></td>
            </tr>`)}</tbody>
        </table></div>`}
    <//>`;
}

/** @param {{ places: Place[] }} props */
function Places({ places }) {
    const shown = places.filter((one) => one.shown > 0).slice(0, 24);
    const most = Math.max(...shown.map((one) => one.click_through ?? 0), 0.0001);
    return html`<${Panel} title=${t.byPlace}>
        ${shown.length === 0 ? html`<p class="soft">${t.nonePopular}</p>` : html`<ol class="bars">${shown.map((one) => html`<li>
            <span class="number">${one.position}</span>
            <svg viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true"><rect width=${(100 * (one.click_through ?? 0)) / most} height="10" /></svg>
            <span>${t.opened(format.number(one.clicks), format.number(one.shown), format.number(Math.round(1000 * (one.click_through ?? 0)) / 10))}</span>
        </li>`)}</ol>`}
    <//>`;
}
