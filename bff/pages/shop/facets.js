/** What the results can be narrowed by. */

import { html, useEffect, useState } from "../vendor/preact-htm.js";
import * as api from "../shared/api.js";
import * as format from "../shared/format.js";
import { t } from "../shared/strings.js";
import * as address from "./address.js";
import { PriceRange } from "./price-range.js";

const VALUES = 6;
/** With more values than this, numbers are told by their bounds only. */
const NUMBERS_LISTED = 8;
/** A value with more characters than this is cut off, and told whole under the pointer. */
const LONG = 80;

/** @typedef {{ facet: api.Facet, params: URLSearchParams, currency?: string, change: address.Change }} FacetProps */

/** @param {{ facets: api.Facet[], params: URLSearchParams, currency?: string, change: address.Change }} props */
export function Facets({ facets, params, currency, change }) {
    const chosen = new Set(address.filters(params).map(([name]) => address.fieldOf(name)));
    const told = facets.filter((facet, index) => {
        const isFirst = facets.findIndex((one) => one.field === facet.field) === index;
        return isFirst && (facet.values.length > 1 || chosen.has(facet.field));
    });
    return told.map((facet) =>
        facet.field === "price"
            ? html`<${PriceRange} key="price" facet=${facet} params=${params} currency=${currency} change=${change} />`
            : html`<${Values} key=${facet.field} facet=${facet} params=${params} change=${change} />`,
    );
}

/** @param {FacetProps} props */
function Values({ facet, params, change }) {
    const [all, setAll] = useState(false);
    const [sought, setSought] = useState("");
    const found = useValues(facet, params, sought);
    const name = address.parameter(facet.field);
    const chosen = params.getAll(name);
    const listed = facet.numbers && found.length > NUMBERS_LISTED && !all ? found.slice(0, NUMBERS_LISTED) : found;
    const shown = all || sought ? listed : listed.slice(0, VALUES);
    // A value that is chosen is never out of sight.
    const lost = chosen.filter((value) => !shown.some((one) => one.value === value));
    const rows = [...lost.map((value) => ({ value, count: found.find((one) => one.value === value)?.count ?? 0 })), ...shown];
    const label = format.fieldName(facet.field);
    return html`<fieldset class="facet">
        <legend>${label}</legend>
        ${facet.other > 0 && !facet.numbers && html`<input type="search" class="find" placeholder=${t.findValue(label)} aria-label=${t.findValue(label)}
            title=${t.moreValues(format.number(facet.other))} value=${sought}
            onInput=${(/** @type {InputEvent} */ event) => setSought(/** @type {HTMLInputElement} */ (event.target).value)} />`}
        <ul>
            ${rows.map((one) => html`<li key=${one.value}><label>
                <input type="checkbox" checked=${chosen.includes(one.value)}
                    onChange=${() => change((to) => address.toggle(to, name, one.value))} />
                <span class="value" title=${one.value.length > LONG ? one.value : undefined}>${format.valueName(one.value)}</span>
                <span class="number">${format.number(one.count)}</span>
            </label></li>`)}
        </ul>
        ${!sought && listed.length > VALUES && html`<button type="button" class="quiet" aria-expanded=${all ? "true" : "false"}
            onClick=${() => setAll(!all)}>${all ? "–" : `+ ${format.number(listed.length - VALUES)}`}<span class="heard"> ${label}</span></button>`}
    </fieldset>`;
}

/**
 * The values of a facet with a text in them; the API finds those that are not in the answer.
 * @param {api.Facet} facet @param {URLSearchParams} params @param {string} sought
 */
function useValues(facet, params, sought) {
    const [found, setFound] = useState(/** @type {api.FacetValue[] | null} */ (null));
    const text = sought.trim();
    useEffect(() => {
        if (!text) {
            setFound(null);
            return undefined;
        }
        const mine = new AbortController();
        const asked = new URLSearchParams(address.filters(params));
        asked.set("q", params.get("q") || "*");
        asked.set("limit", "1");
        asked.set("fields", "id");
        asked.set("untracked", "true");
        asked.set("facets", `${facet.field}:size=20:q=${text.replace(/[,:]/g, " ")}`);
        api.search(asked, mine.signal).then(
            (answer) => setFound(answer.facets?.[0]?.values ?? []),
            () => undefined,
        );
        return () => mine.abort();
    }, [facet.field, `${params}`, text]);
    return found ?? facet.values;
}

/** The filters that are set, each to be taken away. @param {{ params: URLSearchParams, currency?: string, change: address.Change }} props */
export function Chips({ params, currency, change }) {
    const set = address.filters(params);
    if (set.length === 0) {
        return null;
    }
    return html`<ul class="chips">
        ${set.map(([name, value]) => {
            const label = chip(name, value, currency);
            return html`<li key=${`${name}=${value}`}><button type="button" aria-label=${t.without(label)} onClick=${() =>
                change((to) => address.toggle(to, name, value))}>${label}<span aria-hidden="true"> ×</span></button></li>`;
        })}
        ${set.length > 1 && html`<li><button type="button" class="quiet" onClick=${() =>
            change((to) => set.forEach(([name]) => to.delete(name)))}>${t.takeAway}</button></li>`}
    </ul>`;
}

/** @param {string} name @param {string} value @param {string | undefined} currency */
function chip(name, value, currency) {
    const field = format.fieldName(address.fieldOf(name));
    const isPrice = name.startsWith("price_");
    const shown = isPrice ? format.price(Number(value), currency) : format.valueName(value);
    const sign = name.endsWith("min") ? "≥ " : /(max|below)$/.test(name) ? "≤ " : "";
    return `${field}: ${sign}${shown}`;
}
