// Charts by uPlot, in the colours of the style sheet.
import {element} from "./dom.js";
import {seconds, spoken} from "./words.js";

const HEIGHT = 230;
const GOOD = "succeeded";
const BARS = 40;
const BORDERS = ["solid", "dashed", "dotted"];  // in the legend, as the lines themselves
const STEPS = [0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200, 14400, 28800, 86400];

const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
const colourOf = (word) => colour(word) || colour("cancelled");
const axis = (more) => ({stroke: colour("muted"), font: "12px system-ui", grid: {stroke: colour("line"), width: 1}, ticks: {show: false}, ...more});
const day = (text) => text ? text.slice(5, 16).replace("T", " ") : "";

class Chart {
  constructor() {
    this.node = element("div", {class: "chart"});
    this.dark = matchMedia("(prefers-color-scheme: dark)");
    this.redraw = () => this.again?.();
    this.dark.addEventListener("change", this.redraw);
    this.widths = new ResizeObserver(() => this.plot?.setSize({width: this.width(), height: HEIGHT}));
    this.widths.observe(this.node);
  }

  end() {
    this.dark.removeEventListener("change", this.redraw);
    this.widths.disconnect();
    this.plot?.destroy();
  }

  width() {
    return Math.max(200, this.node.clientWidth);
  }

  // What a screen reader hears is the sentence; the legend is for who points at the chart.
  put(said, options, data) {
    this.plot?.destroy();
    this.node.setAttribute("role", "group");
    this.node.setAttribute("aria-label", said);
    this.plot = new uPlot({width: this.width(), height: HEIGHT, padding: [12, 40, 0, 0], cursor: {drag: {x: false, y: false}}, ...options}, data, this.node);
  }
}

export class DurationChart extends Chart {
  draw(history, {median_seconds, p95_seconds, baseline_seconds}) {
    this.again = () => this.draw(history, {median_seconds, p95_seconds, baseline_seconds});
    const words = [GOOD, ...new Set(history.map((run) => run.status).filter((word) => word !== GOOD))];
    const lines = [["median", median_seconds, []], ["95th percentile", p95_seconds, [6, 4]], ["first run", baseline_seconds, [2, 4]]];
    const few = history.length < 120;
    const dots = (word) => ({
      label: spoken(word), stroke: colourOf(word), paths: () => null, value: (_, value) => value == null ? "" : seconds(value),
      points: {show: true, space: 0, size: word === GOOD ? (few ? 6 : 3) : 7, width: 2, fill: word === GOOD ? colourOf(word) : colour("card")},
    });
    const line = ([label, , dash]) => ({
      label, stroke: colour("muted"), width: 1.5, dash, points: {show: false}, value: (_, value) => value == null ? "" : seconds(value),
    });
    const label = (at) => day(history[at - 1]?.started_at);
    this.put(`Duration of ${history.length} runs: median ${seconds(median_seconds)}, 95th percentile ${seconds(p95_seconds)}`, {
      scales: {x: {time: false, range: [0, history.length + 1]}, y: {range: (_, low, high) => [0, (high || 1) * 1.1]}},
      axes: [axis({grid: {show: false}, space: 90, size: 28, values: (_, splits) => splits.map((at) => Number.isInteger(at) ? label(at) : "")}),
        axis({size: 64, incrs: STEPS, values: (_, splits) => splits.map((value) => value === 0 ? "0" : seconds(value))})],
      legend: {markers: {dash: (_, place) => BORDERS[place - 1 - words.length] ?? "solid"}},
      series: [{label: "\u00a0", value: (_, at) => at == null ? "" : label(at)}, ...words.map(dots), ...lines.map(line)],
    }, [history.map((_, place) => place + 1), ...words.map((word) => history.map((run) => run.status === word ? run.elapsed_seconds : null)),
      ...lines.map(([, value]) => history.map(() => value))]);
  }
}

// Runs in groups of equal size, the oldest first; each bar shows how many had which outcome, success at the bottom.
export class OutcomeChart extends Chart {
  draw(history) {
    this.again = () => this.draw(history);
    const size = Math.max(1, Math.ceil(history.length / BARS));
    const groups = Array.from({length: Math.ceil(history.length / size)}, (_, place) => history.slice(place * size, (place + 1) * size));
    const words = [GOOD, ...new Set(history.map((run) => run.status).filter((word) => word !== GOOD))];
    const counts = words.map((word) => groups.map((group) => group.filter((run) => run.status === word).length));
    const below = groups.map(() => 0);
    const tops = counts.map((row) => row.map((number, place) => below[place] += number));
    const bars = (word, place) => ({
      label: spoken(word), fill: colourOf(word), stroke: colour("card"), width: 1, points: {show: false},
      paths: uPlot.paths.bars({size: [0.85, 36]}), value: (_, __, ___, at) => at == null ? "" : counts[place][at],
    });
    const good = counts[0].reduce((sum, number) => sum + number, 0);
    this.put(`Outcomes: ${good} of ${history.length} runs succeeded`, {
      scales: {x: {time: false, range: [0.4, Math.max(groups.length, 8) + 0.6]}, y: {range: [0, size]}},
      axes: [axis({grid: {show: false}, space: 90, size: 28, values: (_, splits) => splits.map((at) => Number.isInteger(at) ? day(groups[at - 1]?.[0].started_at) : "")}),
        axis({size: 40, incrs: [1, 2, 5, 10, 20, 50]})],
      series: [{label: "\u00a0", value: (_, at) => at == null ? "" : `${size > 1 ? `${size} runs from ` : ""}${day(groups[at - 1]?.[0].started_at)}`}, ...words.map(bars).reverse()],
    }, [groups.map((_, place) => place + 1), ...tops.reverse()]);
  }
}
