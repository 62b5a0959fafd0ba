/** The catalog as a file. */

import { html, useState } from "../../vendor/preact-htm.js";
import * as format from "../../shared/format.js";
import { send } from "../ask.js";
import { Failure, Panel } from "../parts.js";
import { t } from "../strings.js";
import { saveAs } from "./report.js";

const FORMATS = ["jsonl", "csv", "google"];

export function ExportPanel() {
    const [kind, setKind] = useState("jsonl");
    const [status, setStatus] = useState("");
    const [bytes, setBytes] = useState(/** @type {number | null} */ (null));
    const [failed, setFailed] = useState(/** @type {unknown} */ (null));
    const begin = async () => {
        setFailed(null);
        setBytes(0);
        try {
            const params = new URLSearchParams({ format: kind, ...(status ? { status } : {}) });
            const answer = await send(`export?${params}`);
            const name = /filename="([^"]+)"/.exec(answer.headers.get("content-disposition") ?? "")?.[1] ?? `catalog.${kind}`;
            const parts = [];
            const reader = /** @type {ReadableStream<Uint8Array<ArrayBuffer>>} */ (answer.body).getReader();
            for (let sum = 0; ; ) {
                const { done, value } = await reader.read();
                if (done) {
                    break;
                }
                parts.push(value);
                sum += value.length;
                setBytes(sum);
            }
            saveAs(new Blob(parts), name);
        } catch (err) {
            setFailed(err);
        }
        setBytes(null);
    };
    const chosen = (/** @type {Event} */ event) => /** @type {HTMLSelectElement} */ (event.target).value;
    return html`<${Panel} title=${t.exporting}>
        <p>${t.exportAbout}</p>
        <div class="row">
            <label>${t.format} <select onChange=${(/** @type {Event} */ event) => setKind(chosen(event))}>
                ${FORMATS.map((one) => html`<option value=${one} selected=${one === kind}>${t.exportFormats[one]}</option>`)}</select></label>
            <label>${t.status} <select onChange=${(/** @type {Event} */ event) => setStatus(chosen(event))}>
                ${["", "active", "discontinued"].map((one) => html`<option value=${one} selected=${one === status}>${t.statuses[one]}</option>`)}</select></label>
            <button type="button" disabled=${bytes !== null} onClick=${begin}>${t.exportNow}</button>
        </div>
        ${bytes !== null && html`<p class="wait" role="status">${t.bytes(format.number(bytes))}</p>`}
        <${Failure} failed=${failed} />
    <//>`;
}
