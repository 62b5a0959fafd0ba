/** What each column of a feed becomes; a person may say otherwise. */

import { html } from "../../vendor/preact-htm.js";
import { t } from "../strings.js";

const FIELDS = ["id", "title", "description", "price", "currency", "brand", "sku", "gtins", "categories", "image_url", "status"];

/** @typedef {import("./import.js").Suggestion} Suggestion */

/**
 * The parameters that say of a column what it becomes, in place of those that did.
 * @param {[string, string][]} parameters @param {string} column @param {string} becomes
 * @returns {[string, string][]}
 */
function said(parameters, column, becomes) {
    const kept = parameters.filter(([name, value]) => {
        const isOfColumn = name === "map" ? value.slice(value.indexOf("=") + 1) === column : value === column;
        const isOfField = name === "map" ? value.startsWith(`${becomes}=`) : becomes === "price" && (name === "price" || name === "price_minor");
        return !(["map", "price", "price_minor", "ignore", "text", "number", "flag"].includes(name) && (isOfColumn || isOfField));
    });
    if (becomes === "ignore" || becomes === "price") {
        return [...kept, [becomes, column]];
    }
    return becomes === "attribute" ? kept : [...kept, ["map", `${becomes}=${column}`]];
}

/** @param {{ suggestion: Suggestion, look: (said: [string, string][]) => void }} props */
export function Columns({ suggestion, look }) {
    const changed = (/** @type {string} */ column, /** @type {Event} */ event) =>
        look(said(suggestion.parameters, column, /** @type {HTMLSelectElement} */ (event.target).value));
    return html`<div class="scroll" tabindex="0" role="group" aria-label=${t.columns}><table class="columns">
        <thead><tr><th scope="col">${t.column}</th><th scope="col">${t.becomes}</th><th scope="col">${t.why}</th><th scope="col">${t.examples}</th></tr></thead>
        <tbody>${suggestion.columns.map((one) => {
            const field = FIELDS.find((name) => one.becomes === name || one.becomes.startsWith(`${name} `) || one.becomes.startsWith(`${name},`));
            return html`<tr key=${one.column}>
                <th scope="row">${one.column}</th>
                <td><select aria-label=${t.becomesOf(one.column)} onChange=${(/** @type {Event} */ event) => changed(one.column, event)}>
                    ${!field && html`<option selected value="">${one.becomes}</option>`}
                    ${FIELDS.map((name) => html`<option value=${name} selected=${name === field}>${name === field ? one.becomes : name}</option>`)}
                    <option value="ignore">${t.ignore}</option>
                </select></td>
                <td>${[one.confidence, one.why].filter(Boolean).join(": ")}</td>
                <td class="soft">${one.examples.join(" · ")}</td>
            </tr>`;
        })}</tbody>
    </table></div>`;
}
