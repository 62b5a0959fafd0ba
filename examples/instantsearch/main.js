// A front end made of InstantSearch.js, on this catalog: only the address is another one.
// `?api=` names it where the page is served from elsewhere.

const api = new URL(new URLSearchParams(location.search).get("api") ?? "http://127.0.0.1:8080");
const { liteClient } = window["algoliasearch/lite"];
const widgets = instantsearch.widgets;

const search = instantsearch({
    indexName: "products",
    searchClient: liteClient("catalog", "none", {
        hosts: [{ url: api.host, protocol: api.protocol.replace(":", ""), accept: "readWrite" }],
    }),
    future: { preserveSharedStateOnUnmount: true },
});

search.addWidgets([
    widgets.configure({ hitsPerPage: 12 }),
    widgets.searchBox({ container: "#searchbox", placeholder: "Search for products" }),
    widgets.sortBy({
        container: "#sort",
        items: [
            { label: "Relevance", value: "products" },
            { label: "Price, lowest first", value: "products_price_asc" },
            { label: "Price, highest first", value: "products_price_desc" },
        ],
    }),
    widgets.stats({ container: "#stats" }),
    widgets.currentRefinements({ container: "#refinements" }),
    widgets.clearRefinements({ container: "#clear" }),
    widgets.refinementList({ container: "#brand", attribute: "brand", searchable: true, showMore: true }),
    widgets.refinementList({ container: "#category", attribute: "category" }),
    widgets.refinementList({ container: "#colour", attribute: "attributes.colour" }),
    widgets.rangeInput({ container: "#price", attribute: "price" }),
    widgets.hits({
        container: "#hits",
        templates: {
            item: (hit, { html, components }) => html`
                <b>${components.Highlight({ hit, attribute: "title", highlightedTagName: "mark" })}</b>
                <span>${hit.brand}</span>
                <span>${hit.price?.toFixed(2)} ${hit.currency}</span>
            `,
        },
    }),
    widgets.pagination({ container: "#pagination" }),
]);

search.start();
