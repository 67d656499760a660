// The JSON API, and the stream of changes. Addresses are relative: the page works under any prefix.

export class Refused extends Error {}

export const path = (...parts) => parts.map(encodeURIComponent).join("/");

export async function ask(address) {
  const answer = await fetch(`api/${address}`, {headers: {accept: "application/json"}, cache: "no-store"});
  if (answer.status === 401) location.reload();  // the token is asked for again
  const data = await answer.json();
  if (!answer.ok) throw new Refused(data.error ?? `status ${answer.status}`);
  return data;
}

const EVENTS = ["ready", "runs", "gone", "tasks", "run", "log"];
const RETRY_MILLISECONDS = 1000;

// One stream at a time. It comes back by itself; after each `ready` whoever listens asks anew where things stand.
export class Stream {
  constructor(hear, show) {
    this.hear = hear;
    this.show = show;
    this.address = null;
  }

  open(follow = {}) {
    this.address = `api/events?${new URLSearchParams(follow)}`;
    this.#connect();
  }

  #connect() {
    this.source?.close();
    clearTimeout(this.again);
    const source = this.source = new EventSource(this.address);
    for (const kind of EVENTS) {
      source.addEventListener(kind, (event) => {
        if (source !== this.source) return;
        if (kind === "ready") this.show("live");
        this.hear(kind, JSON.parse(event.data));
      });
    }
    source.addEventListener("error", () => {
      if (source !== this.source) return;
      this.show("reconnecting");
      if (source.readyState === EventSource.CLOSED) this.again = setTimeout(() => this.#connect(), RETRY_MILLISECONDS);
    });
  }
}
