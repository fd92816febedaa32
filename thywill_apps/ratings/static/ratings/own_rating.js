/**
 * The rating that this page gives: kept here, told to the model, and told again whenever the model
 * has been away. The last wish counts: while one is on its way, only the newest of the others waits.
 */

const KEY = "thywill.ratings";
const RETRY_MS = 1000;

export class OwnRating {
  /** @type {number | null} */
  value = null;

  /** The uuid of this tab before it was loaded again, or null. @type {string | null} */
  before = null;

  #uuid;
  #tell;
  #storage;
  /** @type {number | null | undefined} */
  #told = undefined;
  #isTelling = false;

  /**
   * @param {string} uuid of this page
   * @param {(value: number | null) => Promise<unknown>} tell
   * @param {Pick<Storage, "getItem" | "setItem">} storage of this tab
   * @param {boolean} isReload whether the tab has shown this page before
   */
  constructor(uuid, tell, storage, isReload) {
    this.#uuid = uuid;
    this.#tell = tell;
    this.#storage = storage;
    if (isReload) {
      const kept = JSON.parse(storage.getItem(KEY) ?? "null");
      this.value = kept?.value ?? null;
      this.before = kept?.uuid ?? null;
    }
    this.#keep();
  }

  /** @param {number | null} value null takes it back */
  set(value) {
    this.value = value;
    this.#keep();
  }

  /** The model has it, by other means. */
  isTold() {
    this.#told = this.value;
  }

  /** The model may not have it any more. */
  forget() {
    this.#told = undefined;
  }

  /** Tell the model, until it has the last wish or does not answer. */
  async tell() {
    if (this.#isTelling) return;
    this.#isTelling = true;
    try {
      while (this.#told !== this.value) {
        const value = this.value;
        try {
          await this.#tell(value);
          this.#told = value;
        } catch (/** @type {any} */ error) {
          if (error.code !== "too-many-requests") throw error;
          await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
        }
      }
    } finally {
      this.#isTelling = false;
    }
  }

  #keep() {
    this.#storage.setItem(KEY, JSON.stringify({ uuid: this.#uuid, value: this.value }));
  }
}
