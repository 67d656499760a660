// One run: where it stands, its subtasks in time, its instances, what a subtask prints.
import {Refused, ask, path} from "./api.js";
import {showElapsed} from "./clock.js";
import {element, setText, sync} from "./dom.js";
import {LogPane} from "./log.js";
import {addressOf} from "./table.js";
import {Timeline} from "./timeline.js";
import {count, isGoingOn, moment, showStatus, spoken, statusNode} from "./words.js";

// `stage` is the subtask whose output is shown: the one that somebody has `chosen`, else the one that runs, and then the next.
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
    this.untold = element("section", {class: "card note", hidden: true});
    this.more = element("p", {class: "note", hidden: true});
    this.subtasks = element("section", {class: "card"}, this.timeline.node, this.more);
    this.instances = element("tbody");
    this.children = element("ul", {class: "children"});
    this.family = element("div", {hidden: true}, element("h2", {}, "Child runs"), this.children);
    this.log = new LogPane(addressOf({task: this.task, run_id: this.run}));
    const heads = ["Instance", "Status", "Capability", "Assigned", "Started", "Completed", "Attempts", "Recoveries"];
    const table = element("table", {class: "instances"}, element("thead", {}, element("tr", {}, ...heads.map((name) => element("th", {scope: "col"}, name)))), this.instances);
    this.rest = element("div", {hidden: true},
      element("h2", {}, "Subtasks"), this.untold, this.subtasks,
      element("h2", {}, "Scheduler assignments"), element("section", {class: "card instances-box", tabindex: "0", "aria-label": "Scheduler assignments"}, table),
      this.log.node, this.family);
    return element("div", {class: "run-page"}, element("div", {class: "verdict"}, this.status, this.clock), this.heading, this.facts, this.said, this.problem, this.rest);
  }

  choose(stage) {
    this.chosen = stage !== null;
    if (this.chosen) this.#turnTo(stage);
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
    this.title = run.title ?? this.title;  // the history does not know it any more
    setText(this.heading, this.title ?? run.pipeline ?? run.run_id);
    const facts = [run.pipeline, `started ${moment(run.started_at)}`, run.completed_at ? `ended ${moment(run.completed_at)}` : null, run.detail, run.run_id];
    setText(this.facts, facts.filter(Boolean).join(" · "));
    setText(this.said, run.summary ?? "");
    const hasLogs = run.source === "manifest";
    if (!this.chosen && hasLogs) this.#turnTo(nextStage(run, this.stage));
    this.timeline.draw(run, hasLogs ? this.stage : null);
    this.#drawMore(run);
    this.#drawInstances(run.assignments);
    this.family.hidden = run.child_runs.length === 0;
    sync(this.children, run.child_runs, {
      key: (child) => child.run_id,
      create: (child) => element("li", {}, statusNode(), " ", element("a", {href: addressOf({task: this.task, run_id: child.run_id})}, child.pipeline ?? child.run_id)),
      update: (node, child) => showStatus(node.firstChild, child.status),
    });
    this.log.node.hidden = !hasLogs;
    this.log.name(run.subtasks[(this.stage ?? 0) - 1] ?? null, this.chosen && isGoingOn(run.status));
  }

  // The stream is opened anew: it begins with the end of what that subtask has printed.
  #turnTo(stage) {
    if (stage === this.stage) return;
    this.stage = stage;
    this.log.clear();
    this.reopen();
  }

  // Of a run in flight with many subtasks only some are told one by one, of one that is on record all of it has no times.
  #drawMore({source, stages, subtasks}) {
    this.untold.hidden = subtasks.length > 0;
    this.subtasks.hidden = subtasks.length === 0;
    setText(this.untold, `${counted(stages)}. They are not on record one by one: the run went on inside another program, or its folder was removed.`);
    const left = Object.values(stages).reduce((sum, number) => sum + number, 0) - subtasks.length;
    this.more.hidden = left <= 0 && source !== "history";
    setText(this.more, left <= 0 ? "When each of them ran is not on record." : `${count(left)} more subtasks are only counted: ${counted(stages)} in all.`);
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

const counted = (stages) => Object.entries(stages).map(([word, number]) => `${count(number)} ${spoken(word)}`).join(", ") || "No subtasks";

// The subtask that runs, or is still being read; once all is over what went wrong, so that there is something to read.
function nextStage(run, now) {
  const current = run.subtasks[(now ?? 0) - 1];
  const running = run.subtasks.find((one) => one.status === "running");
  if (current?.status === "running") return now;
  if (running) return running.number;
  const wrong = (one) => one.started_at && one.status !== "succeeded";
  if (current && (!run.terminal || wrong(current))) return now;
  return (run.subtasks.find(wrong) ?? current ?? run.subtasks.find((one) => one.started_at))?.number ?? null;
}
