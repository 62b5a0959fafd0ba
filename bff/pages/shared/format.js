/** How numbers, prices, days and names are written. */

import { language, t } from "./strings.js";

const tag = navigator.languages.find((one) => one.slice(0, 2).toLowerCase() === language) ?? language;
const whole = new Intl.NumberFormat(tag);
const days = new Intl.DateTimeFormat(tag, { dateStyle: "medium" });

/** @param {number} count */
export const number = (count) => whole.format(count);

/**
 * @param {number} amount
 * @param {string | undefined} currency
 * @param {{ rounded?: boolean }} [how] `rounded` leaves out what comes after the point.
 */
export function price(amount, currency, how = {}) {
    if (!currency) {
        return whole.format(amount);
    }
    const digits = how.rounded ? { maximumFractionDigits: 0 } : {};
    return new Intl.NumberFormat(tag, { style: "currency", currency, ...digits }).format(amount);
}

/** @param {string} time */
export const day = (time) => days.format(new Date(time));

/** A field as people call it: `attributes.usb_ports` is "Usb ports". @param {string} field */
export function fieldName(field) {
    const known = t.fields[field];
    if (known) {
        return known;
    }
    const words = field.replace(/^attributes\./, "").replace(/[_-]+/g, " ").trim();
    return words.charAt(0).toUpperCase() + words.slice(1);
}

/** A value of an attribute. @param {unknown} value @returns {string} */
export function valueName(value) {
    if (value === true || value === "true") {
        return t.yes;
    }
    if (value === false || value === "false") {
        return t.no;
    }
    if (Array.isArray(value)) {
        return value.map(valueName).join(", ");
    }
    if (typeof value === "string" && /^\d{4}-\d\d-\d\dT/.test(value)) {
        return day(value);
    }
    // Programs write the end of a line so, and feeds carry it on.
    return typeof value === "number" ? whole.format(value) : String(value).replace(/\s*(\\r)?\\n\s*/g, ", ");
}

/** The text of a description, which may have mark-up in it. Nothing of it runs or is fetched. @param {string} given */
export function plainText(given) {
    if (!/[<&]/.test(given)) {
        return given;
    }
    const read = new DOMParser().parseFromString(given, "text/html");
    for (const element of read.querySelectorAll("script, style, template")) {
        element.remove();
    }
    for (const element of read.querySelectorAll("p, br, li, div, h1, h2, h3, h4, tr")) {
        element.append("\n");
    }
    return (read.body.textContent ?? "").replace(/\n{3,}/g, "\n\n").trim();
}
