/** Who may do what: API keys, and the webhooks that are told of events. */

import { html, useState } from "../../vendor/preact-htm.js";
import * as format from "../../shared/format.js";
import { ask } from "../ask.js";
import { Failure, Moment, Panel, textOf, useAnswer } from "../parts.js";
import { t } from "../strings.js";
import { WebhooksPanel } from "./webhooks.js";

const SCOPES = ["search", "read", "write", "rules", "operate"];
/** For so long a key that is rotated is good beside the new one. */
const GRACE_S = 24 * 3600;

/**
 * @typedef {{ id: string, prefix: string, name: string, scopes: string[], created_at: string | null, created_by: string,
 *   expires_at: string | null, revoked_at: string | null, rotated_at: string | null, requests_per_second: number | null,
 *   forced_filter: string | null }} Key
 */

export function KeysPage() {
    const listed = useAnswer((signal) => ask("keys?limit=100", { signal }), []);
    const [secret, setSecret] = useState(/** @type {{ name: string, secret: string } | null} */ (null));
    const [failed, setFailed] = useState(/** @type {unknown} */ (null));
    const change = async (/** @type {() => Promise<void>} */ what) => {
        setFailed(null);
        await what().catch(setFailed);
        listed.again();
    };
    const rotate = (/** @type {Key} */ key) => change(async () => {
        if (confirm(t.rotateSure(key.name))) {
            const rotated = await ask(`keys/${key.id}/rotate`, { method: "POST", body: { grace_seconds: GRACE_S } });
            setSecret({ name: key.name, secret: rotated.secret });
        }
    });
    const revoke = (/** @type {Key} */ key) => change(async () => {
        if (confirm(t.revokeSure(key.name))) {
            await ask(`keys/${key.id}`, { method: "DELETE" });
        }
    });
    const made = (/** @type {{ key: Key, secret: string }} */ answer) => {
        setSecret({ name: answer.key.name, secret: answer.secret });
        listed.again();
    };
    return html`
        <${NewKey} made=${made} />
        ${secret && html`<div class="secret" role="alert"><p>${t.secretOnce(secret.name)}</p><code>${secret.secret}</code>
            <button type="button" onClick=${() => navigator.clipboard.writeText(secret.secret)}>${t.copy}</button></div>`}
        <${Panel} title=${t.keys}>
            <${Failure} failed=${failed ?? listed.failed} />
            <div class="scroll" tabindex="0" role="group" aria-label=${t.keys}><table>
                <thead><tr><th scope="col">${t.keyName}</th><th scope="col">${t.prefix}</th><th scope="col">${t.scopes}</th><th scope="col">${t.made}</th>
                    <th scope="col">${t.ends}</th><th scope="col"><span class="heard">${t.actions}</span></th></tr></thead>
                <tbody>${(listed.answer?.items ?? []).map((/** @type {Key} */ key) => html`<tr class=${key.revoked_at ? "soft" : ""} key=${key.id}>
                    <th scope="row">${key.name}</th><td><code>ck_${key.prefix}_…</code></td>
                    <td>${key.scopes.join(", ")}${key.requests_per_second ? html`<br /><span class="soft">${t.perSecond(format.number(key.requests_per_second))}</span>` : ""}
                        ${key.forced_filter && html`<br /><span class="soft">${key.forced_filter}</span>`}</td>
                    <td><${Moment} at=${key.created_at} /><br /><span class="soft">${key.created_by}</span></td>
                    <td>${key.revoked_at ? html`${t.revoked} <${Moment} at=${key.revoked_at} />` : key.expires_at ? html`<${Moment} at=${key.expires_at} />` : t.never}</td>
                    <td>${!key.revoked_at && html`<button type="button" onClick=${() => rotate(key)} aria-label=${`${t.rotate} ${key.name}`}>${t.rotate}</button>
                        <button type="button" onClick=${() => revoke(key)} aria-label=${`${t.revoke} ${key.name}`}>${t.revoke}</button>`}</td>
                </tr>`)}</tbody>
            </table></div>
        <//>
        <${WebhooksPanel} />`;
}

/** @param {{ made: (answer: { key: Key, secret: string }) => void }} props */
function NewKey({ made }) {
    const [name, setName] = useState("");
    const [scopes, setScopes] = useState(["search", "read"]);
    const [ends, setEnds] = useState("");
    const [failed, setFailed] = useState(/** @type {unknown} */ (null));
    const toggle = (/** @type {string} */ scope) => setScopes(scopes.includes(scope) ? scopes.filter((one) => one !== scope) : [...scopes, scope]);
    const make = async (/** @type {Event} */ event) => {
        event.preventDefault();
        setFailed(null);
        try {
            const expires = ends ? { expires_at: new Date(`${ends}T23:59:59`).toISOString() } : {};
            made(await ask("keys", { method: "POST", body: { name, scopes, ...expires } }));
            setName("");
        } catch (err) {
            setFailed(err);
        }
    };
    return html`<${Panel} title=${t.newKey}><form class="row" onSubmit=${make}>
        <label>${t.keyName} <input name="name" required maxlength="100" value=${name} onInput=${(/** @type {Event} */ event) => setName(textOf(event))} /></label>
        <fieldset class="row"><legend>${t.scopes}</legend>${SCOPES.map((scope) => html`<label><input type="checkbox" checked=${scopes.includes(scope)}
            onChange=${() => toggle(scope)} /> ${scope}</label>`)}</fieldset>
        <label>${t.ends} <input type="date" value=${ends} onInput=${(/** @type {Event} */ event) => setEnds(textOf(event))} /></label>
        <button type="submit" class="primary" disabled=${scopes.length === 0}>${t.makeKey}</button>
        <${Failure} failed=${failed} />
    </form><//>`;
}
