// One task: its rollups as figures and charts, what fails and flakes, its runs.
import {Refused, ask, path} from "./api.js";
import {DurationChart, OutcomeChart} from "./charts.js";
import {element, setText, sync} from "./dom.js";
import {showTiles} from "./overview.js";
import {RunList} from "./run_list.js";
import {count, percent, seconds, signed} from "./words.js";

const REST_MILLISECONDS = 2000;

export class TaskView {
  constructor(task) {
    this.task = task;
  }

  trail() {
    return [{name: this.task}];
  }

  show() {
    this.tiles = element("dl", {class: "tiles"});
    this.problem = element("p", {role: "alert"});
    this.durations = new DurationChart();
    this.outcomes = new OutcomeChart();
    this.stages = element("tbody");
    const heads = ["Subtask", "failed", "flaky", "waived"].map((name, place) => element("th", {scope: "col", class: place ? "n" : null}, name));
    this.worst = element("section", {class: "card", hidden: true}, element("h3", {}, "What fails and flakes most, in the newest 50 runs"),
      element("div", {class: "scroll"}, element("table", {class: "worst"}, element("thead", {}, element("tr", {}, ...heads)), this.stages)));
    this.list = new RunList({task: this.task}, () => {});
    return element("div", {}, element("h1", {}, this.task), this.problem, element("section", {class: "card"}, this.tiles),
      element("div", {class: "pair"},
        element("section", {class: "card"}, element("h3", {}, "Duration of the newest runs"), this.durations.node),
        element("section", {class: "card"}, element("h3", {}, "Outcomes"), this.outcomes.node)),
      this.worst, element("h2", {}, "Runs"), this.list.node);
  }

  hear(kind, data) {
    if (kind === "ready") this.#ask();
    if (kind === "tasks" && data.tasks.includes(this.task)) this.#askSoon();
    this.list.hear(kind, data);
  }

  hide() {
    clearTimeout(this.soon);
    this.list.hide();
    this.durations.end();
    this.outcomes.end();
  }

  #askSoon() {
    this.soon ??= setTimeout(() => {
      this.soon = null;
      this.#ask();
    }, REST_MILLISECONDS);
  }

  async #ask() {
    try {
      this.#draw(await ask(`tasks/${path(this.task)}?last=1000`));
    } catch (error) {
      if (error instanceof Refused) setText(this.problem, error.message);
    }
  }

  #draw(task) {
    setText(this.problem, task.problems.join("; "));
    showTiles(this.tiles, [
      ["Succeeded", percent(task.completion_rate)],
      ["Recorded runs", count(task.total_runs)],
      ["Median time", seconds(task.median_seconds)],
      ["95th percentile", seconds(task.p95_seconds)],
      ["Against first run", signed(task.change)],
      ["First run", seconds(task.baseline_seconds)],
    ]);
    this.durations.draw(task.history, task);
    this.outcomes.draw(task.history);
    this.worst.hidden = task.stages.length === 0;
    sync(this.stages, task.stages, {
      key: ({id}) => id,
      create: ({id}) => element("tr", {}, element("th", {scope: "row"}, id), ...["n", "n", "n"].map((name) => element("td", {class: name}))),
      update: (row, stage) => ["failed", "flaky", "waived"].forEach((name, place) => setText(row.children[place + 1], stage[name] ? String(stage[name]) : "–")),
    });
  }
}
