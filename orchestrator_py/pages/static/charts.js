// The charts, drawn by uPlot from numbers alone. Colours are those of the style sheet, and follow it when they change.
const Charts = (() => {
  const HEIGHT = 240;
  const drawn = [];

  const colour = (word) => getComputedStyle(document.documentElement).getPropertyValue("--" + word).trim();
  const SHARED = {lost: "cancelled", unknown: "cancelled", nothing_ran: "waiting"};
  const colourOf = (word) => colour(SHARED[word] ?? word);
  const spoken = (word) => word.replace("_", " ");

  function seconds(value) {
    if (value == null) return "–";
    if (value < 60) return value.toFixed(1) + " s";
    const whole = Math.round(value), hours = Math.floor(whole / 3600), minutes = Math.floor(whole / 60) % 60;
    return hours ? hours + " h " + String(minutes).padStart(2, "0") + " m" : minutes + " m " + String(whole % 60).padStart(2, "0") + " s";
  }

  const moment = (value) => value == null ? "–" : new Date(value * 1000).toISOString().slice(0, 16).replace("T", " ");
  const SOME = [1, 2, 5].flatMap((digit) => [1, 10, 100, 1000].map((power) => digit * power)).sort((one, other) => one - other);

  // What stands below the axis: days, or times of day if everything happened within two of them.
  function labels(times) {
    const known = times.filter((time) => time != null);
    const length = known[known.length - 1] - known[0];
    const [from, to] = length < 600 ? [11, 19] : length < 172800 ? [11, 16] : [0, 10];
    return (_, splits) => splits.map((at) => times[at - 1] == null ? "" : new Date(times[at - 1] * 1000).toISOString().slice(from, to));
  }

  const axis = (more) => ({
    stroke: colour("muted"), font: "12px system-ui, sans-serif", grid: {stroke: colour("line"), width: 1}, ticks: {stroke: colour("line"), width: 1}, ...more,
  });

  // Draws now, again in other colours when those of the page change, and in another width when there is another one.
  function keep(element, create) {
    let plot = null;
    const width = () => Math.max(200, element.clientWidth);
    const draw = () => {
      if (plot) plot.destroy();
      plot = create(width());
    };
    draw();
    new ResizeObserver(() => plot.width !== width() && plot.setSize({width: width(), height: HEIGHT})).observe(element);
    drawn.push(draw);
  }

  // times: seconds since 1970 of each run, or null; groups: [{name, word, values}] of which one holds each run; lines: [{name, word, dash, values}].
  function durations(element, {times, groups, lines}) {
    const label = (at) => times[Math.round(at) - 1];
    const small = times.length > 1000 ? 0.5 : 1;
    const dots = ({name, word, values}) => ({
      label: name, stroke: colourOf(word), paths: () => null, value: (_, value) => seconds(value),
      points: {show: true, space: 0, size: small * (word === "succeeded" ? 4 : 8), width: word === "succeeded" ? 1 : 2 * small, fill: word === "succeeded" ? colourOf(word) : colour("card")},
    });
    const line = ({name, word, dash}) => ({
      label: name, stroke: colourOf(word), width: 2, dash: dash, points: {show: false}, spanGaps: true, value: (_, value) => seconds(value),
    });
    keep(element, (width) => new uPlot({
      width, height: HEIGHT, padding: [null, 36, null, null],
      scales: {x: {time: false}, y: {range: (_, low, high) => [0, (high || 1) * 1.05]}},
      axes: [
        axis({values: labels(times), incrs: SOME, space: 80}),
        axis({size: 76, values: (_, splits) => splits.map(seconds)}),
      ],
      series: [{label: "Run", value: (_, at) => at == null ? "–" : at + ", " + moment(label(at))}, ...groups.map(dots), ...lines.map(line)],
    }, [times.map((_, place) => place + 1), ...groups.map((one) => one.values), ...lines.map((one) => one.values)], element));
  }

  // starts: seconds since 1970 at which each period begins, or null; counts: {word: [runs in each period]}, drawn in this order.
  function outcomes(element, {starts, counts}) {
    const words = Object.keys(counts);
    const below = starts.map(() => 0);
    const tops = words.map((word) => counts[word].map((count, place) => below[place] += count));
    const series = words.map((word) => ({
      label: spoken(word), stroke: colour("card"), fill: colourOf(word), width: 1, points: {show: false},
      paths: uPlot.paths.bars({size: [0.9, 40]}), value: (_, __, ___, place) => place == null ? "–" : counts[word][place],
    }));
    keep(element, (width) => new uPlot({
      width, height: HEIGHT, padding: [null, 36, null, null],
      scales: {x: {time: false, range: [0.4, starts.length + 0.6]}, y: {range: (_, low, high) => [0, Math.max(1, high)]}},
      axes: [
        axis({values: labels(starts), incrs: SOME, space: 80, grid: {show: false}}),
        axis({size: 40, incrs: SOME}),
      ],
      series: [{label: "From", value: (_, at) => at == null ? "–" : moment(starts[at - 1])}, ...series.reverse().map((one) => ({...one, stroke: colour("card")}))],
    }, [starts.map((_, place) => place + 1), ...tops.reverse()], element));
  }

  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => drawn.forEach((draw) => draw()));
  return {durations, outcomes, seconds};
})();
