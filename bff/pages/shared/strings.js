/** The words of the pages, in the language of the reader. */

import en from "./strings/en.js";
import de from "./strings/de.js";

/** @typedef {typeof en} Strings */

/** @type {Record<string, Strings>} */
const LANGUAGES = { en, de };

const wanted = navigator.languages.map((tag) => tag.slice(0, 2).toLowerCase());
const found = wanted.find((tag) => tag in LANGUAGES) ?? "en";

/** The language that was chosen, for `lang` of the page. */
export const language = found;

/** @type {Strings} */
export const t = LANGUAGES[found];
