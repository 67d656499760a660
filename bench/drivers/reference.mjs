// Runs of no-op subtasks through the manager and the metrics module of the reference: `node reference.mjs PACKAGE SPEC`.
// SPEC and the answer are those of ours.py. Run ids are given: its own are times in milliseconds, which runs in flight would share.
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const [packageFolder, text] = process.argv.slice(2);
const spec = JSON.parse(text);
process.env.FEATURE_TFGRPO_GROUP = '1';
const load = (path) => import(pathToFileURL(join(packageFolder, 'dist', 'orchestrator', 'src', path)));
const { TaskManager } = await load('manager.js');
const { appendMetricsEntry } = await load('cli/metrics/metricsRecorder.js');

const root = process.cwd();
const place = { repoRoot: root, runsRoot: join(root, '.runs'), outRoot: join(root, 'out'), taskId: 'bench' };
const noManifest = { schedule: async () => {} };
const agents = (subtasks) => ({
  planner: { plan: async () => ({ items: Array.from({ length: subtasks }, (_, index) => ({ id: `s${index}`, description: '' })), targetId: null }) },
  builder: { build: async ({ target }) => ({ subtaskId: target.id, artifacts: [], mode: 'mcp', runId: '', success: true }) },
  tester: { test: async ({ build }) => ({ subtaskId: build.subtaskId, success: true, reports: [], runId: '' }) },
  reviewer: { review: async () => ({ summary: '', decision: { approved: true } }) },
});

let number = 0;
const told = [];
const createManager = (subtasks) =>
  new TaskManager({
    ...agents(subtasks),
    runIdFactory: () => `run-${process.pid}-${number++}`,
    ...(spec.summaries ? { persistence: { autoStart: false } } : {}),
  });

async function execute(manager) {
  const started_at = new Date().toISOString();
  const summary = await manager.execute({ id: 'bench', title: 'Bench' });
  if (spec.summaries) {
    await manager.persistenceCoordinator.handleRunCompleted(summary);
  }
  const manifest = {
    run_id: summary.runId, task_id: 'bench', pipeline_id: 'embedded', status: 'succeeded', started_at,
    completed_at: new Date().toISOString(), artifact_root: `.runs/bench/${summary.runId}`, summary: null, guardrails_required: false,
    commands: [], child_runs: [], metrics_recorded: false,
  };
  await appendMetricsEntry(place, null, manifest, noManifest);
  told.push(summary.runId);
}

await execute(createManager(1));
const manager = createManager(spec.subtasks);
const lane = async (times) => {
  for (let done = 0; done < times; done += 1) {
    await execute(manager);
  }
};
const began = performance.now();
const share = (index) => Math.floor(spec.runs / spec.in_flight) + (index < spec.runs % spec.in_flight ? 1 : 0);
await Promise.all(Array.from({ length: spec.in_flight }, (_, index) => lane(share(index))));
console.log(JSON.stringify({ seconds: (performance.now() - began) / 1000, run_ids: told }));
