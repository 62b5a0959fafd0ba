/** What became of the rows of a feed, while it is read and afterwards. */

import { html } from "../../vendor/preact-htm.js";
import * as format from "../../shared/format.js";
import { t } from "../strings.js";

const SHOWN = 100;

/** @typedef {import("./import.js").Run} Run @typedef {import("./import.js").Row} Row @typedef {import("./import.js").Change} Change */

/** @param {{ run: Run, name: string }} props */
export function ImportReport({ run, name }) {
    const sums = run.report ?? run.progress;
    const title = run.of === "trial" ? (run.running ? t.trying : t.tried) : run.running ? t.importingNow : t.imported;
    const counts = ["rows", "created", "updated", "unchanged", "rejected", "left_out", "warnings"];
    return html`<div class="report">
        <h3 role="status">${title}</h3>
        ${run.running && html`<progress aria-label=${title}></progress>`}
        ${sums && html`<dl class="counts">${counts.map((one) => html`<div><dt>${t.counts[one]}</dt><dd>${format.number(sums[one] ?? 0)}</dd></div>`)}</dl>`}
        ${run.report && !run.report.completed && html`<p class="failure" role="alert">${run.report.problem?.detail ?? t.notCompleted}</p>`}
        ${run.rejected.length > 0 && html`<${Rows} title=${t.rejectedRows} rows=${run.rejected} save=${`${name}.rejected.csv`} />`}
        ${run.warned.length > 0 && html`<${Rows} title=${t.warnedRows} rows=${run.warned} save=${`${name}.warnings.csv`} />`}
        ${run.changes.length > 0 && html`<${Changes} changes=${run.changes} />`}
    </div>`;
}

/** A field of CSV. @param {unknown} value */
const csv = (value) => `"${String(value ?? "").replaceAll('"', '""')}"`;

/** @param {{ title: string, rows: Row[], save: string }} props */
function Rows({ title, rows, save }) {
    const download = () => {
        const lines = ["line,id,field,reason", ...rows.map((one) => [one.line, one.id, one.field, one.reason].map(csv).join(","))];
        saveAs(new Blob([`${lines.join("\r\n")}\r\n`], { type: "text/csv" }), save);
    };
    return html`<h4>${title} (${format.number(rows.length)}) <button type="button" class="quiet" onClick=${download}>${t.download}</button></h4>
        <div class="scroll" tabindex="0" role="group" aria-label=${title}><table>
            <thead><tr><th scope="col" class="number">${t.line}</th><th scope="col">${t.id}</th><th scope="col">${t.field}</th><th scope="col">${t.reason}</th></tr></thead>
            <tbody>${rows.slice(0, SHOWN).map((one) => html`<tr><td class="number">${format.number(one.line)}</td><td>${one.id}</td><td>${one.field}</td><td>${one.reason}</td></tr>`)}</tbody>
        </table></div>
        ${rows.length > SHOWN && html`<p class="soft">${t.andMore(format.number(rows.length - SHOWN))}</p>`}`;
}

/** @param {{ changes: Change[] }} props */
function Changes({ changes }) {
    const written = (/** @type {unknown} */ value) => (value === null || value === undefined ? "–" : typeof value === "string" ? value : JSON.stringify(value));
    const short = (/** @type {string} */ text) => (text.length > 80 ? `${text.slice(0, 79)}…` : text);
    return html`<h4>${t.wouldChange} (${format.number(changes.length)})</h4>
        <ul class="changes">${changes.slice(0, SHOWN).map((one) => html`<li>
            <b>${one.id}</b> ${one.change === "create" ? t.wouldCreate : ""}
            <ul>${one.fields.slice(0, 12).map((field) => html`<li>${field.field}: ${one.change === "create" ? "" : html`<del>${short(written(field.before))}</del> → `}<ins>${short(written(field.after))}</ins></li>`)}</ul>
        </li>`)}</ul>
        ${changes.length > SHOWN && html`<p class="soft">${t.andMore(format.number(changes.length - SHOWN))}</p>`}`;
}

/** Saves a file to the reader's machine. @param {Blob} blob @param {string} name */
export function saveAs(blob, name) {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(blob);
    link.download = name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
