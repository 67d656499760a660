// The charts of a report, from the numbers in the file.
document.querySelectorAll(".charts").forEach((section) => {
  const data = JSON.parse(section.querySelector("script").textContent);
  const words = [...data.word].map((digit) => data.words[parseInt(digit, 36)]);
  const sums = (steps, unit) => {
    let last = 0;
    return steps.map((step) => step == null ? null : (last += step) / unit);
  };
  const times = sums(data.times, 1);
  const seconds = data.durations.map((value) => value == null ? null : value / 1000);
  const only = (good) => seconds.map((value, place) => (words[place] === "succeeded") === good ? value : null);
  const groups = [{name: "succeeded", word: "succeeded", values: only(true)}];
  if (words.some((word) => word !== "succeeded")) groups.push({name: "did not succeed", word: "failed", values: only(false)});
  const lines = [
    {name: "median", word: "text", values: sums(data.median, 1000)},
    {name: "p95", word: "muted", dash: [6, 3], values: sums(data.p95, 1000)},
  ];
  if (data.baseline != null) lines.push({name: "baseline", word: "running", dash: [2, 3], values: seconds.map(() => data.baseline / 1000)});
  const place = (kind) => {
    const element = section.querySelector("[data-chart=" + kind + "]");
    element.hidden = element.closest("section").hidden = false;
    return element;
  };
  Charts.outcomes(place("outcomes"), {starts: sums(data.starts, 1), counts: data.counts});
  Charts.durations(place("durations"), {times, groups, lines});
});
document.querySelectorAll(".periods").forEach((table) => table.open = false);
