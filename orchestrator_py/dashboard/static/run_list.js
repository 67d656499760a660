// The newest runs, kept up to date by the stream: a table with a filter, and older ones when they are asked for.
import {ask} from "./api.js";
import {element, setText} from "./dom.js";
import {RunTable, keyOf, newestFirst} from "./table.js";
import {count, isGoingOn, spoken} from "./words.js";

const STEP = 50;
const REST_MILLISECONDS = 100;
const WORDS = ["running", "lost", "succeeded", "failed", "rejected", "timed_out", "crashed", "error", "cancelled", "nothing_ran"];

export class RunList {
  constructor(scope, changed) {
    this.scope = scope;
    this.changed = changed;
    this.limit = STEP;
    this.runs = new Map();
    this.table = new RunTable("Runs, the newest first", {withTask: !scope.task});
    const options = WORDS.map((word) => element("option", {value: word}, spoken(word)));
    this.filter = element("select", {id: "filter"}, element("option", {value: ""}, "all"), ...options);
    this.filter.addEventListener("change", () => {
      this.limit = STEP;
      this.#ask();
    });
    this.more = element("button", {type: "button", hidden: true}, "Show older runs");
    this.more.addEventListener("click", () => {
      this.limit += 2 * STEP;
      this.#ask();
    });
    this.said = element("span", {class: "note"});
    const tools = element("div", {class: "tools"}, element("label", {for: "filter"}, "Status"), this.filter, this.said);
    this.node = element("section", {class: "card"}, tools, this.table.node, this.more);
  }

  hear(kind, data) {
    if (kind === "ready") this.#ask();
    if (kind === "runs") {
      data.runs.filter((run) => !this.scope.task || run.task === this.scope.task).forEach((run) => this.#put(run));
      this.#drawSoon();
    }
    if (kind === "gone") {
      data.runs.forEach((run) => this.runs.delete(keyOf(run)));
      this.#drawSoon();
    }
  }

  hide() {
    clearTimeout(this.soon);
  }

  goingOn() {
    return [...this.runs.values()].filter((run) => isGoingOn(run.status)).sort(newestFirst);
  }

  // What the stream tells while we ask is newer than the answer.
  async #ask() {
    const turn = this.turn = (this.turn ?? 0) + 1;
    const told = this.told = new Map();
    const query = (more) => `runs?${new URLSearchParams({...this.scope, ...more})}`;
    const chosen = {limit: Math.min(1000, this.limit), ...(this.filter.value ? {status: this.filter.value} : {})};
    const answers = await Promise.all([ask(query(chosen)), ask(query({status: "running", limit: 1000}))]).catch(() => null);
    if (!answers || turn !== this.turn) return;
    this.total = answers[0].total;
    this.older = answers[0].older ? " or more" : "";
    this.runs = new Map([...answers.flatMap(({runs}) => runs).map((run) => [keyOf(run), run]), ...told]);
    this.full = answers[0].runs.length >= this.limit;
    this.#draw();
  }

  #put(run) {
    this.runs.set(keyOf(run), run);
    this.told?.set(keyOf(run), run);
  }

  #drawSoon() {
    this.soon ??= setTimeout(() => {
      this.soon = null;
      this.#draw();
    }, REST_MILLISECONDS);
  }

  #draw() {
    const wanted = this.filter.value;
    const shown = [...this.runs.values()].filter((run) => !wanted || run.status === wanted).sort(newestFirst).slice(0, this.limit);
    this.table.update(shown);
    const total = `${count(Math.max(this.total ?? 0, this.runs.size))}${this.older ?? ""}`;
    setText(this.said, shown.length ? `${count(shown.length)} shown, ${total} on record` : "none");
    this.more.hidden = !this.full || this.limit >= 1000;
    this.changed();
  }
}
