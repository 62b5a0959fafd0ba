/** Parts that all rooms use: what is asked for, what failed, and how far long work is. */

import { html, useEffect, useRef, useState } from "../vendor/preact-htm.js";
import * as format from "../shared/format.js";
import { Refused } from "../shared/api.js";
import { work } from "./ask.js";
import { t } from "./strings.js";

/**
 * What a question is answered with, and how to ask again. While it is asked again the last answer stays.
 * @template T
 * @param {(signal: AbortSignal) => Promise<T>} question
 * @param {unknown[]} of asks anew when one of these changes
 * @param {number} [everyMs] asks anew so often
 * @returns {{ answer?: T, failed?: unknown, late: boolean, again: () => void }}
 */
export function useAnswer(question, of, everyMs) {
    const [state, setState] = useState(/** @type {{ answer?: T, failed?: unknown }} */ ({}));
    const [late, setLate] = useState(true);
    const [attempt, setAttempt] = useState(0);
    const again = () => setAttempt((count) => count + 1);
    useEffect(() => {
        const mine = new AbortController();
        let timer = 0;
        const next = () => {
            setLate(false);
            if (everyMs && !mine.signal.aborted) {
                timer = window.setTimeout(asked, everyMs);
            }
        };
        const asked = () => {
            question(mine.signal).then(
                (answer) => {
                    if (!mine.signal.aborted) {
                        setState({ answer });
                        next();
                    }
                },
                (failed) => {
                    if (!mine.signal.aborted) {
                        setState((before) => ({ answer: before.answer, failed }));
                        next();
                    }
                },
            );
        };
        setLate(true);
        asked();
        return () => {
            clearTimeout(timer);
            mine.abort();
        };
    }, [...of, attempt]);
    return { ...state, late, again };
}

/** What went wrong, in words. @param {unknown} failed */
export const reason = (failed) => (failed instanceof Refused ? failed.message : failed instanceof Error ? t.noAnswer : String(failed));

/** @param {{ failed: unknown, again?: () => void }} props */
export function Failure({ failed, again }) {
    if (!failed) {
        return null;
    }
    return html`<p class="failure" role="alert">${reason(failed)}
        ${again && html` <button type="button" class="quiet" onClick=${again}>${t.again}</button>`}</p>`;
}

/**
 * A button that does long work, how far it is, and what came of it.
 * @param {{ label: string, path: string, doing: string, method?: string, confirm?: string, primary?: boolean, disabled?: boolean,
 *   working?: (is: boolean) => void, done: (report: any) => void, told?: (event: any) => void }} props
 */
export function Work({ label, path, doing, method, confirm, primary, disabled, working, done, told }) {
    const [step, setStep] = useState(/** @type {import("./ask.js").Step | null} */ (null));
    const [failed, setFailed] = useState(/** @type {unknown} */ (null));
    const busy = step !== null;
    const begin = async () => {
        if (confirm && !globalThis.confirm(confirm)) {
            return;
        }
        setFailed(null);
        setStep({ of: "", done: 0 });
        working?.(true);
        try {
            done(await work(path, { method: method ?? "POST" }, (event) => {
                setStep(event);
                told?.(event);
            }));
        } catch (err) {
            setFailed(err);
        }
        setStep(null);
        working?.(false);
    };
    return html`<div class="work">
        <button type="button" class=${primary ? "primary" : ""} disabled=${busy || disabled} onClick=${begin}>${busy ? doing : label}</button>
        ${step && html`<${Meter} step=${step} />`}
        <${Failure} failed=${failed} />
    </div>`;
}

/** How far work is. @param {{ step: import("./ask.js").Step }} props */
export function Meter({ step }) {
    const of = t.steps[step.of] ?? step.of;
    const shown = step.total ? t.outOf(format.number(step.done), format.number(step.total)) : step.done > 0 ? format.number(step.done) : "";
    return html`<div class="meter" role="status">
        <progress max=${step.total || undefined} value=${step.total ? step.done : undefined} aria-label=${of || t.working}></progress>
        <span>${of} ${shown}</span>
    </div>`;
}

/** A heading with what belongs to it. @param {{ title: string, children?: unknown, actions?: unknown, id?: string }} props */
export const Panel = ({ title, children, actions, id }) => html`<section class="panel" id=${id} aria-label=${title}>
    <header><h2>${title}</h2>${actions}</header>
    ${children}
</section>`;

/** A value that becomes what it was last set to after a pause. @template T @param {T} value @param {number} ms @returns {T} */
export function useSettled(value, ms) {
    const [settled, setSettled] = useState(value);
    const timer = useRef(0);
    useEffect(() => {
        clearTimeout(timer.current);
        timer.current = window.setTimeout(() => setSettled(value), ms);
        return () => clearTimeout(timer.current);
    }, [value]);
    return settled;
}

/** The text of an input's event. @param {Event} event */
export const textOf = (event) => /** @type {HTMLInputElement} */ (event.target).value;

const moments = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" });

/** A moment as people write it. @param {{ at?: string | null }} props */
export const Moment = ({ at }) => (at ? html`<time datetime=${at} title=${at}>${moments.format(new Date(at))}</time>` : null);
