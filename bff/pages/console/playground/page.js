/** Two ways to rank, side by side, with the reasons for each place, and what people judge of them. */

import { html, useState } from "../../vendor/preact-htm.js";
import * as format from "../../shared/format.js";
import { ask } from "../ask.js";
import { Failure, Panel, textOf, useAnswer, useSettled } from "../parts.js";
import { t } from "../strings.js";
import { askedIn, productId } from "./asked.js";
import { Explained } from "./explanation.js";
import { Judging } from "./judging.js";
import * as judgments from "./judgments.js";

const STRATEGIES = ["hybrid", "keyword", "vector"];
/** @typedef {import("./asked.js").Way} Way */

/** @param {import("../main.js").RoomProps} props */
export function PlaygroundPage({ params, go }) {
    const query = params.get("q") ?? "";
    const whyNot = params.get("why_not") ?? "";
    const [text, setText] = useState(query);
    const [missing, setMissing] = useState(whyNot);
    const [ways, setWays] = useState(/** @type {Way[]} */ ([{ profile: "", strategy: "hybrid" }, { profile: "", strategy: "keyword" }]));
    const [file, setFile] = useState(judgments.kept());
    const profiles = useAnswer((signal) => ask("ranking-profiles", { signal }), []);
    const names = /** @type {{ name: string, version: number, is_default: boolean }[]} */ (profiles.answer?.items ?? []);
    const search = async (/** @type {Event} */ event) => {
        event.preventDefault();
        const named = missing.trim() && (await productId(missing.trim()));
        setMissing(named);
        go(`/console/playground?${new URLSearchParams({ q: text.trim(), ...(named ? { why_not: named } : {}) })}`);
    };
    const judge = (/** @type {string} */ product, /** @type {number} */ rating) => setFile(judgments.rate(file, query, product, rating));
    const put = (/** @type {number} */ at, /** @type {Partial<Way>} */ change) => setWays(ways.map((way, index) => (index === at ? { ...way, ...change } : way)));
    return html`
        <${Panel} title=${t.ask}><form class="row" onSubmit=${search}>
            <label class="wide">${t.query} <input type="search" name="q" value=${text} onInput=${(/** @type {Event} */ event) => setText(textOf(event))} /></label>
            <label>${t.whyNot} <input name="why_not" value=${missing} placeholder=${t.whyNotHint} onInput=${(/** @type {Event} */ event) => setMissing(textOf(event))} /></label>
            <button type="submit" class="primary">${t.search}</button>
        </form><${Failure} failed=${profiles.failed} /><//>
        ${query && html`<div class="halves">${ways.map((way, at) => html`<section class="panel" aria-label=${t.way(at + 1)}>
            <div class="row">
                <label>${t.profile} <select onChange=${(/** @type {Event} */ event) => put(at, { profile: textOf(event) })}>
                    ${names.map((one) => html`<option value=${one.is_default ? "" : one.name} selected=${one.name === way.profile || (one.is_default && !way.profile)}>${one.name}@${one.version}</option>`)}</select></label>
                <label>${t.strategy} <select onChange=${(/** @type {Event} */ event) => put(at, { strategy: textOf(event) })}>
                    ${STRATEGIES.map((one) => html`<option value=${one} selected=${one === way.strategy}>${t.strategies[one]}</option>`)}</select></label>
            </div>
            <${Ranked} query=${query} way=${way} whyNot=${whyNot} ratings=${judgments.of(file, query)} judge=${judge} />
        </section>`)}</div>`}
        <${Judging} file=${file} setFile=${setFile} ways=${ways} />`;
}

/** @param {string} text */
const sentence = (text) => `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;

/** @param {{ query: string, way: Way, whyNot: string, ratings: Map<string, number>, judge: (product: string, rating: number) => void }} props */
function Ranked({ query, way, whyNot, ratings, judge }) {
    const asked = useSettled(query, 0);
    const found = useAnswer((signal) => askedIn(asked, way, { explain: "true", ...(whyNot ? { why_not: whyNot } : {}) }, signal), [asked, way.profile, way.strategy, whyNot]);
    const answer = found.answer;
    if (!answer) {
        return html`<${Failure} failed=${found.failed} />`;
    }
    const hits = new Map((answer.explanation?.hits ?? []).map((/** @type {any} */ hit) => [hit.id, hit]));
    const best = Math.max(...(answer.explanation?.hits ?? []).map((/** @type {any} */ hit) => hit.score), 1e-9);
    const ndcg = ratings.size > 0 ? judgments.ndcg(answer.items.map((one) => one.id), ratings) : null;
    return html`<${Failure} failed=${found.failed} />
        <p role="status">${t.productCount(answer.total, format.number(answer.total))}${ndcg !== null && html` · NDCG@10 <b>${ndcg.toFixed(3)}</b>`}</p>
        ${answer.corrected_query && html`<p>${t.corrected(answer.corrected_query)}</p>`}
        ${(answer.relaxed ?? []).length > 0 && html`<p>${t.relaxed((answer.relaxed ?? []).join(", "))}</p>`}
        ${answer.why_not && html`<p class="why" role="status"><b>${t.reasons[answer.why_not.reason] ?? answer.why_not.reason}</b>${" "}
            ${answer.why_not.reason !== "shown" && answer.why_not.detail && `${sentence(answer.why_not.detail)} `}
            ${answer.why_not.position && html` ${t.atPlace(format.number(answer.why_not.position))}`}</p>`}
        <ol class="ranked">${answer.items.map((product) => html`<${Explained} key=${product.id} product=${product} hit=${hits.get(product.id)} best=${best}
            rating=${ratings.get(product.id)} judge=${(/** @type {number} */ rating) => judge(product.id, rating)} />`)}</ol>`;
}
