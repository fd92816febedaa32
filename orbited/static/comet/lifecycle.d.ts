/**
 * What happens to the page, told to its sessions: the network comes back, the tab is looked at
 * again, the page goes away or is taken out of the back-forward cache.
 *
 * @typedef {object} Resident
 * @property {() => void} wake the network may have changed: connect at once
 * @property {() => void} look somebody is looking: make sure that the connection lives
 * @property {() => void} rest the page is put aside, and may come back
 * @property {() => void} leave the page is going
 */
export type Resident = {
    /**
     * the network may have changed: connect at once
     */
    wake: () => void;
    /**
     * somebody is looking: make sure that the connection lives
     */
    look: () => void;
    /**
     * the page is put aside, and may come back
     */
    rest: () => void;
    /**
     * the page is going
     */
    leave: () => void;
};
/** @param {Resident} resident */
export declare function add(resident: Resident): void;
/** @param {Resident} resident */
export declare function remove(resident: Resident): void;
