/** What the tests of static/thywill share: a page's configuration, and a site that answers. */
import { createThywill } from "../../../../static/thywill/thywill.js";
import { ThywillError } from "../../../../static/thywill/errors.js";

export const CONFIG = {
  uuid: "u-1",
  bootstrap_resources: [],
  bootstrap_parameters: {
    send_path: "/thywill/send/",
    send_data_type: "json",
    channel_path: "/thywill/channel/",
    csrf_path: "/thywill/csrf/",
    ticket_path: "/thywill/ticket/",
    push_path: "/thywill/push/",
    csrf_token: "csrf",
    client_token: "token",
    push: {
      component: "orbited_stomp",
      orbited_url: "/orbited/",
      transports: ["websocket"],
      ticket: "first-ticket",
      expires_in: 100,
      destination: "/topic/thywill.client.u-1",
      login: "u-1",
      stomp_hostname: "127.0.0.1",
      stomp_port: 61613,
    },
  },
  application_resources: [],
  application_parameters: {},
};

/** Requests of one page, each waiting until the test answers it. */
export class Site {
  requests = [];

  request = (path, body, options) =>
    new Promise((resolve, reject) => {
      this.requests.push({
        path,
        body,
        options,
        answer: (fields) => resolve({ status: "ok", ...fields }),
        refuse: (code, message = code) => reject(new ThywillError(code, message)),
      });
    });

  /** A GET, answered at once; null: nobody answers. */
  reads = [];
  csrfToken = "csrf";
  read = async (path) => {
    this.reads.push(path);
    if (this.csrfToken === null) throw new ThywillError("network", "no answer");
    return { status: "ok", csrf_token: this.csrfToken };
  };

  /** The request that was made last. */
  get last() {
    return this.requests.at(-1);
  }
}

/** A page before its bootstrap, with everything it says in `heard`. */
export function newPage() {
  const site = new Site();
  const thywill = createThywill(site.request, site.read);
  const heard = [];
  thywill.on("state", (state) => heard.push(state));
  thywill.push.onError = (error) => heard.push(error.code ?? error);
  thywill.send.onError = () => {};
  return { site, thywill, heard };
}

/** Let everything happen that waits for nothing but its turn. */
export async function settle() {
  for (let turn = 0; turn < 20; turn += 1) {
    await Promise.resolve();
  }
}
