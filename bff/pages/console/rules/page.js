/** Curation: what is done to the answers of some queries. */

import { html, useState } from "../../vendor/preact-htm.js";
import { ask } from "../ask.js";
import { Failure, Moment, Panel, useAnswer } from "../parts.js";
import { t } from "../strings.js";
import { RuleEditor } from "./editor.js";
import { actionText } from "./rule.js";

/** @typedef {import("./rule.js").Rule} Rule */

/** @param {import("../main.js").RoomProps} props */
export function RulesPage({ params, go }) {
    const listed = useAnswer(async (signal) => (await ask("search-rules?type=curation&limit=1000", { signal })).items, []);
    const [failed, setFailed] = useState(/** @type {unknown} */ (null));
    const id = params.get("id");
    const rules = /** @type {Rule[]} */ (listed.answer ?? []);
    const chosen = rules.find((rule) => rule.id === id);
    const done = () => {
        listed.again();
        go("/console/rules");
    };
    if (id !== null && listed.answer) {
        return html`<p><a href="/console/rules">← ${t.backToList}</a></p>
            <${RuleEditor} key=${`${id} ${chosen?.version ?? 0}`} rule=${chosen ?? null} query=${params.get("query") ?? ""} done=${done} />`;
    }
    const remove = async (/** @type {Rule} */ rule) => {
        if (confirm(t.removeSure(t.ruleAbout((rule.kind.queries ?? []).join(", ") || t.everyQuery)))) {
            await ask(`search-rules/${rule.id}`, { method: "DELETE", headers: { "if-match": `"${rule.version}"` } }).catch(setFailed);
            listed.again();
        }
    };
    const actions = html`<a class="button" href="/console/rules?id=">${t.newRule}</a>`;
    return html`<${Panel} title=${t.rules} actions=${actions}>
        <${Failure} failed=${failed ?? listed.failed} />
        ${listed.answer && rules.length === 0 && html`<p class="soft">${t.noRules}</p>`}
        <ul class="rules">${rules.map((rule) => html`<li key=${rule.id} class=${rule.disabled ? "soft" : ""}>
            <p><b>${(rule.kind.queries ?? []).join(", ") || t.everyQuery}</b> <span class="soft">${rule.id}</span>
                ${rule.disabled && html` <span class="tag">${t.off}</span>`}
                ${rule.starts_at && html` <span class="soft">${t.from} <${Moment} at=${rule.starts_at} /></span>`}
                ${rule.ends_at && html` <span class="soft">${t.until} <${Moment} at=${rule.ends_at} /></span>`}</p>
            <ul class="changes">${rule.kind.actions.map((/** @type {import("./rule.js").Action} */ action) => html`<li>${actionText(action)}</li>`)}</ul>
            ${rule.note && html`<p class="soft">${rule.note}</p>`}
            <a class="button" href=${`/console/rules?${new URLSearchParams({ id: rule.id })}`} aria-label=${`${t.edit} ${rule.id}`}>${t.edit}</a>${" "}
            <button type="button" onClick=${() => remove(rule)} aria-label=${t.removeOne(rule.id)}>${t.remove}</button>
        </li>`)}</ul>
    <//>`;
}
