// Recomputes every rollup of a task with the published package's own aggregation: node aggregate.mjs PACKAGE ROOT TASK
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const [packageFolder, root, taskId] = process.argv.slice(2);
const aggregator = join(packageFolder, 'dist/orchestrator/src/cli/metrics/metricsAggregator.js');
const { updateMetricsAggregates } = await import(pathToFileURL(aggregator));

const environment = { repoRoot: root, runsRoot: join(root, '.runs'), outRoot: join(root, 'out'), taskId };
await updateMetricsAggregates(environment);
