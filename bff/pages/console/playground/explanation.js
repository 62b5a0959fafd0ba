/** A hit with what its score is made of, as bars that add up, and stars to judge it by. */

import { html } from "../../vendor/preact-htm.js";
import { t } from "../strings.js";

/**
 * @typedef {{ id: string, score: number, tier: number, legs: { leg: string, rank: number, score: number, weight: number, contribution: number }[],
 *   factors: Record<string, number>, matches: { field: string, term: string, score: number }[], pinned_position?: number, rules?: string[] }} Hit
 */

/** The parts of a score: what each leg adds, and what the factors make of the sum. @param {Hit} hit */
function parts(hit) {
    const legs = hit.legs.map((leg) => ({ name: t.legs[leg.leg] ?? leg.leg, value: leg.contribution, kind: leg.leg, note: t.legNote(leg.rank, leg.score.toFixed(3), leg.weight.toFixed(2)) }));
    const sum = legs.reduce((all, one) => all + one.value, 0);
    const rest = hit.score - sum;
    const factors = Object.entries(hit.factors).map(([name, factor]) => `${t.factors[name] ?? name} × ${factor.toFixed(3)}`).join(", ");
    return Math.abs(rest) > 1e-9 ? [...legs, { name: t.factorsName, value: rest, kind: rest < 0 ? "less" : "more", note: factors }] : legs;
}

/** @param {{ product: import("../../shared/api.js").Product, hit?: Hit, best: number, rating?: number, judge: (rating: number) => void }} props */
export function Explained({ product, hit, best, rating, judge }) {
    return html`<li><div>
        <p><a href=${`/console/products?id=${encodeURIComponent(product.id)}`}>${product.title}</a> <span class="soft">${product.brand}</span></p>
        <${Stars} title=${product.title} rating=${rating} judge=${judge} />
        ${hit && html`<${Bars} hit=${hit} best=${best} />`}
    </div></li>`;
}

/** @param {{ hit: Hit, best: number }} props */
function Bars({ hit, best }) {
    const all = parts(hit);
    let at = 0;
    const drawn = all.map((part) => {
        const width = (Math.abs(part.value) / best) * 100;
        const x = part.value < 0 ? at - width : at;
        at += part.value < 0 ? -width : width;
        return { ...part, x: Math.max(0, x), width };
    });
    const matches = [...hit.matches].sort((a, b) => b.score - a.score).slice(0, 8);
    return html`<svg class="score" viewBox="0 0 100 6" preserveAspectRatio="none" aria-hidden="true">
            ${drawn.map((part) => html`<rect class=${`part ${part.kind}`} x=${part.x} width=${part.width} height="6" />`)}</svg>
        <details><summary>${t.scoreOf(hit.score.toFixed(4), t.tiers[hit.tier] ?? String(hit.tier))}</summary>
            <table><tbody>
                ${all.map((part) => html`<tr><th scope="row"><span class=${`dot ${part.kind}`}></span> ${part.name}</th><td class="number">${part.value.toFixed(4)}</td><td class="soft">${part.note}</td></tr>`)}
                <tr><th scope="row">${t.sum}</th><td class="number"><b>${hit.score.toFixed(4)}</b></td><td class="soft">${hit.pinned_position ? t.pinnedTo(hit.pinned_position) : ""} ${(hit.rules ?? []).join(" ")}</td></tr>
                ${matches.map((match) => html`<tr class="soft"><td>${match.field}</td><td class="number">${match.score.toFixed(3)}</td><td>${match.term}</td></tr>`)}
            </tbody></table>
        </details>`;
}

/** @param {{ title: string, rating?: number, judge: (rating: number) => void }} props */
function Stars({ title, rating, judge }) {
    return html`<div class="stars" role="group" aria-label=${t.judge(title)}>${[0, 1, 2, 3].map((one) => html`<button type="button" aria-pressed=${rating === one ? "true" : "false"}
        aria-label=${t.ratings[one]} title=${t.ratings[one]} onClick=${() => judge(one)}>${one === 0 ? "✕" : "★".repeat(one)}</button>`)}</div>`;
}
