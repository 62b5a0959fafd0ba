/** The page of results: what was found, what it can be narrowed by, and what to do where nothing was. */

import { html, useEffect, useLayoutEffect, useMemo, useRef, useState } from "../vendor/preact-htm.js";
import * as api from "../shared/api.js";
import * as format from "../shared/format.js";
import { DRAWN_BY } from "../shared/picture.js";
import { t } from "../shared/strings.js";
import * as address from "./address.js";
import { Chips, Facets } from "./facets.js";
import { Hits } from "./hits.js";
import { bucketWidth } from "./price-range.js";

/** A search counts once its reader has looked for so long; steps on the way to it do not. */
const SETTLED_MS = 1000;
/** After such a pause between keys, what the results can be narrowed by is counted. */
const PAUSE_MS = 150;
const SORTS = /** @type {(keyof typeof t.sorts)[]} */ (["relevance", "price", "-price", "newest", "popularity"]);

/** What the API is asked for a state of the page. @param {URLSearchParams} params @param {number} width of price buckets */
function question(params, width) {
    const asked = new URLSearchParams(address.filters(params));
    const query = params.get("q") ?? "";
    asked.set("q", query || "*");
    asked.set("limit", String(address.shown(params)));
    const properties = params.get("view") === "list" ? "attributes" : DRAWN_BY;
    asked.set("fields", `id,title,price,currency,image_url,brand,categories,status,${properties}`);
    asked.set("highlight", "utf16");
    asked.set("untracked", "true");
    const wanted = ["category", "brand", `price:${width}`, "auto"];
    // What is filtered by stays in sight, whatever the catalog chooses for the query.
    for (const [name] of address.filters(params)) {
        const field = address.fieldOf(name);
        if (field.startsWith("attributes.")) {
            wanted.unshift(field);
        }
    }
    asked.set("facets", [...new Set(wanted)].join(","));
    for (const name of ["sort", "verbatim"]) {
        const value = params.get(name);
        if (value) {
            asked.set(name, value);
        }
    }
    return asked;
}

/** What a state of the page is but for the words that are searched for. @param {URLSearchParams} params */
function withoutWords(params) {
    const rest = new URLSearchParams(params);
    rest.delete("q");
    return `${rest}`;
}

/**
 * The answer for the present state; while the next is on its way the last one stays. While somebody types, the products come
 * first, and what they can be narrowed by when the keys pause.
 * @param {URLSearchParams} params
 */
function useAnswer(params) {
    const [state, setState] = useState(/** @type {{ answer?: api.SearchAnswer, failed?: unknown, of?: string }} */ ({}));
    const [attempt, setAttempt] = useState(0);
    const width = useRef(50);
    const answered = useRef(/** @type {string | null} */ (null));
    const of = `${params}`;
    // Asked for before the page is drawn: drawing takes about as long as the answer.
    useLayoutEffect(() => {
        const mine = new AbortController();
        let timer = 0;
        const rest = withoutWords(params);
        const isTyping = answered.current === rest;
        const asked = question(params, width.current);
        if (isTyping) {
            asked.delete("facets");
        }
        const measured = (/** @type {api.SearchAnswer} */ answer) => {
            const prices = answer.facets?.find((facet) => facet.field === "price" && facet.numbers);
            const better = prices ? bucketWidth(prices) : width.current;
            if (better !== width.current) {
                // The prices of these products are wider or closer together than of those before.
                width.current = better;
                return true;
            }
            return false;
        };
        const narrowing = () => {
            const counted = question(params, width.current);
            counted.set("limit", "1");
            counted.set("fields", "id");
            counted.delete("highlight");
            api.search(counted, mine.signal).then(
                (found) => {
                    setState((before) => (before.answer ? { ...before, answer: { ...before.answer, facets: found.facets, price_currency: found.price_currency } } : before));
                    if (measured(found)) {
                        narrowing();
                    }
                },
                () => undefined,
            );
        };
        api.search(asked, mine.signal).then(
            (answer) => {
                performance.mark("results");
                answered.current = rest;
                if (isTyping) {
                    setState((before) => ({ answer: { ...answer, facets: before.answer?.facets, price_currency: before.answer?.price_currency }, of }));
                    timer = window.setTimeout(narrowing, PAUSE_MS);
                } else {
                    setState({ answer, of });
                    if (measured(answer)) {
                        narrowing();
                    }
                }
            },
            (failed) => {
                if (!mine.signal.aborted) {
                    answered.current = null;
                    setState((before) => ({ answer: before.answer, failed, of }));
                }
            },
        );
        return () => {
            clearTimeout(timer);
            mine.abort();
        };
    }, [of, attempt]);
    return { ...state, late: state.of !== of, again: () => setAttempt((count) => count + 1) };
}

/**
 * The name of the search for clicks, once it counts.
 * @param {URLSearchParams} params
 */
function useSearchId(params) {
    const [id, setId] = useState("");
    const of = `${params}`;
    useEffect(() => {
        setId("");
        const mine = new AbortController();
        const timer = setTimeout(() => {
            const asked = question(params, 50);
            for (const name of ["untracked", "facets", "highlight"]) {
                asked.delete(name);
            }
            asked.set("fields", "id");
            api.search(asked, mine.signal).then((answer) => setId(answer.search_id ?? ""), () => undefined);
        }, SETTLED_MS);
        return () => {
            clearTimeout(timer);
            mine.abort();
        };
    }, [of]);
    return id;
}

/** @param {{ params: URLSearchParams, change: address.Change }} props */
export function ResultsPage({ params, change }) {
    const { answer, failed, late, again } = useAnswer(params);
    const searchId = useSearchId(params);
    const [open, setOpen] = useState(false);
    const query = params.get("q") ?? "";
    useEffect(() => {
        document.title = query ? t.title(query) : t.shop;
    }, [query]);

    // With each key all of this would be compared again before the next answer is asked for.
    const view = params.get("view") ?? "grid";
    const hits = useMemo(() => answer && html`<${Hits} answer=${answer} searchId=${searchId} view=${view} />`, [answer?.items, answer?.highlights, searchId, view]);
    const facets = useMemo(
        () => html`<${Facets} facets=${answer?.facets ?? []} params=${params} currency=${answer?.price_currency} change=${change} />`,
        [answer?.facets, answer?.price_currency, withoutWords(params)],
    );

    if (failed && !late) {
        return html`<${Failure} failed=${failed} again=${again} />`;
    }
    if (!answer) {
        return html`<p class="wait" role="status">${t.searching}</p>`;
    }
    return html`<div class=${late ? "results late" : "results"}>
        <h1 class="heard">${query ? t.title(query) : t.home}</h1>
        <${Notes} answer=${answer} query=${query} />
        <div class="tools">
            <p class="count" role="status">${t.results(answer.total, format.number(answer.total))}</p>
            <button type="button" class="open-filters" aria-expanded=${open ? "true" : "false"} aria-controls="filters"
                onClick=${() => setOpen(!open)}>${open ? t.hideFilters : t.showFilters}</button>
            <${Tools} params=${params} change=${change} />
        </div>
        <${Chips} params=${params} currency=${answer.price_currency} change=${change} />
        <div class="columns">
            <aside id="filters" class=${open ? "open" : ""} aria-label=${t.filters}>
                ${facets}
            </aside>
            <section aria-label=${t.products}>
                ${answer.total === 0
                    ? html`<${Nothing} query=${query} params=${params} change=${change} />`
                    : html`${hits}
                        <${More} answer=${answer} change=${change} />`}
            </section>
        </div>
    </div>`;
}

/** What the catalog made of the query. @param {{ answer: api.SearchAnswer, query: string }} props */
function Notes({ answer, query }) {
    const link = (/** @type {string} */ wanted, /** @type {boolean} */ verbatim) => {
        const to = new URLSearchParams({ q: wanted, ...(verbatim ? { verbatim: "true" } : {}) });
        return html`<a href=${`/?${to}`}>${wanted}</a>`;
    };
    const words = (answer.relaxed ?? []).map((word) => `“${word}”`).join(", ");
    return html`<div class="notes" aria-live="polite">
        ${answer.redirect_url && html`<p>${t.redirect} <a href=${answer.redirect_url}>${answer.redirect_url}</a></p>`}
        ${answer.corrected_query && html`<p>${t.corrected} <b>${answer.corrected_query}</b>. ${t.asTyped} ${link(query, true)}</p>`}
        ${answer.did_you_mean && html`<p>${t.didYouMean} ${link(answer.did_you_mean, false)}?</p>`}
        ${words && html`<p>${t.relaxed(words)}</p>`}
        ${answer.degraded && html`<p>${t.wordsOnly}</p>`}
    </div>`;
}

/** @param {{ params: URLSearchParams, change: address.Change }} props */
function Tools({ params, change }) {
    const sort = params.get("sort") ?? "relevance";
    const view = params.get("view") ?? "grid";
    const put = (/** @type {string} */ name, /** @type {string} */ value, /** @type {string} */ usual) =>
        change((to) => (value === usual ? to.delete(name) : to.set(name, value)));
    return html`<label class="sort">${t.sort}
            <select value=${sort} onChange=${(/** @type {Event} */ event) =>
                put("sort", /** @type {HTMLSelectElement} */ (event.target).value, "relevance")}>
                ${SORTS.map((one) => html`<option value=${one} selected=${one === sort}>${t.sorts[one]}</option>`)}
            </select>
        </label>
        <div class="views" role="group" aria-label=${t.view}>
            ${["grid", "list"].map((one) => html`<button type="button" aria-pressed=${one === view ? "true" : "false"}
                onClick=${() => put("view", one, "grid")}>${one === "grid" ? t.grid : t.list}</button>`)}
        </div>`;
}

/** @param {{ answer: api.SearchAnswer, change: address.Change }} props */
function More({ answer, change }) {
    const count = answer.items.length;
    const next = count < answer.total ? address.next(count) : 0;
    return html`<div class="more">
        <p>${t.shownOf(format.number(count), format.number(answer.total))}</p>
        ${next > 0 && html`<button type="button" onClick=${() =>
            change((to) => to.set("n", String(next)), { replace: true })}>${t.more}</button>`}
    </div>`;
}

/** @param {{ query: string, params: URLSearchParams, change: address.Change }} props */
function Nothing({ query, params, change }) {
    const filtered = address.filters(params).length > 0;
    const clear = () => change((to) => address.filters(to).forEach(([name]) => to.delete(name)));
    return html`<div class="nothing">
        <h2>${query ? t.nothing(query) : t.nothingAtAll}</h2>
        <ul>${t.nothingHelp.map((one) => html`<li>${one}</li>`)}</ul>
        ${filtered && html`<button type="button" onClick=${clear}>${t.takeAway}</button>`}
    </div>`;
}

/** @param {{ failed: unknown, again: () => void }} props */
function Failure({ failed, again }) {
    const status = failed instanceof api.Refused ? failed.status : 0;
    const needsKey = status === 401 || status === 403;
    return html`<div class="nothing" role="alert">
        <h2>${needsKey ? t.keyNeeded : t.broken}</h2>
        <p>${failed instanceof api.Refused ? failed.message : ""}</p>
        ${!needsKey && html`<button type="button" onClick=${again}>${t.again}</button>`}
    </div>`;
}
