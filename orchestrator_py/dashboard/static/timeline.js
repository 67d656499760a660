// Subtasks as rows of a table, each with its bar on the time of the run.
import {elapsedSince, showElapsed} from "./clock.js";
import {element, setClass, setText, sync} from "./dom.js";
import {showStatus, statusNode} from "./words.js";

const REST_MILLISECONDS = 500;

export class Timeline {
  constructor(addressOf) {
    this.addressOf = addressOf;
    this.body = element("tbody");
    const heads = ["Subtask", "Status", "When", "Time"].map((name) => element("th", {scope: "col", class: name === "Time" ? "n" : null}, name));
    this.node = element("div", {class: "scroll"}, element("table", {class: "timeline"}, element("thead", {}, element("tr", {}, ...heads)), this.body));
    this.ticks = setInterval(() => this.run && !this.run.terminal && this.#place(), REST_MILLISECONDS);
  }

  end() {
    clearInterval(this.ticks);
  }

  draw(run, chosen) {
    this.run = run;
    this.hasLogs = run.source === "manifest";  // else there is nothing to follow the name to
    sync(this.body, run.subtasks, {
      key: (one) => String(one.number),
      create: (one) => this.#create(one),
      update: (row, one) => {
        setClass(row, one.number === chosen ? "chosen" : "");
        const {link, status, time, note} = row.parts;
        if (one.number === chosen) link.setAttribute("aria-current", "true");
        else link.removeAttribute("aria-current");
        showStatus(status, one.status, [one.waived ? ", waived" : "", one.flaky ? ", flaky" : ""].join(""));
        setText(note, said(one));
        showElapsed(time, one, one.status === "running");
      },
    });
    this.#place();
  }

  #create(one) {
    const parts = {
      link: this.hasLogs ? element("a", {href: this.addressOf(one.number)}, one.id) : element("span", {}, one.id), status: statusNode(), note: element("small"),
      bar: element("span", {class: "span"}), time: element("td", {class: "n"}),
    };
    const row = element("tr", {}, element("th", {scope: "row"}, parts.link, one.title && one.title !== one.id ? element("small", {}, one.title) : null),
      element("td", {}, parts.status, parts.note), element("td", {class: "lane"}, element("span", {class: "track"}, parts.bar)), parts.time);
    row.parts = parts;
    return row;
  }

  // Percent of the time of the run, up to now while it goes on.
  #place() {
    const begin = Date.parse(this.run.started_at ?? "");
    const whole = Math.max(0.001, this.run.terminal ? span(this.run) : elapsedSince(this.run.started_at));
    this.run.subtasks.forEach((one, place) => {
      const bar = this.body.children[place].parts.bar;
      bar.hidden = !one.started_at;
      bar.parentElement.hidden = this.run.source === "history";
      if (bar.hidden) return;
      const from = Math.max(0, (Date.parse(one.started_at) - begin) / 1000);
      const long = one.completed_at ? (Date.parse(one.completed_at) - Date.parse(one.started_at)) / 1000 : Math.max(0, whole - from);
      bar.style.left = `${Math.min(99, 100 * from / whole)}%`;
      bar.style.width = `${Math.min(100 - Math.min(99, 100 * from / whole), Math.max(1, 100 * long / whole))}%`;
      setClass(bar, `span ${one.waived ? "waived" : /^[a-z_]+$/.test(one.status) ? one.status : "unknown"}`);
    });
  }
}

// The last thing that is known to have happened in it.
function span(run) {
  const times = [run.completed_at, run.last_seen_at, ...run.subtasks.flatMap((one) => [one.started_at, one.completed_at])];
  return Math.max(...times.map((time) => Date.parse(time ?? "")).filter((time) => !isNaN(time))) / 1000 - Date.parse(run.started_at ?? "") / 1000;
}

function said(one) {
  const parts = [one.instance_id ?? "", one.worker ? `on ${one.worker}` : "", one.attempt > 1 ? `attempt ${one.attempt}` : "", one.reason ?? (one.exit_code ? `exit code ${one.exit_code}` : "")];
  return parts.filter(Boolean).join(", ");
}
