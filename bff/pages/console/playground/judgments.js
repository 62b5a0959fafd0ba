/** What people judge of products for queries: 0 (not what was meant) to 3 (just that), as `catalogctl eval` reads it. */

/** @typedef {Map<string, Map<string, number>>} Judgments ratings of products by query */

const KEPT = "catalog-judgments";
const PLACES = 10;

/** What this browser keeps. @returns {Judgments} */
export const kept = () => parse(localStorage.getItem(KEPT) ?? "");

/** @param {Judgments} file @param {string} query @returns {Map<string, number>} */
export const of = (file, query) => file.get(query) ?? new Map();

/** @param {Judgments} file @param {string} query @param {string} product @param {number} rating @returns {Judgments} */
export function rate(file, query, product, rating) {
    return keep(new Map([...file, [query, new Map([...of(file, query), [product, rating]])]]));
}

/** @param {Judgments} file */
export function keep(file) {
    localStorage.setItem(KEPT, write(file));
    return file;
}

/** The fields of the lines of CSV. @param {string} text @returns {string[][]} */
function fields(text) {
    /** @type {string[][]} */
    const rows = [[""]];
    let quoted = false;
    for (let at = text.startsWith("\uFEFF") ? 1 : 0; at < text.length; at += 1) {
        const [one, row] = [text[at], rows[rows.length - 1]];
        if (quoted && one === '"' && text[at + 1] === '"') {
            row[row.length - 1] += one;
            at += 1;
        } else if (one === '"') {
            quoted = !quoted;
        } else if (one === "," && !quoted) {
            row.push("");
        } else if (one === "\n" && !quoted) {
            rows.push([""]);
        } else if (one !== "\r" || quoted) {
            row[row.length - 1] += one;
        }
    }
    return rows;
}

/** @param {string} text @returns {Judgments} */
export function parse(text) {
    /** @type {Judgments} */
    const file = new Map();
    const [head, ...rows] = fields(text);
    const place = Object.fromEntries((head ?? []).map((name, index) => [name.trim().toLowerCase(), index]));
    if (!("query" in place && "docid" in place && "rating" in place)) {
        return file;
    }
    for (const row of rows) {
        const rating = Number(row[place.rating]);
        const [query, product] = [row[place.query], row[place.docid]];
        if (query && product && Number.isInteger(rating)) {
            file.set(query, new Map([...of(file, query), [product, rating]]));
        }
    }
    return file;
}

/** @param {Judgments} file */
export function write(file) {
    const field = (/** @type {string} */ text) => (/[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
    const lines = [...file].flatMap(([query, ratings]) => [...ratings].map(([product, rating]) => `${field(query)},${field(product)},${rating}`));
    return `query,docid,rating\n${lines.join("\n")}\n`;
}

/** @param {number[]} ratings */
const discounted = (ratings) => ratings.slice(0, PLACES).reduce((sum, rating, at) => sum + (2 ** rating - 1) / Math.log2(at + 2), 0);

/** NDCG@10 with gain 2^rating - 1; a product that nobody judged gains nothing. None where nothing is relevant. @param {string[]} ids @param {Map<string, number>} ratings */
export function ndcg(ids, ratings) {
    const best = discounted([...ratings.values()].sort((a, b) => b - a));
    return best > 0 ? discounted(ids.map((id) => ratings.get(id) ?? 0)) / best : null;
}
