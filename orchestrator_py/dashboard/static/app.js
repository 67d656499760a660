// Which view is shown, and what it is told. A view has `show()`, `hear(kind, data)` and perhaps `hide()`.
import {Stream} from "./api.js";
import {setClock} from "./clock.js";
import {element, setClass, setText} from "./dom.js";
import {Overview} from "./overview.js";
import {RunView} from "./run.js";
import {TaskView} from "./task.js";
import {spoken} from "./words.js";

const main = document.getElementById("main");
const connection = document.getElementById("connection");
let view = null;

const stream = new Stream(hear, (state) => {
  setText(connection, state);
  setClass(connection, `connection ${state === "live" ? "connected" : state}`);
});

function hear(kind, data) {
  if (data.now) setClock(data.now);
  if (kind === "runs") data.runs.filter((run) => run.terminal).forEach(announce);
  view.hear(kind, data);
}

function announce(run) {
  setText(document.getElementById("news"), `Run ${run.run_id} of ${run.task}: ${spoken(run.status)}`);
}

function parts() {
  try {
    return location.hash.replace(/^#\/?/, "").split("/").filter(Boolean).map(decodeURIComponent);
  } catch {
    return [];  // an address that somebody has mistyped
  }
}

function navigate() {
  const [kind, task, run, stage] = parts();
  const wanted = kind === "run" && run ? new RunView(task, run, Number(stage) || null) : kind === "task" && task ? new TaskView(task) : new Overview();
  if (view instanceof RunView && wanted instanceof RunView && view.isSame(wanted)) {
    view.choose(wanted.stage);
    return;
  }
  const first = view === null;
  view?.hide?.();
  view = wanted;
  view.reopen = () => stream.open(wanted.follow?.());
  showTrail(wanted.trail());
  main.replaceChildren(wanted.show());
  view.reopen();
  if (!first) main.focus({preventScroll: true});
  scrollTo(0, 0);
}

function showTrail(names) {
  document.title = [...names.map(({name}) => name).reverse(), "orchestrator-py"].join(" · ");
  const last = names.length - 1;
  document.getElementById("trail").replaceChildren(...names.map(({name, address}, place) =>
    element("li", {}, place === last ? element("span", {"aria-current": "page"}, name) : element("a", {href: address}, name))));
}

addEventListener("hashchange", () => location.hash === "#main" || navigate());
document.querySelector(".skip").addEventListener("click", (event) => {
  event.preventDefault();
  main.focus();
});
navigate();
