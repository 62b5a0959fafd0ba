// Types of `preact-htm.js`, for the check of the pages only.
import type { VNode } from "preact";

export { h, render, Component, createContext } from "preact";
export {
    useState, useReducer, useEffect, useLayoutEffect, useRef, useImperativeHandle, useMemo, useCallback, useContext,
    useDebugValue, useErrorBoundary,
} from "preact/hooks";
export function html(parts: TemplateStringsArray, ...values: unknown[]): VNode;
