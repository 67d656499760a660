// Everything at a glance: what runs now, the tasks, the newest runs.
import {ask, path} from "./api.js";
import {showElapsed} from "./clock.js";
import {element, setText, sync} from "./dom.js";
import {RunList} from "./run_list.js";
import {addressOf, keyOf, showStages, stageBar} from "./table.js";
import {count, percent, seconds, showStatus, spoken, statusNode} from "./words.js";

const REST_MILLISECONDS = 1000;

export class Overview {
  trail() {
    return [];
  }

  show() {
    this.tiles = element("dl", {class: "tiles"});
    this.live = element("ul", {class: "live"});
    this.quiet = element("p", {class: "note"}, "Nothing runs at the moment.");
    this.tasks = element("ul", {class: "tasks"});
    this.problems = element("ul", {class: "problems", "aria-label": "What could not be read"});
    this.empty = emptyNote();
    this.list = new RunList({}, () => this.#drawLive());
    this.rest = element("div", {hidden: true},
      element("section", {class: "card"}, this.tiles),
      element("h2", {}, "Running now"), this.quiet, this.live,
      element("h2", {}, "Tasks"), this.tasks,
      element("h2", {}, "Newest runs"), this.list.node);
    return element("div", {}, element("h1", {class: "unseen"}, "Runs"), this.problems, this.empty, this.rest);
  }

  hear(kind, data) {
    if (kind === "ready") this.#ask();
    if (kind === "tasks") this.#askSoon();
    this.list.hear(kind, data);
  }

  hide() {
    clearTimeout(this.soon);
    this.list.hide();
  }

  #askSoon() {
    this.soon ??= setTimeout(() => {
      this.soon = null;
      this.#ask();
    }, REST_MILLISECONDS);
  }

  async #ask() {
    const answer = await ask("tasks").catch(() => null);
    if (!answer) return;
    this.empty.hidden = answer.tasks.length > 0;
    this.rest.hidden = answer.tasks.length === 0;
    this.totals = answer.tasks;
    sync(this.problems, answer.problems, {key: (text) => text, create: (text) => element("li", {}, text), update: () => {}});
    sync(this.tasks, answer.tasks, {key: ({task}) => task, create: createTask, update: showTask});
    this.#drawTiles();
  }

  #drawLive() {
    const running = this.list.goingOn();
    this.quiet.hidden = running.length > 0;
    sync(this.live, running, {key: keyOf, create: createLive, update: showLive});
    this.#drawTiles();
  }

  #drawTiles() {
    const sum = (key) => (this.totals ?? []).reduce((total, task) => total + (task[key] ?? 0), 0);
    const runs = sum("total_runs");
    showTiles(this.tiles, [
      ["Running now", count(this.list.goingOn().length)],
      ["Recorded runs", count(runs)],
      ["Succeeded", runs ? percent(sum("succeeded_runs") / runs) : "–"],
      ["Tasks", count((this.totals ?? []).length)],
    ]);
  }
}

export function showTiles(tiles, values) {
  sync(tiles, values, {
    key: ([name]) => name,
    create: ([name]) => element("div", {}, element("dt", {}, name), element("dd")),
    update: (node, [, value, note]) => {
      setText(node.lastChild, value);
      if (note) node.lastChild.append(element("small", {}, note));
    },
  });
}

function emptyNote() {
  return element("section", {class: "empty", hidden: true},
    element("h2", {}, "No runs yet"),
    element("p", {}, "Start one, and watch it here:"),
    element("pre", {}, element("code", {}, "orchestrator-py run")),
    element("p", {class: "note"}, "This page shows runs as soon as they begin, whoever starts them."));
}

function createLive(run) {
  const parts = {status: statusNode(), time: element("span", {class: "clock"}), bar: stageBar(), said: element("span", {class: "note"})};
  const name = element("a", {href: addressOf(run)}, run.title ?? run.pipeline ?? run.run_id);
  const node = element("li", {class: "card"}, element("div", {class: "row"}, parts.status, parts.time), element("h3", {}, name), parts.bar,
    element("div", {class: "row"}, parts.said, element("a", {href: `#/task/${path(run.task)}`}, run.task)), element("span", {class: "id"}, run.run_id));
  node.parts = parts;
  return node;
}

function showLive(node, run) {
  const {status, time, bar, said} = node.parts;
  showStatus(status, run.status);
  showElapsed(time, run, true);
  showStages(bar, run.stages);
  const all = Object.values(run.stages).reduce((sum, number) => sum + number, 0);
  const open = (run.stages.running ?? 0) + (run.stages.waiting ?? 0);
  setText(said, `${all - open} of ${all} subtasks ended`);
}

function createTask({task}) {
  const parts = {rate: element("span", {class: "rate"}), said: element("span", {class: "note"}), strip: element("span", {class: "strip", role: "img"})};
  const node = element("li", {class: "card"}, element("h3", {}, element("a", {href: `#/task/${path(task)}`}, task)),
    element("div", {class: "row"}, parts.rate, parts.said), parts.strip);
  node.parts = parts;
  return node;
}

function showTask(node, {completion_rate, total_runs, running, recent}) {
  const {rate, said, strip} = node.parts;
  setText(rate, percent(completion_rate));
  setText(said, `${count(total_runs ?? 0)} runs${running ? `, ${running} running` : ""}`);
  const longest = Math.max(...recent.map((run) => run.elapsed_seconds ?? 0), 0.001);
  strip.setAttribute("aria-label", `Newest runs, the oldest first: ${recent.map((run) => spoken(run.status)).join(", ") || "none"}`);
  sync(strip, recent, {
    key: ({run_id}) => run_id,
    create: () => element("span"),
    update: (bar, run) => {
      bar.className = run.status;
      bar.title = `${spoken(run.status)}, ${seconds(run.elapsed_seconds)}`;
      bar.style.height = `${Math.max(16, 100 * (run.elapsed_seconds ?? longest) / longest)}%`;
    },
  });
}
