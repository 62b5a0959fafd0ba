/** The address of the page is its whole state: it names what the API is asked for. */

import { useEffect, useState } from "../vendor/preact-htm.js";

export const STEP = 24;
const SHOWN_MAX = 96;
/** What is no filter. */
const OWN = new Set(["q", "sort", "view", "n", "verbatim"]);

/** Filters, each a name of the API's and a value. @param {URLSearchParams} params */
export const filters = (params) => [...params].filter(([name]) => !OWN.has(name));

/** How many products are shown. @param {URLSearchParams} params */
export function shown(params) {
    const stated = Number(params.get("n"));
    return Number.isInteger(stated) && stated > STEP ? Math.min(stated, SHOWN_MAX) : STEP;
}

/** How many more may be shown after `count`. @param {number} count */
export const next = (count) => (count < SHOWN_MAX ? Math.min(count + STEP, SHOWN_MAX) : 0);

/** @typedef {(change: (params: URLSearchParams) => void, how?: { replace?: boolean }) => void} Change */

/** The path and the parameters of the address, and how to change the parameters. */
export function useAddress() {
    const [address, setAddress] = useState(() => new URL(location.href));
    useEffect(() => {
        const moved = () => setAddress(new URL(location.href));
        addEventListener("popstate", moved);
        return () => removeEventListener("popstate", moved);
    }, []);

    /** @param {URL} to @param {{ replace?: boolean }} how */
    const go = (to, how = {}) => {
        if (to.href === location.href) {
            return;
        }
        if (how.replace) {
            history.replaceState(null, "", to);
        } else {
            history.pushState(null, "", to);
        }
        setAddress(to);
    };
    /** @type {Change} */
    const change = (alter, how) => {
        const to = new URL("/", location.href);
        const from = new URL(location.href);
        to.search = from.pathname === "/" ? from.search : "";
        alter(to.searchParams);
        go(to, how);
    };
    return { address, go, change };
}

/** Adds a filter, or takes it away. @param {URLSearchParams} params @param {string} name @param {string} value */
export function toggle(params, name, value) {
    const had = params.getAll(name);
    params.delete(name);
    const kept = had.includes(value) ? had.filter((one) => one !== value) : [...had, value];
    for (const one of kept) {
        params.append(name, one);
    }
    params.delete("n");
}

/** The name of the parameter that filters by a field. @param {string} field */
export const parameter = (field) => field.replace(/^attributes\./, "attr.");

/** The field of a parameter that filters. @param {string} name */
export const fieldOf = (name) => name.replace(/^attr\./, "attributes.").replace(/[._](min|max|below)$/, "");
