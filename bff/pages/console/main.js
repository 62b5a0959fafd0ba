/** The console: rooms for those who run the catalog and those who look after what is found in it. */

import { html, render, useEffect, useState } from "../vendor/preact-htm.js";
import { ask, keep, key } from "./ask.js";
import { Failure, textOf } from "./parts.js";
import { t } from "./strings.js";
import { OverviewPage } from "./overview/page.js";
import { ProjectionsPage } from "./projections/page.js";
import { FeedsPage } from "./feeds/page.js";
import { KeysPage } from "./keys/page.js";
import { ProductsPage } from "./products/page.js";
import { SynonymsPage } from "./synonyms/page.js";
import { RulesPage } from "./rules/page.js";
import { AnalyticsPage } from "./analytics/page.js";
import { PlaygroundPage } from "./playground/page.js";

/** @typedef {{ params: URLSearchParams, go: (to: string, how?: { replace?: boolean }) => void }} RoomProps */

/** The rooms by the last part of their address. */
const ROOMS = {
    overview: { page: OverviewPage, group: "operate" },
    projections: { page: ProjectionsPage, group: "operate" },
    feeds: { page: FeedsPage, group: "operate" },
    keys: { page: KeysPage, group: "operate" },
    products: { page: ProductsPage, group: "merchandise" },
    rules: { page: RulesPage, group: "merchandise" },
    synonyms: { page: SynonymsPage, group: "merchandise" },
    analytics: { page: AnalyticsPage, group: "merchandise" },
    playground: { page: PlaygroundPage, group: "merchandise" },
};

/** @typedef {keyof typeof ROOMS} Room */

/** @param {URL} address @returns {Room} */
function roomOf(address) {
    const name = address.pathname.split("/")[2] ?? "";
    return name in ROOMS ? /** @type {Room} */ (name) : "overview";
}

function Console() {
    const [address, setAddress] = useState(() => new URL(location.href));
    /** Not known where there is no key: a catalog may let everybody in. */
    const [open, setOpen] = useState(/** @type {boolean | null} */ (key() ? true : null));
    useEffect(() => {
        if (open === null) {
            ask("status").then(() => setOpen(true), () => setOpen(false));
        }
    }, []);
    useEffect(() => {
        const moved = () => setAddress(new URL(location.href));
        addEventListener("popstate", moved);
        return () => removeEventListener("popstate", moved);
    }, []);
    const go = (/** @type {string} */ to, /** @type {{ replace?: boolean }} */ how = {}) => {
        const url = new URL(to, location.href);
        if (url.href !== location.href) {
            history[how.replace ? "replaceState" : "pushState"](null, "", url);
            setAddress(url);
        }
    };
    const followed = (/** @type {MouseEvent} */ event) => {
        const link = /** @type {Element} */ (event.target).closest("a[href]");
        const isPlain = event.button === 0 && !event.metaKey && !event.ctrlKey && !event.shiftKey && !event.altKey;
        if (isPlain && !event.defaultPrevented && link instanceof HTMLAnchorElement && !link.download && !link.target) {
            const to = new URL(link.href);
            if (to.origin === location.origin && to.pathname.startsWith("/console") && !to.hash) {
                event.preventDefault();
                go(to.href);
                scrollTo(0, 0);
            }
        }
    };
    const room = roomOf(address);
    useEffect(() => {
        document.title = t.title(t.rooms[room]);
    }, [room]);
    if (open === null) {
        return html`<main class="door"><p class="wait" role="status">${t.asking}</p></main>`;
    }
    if (!open) {
        return html`<${Door} opened=${() => setOpen(true)} />`;
    }
    const Page = ROOMS[room].page;
    const leave = () => {
        keep("");
        setOpen(false);
    };
    return html`<div class="shell" onClick=${followed}>
        <a class="skip" href="#room">${t.skip}</a>
        <nav aria-label=${t.rooms.all}>
            <a class="name" href="/console">${t.name}</a>
            ${["operate", "merchandise"].map((group) => html`<div class="group">
                <p>${t.groups[group]}</p>
                <ul>${Object.entries(ROOMS).filter(([, one]) => one.group === group).map(([name]) => html`<li>
                    <a href=${`/console/${name}`} aria-current=${name === room ? "page" : undefined}>${t.rooms[/** @type {Room} */ (name)]}</a>
                </li>`)}</ul>
            </div>`)}
            <div class="group foot">
                <a href="/" target="_blank">${t.shop}</a>
                <a href="/api/docs/" target="_blank">${t.docs}</a>
                <button type="button" class="quiet" onClick=${leave}>${t.leave}</button>
            </div>
        </nav>
        <main id="room" tabindex="-1">
            <h1>${t.rooms[room]}</h1>
            <${Page} key=${room} params=${address.searchParams} go=${go} />
        </main>
    </div>`;
}

/** Asks for a key. @param {{ opened: () => void }} props */
function Door({ opened }) {
    const [stated, setStated] = useState("");
    const [failed, setFailed] = useState(/** @type {unknown} */ (null));
    const enter = async (/** @type {Event} */ event) => {
        event.preventDefault();
        keep(stated.trim());
        try {
            await ask("status");
            opened();
        } catch (err) {
            keep("");
            setFailed(err);
        }
    };
    return html`<main class="door">
        <h1>${t.name}</h1>
        <form onSubmit=${enter}>
            <label>${t.key} <input type="password" name="key" autocomplete="current-password" required value=${stated}
                onInput=${(/** @type {Event} */ event) => setStated(textOf(event))} /></label>
            <p class="soft" id="key-hint">${t.keyHint}</p>
            <button class="primary" type="submit">${t.enter}</button>
            <${Failure} failed=${failed} />
        </form>
    </main>`;
}

const place = document.getElementById("console");
if (place) {
    place.replaceChildren();
    render(html`<${Console} />`, place);
}
