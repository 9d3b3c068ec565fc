#!/usr/bin/env node
// Measures ./moebius with the demo model as a user meets it: start to first answer, tokens per second at 1 and 8
// streams, and memory. Prints medians over RUNS starts (default 5) as a table and, with --json FILE, as JSON.
import { spawn } from 'node:child_process';
import { cpus } from 'node:os';
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';

const flag = (name, fallback) => {
  const at = process.argv.indexOf(name);
  return at < 0 ? fallback : process.argv[at + 1];
};
const runs = Number(flag('--runs', 5));
const root = new URL('../..', import.meta.url).pathname;
const median = values => [...values].sort((a, b) => a - b)[values.length >> 1];

const freePort = () => new Promise(resolve => {
  const server = createServer().listen(0, '127.0.0.1', () => {
    const { port } = server.address();
    server.close(() => resolve(port));
  });
});

const chat = (url, body) => fetch(`${url}/v1/chat/completions`, {
  method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body),
});

async function firstAnswer(url) {
  for (;;) {
    try {
      const response = await chat(url, { messages: [{ role: 'user', content: 'Hello!' }], max_tokens: 1 });
      if (response.ok) return response.json();
    } catch { /* the port is not open yet */ }
    await new Promise(resolve => setTimeout(resolve, 5));
  }
}

/** Tokens per second of all streams together; each generates exactly `tokens`. */
async function throughput(url, streams, tokens = 512) {
  const request = { messages: [{ role: 'user', content: 'Tell me a story.' }], temperature: 0, max_tokens: tokens, min_tokens: tokens };
  const start = performance.now();
  const answers = await Promise.all(Array.from({ length: streams }, () => chat(url, request).then(r => r.json())));
  const seconds = (performance.now() - start) / 1000;
  return answers.reduce((sum, a) => sum + a.usage.completion_tokens, 0) / seconds;
}

/** Resident set in MiB, and the part of it that no file backs. */
function memory(pid) {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const mib = name => Number(status.match(new RegExp(`${name}:\\s+(\\d+) kB`))[1]) / 1024;
  return { resident: mib('VmRSS'), anonymous: mib('RssAnon') };
}

async function measure() {
  const port = await freePort();
  const metrics = await freePort();
  const start = performance.now();
  const program = spawn(`${root}moebius`, ['--web-server-port', port, '--metrics-port', metrics], { stdio: ['ignore', 'inherit', 'pipe'] });
  let log = '';
  program.stderr.on('data', text => { log += text; });
  program.on('exit', code => { if (code) { console.error(log); process.exit(1); } });
  const url = `http://127.0.0.1:${port}`;
  await firstAnswer(url);
  const seconds = (performance.now() - start) / 1000;
  const idle = memory(program.pid);
  await throughput(url, 8);
  const result = { startToFirstAnswerSeconds: seconds, idleResidentMiB: idle.resident, idleAnonymousMiB: idle.anonymous };
  result.tokensPerSecond1 = median([await throughput(url, 1), await throughput(url, 1), await throughput(url, 1)]);
  result.tokensPerSecond8 = median([await throughput(url, 8), await throughput(url, 8), await throughput(url, 8)]);
  result.loadedResidentMiB = memory(program.pid).resident;
  program.kill('SIGTERM');
  await new Promise(resolve => program.on('exit', resolve));
  return result;
}

const all = [];
for (let i = 0; i < runs; i++) all.push(await measure());
const summary = Object.fromEntries(Object.keys(all[0]).map(key => [key, {
  median: median(all.map(r => r[key])), min: Math.min(...all.map(r => r[key])), max: Math.max(...all.map(r => r[key])),
}]));
const machine = `${cpus().length} x ${cpus()[0].model.trim()}`;
console.log(`${machine}, ${runs} starts`);
for (const [name, { median: m, min, max }] of Object.entries(summary)) {
  console.log(`${name.padEnd(28)} ${m.toFixed(2).padStart(9)}   (${min.toFixed(2)} to ${max.toFixed(2)})`);
}
const file = flag('--json');
if (file) writeFileSync(file, JSON.stringify({ machine, runs, summary }, null, 2) + '\n');
