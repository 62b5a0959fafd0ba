/** Where a search is typed: results come with every key, suggestions under the box. */

import { html, useEffect, useRef, useState } from "../vendor/preact-htm.js";
import * as api from "../shared/api.js";
import * as format from "../shared/format.js";
import { DRAWN_BY, Picture } from "../shared/picture.js";
import { t } from "../shared/strings.js";

const PRODUCTS = 3;
/** What is offered is asked for a moment after the results, which are waited for. */
const AFTER_RESULTS_MS = 50;

/** @typedef {{ queries: api.Suggestion[], products: api.Product[] }} Offers */

/** What is offered for a text. @param {string} text @param {AbortSignal} signal @returns {Promise<Offers>} */
async function offers(text, signal) {
    const params = new URLSearchParams({
        q: text,
        limit: String(PRODUCTS),
        fields: `id,title,price,currency,image_url,categories,${DRAWN_BY}`,
        strategy: "keyword",
        untracked: "true",
    });
    const [queries, found] = await Promise.all([api.suggest(text, signal), api.search(params, signal)]);
    return { queries: queries.slice(0, 6), products: found.items };
}

/**
 * @param {{ params: URLSearchParams, change: import("./address.js").Change,
 *   go: (to: URL) => void }} props
 */
export function SearchBox({ params, change, go }) {
    const stated = params.get("q") ?? "";
    const [text, setText] = useState(stated);
    const [offered, setOffered] = useState(/** @type {Offers | null} */ (null));
    const [chosen, setChosen] = useState(-1);
    const input = useRef(/** @type {HTMLInputElement | null} */ (null));
    const box = useRef(/** @type {HTMLFormElement | null} */ (null));
    const asked = useRef(/** @type {AbortController | null} */ (null));

    /** What was typed here, key by key: the address follows, and may not take back the keys after it. */
    const own = useRef(new Set([stated]));
    useEffect(() => {
        if (!own.current.has(stated)) {
            own.current.clear();
            setText(stated);
        }
    }, [stated]);
    useEffect(() => {
        const pressed = (/** @type {KeyboardEvent} */ event) => {
            const isTyping = event.target instanceof HTMLElement && /^(INPUT|TEXTAREA|SELECT)$/.test(event.target.tagName);
            if (event.key === "/" && !isTyping) {
                event.preventDefault();
                input.current?.focus();
            }
        };
        const left = (/** @type {Event} */ event) => {
            if (!box.current?.contains(/** @type {Node} */ (event.target))) {
                close();
            }
        };
        const moved = () => own.current.clear();
        addEventListener("popstate", moved);
        addEventListener("keydown", pressed);
        addEventListener("pointerdown", left);
        return () => {
            removeEventListener("popstate", moved);
            removeEventListener("keydown", pressed);
            removeEventListener("pointerdown", left);
        };
    }, []);

    const close = () => {
        asked.current?.abort();
        setOffered(null);
        setChosen(-1);
    };
    /** Searches for a text; while typing the steps are not kept as pages to go back to. */
    const searchFor = (/** @type {string} */ wanted, /** @type {boolean} */ typing) => {
        change(
            (to) => {
                if (to.get("q") !== wanted) {
                    for (const name of [...to.keys()]) {
                        if (name !== "view" && name !== "sort") {
                            to.delete(name);
                        }
                    }
                }
                if (wanted) {
                    to.set("q", wanted);
                } else {
                    to.delete("q");
                }
            },
            { replace: typing },
        );
    };
    const typed = (/** @type {string} */ now) => {
        own.current.add(now.trim());
        setText(now);
        setChosen(-1);
        searchFor(now.trim(), location.search !== "" && location.pathname === "/");
        asked.current?.abort();
        if (!now.trim()) {
            setOffered(null);
            return;
        }
        const mine = new AbortController();
        asked.current = mine;
        const ask = () => offers(now.trim(), mine.signal).then(setOffered, () => undefined);
        const timer = setTimeout(ask, AFTER_RESULTS_MS);
        mine.signal.addEventListener("abort", () => clearTimeout(timer));
    };
    const choices = offered ? [...offered.queries.map((one) => ({ text: one.text })), ...offered.products] : [];
    const take = (/** @type {number} */ index) => {
        const choice = choices[index];
        close();
        if (choice && "id" in choice) {
            go(new URL(`/products/${encodeURIComponent(choice.id)}`, location.href));
        } else {
            const wanted = choice ? choice.text : text.trim();
            own.current.clear();
            setText(wanted);
            searchFor(wanted, false);
            input.current?.blur();
        }
    };
    const pressed = (/** @type {KeyboardEvent} */ event) => {
        const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
        if (step && choices.length > 0) {
            event.preventDefault();
            const places = choices.length + 1;
            setChosen(((chosen + 1 + step + places) % places) - 1);
        } else if (event.key === "Escape" && offered) {
            event.preventDefault();
            close();
        } else if (event.key === "Tab") {
            close();
        }
    };
    const isOpen = choices.length > 0;
    const option = (/** @type {number} */ index, /** @type {unknown} */ content) => html`<li id=${`offer-${index}`} role="option"
        aria-selected=${chosen === index ? "true" : "false"} onClick=${() => take(index)}>${content}</li>`;
    return html`<form class="search" role="search" ref=${box}
        onSubmit=${(/** @type {Event} */ event) => { event.preventDefault(); take(chosen); }}>
        <input ref=${input} type="search" role="combobox" name="q" value=${text} placeholder=${t.searchHint}
            aria-label=${t.searchLabel} aria-expanded=${isOpen ? "true" : "false"} aria-controls="offers" aria-autocomplete="list"
            aria-activedescendant=${chosen >= 0 ? `offer-${chosen}` : undefined}
            autocomplete="off" autocapitalize="none" spellcheck=${false} enterkeyhint="search" maxlength="200"
            onInput=${(/** @type {InputEvent} */ event) => typed(/** @type {HTMLInputElement} */ (event.target).value)}
            onKeyDown=${pressed} />
        <ul id="offers" role="listbox" aria-label=${t.suggestions} hidden=${!isOpen}>
            ${(offered?.queries ?? []).map((one, index) => option(index, html`<span class="glass" aria-hidden="true"></span>${marked(one.text, text)}`))}
            ${(offered?.products ?? []).map((one, index) => option((offered?.queries.length ?? 0) + index,
                html`<${Picture} product=${one} /><span class="title">${one.title}</span>
                    <span class="price">${one.price === undefined ? "" : format.price(one.price, one.currency)}</span>`))}
        </ul>
        <p class="heard" role="status">${isOpen ? t.suggested(choices.length) : ""}</p>
    </form>`;
}

/** What was typed stands plain, what is added stands out. @param {string} offered @param {string} typed */
function marked(offered, typed) {
    const had = typed.trim();
    const same = offered.toLowerCase().startsWith(had.toLowerCase());
    return same ? html`<span>${offered.slice(0, had.length)}<b>${offered.slice(had.length)}</b></span>` : html`<span><b>${offered}</b></span>`;
}
