/** Synonyms: what people have stated, and what the catalog itself suggests, to accept or to forbid. */

import { html, useState } from "../../vendor/preact-htm.js";
import * as format from "../../shared/format.js";
import { ask } from "../ask.js";
import { Failure, Panel, Work, textOf, useAnswer } from "../parts.js";
import { t } from "../strings.js";
import { ruleId } from "../rules/rule.js";

/**
 * @typedef {import("../rules/rule.js").Rule} Rule
 * @typedef {{ term: string, synonym: string, confidence: number, term_documents: number, synonym_documents: number, both_documents: number, evidence: string }} Pair
 */

/** @param {import("../main.js").RoomProps} props */
export function SynonymsPage({ params }) {
    const listed = useAnswer(async (signal) => (await ask("search-rules?type=synonyms&limit=1000", { signal })).items, []);
    const [pairs, setPairs] = useState(/** @type {Pair[] | null} */ (null));
    const [failed, setFailed] = useState(/** @type {unknown} */ (null));
    const put = async (/** @type {{ type: string, terms?: string[], from?: string, to?: string[] }} */ kind, /** @type {string[]} */ terms) => {
        setFailed(null);
        try {
            await ask(`search-rules/${ruleId(kind.type, terms)}`, { method: "PUT", body: { kind } });
            listed.again();
            return true;
        } catch (err) {
            setFailed(err);
            return false;
        }
    };
    const remove = async (/** @type {Rule} */ rule) => {
        if (!confirm(t.removeSure(said(rule.kind)))) {
            return;
        }
        await ask(`search-rules/${rule.id}`, { method: "DELETE", headers: { "if-match": `"${rule.version}"` } }).catch(setFailed);
        listed.again();
    };
    const decide = async (/** @type {Pair} */ pair, /** @type {"synonyms" | "distinct"} */ type) => {
        const terms = [pair.term, pair.synonym].sort();
        if (await put({ type, terms }, terms)) {
            setPairs((before) => before?.filter((one) => one !== pair) ?? null);
        }
    };
    const rules = /** @type {Rule[]} */ (listed.answer ?? []);
    return html`
        <${Failure} failed=${failed ?? listed.failed} />
        <${NewSynonyms} put=${put} first=${params.get("term") ?? ""} />
        <${Panel} title=${t.suggestedPairs}>
            <p>${t.suggestAbout}</p>
            <${Work} label=${t.suggest} doing=${t.looking} method="GET" path="synonym-suggestions?limit=50" done=${(/** @type {{ items: Pair[] }} */ report) => setPairs(report.items)} />
            ${pairs?.length === 0 && html`<p role="status">${t.noPairs}</p>`}
            <ul class="pairs">${pairs?.map((pair) => html`<li key=${`${pair.term} ${pair.synonym}`}>
                <b>${pair.term}</b> (${format.number(pair.term_documents)}) = <b>${pair.synonym}</b> (${format.number(pair.synonym_documents)})
                <span class="soft">${pair.evidence}</span>
                <button type="button" class="primary" onClick=${() => decide(pair, "synonyms")} aria-label=${t.acceptPair(pair.term, pair.synonym)}>${t.accept}</button>
                <button type="button" onClick=${() => decide(pair, "distinct")} aria-label=${t.forbidPair(pair.term, pair.synonym)}>${t.forbid}</button>
            </li>`)}</ul>
        <//>
        <${Panel} title=${t.statedSynonyms}>
            ${listed.answer && rules.length === 0 && html`<p class="soft">${t.noSynonyms}</p>`}
            <ul class="pairs">${rules.map((rule) => html`<li key=${rule.id}>${said(rule.kind)} <span class="soft">${rule.note}</span>
                <button type="button" onClick=${() => remove(rule)} aria-label=${t.removeOne(said(rule.kind))}>${t.remove}</button></li>`)}</ul>
        <//>`;
}

/** A rule in words. @param {any} kind */
function said(kind) {
    if (kind.type === "one_way_synonyms") {
        return `${kind.from} → ${kind.to.join(", ")}`;
    }
    return kind.terms.join(kind.type === "distinct" ? " ≠ " : " = ");
}

/** @param {{ put: (kind: { type: string }, terms: string[]) => Promise<boolean>, first: string }} props */
function NewSynonyms({ put, first }) {
    const [text, setText] = useState(first ? `${first}, ` : "");
    const [type, setType] = useState("synonyms");
    const [missing, setMissing] = useState(false);
    const add = async (/** @type {Event} */ event) => {
        event.preventDefault();
        const terms = text.split(",").map((one) => one.trim()).filter(Boolean);
        setMissing(terms.length < 2);
        if (terms.length < 2) {
            return;
        }
        const kind = type === "one_way_synonyms" ? { type, from: terms[0] ?? "", to: terms.slice(1) } : { type, terms };
        if (await put(kind, terms)) {
            setText("");
        }
    };
    return html`<${Panel} title=${t.newSynonyms}><form class="row" onSubmit=${add}>
        <label class="wide">${t.terms} <input name="terms" required value=${text} placeholder="laptop, notebook" onInput=${(/** @type {Event} */ event) => setText(textOf(event))} /></label>
        <label>${t.meaning} <select onChange=${(/** @type {Event} */ event) => setType(/** @type {HTMLSelectElement} */ (event.target).value)}>
            ${["synonyms", "one_way_synonyms", "distinct"].map((one) => html`<option value=${one} selected=${one === type}>${t.synonymTypes[one]}</option>`)}</select></label>
        <button type="submit" class="primary">${t.add}</button>
        ${missing && html`<p class="failure" role="alert">${t.oneWord}</p>`}
    </form><//>`;
}
