/** A rule of curation as a form, beside what it makes of a query. */

import { html, useState } from "../../vendor/preact-htm.js";
import { ask } from "../ask.js";
import { Failure, Panel, textOf } from "../parts.js";
import { t } from "../strings.js";
import { Actions } from "./actions.js";
import { Preview } from "./preview.js";
import { ruleId } from "./rule.js";

/** @typedef {import("./rule.js").Rule} Rule @typedef {import("./rule.js").Action} Action */

/** A moment of the API as an input of a form writes it. @param {string | null | undefined} at */
function local(at) {
    if (!at) {
        return "";
    }
    const date = new Date(at);
    return new Date(date.getTime() - date.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}

/** @param {string} text */
const moment = (text) => (text ? new Date(text).toISOString() : null);

/** @param {{ rule: Rule | null, query: string, done: () => void }} props */
export function RuleEditor({ rule, query, done }) {
    const [queries, setQueries] = useState((rule?.kind.queries ?? [query].filter(Boolean)).join("\n"));
    const [matching, setMatching] = useState(rule?.kind.matching ?? "exact");
    const [actions, setActions] = useState(/** @type {Action[]} */ (rule?.kind.actions ?? []));
    const [disabled, setDisabled] = useState(rule?.disabled ?? false);
    const [starts, setStarts] = useState(local(rule?.starts_at));
    const [ends, setEnds] = useState(local(rule?.ends_at));
    const [note, setNote] = useState(rule?.note ?? "");
    const [failed, setFailed] = useState(/** @type {unknown} */ (null));

    const stated = queries.split("\n").map((/** @type {string} */ one) => one.trim()).filter(Boolean);
    const kind = { type: "curation", queries: stated, matching, actions };
    const id = rule?.id ?? ruleId("curation", [...stated, String(actions.length > 0 ? actions[0].action : "")]);
    const save = async (/** @type {Event} */ event) => {
        event.preventDefault();
        setFailed(null);
        /** @type {Record<string, string>} */
        const headers = rule ? { "if-match": `"${rule.version}"` } : { "if-none-match": "*" };
        try {
            await ask(`search-rules/${id}`, { method: "PUT", headers, body: { kind, disabled, starts_at: moment(starts), ends_at: moment(ends), note } });
            done();
        } catch (err) {
            setFailed(err);
        }
    };
    return html`<${Panel} title=${rule ? rule.id : t.newRule}><form class="editor" onSubmit=${save}>
            <label class="long">${t.queries} <textarea name="queries" rows="3" value=${queries} placeholder=${t.queriesHint} onInput=${(/** @type {Event} */ event) => setQueries(textOf(event))}></textarea></label>
            <label>${t.matching} <select onChange=${(/** @type {Event} */ event) => setMatching(textOf(event))}>
                ${["exact", "contains"].map((one) => html`<option value=${one} selected=${one === matching}>${t.matchings[one]}</option>`)}</select></label>
            <${Actions} actions=${actions} setActions=${setActions} />
            <label>${t.from} <input type="datetime-local" value=${starts} onInput=${(/** @type {Event} */ event) => setStarts(textOf(event))} /></label>
            <label>${t.until} <input type="datetime-local" value=${ends} onInput=${(/** @type {Event} */ event) => setEnds(textOf(event))} /></label>
            <label class="long">${t.note} <input value=${note} maxlength="1000" onInput=${(/** @type {Event} */ event) => setNote(textOf(event))} /></label>
            <label class="check"><input type="checkbox" checked=${disabled} onChange=${() => setDisabled(!disabled)} /> ${t.keptOff}</label>
            <div class="row"><button type="submit" class="primary" disabled=${actions.length === 0}>${t.save}</button></div>
            <${Failure} failed=${failed} />
        </form><//>
        <${Preview} id=${id} kind=${kind} first=${query || stated[0] || ""} setActions=${setActions} />`;
}
