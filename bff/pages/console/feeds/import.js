/** A feed that is dropped here: what its columns become is proposed, may be changed, is tried, and then imported. */

import { html, useRef, useState } from "../../vendor/preact-htm.js";
import * as format from "../../shared/format.js";
import { ask, work } from "../ask.js";
import { Failure, Panel } from "../parts.js";
import { t } from "../strings.js";
import { Columns } from "./columns.js";
import { ImportReport } from "./report.js";

/** As much of a feed is looked at as the API takes. */
const LOOKED_AT_BYTES = 60 * 2 ** 20;

/**
 * @typedef {{ column: string, becomes: string, confidence: string, why: string, examples: string[] }} Column
 * @typedef {{ form: string, rows: number, is_all: boolean, columns: Column[], remarks: string[], missing: string[],
 *   trial: { rows: number, products: number, left_out: number, rejected: number, warnings: number, problems: string[] },
 *   parameters: [string, string][], command: string }} Suggestion
 * @typedef {{ line: number, id: string, field: string, reason: string }} Row
 * @typedef {{ line: number, id: string, change: string, fields: { field: string, before: unknown, after: unknown }[] }} Change
 * @typedef {{ of: "trial" | "import", running: boolean, progress?: any, report?: any, rejected: Row[], warned: Row[], changes: Change[] }} Run
 */

export function ImportPanel() {
    const [file, setFile] = useState(/** @type {File | null} */ (null));
    const [suggestion, setSuggestion] = useState(/** @type {Suggestion | null} */ (null));
    const [run, setRun] = useState(/** @type {Run | null} */ (null));
    const [busy, setBusy] = useState(false);
    const [failed, setFailed] = useState(/** @type {unknown} */ (null));
    const [over, setOver] = useState(false);
    const stop = useRef(/** @type {AbortController | null} */ (null));

    const attempt = async (/** @type {() => Promise<void>} */ what) => {
        setFailed(null);
        setBusy(true);
        await what().catch(setFailed);
        setBusy(false);
    };
    /** Asks how the feed can be read, where some of it is said already. */
    const look = (/** @type {File} */ chosen, /** @type {[string, string][]} */ said) => attempt(async () => {
        setRun(null);
        const body = chosen.size > LOOKED_AT_BYTES ? chosen.slice(0, LOOKED_AT_BYTES) : chosen;
        const headers = { "content-type": "application/octet-stream" };
        setSuggestion(await ask(`import/suggestion?${new URLSearchParams(said)}`, { method: "POST", body, headers }));
    });
    const take = (/** @type {File | undefined} */ chosen) => {
        if (chosen) {
            setFile(chosen);
            setSuggestion(null);
            void look(chosen, []);
        }
    };
    const send = (/** @type {"trial" | "import"} */ of) => attempt(async () => {
        const mine = new AbortController();
        stop.current = mine;
        /** @type {Run} */
        let now = { of, running: true, rejected: [], warned: [], changes: [] };
        let drawn = 0;
        const draw = (/** @type {Partial<Run>} */ more) => {
            now = { ...now, ...more };
            setRun(now);
        };
        draw({});
        const params = new URLSearchParams(suggestion?.parameters ?? []);
        if (of === "trial") {
            params.set("dry_run", "true");
        }
        const told = (/** @type {any} */ event) => {
            const lists = /** @type {Record<string, unknown[]>} */ ({ rejected: now.rejected, warning: now.warned, change: now.changes });
            lists[event.event]?.push(event);
            if (event.event === "progress") {
                now.progress = event;
            }
            if (performance.now() - drawn > 200) {
                drawn = performance.now();
                draw({});
            }
        };
        const headers = { "content-type": "application/octet-stream" };
        try {
            const report = await work(`import?${params}`, { body: /** @type {File} */ (file), headers, signal: mine.signal }, told);
            draw({ running: false, report });
        } catch (err) {
            draw({ running: false });
            if (!mine.signal.aborted) {
                throw err;
            }
        }
    });
    const chooser = (/** @type {Event} */ event) => take(/** @type {HTMLInputElement} */ (event.target).files?.[0]);
    const dropped = (/** @type {DragEvent} */ event) => {
        event.preventDefault();
        setOver(false);
        take(event.dataTransfer?.files[0]);
    };
    return html`<${Panel} title=${t.importing}>
        <label class=${over ? "drop over" : "drop"} onDrop=${dropped}
            onDragOver=${(/** @type {DragEvent} */ event) => { event.preventDefault(); setOver(true); }} onDragLeave=${() => setOver(false)}>
            <input type="file" name="feed" onChange=${chooser} />
            <span>${file ? `${file.name} (${t.bytes(format.number(file.size))})` : t.dropHere}</span>
            <span class="soft">${t.forms}</span>
        </label>
        <${Failure} failed=${failed} />
        ${busy && !run?.running && html`<p class="wait" role="status">${t.looking}</p>`}
        ${file && suggestion && html`<${Proposed} suggestion=${suggestion} look=${(/** @type {[string, string][]} */ said) => look(file, said)} />
            <div class="row">
                <button type="button" disabled=${busy} onClick=${() => send("trial")}>${t.preview}</button>
                <button type="button" class="primary" disabled=${busy || suggestion.trial.products === 0} onClick=${() => send("import")}>${t.importNow}</button>
                ${run?.running && html`<button type="button" onClick=${() => stop.current?.abort()}>${t.stop}</button>`}
            </div>`}
        ${run && html`<${ImportReport} run=${run} name=${file?.name ?? "feed"} />`}
    <//>`;
}

/** What was found of the feed. @param {{ suggestion: Suggestion, look: (said: [string, string][]) => void }} props */
function Proposed({ suggestion, look }) {
    const { trial } = suggestion;
    const looked = suggestion.is_all ? t.allRows(format.number(suggestion.rows)) : t.firstRows(format.number(suggestion.rows));
    return html`<p>${suggestion.form}; ${looked}. ${t.trial(format.number(trial.products), format.number(trial.rejected), format.number(trial.warnings))}</p>
        <ul class="notes">
            ${suggestion.missing.map((one) => html`<li class="bad">${one}</li>`)}
            ${trial.problems.map((one) => html`<li class="bad">${one}</li>`)}
            ${suggestion.remarks.map((one) => html`<li>${one}</li>`)}
        </ul>
        <${Columns} suggestion=${suggestion} look=${look} />
        <details><summary>${t.asCommand}</summary><pre tabindex="0">${suggestion.command}</pre></details>`;
}
