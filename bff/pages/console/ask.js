/** Asks the API with the key of whoever sits here. The key stays in this tab. */

import { Refused } from "../shared/api.js";

const KEPT = "catalog-key";

/** @returns {string} the key, or nothing */
export const key = () => sessionStorage.getItem(KEPT) ?? "";

/** @param {string} stated */
export function keep(stated) {
    if (stated) {
        sessionStorage.setItem(KEPT, stated);
    } else {
        sessionStorage.removeItem(KEPT);
    }
}

/** What the last write answered: reads that carry it know that write. */
let written = "";
/** How often a read is asked again that waited for that write in vain. */
const ASKED_AGAIN = 5;

/** @typedef {{ of: string, done: number, total?: number }} Step */
/** @typedef {{ method?: string, body?: BodyInit | object, headers?: Record<string, string>, signal?: AbortSignal }} How */

/**
 * Sends a request. An answer that is no success is thrown as it explains itself.
 * @param {string} path @param {How} [how]
 * @returns {Promise<Response>}
 */
export async function send(path, how = {}) {
    /** @type {Record<string, string>} */
    const headers = { ...how.headers };
    if (key()) {
        headers.authorization = `Bearer ${key()}`;
    }
    if (written) {
        headers["catalog-consistency"] = written;
    }
    let body = how.body;
    if (body !== undefined && Object.getPrototypeOf(body) === Object.prototype) {
        headers["content-type"] ??= "application/json";
        body = JSON.stringify(body);
    }
    const asked = () => fetch(`/api/${path}`, { method: how.method, headers, body: /** @type {BodyInit} */ (body), signal: how.signal });
    let answer = await asked();
    for (let again = 0; again < ASKED_AGAIN && answer.headers.has("catalog-stale"); again += 1) {
        answer = await asked();
    }
    if (answer.ok) {
        written = answer.headers.get("catalog-consistency") ?? written;
        return answer;
    }
    throw refused(answer.status, await answer.json().catch(() => ({ detail: answer.statusText })));
}

/** @param {number} status @param {{ detail?: string, errors?: { pointer: string, detail: string }[] }} problem */
function refused(status, problem) {
    const errors = (problem.errors ?? []).map((one) => `${one.pointer.replace(/^\//, "").replaceAll("/", ".")} ${one.detail}`);
    return new Refused(status, [problem.detail, ...errors].filter(Boolean).join(": "));
}

/**
 * What is at a path, as JSON.
 * @param {string} path @param {How} [how]
 * @returns {Promise<any>}
 */
export async function ask(path, how) {
    const answer = await send(path, how);
    return answer.status === 204 ? null : answer.json();
}

/** The lines of an answer as they come. @param {Response} answer */
async function* lines(answer) {
    const reader = /** @type {ReadableStream<Uint8Array>} */ (answer.body).getReader();
    const decoder = new TextDecoder();
    let rest = "";
    for (;;) {
        const { done, value } = await reader.read();
        rest += decoder.decode(value, { stream: !done });
        const parts = rest.split("\n");
        rest = parts.pop() ?? "";
        yield* parts;
        if (done) {
            if (rest) {
                yield rest;
            }
            return;
        }
    }
}

/**
 * Does long work: every event is told, and what came of it is returned.
 * @param {string} path @param {How} how @param {(event: any) => void} told
 * @returns {Promise<any>}
 */
export async function work(path, how, told) {
    const answer = await send(path, { method: "POST", ...how, headers: { ...how.headers, accept: "application/x-ndjson" } });
    for await (const line of lines(answer)) {
        if (!line.trim()) {
            continue;
        }
        const event = JSON.parse(line);
        if (event.event === "problem") {
            throw refused(event.problem.status, event.problem);
        }
        if (event.event === "report") {
            return event.report ?? event;
        }
        told(event);
    }
    throw new Refused(0, "The answer ended too early.");
}

/**
 * Follows what changes, and goes on after a break where it was.
 * @param {string} from the place after which it begins; nothing means now
 * @param {(event: { id: string, type: string, data: any }) => void} told
 * @param {(connected: boolean) => void} state
 * @param {AbortSignal} signal
 */
export async function follow(from, told, state, signal) {
    let last = from;
    while (!signal.aborted) {
        try {
            /** @type {Record<string, string>} */
            const headers = last ? { "last-event-id": last } : {};
            const answer = await send("events", { headers, signal });
            state(true);
            let event = { id: "", type: "", data: "" };
            for await (const line of lines(answer)) {
                const [, name, value] = /^(\w+): ?(.*)$/.exec(line) ?? [];
                if (name === "id") {
                    event.id = value;
                } else if (name === "event") {
                    event.type = value;
                } else if (name === "data") {
                    event.data += value;
                } else if (line === "" && event.data) {
                    last = event.id || last;
                    told({ ...event, data: JSON.parse(event.data) });
                    event = { id: "", type: "", data: "" };
                }
            }
        } catch (failed) {
            if (failed instanceof Refused && failed.status < 500 && failed.status !== 429) {
                throw failed;
            }
        }
        state(false);
        await new Promise((wait) => setTimeout(wait, 1000));
    }
}
