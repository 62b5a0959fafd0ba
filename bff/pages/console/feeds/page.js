/** Feeds in and out. */

import { html } from "../../vendor/preact-htm.js";
import { ExportPanel } from "./export.js";
import { ImportPanel } from "./import.js";

export const FeedsPage = () => html`<${ImportPanel} /><${ExportPanel} />`;
