// The table of runs, which overview and task share.
import {path} from "./api.js";
import {showElapsed} from "./clock.js";
import {element, setText, sync} from "./dom.js";
import {isGoingOn, moment, showStatus, spoken, statusNode} from "./words.js";

const ORDER = ["succeeded", "waived", "failed", "rejected", "timed_out", "crashed", "cancelled", "lost", "skipped", "running", "waiting", "not_started"];

export const keyOf = (run) => JSON.stringify([run.task, run.run_id]);
export const addressOf = (run) => `#/run/${path(run.task, run.run_id)}`;
export const newestFirst = (one, other) => order(other) < order(one) ? -1 : 1;
const order = (run) => `${run.started_at ?? ""} ${run.run_id}`;

export class RunTable {
  constructor(caption, {withTask}) {
    this.withTask = withTask;
    this.body = element("tbody");
    const heads = ["Status", "Run", ...(withTask ? ["Task"] : []), "Pipeline", "Subtasks", "Started", "Time"];
    const head = element("tr", {}, ...heads.map((name) => element("th", {scope: "col", class: name === "Time" ? "n" : null}, name)));
    this.node = element("div", {class: "scroll"}, element("table", {class: withTask ? "runs" : "runs alone"}, element("caption", {class: "unseen"}, caption), element("thead", {}, head), this.body));
  }

  update(runs) {
    sync(this.body, runs, {key: keyOf, create: (run) => this.#create(run), update: showRun});
  }

  #create(run) {
    const cells = {
      status: statusNode(), pipeline: element("td", {class: "pipeline"}), bar: stageBar(),
      started: element("td", {class: "w"}), time: element("td", {class: "n"}),
    };
    const link = element("a", {href: addressOf(run), class: "id"}, run.run_id);
    const task = this.withTask ? element("td", {}, element("a", {href: `#/task/${path(run.task)}`}, run.task)) : null;
    const row = element("tr", {}, element("td", {}, cells.status), element("th", {scope: "row"}, link), task, cells.pipeline,
      element("td", {}, cells.bar), cells.started, cells.time);
    row.cells_ = cells;
    return row;
  }
}

function showRun(row, run) {
  const {status, pipeline, bar, started, time} = row.cells_;
  showStatus(status, run.status);
  setText(pipeline, run.pipeline ?? "–");
  showStages(bar, run.stages);
  setText(started, moment(run.started_at));
  showElapsed(time, run, isGoingOn(run.status));
}

// A bar with a part for each word that subtasks have, as wide as there are many.
export function stageBar() {
  return element("span", {class: "stages", role: "img"});
}

export function showStages(bar, stages) {
  const words = ORDER.filter((word) => stages[word]).concat(Object.keys(stages).filter((word) => !ORDER.includes(word)));
  const said = words.map((word) => `${stages[word]} ${spoken(word)}`).join(", ") || "no subtasks";
  if (bar.title === said) return;
  bar.title = said;
  bar.setAttribute("aria-label", said);
  bar.replaceChildren(...words.map((word) => {
    const part = element("span", {class: /^[a-z_]+$/.test(word) ? word : "unknown"});
    part.style.flexGrow = stages[word];
    return part;
  }));
}
