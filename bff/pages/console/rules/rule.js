/** Search rules as the API has them. */

import * as words from "../strings.js";

/**
 * @typedef {{ product_ids?: string[], brand?: string, category?: string[] }} Target
 * @typedef {{ action: "pin", product_id: string, position: number } | { action: "hide", target: Target } |
 *   { action: "boost" | "bury", target: Target, factor: number } | { action: "redirect", url: string }} Action
 * @typedef {{ type: "curation", queries?: string[], matching?: "exact" | "contains", actions: Action[] }} Curation
 * @typedef {{ id: string, kind: any, disabled?: boolean, starts_at?: string | null, ends_at?: string | null, note?: string,
 *   version: number, updated_at?: string | null }} Rule
 */

/** An id for a rule that is the same for the same words. @param {string} type @param {string[]} terms */
export function ruleId(type, terms) {
    const given = terms.map((term) => term.trim().toLowerCase());
    // Only in one direction the first word is another one than those that follow.
    const normal = type === "one_way_synonyms" ? [...given.slice(0, 1), ...given.slice(1).sort()] : given.sort();
    let hash = 0xcbf29ce484222325n;
    for (const byte of new TextEncoder().encode(normal.join("\n"))) {
        hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * 0x100000001b3n);
    }
    const prefix = { synonyms: "syn", one_way_synonyms: "one-way", distinct: "distinct" }[type] ?? "rule";
    const slug = normal.join("-").replace(/[^a-z0-9]+/g, "-").replace(/^-|-$/g, "").slice(0, 40).replace(/-$/, "");
    return `${prefix}-${slug ? `${slug}-` : ""}${hash.toString(16).padStart(16, "0")}`;
}

/** What an action does, in words for the list. @param {Action} action */
export function actionText(action) {
    const { t } = words;
    if (action.action === "pin") {
        return t.pinText(action.product_id, action.position);
    }
    if (action.action === "redirect") {
        return t.redirectText(action.url);
    }
    const { target } = action;
    const parts = [...(target.product_ids ?? []), target.brand, (target.category ?? []).join(" > ")].filter(Boolean).join(", ");
    return action.action === "hide" ? t.hideText(parts) : t.factorText(action.action, parts, action.factor);
}
