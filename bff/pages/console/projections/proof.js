/** What a verification found. */

import { html } from "../../vendor/preact-htm.js";
import * as format from "../../shared/format.js";
import { t } from "../strings.js";

/**
 * @typedef {{ product_id: string, kind: "missing" | "extra" | "version" | "content", log_version: number | null, version: number | null, parked: boolean }} Difference
 * @typedef {{ name: string, position: number, documents: number, pending: number, digest: string | null, equal: boolean, faults_total: number,
 *   faults: { product_id: string | null, problem: string }[], differences: Difference[], unexplained: boolean }} ProjectionProof
 * @typedef {{ equal: boolean, repaired: number, parked_events: number,
 *   log: { position: number, documents: number, digest: string, folded_documents: number, folded_digest: string, equal: boolean },
 *   projections: ProjectionProof[] }} Report
 */

const SHOWN = 50;

/** @param {{ report: Report }} props */
export function Proof({ report }) {
    return html`<div role="status">
        <p class=${report.equal ? "verdict good" : "verdict bad"}>${report.equal ? t.equal : t.differs}</p>
        ${report.repaired > 0 && html`<p>${t.repaired(format.number(report.repaired))}</p>`}
    </div>
    <ul class="proofs">
        <li class=${report.log.equal ? "good" : "bad"}>
            <b>${t.stations.log}</b><span>${t.at(format.number(report.log.position))}, ${t.productCount(report.log.documents, format.number(report.log.documents))}</span>
            <code>${report.log.digest}</code> <span>${report.log.equal ? t.addsUp : t.doesNotAddUp(report.log.folded_digest)}</span>
        </li>
        ${report.projections.map((one) => html`<li class=${one.equal ? "good" : "bad"}>
            <b>${t.projections[one.name] ?? one.name}</b> <span>${t.at(format.number(one.position))}, ${t.productCount(one.documents, format.number(one.documents))}</span>
            ${one.digest && html`<code>${one.digest}</code>`}
            <span>${one.equal ? (one.digest ? t.equalsLog : t.noFault) : t.findings(format.number(one.differences.length + one.faults_total))}</span>
            ${one.pending > 0 && html`<span>${t.toEmbed(format.number(one.pending))}</span>`}
            <${Findings} proof=${one} />
        </li>`)}
    </ul>`;
}

/** @param {{ proof: ProjectionProof }} props */
function Findings({ proof }) {
    const differences = proof.differences.slice(0, SHOWN);
    const more = proof.differences.length + proof.faults_total - differences.length - Math.min(SHOWN, proof.faults.length);
    if (proof.equal) {
        return null;
    }
    return html`<ul class="findings">
        ${differences.map((one) => html`<li><a href=${`/console/products?id=${encodeURIComponent(one.product_id)}`}>${one.product_id}</a>
            ${t.kinds[one.kind](one.log_version, one.version)}${one.parked ? ` ${t.isParked}` : ""}</li>`)}
        ${proof.faults.slice(0, SHOWN).map((one) => html`<li>${one.product_id} ${one.problem}</li>`)}
        ${proof.unexplained && html`<li>${t.unexplained}</li>`}
        ${more > 0 && html`<li>${t.andMore(format.number(more))}</li>`}
    </ul>`;
}
