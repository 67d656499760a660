// How words, times and numbers of the record are shown.
import {element, setClass, setText} from "./dom.js";

const SPOKEN = {in_progress: "running", not_started: "never started", nothing_ran: "nothing ran"};
const GOING_ON = new Set(["queued", "running", "in_progress", "assigned", "waiting", "pending"]);

export const spoken = (word) => SPOKEN[word] ?? word.replaceAll("_", " ");
export const isGoingOn = (word) => GOING_ON.has(word);

// A class may only ever be one of our words.
const known = (word) => /^[a-z_]{1,20}$/.test(word) ? word : "unknown";

export function statusNode() {
  return element("span", {class: "word"});
}

export function showStatus(node, word, more = "") {
  setClass(node, `word ${known(word)}`);
  setText(node, spoken(word) + more);
}

export function seconds(value) {
  if (value == null) return "–";
  if (value < 60) return `${value.toFixed(1)} s`;
  const whole = Math.floor(value);
  const [days, hours, minutes] = [Math.floor(whole / 86400), Math.floor(whole / 3600) % 24, Math.floor(whole / 60) % 60];
  if (days) return `${days} d ${hours} h`;
  return hours ? `${hours} h ${String(minutes).padStart(2, "0")} m` : `${minutes} m ${String(whole % 60).padStart(2, "0")} s`;
}

export function moment(text) {
  const at = new Date(text ?? NaN);
  if (isNaN(at)) return "–";
  const today = new Date().toDateString() === at.toDateString();
  const time = at.toLocaleTimeString([], {hour: "2-digit", minute: "2-digit", second: "2-digit", hour12: false});
  return today ? time : `${at.toLocaleDateString([], {month: "short", day: "numeric"})} ${time.slice(0, 5)}`;
}

export const percent = (rate) => rate == null ? "–" : `${(Math.floor(rate * 1000 + 1e-9) / 10).toFixed(rate === 1 || rate === 0 ? 0 : 1)} %`;
export const count = (number) => number == null ? "–" : number.toLocaleString("en");
export const signed = (change) => change == null ? "–" : `${change >= 0 ? "+" : "−"}${Math.abs(change * 100).toFixed(0)} %`;

// Colours of a terminal mean nothing here.
export const plain = (text) => text.replace(/\x1b(\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(\x07|\x1b\\)|[@-Z\\-_])/g, "").replace(/\r\n/g, "\n");
