/** Every transport there is. A page names those it wants in `Orbited.settings.transports`. */
import type { Platform } from "../browser.js";
import type { Settings } from "../settings.js";
import type { Transport } from "./base.js";
/**
 * @import { Platform } from "../browser.js"
 * @import { Settings } from "../settings.js"
 * @import { Transport } from "./base.js"
 */
/** @type {ReadonlyMap<string, typeof Transport>} */
export declare const TRANSPORTS: ReadonlyMap<string, typeof Transport>;
/**
 * The transports of the settings that this browser can use.
 *
 * @param {Settings} settings
 * @param {Platform} platform
 * @returns {string[]}
 * @throws {Error} there is none
 */
export declare function usableTransports(settings: Settings, platform: Platform): string[];
