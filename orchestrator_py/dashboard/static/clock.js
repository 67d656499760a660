// What goes on gets its seconds anew, by the clock of the server.
import {setText} from "./dom.js";
import {seconds} from "./words.js";

let ahead = 0;
const ticking = new Set();

export function setClock(now) {
  const server = Date.parse(now);
  if (!isNaN(server)) ahead = server - Date.now();
}

export const elapsedSince = (started) => Math.max(0, Date.now() + ahead - Date.parse(started)) / 1000;

// Shows seconds: those of the record once it has ended, until then those up to now.
export function showElapsed(node, {started_at, elapsed_seconds}, goesOn) {
  node.started = goesOn && !isNaN(Date.parse(started_at ?? "")) ? started_at : null;
  if (node.started) ticking.add(node);
  else ticking.delete(node);
  setText(node, seconds(node.started ? elapsedSince(node.started) : elapsed_seconds));
}

setInterval(() => {
  for (const node of ticking) {
    if (node.isConnected) setText(node, seconds(elapsedSince(node.started)));
    else ticking.delete(node);
  }
}, 250);
