// One run: where it stands, its subtasks in time, its instances, what a subtask prints.
import {Refused, ask, path} from "./api.js";
import {showElapsed} from "./clock.js";
import {element, setText, sync} from "./dom.js";
import {LogPane} from "./log.js";
import {addressOf} from "./table.js";
import {Timeline} from "./timeline.js";
import {isGoingOn, moment, showStatus, statusNode} from "./words.js";

export class RunView {
  constructor(task, run, stage) {
    Object.assign(this, {task, run, stage, chosen: stage !== null});
  }

  isSame(other) {
    return this.task === other.task && this.run === other.run;
  }

  trail() {
    return [{name: this.task, address: `#/task/${path(this.task)}`}, {name: this.run}];
  }

  follow() {
    return {task: this.task, run: this.run, ...(this.stage ? {stage: this.stage} : {})};
  }

  show() {
    this.status = statusNode();
    this.clock = element("span", {class: "clock"});
    this.heading = element("h1", {}, this.run);
    this.facts = element("p", {class: "note"});
    this.said = element("p", {class: "said"});
    this.problem = element("p", {role: "alert"});
    this.timeline = new Timeline((number) => `${addressOf({task: this.task, run_id: this.run})}/${number}`);
    this.instances = element("tbody");
    this.children = element("ul", {class: "children"});
    this.family = element("div", {hidden: true}, element("h2", {}, "Child runs"), this.children);
    this.log = new LogPane();
    const heads = ["Instance", "Status", "Capability", "Assigned", "Started", "Completed", "Attempts", "Recoveries"];
    const table = element("table", {class: "instances"}, element("thead", {}, element("tr", {}, ...heads.map((name) => element("th", {scope: "col"}, name)))), this.instances);
    this.rest = element("div", {hidden: true},
      element("h2", {}, "Subtasks"), element("section", {class: "card"}, this.timeline.node),
      element("h2", {}, "Scheduler assignments"), element("section", {class: "card instances-box", tabindex: "0", "aria-label": "Scheduler assignments"}, table),
      this.log.node, this.family);
    return element("div", {class: "run-page"}, element("div", {class: "verdict"}, this.status, this.clock), this.heading, this.facts, this.said, this.problem, this.rest);
  }

  choose(stage) {
    this.stage = stage;
    this.chosen = stage !== null;
    this.log.clear();
    if (this.detail) this.#draw(this.detail);
  }

  hear(kind, data) {
    if (kind === "ready") this.#ask();
    if (kind === "run" && data.run_id === this.run) this.#draw(data);
    if (kind === "log") this.log.put(data);
  }

  hide() {
    this.timeline.end();
  }

  async #ask() {
    try {
      this.#draw(await ask(`runs/${path(this.task, this.run)}`));
      setText(this.problem, "");
    } catch (error) {
      if (error instanceof Refused) setText(this.problem, error.message);
    }
  }

  #draw(run) {
    this.detail = run;
    this.rest.hidden = false;
    showStatus(this.status, run.status, run.status === "lost" ? ": its process is gone, how it ended is not known" : "");
    showElapsed(this.clock, run, isGoingOn(run.status));
    setText(this.heading, run.title ?? run.pipeline ?? run.run_id);
    const facts = [run.pipeline, `started ${moment(run.started_at)}`, run.completed_at ? `ended ${moment(run.completed_at)}` : null, run.detail, run.run_id];
    setText(this.facts, facts.filter(Boolean).join(" · "));
    setText(this.said, run.summary ?? "");
    this.timeline.draw(run, this.stage);
    this.#drawInstances(run.assignments);
    this.family.hidden = run.child_runs.length === 0;
    sync(this.children, run.child_runs, {
      key: (child) => child.run_id,
      create: (child) => element("li", {}, statusNode(), " ", element("a", {href: addressOf({task: this.task, run_id: child.run_id})}, child.pipeline ?? child.run_id)),
      update: (node, child) => showStatus(node.firstChild, child.status),
    });
    this.log.name(run.subtasks[(this.stage ?? 0) - 1] ?? null);
    if (!this.stage) this.#chooseStage(run.subtasks);
  }

  // What runs, else what went wrong, else the first that did anything: so that there is something to read.
  #chooseStage(subtasks) {
    const found = subtasks.find((one) => one.status === "running") ??
      subtasks.find((one) => one.started_at && !["succeeded", "running"].includes(one.status)) ?? subtasks.find((one) => one.started_at);
    if (found) location.replace(`${addressOf({task: this.task, run_id: this.run})}/${found.number}`);
  }

  #drawInstances(assignments) {
    sync(this.instances, assignments, {
      key: (one) => one.instance_id,
      create: (one) => element("tr", {}, element("th", {scope: "row", class: "id"}, one.instance_id), element("td", {}, statusNode()),
        ...Array.from({length: 6}, () => element("td"))),
      update: (row, one) => {
        showStatus(row.children[1].firstChild, one.status);
        const values = [one.capability ?? "–", moment(one.assigned_at), moment(one.started_at), moment(one.completed_at), String(one.attempts), String(one.recoveries)];
        values.forEach((value, place) => setText(row.children[place + 2], value));
      },
    });
  }
}
