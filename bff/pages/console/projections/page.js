/** The projections: proving that they hold what the log says, mending, building anew, going back. */

import { html, useState } from "../../vendor/preact-htm.js";
import * as format from "../../shared/format.js";
import { ask } from "../ask.js";
import { Failure, Panel, Work, useAnswer } from "../parts.js";
import { t } from "../strings.js";
import { ParkedPanel } from "./parked.js";
import { Proof } from "./proof.js";

export function ProjectionsPage() {
    const status = useAnswer((signal) => ask("status", { signal }), [], 2000);
    const [proof, setProof] = useState(/** @type {import("./proof.js").Report | null} */ (null));
    const [rebuilt, setRebuilt] = useState(/** @type {{ generation: number, digest: string } | null} */ (null));
    /** Whether a generation is being switched to; one at a time can be. */
    const [busy, setBusy] = useState(false);
    const read = status.answer?.read;
    const working = (/** @type {boolean} */ is) => {
        setBusy(is);
        if (is) {
            setRebuilt(null);
        }
    };
    const switched = (/** @type {{ generation: number, digest: string }} */ report) => {
        setRebuilt(report);
        setProof(null);
        status.again();
    };
    return html`
        <${Failure} failed=${status.failed} />
        <${Panel} title=${t.verify}>
            <p>${t.verifyAbout}</p>
            <div class="row">
                <${Work} primary label=${t.verify} doing=${t.verifying} path="verifications" done=${setProof} />
                ${proof && !proof.equal && html`<${Work} label=${t.repair} doing=${t.repairing} path="verifications?repair=true" done=${setProof} />`}
            </div>
            ${proof && html`<${Proof} report=${proof} />`}
        <//>
        <${Panel} title=${t.rebuild}>
            <p>${t.rebuildAbout}</p>
            ${read && html`<p>${t.generation(read.generation)}. ${read.previous_generation ? t.mayReturn(read.previous_generation) : t.mayNotReturn}</p>`}
            <div class="row">
                <${Work} label=${t.rebuild} doing=${t.rebuilding} path="rebuilds" disabled=${busy} working=${working} done=${switched} />
                ${read?.previous_generation && html`<${Work} label=${t.rollBack(read.previous_generation)} doing=${t.rollingBack} path="rollbacks"
                    disabled=${busy} working=${working} confirm=${t.rollBackSure(read.previous_generation)} done=${switched} />`}
            </div>
            ${rebuilt && html`<p class="good" role="status">${t.switched(rebuilt.generation)} <code>${rebuilt.digest}</code></p>`}
        <//>
        <${ParkedPanel} />
        <${Positions} status=${status.answer} />`;
}

/** @param {{ status?: import("../overview/pipeline.js").Status }} props */
function Positions({ status }) {
    if (!status?.read) {
        return null;
    }
    return html`<${Panel} title=${t.positions}><div class="scroll" tabindex="0" role="group" aria-label=${t.positions}><table>
        <thead><tr><th scope="col">${t.projection}</th><th scope="col" class="number">${t.position}</th><th scope="col" class="number">${t.lag}</th>
            <th scope="col" class="number">${t.documents}</th><th scope="col">${t.digest}</th></tr></thead>
        <tbody>
            ${status.write && html`<tr><th scope="row">${t.stations.log}</th><td class="number">${format.number(status.write.log_position)}</td>
                <td class="number">${format.number(status.write.outbox_pending)}</td><td class="number">${format.number(status.write.products)}</td>
                <td><code>${status.write.digest}</code></td></tr>`}
            ${status.read.projections.map((one) => html`<tr><th scope="row">${t.projections[one.name] ?? one.name}</th>
                <td class="number">${format.number(one.position)}</td><td class="number">${format.number(one.lag)}</td>
                <td class="number">${format.number(one.documents)}</td><td><code>${one.digest}</code></td></tr>`)}
        </tbody>
    </table></div><//>`;
}
