/** The shop window: a page of results and a page for each product, in one document. */

import { html, render, useEffect, useRef } from "../vendor/preact-htm.js";
import { language, t } from "../shared/strings.js";
import { useAddress } from "./address.js";
import { SearchBox } from "./search-box.js";
import { ResultsPage } from "./results-page.js";
import { ProductPage } from "./product-page.js";

function Shop() {
    const { address, go, change } = useAddress();
    /** What the reader comes back to from a product. */
    const results = useRef("/");
    const product = /^\/products\/([^/]+)$/.exec(address.pathname);
    useEffect(() => {
        if (!product) {
            results.current = address.pathname + address.search;
        }
    }, [address.href]);

    // Links within the shop change the address only: nothing is loaded again.
    const followed = (/** @type {MouseEvent} */ event) => {
        const link = /** @type {Element} */ (event.target).closest("a[href]");
        const isPlain = event.button === 0 && !event.metaKey && !event.ctrlKey && !event.shiftKey && !event.altKey;
        if (!isPlain || event.defaultPrevented || !(link instanceof HTMLAnchorElement)) {
            return;
        }
        const to = new URL(link.href);
        const isOurs = to.origin === location.origin && (to.pathname === "/" || to.pathname.startsWith("/products/"));
        if (isOurs && !to.hash) {
            event.preventDefault();
            go(to);
            scrollTo(0, 0);
        }
    };
    return html`<div onClick=${followed}>
        <a class="skip" href="#main">${t.skip}</a>
        <header>
            <a class="name" href="/">${t.shop}</a>
            <${SearchBox} params=${address.searchParams} change=${change} go=${go} />
        </header>
        <main id="main" tabindex="-1">
            ${product
                ? html`<${ProductPage} key=${product[1]} id=${decodeURIComponent(product[1])} back=${results.current} />`
                : html`<${ResultsPage} params=${address.searchParams} change=${change} />`}
        </main>
    </div>`;
}

document.documentElement.lang = language;
const place = document.getElementById("shop");
if (place) {
    place.replaceChildren();
    render(html`<${Shop} />`, place);
}
