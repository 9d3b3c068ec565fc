#!/usr/bin/env node
// How fast weights are loaded from the page cache until the model can be used, how fast until they are repacked as well, which goes on
// beside, and how much anonymous memory that takes at its peak. Beside it, in the same run: the machine's memory copy rate, and what it
// takes to read the same bytes of the same files into memory that nobody had before, the least that repacking can take.
//   ./moebius bench generate --out /tmp/model --layers 20
//   node src/bench/load.mjs --model /tmp/model [--runs 3] -- ./moebius
// Starts the program with --log-format json and takes the time between its phases, and until its anonymous memory no longer grows; a
// secret comes from the environment.
import { spawn } from 'node:child_process';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { Worker } from 'node:worker_threads';

const flag = (name, fallback) => {
  const at = process.argv.indexOf(name);
  return at < 0 ? fallback : process.argv[at + 1];
};
const model = flag('--model');
const runs = Number(flag('--runs', 3));
const dashes = process.argv.indexOf('--');
const command = dashes < 0 ? ['./moebius'] : process.argv.slice(dashes + 1);
// Anonymous memory that has grown by less for so many milliseconds has stopped growing.
const GROWTH = 4 << 20;
const STILL = 3000;
const median = values => [...values].sort((a, b) => a - b)[values.length >> 1];
const files = readdirSync(model).filter(name => name.endsWith('.safetensors')).map(name => join(model, name));
const weights = files.reduce((sum, file) => sum + statSync(file).size, 0);

// The sum of what a worker on each processor returns for { share, shares, files }.
async function onAllProcessors(code) {
  const shares = availableParallelism();
  const rates = Array.from({ length: shares }, (_, share) => new Promise((resolve, reject) => {
    const worker = new Worker(`const { parentPort, workerData } = require('node:worker_threads'); ${code}`, { eval: true, workerData: { share, shares, files } });
    worker.once('message', rate => worker.terminate().then(() => resolve(rate)));
    worker.once('error', reject);
  }));
  return (await Promise.all(rates)).reduce((sum, rate) => sum + rate, 0);
}

// Bytes copied per second, each 512 MiB over and over for a second.
const copyRate = () => onAllProcessors(`
  const from = Buffer.alloc(1 << 29, 1), to = Buffer.alloc(1 << 29, 2);
  const start = performance.now();
  let copies = 0;
  for (; performance.now() - start < 1000; copies++) from.copy(to);
  parentPort.postMessage(copies * from.length / (performance.now() - start) * 1000);`);

// Bytes read per second, each a share of all files into fresh memory.
const readRate = () => onAllProcessors(`
  const { openSync, readSync, statSync } = require('node:fs');
  const start = performance.now(), kept = [];
  for (const file of workerData.files) {
    const share = Math.ceil(statSync(file).size / workerData.shares), into = Buffer.allocUnsafeSlow(share), from = openSync(file);
    for (let at = 0, count; (count = readSync(from, into, at, Math.min(share - at, 1 << 26), workerData.share * share + at)) > 0;) at += count;
    kept.push(into);
  }
  parentPort.postMessage(kept.reduce((sum, memory) => sum + memory.length, 0) / (performance.now() - start) * 1000);`);

function anonymousBytes(pid) {
  try {
    return 1024 * Number(/RssAnon:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]);
  } catch {
    return 0;
  }
}

function load() {
  return new Promise((resolve, reject) => {
    const [file, ...first] = command;
    const child = spawn(file, [...first, '--hf-model-name', model, '--log-format', 'json', '--web-server-port', '0', '--metrics-port', '0'],
      { stdio: ['ignore', 'ignore', 'pipe'] });
    let begin = 0, end = 0, base = 0, peak = 0, grown = 0, last = '';
    const sampling = setInterval(() => {
      const anonymous = begin ? anonymousBytes(child.pid) : 0;
      if (anonymous > peak + GROWTH) [peak, grown] = [anonymous, Date.now()];
      if (end && Date.now() > Math.max(end, grown) + STILL) child.kill('SIGTERM');
    }, 20);
    createInterface({ input: child.stderr }).on('line', line => {
      last = line;
      if (!line.startsWith('{')) return;
      const { message, timestamp } = JSON.parse(line);
      if (message === 'loading the weights') {
        begin = Date.parse(timestamp);
        base = anonymousBytes(child.pid);
      } else if (begin && !end) {
        end = Date.parse(timestamp);
      }
    });
    child.on('exit', () => {
      clearInterval(sampling);
      if (end) resolve({ seconds: (end - begin) / 1000, repacked: (Math.max(end, grown) - begin) / 1000, anonymous: peak - base });
      else reject(new Error(`the program ended before it had loaded: ${last}`));
    });
  });
}

await load();
const rates = [], ofCopies = [], repacked = [], ofReads = [], anonymous = [];
for (let run = 0; run < runs; run++) {
  const copy = await copyRate(), read = await readRate();
  const loaded = await load();
  rates.push(weights / loaded.seconds);
  ofCopies.push(weights / loaded.seconds / copy);
  repacked.push(weights / loaded.repacked);
  ofReads.push(weights / loaded.repacked / read);
  anonymous.push(loaded.anonymous / weights);
}
const gigabytes = values => `${(median(values) / 1e9).toFixed(2)} GB/s (${values.map(value => (value / 1e9).toFixed(2)).join(', ')})`;
const percent = values => `${(100 * median(values)).toFixed(0)} % (${values.map(value => (100 * value).toFixed(0)).join(', ')})`;
console.log(`${(weights / 1e9).toFixed(2)} GB: loaded at ${gigabytes(rates)}
  ${percent(ofCopies)} of the memory copy rate
repacked as well at ${gigabytes(repacked)}
  ${percent(ofReads)} of reading the files into fresh memory
  anonymous memory at its peak ${median(anonymous).toFixed(2)} x the weights`);
