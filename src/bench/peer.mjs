#!/usr/bin/env node
// Moebius beside llama.cpp on one machine: the same shape of mixture of experts, Moebius in FP8, llama.cpp in Q8_0, both with a 16-bit
// output matrix, the same threads, runs in turn. Prints medians and the ratio of each pair's figures.
//   npm install --prefix target/peer node-llama-cpp     (carries prebuilt CPU binaries)
//   node src/bench/peer.mjs [--runs 5] [--prompt 512] [--modules target/peer] [--folder /tmp/moebius-peer] [--json FILE]
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { writeGguf } from './gguf.mjs';

const flag = (name, fallback) => {
  const at = process.argv.indexOf(name);
  return at < 0 ? fallback : process.argv[at + 1];
};
const root = new URL('../..', import.meta.url).pathname;
const runs = Number(flag('--runs', 5));
const prompt = Number(flag('--prompt', 512));
const folder = resolve(flag('--folder', '/tmp/moebius-peer'));
const modules = resolve(flag('--modules', join(root, 'target/peer')));
const shape = { hidden: 2048, layers: 8, heads: 32, kvHeads: 8, ffn: 3584, experts: 8, vocab: 32000 };
const model = join(folder, 'moebius');
const gguf = join(folder, 'peer.gguf');
const decoded = 48;
const median = values => [...values].sort((a, b) => a - b)[values.length >> 1];

// One measurement of llama.cpp in this process: an unmeasured prompt, then a measured one, then tokens one by one.
async function peer() {
  const { getLlama } = await import(pathToFileURL(join(modules, 'node_modules/node-llama-cpp/dist/index.js')));
  const llama = await getLlama({ gpu: false, build: 'never', progressLogs: false, logLevel: 'error', maxThreads: availableParallelism() });
  const loaded = await llama.loadModel({ modelPath: gguf });
  const context = await loaded.createContext({ contextSize: prompt + decoded + 16, batchSize: 512, threads: availableParallelism() });
  const sequence = context.getSequence();
  const tokens = () => Array.from({ length: prompt }, () => 300 + Math.floor(Math.random() * (shape.vocab - 300)));
  await sequence.evaluateWithoutGeneratingNewTokens(tokens());
  await sequence.clearHistory();
  let start = performance.now();
  await sequence.evaluateWithoutGeneratingNewTokens(tokens());
  const prefill = prompt / (performance.now() - start) * 1000;
  const steps = [];
  start = performance.now();
  for await (const token of sequence.evaluate([300], { yieldEogToken: true })) {
    void token;
    steps.push(performance.now() - start);
    start = performance.now();
    if (steps.length === decoded) break;
  }
  return { prefill, decode: 1000 / median(steps.slice(2)) };
}

function ours() {
  const file = join(folder, 'figures.json');
  execFileSync(
    join(root, 'moebius'),
    ['bench', 'model', '--hf-model-name', model, '--batch', '1', '--prompt', String(prompt), '--context', String(prompt), '--json', file],
    { stdio: ['ignore', 'ignore', 'inherit'] });
  const { machine, results } = JSON.parse(readFileSync(file));
  const figure = phase => results.find(result => result.phase === phase).tokens_per_second;
  return { machine, prefill: figure('prefill'), decode: figure('decode') };
}

function prepare() {
  if (!existsSync(join(modules, 'node_modules/node-llama-cpp'))) {
    console.error(`peer: node-llama-cpp is not in ${modules}; npm install --prefix ${modules} node-llama-cpp`);
    process.exit(2);
  }
  mkdirSync(folder, { recursive: true });
  if (!existsSync(model)) execFileSync(join(root, 'moebius'), ['bench', 'generate', '--out', model], { stdio: 'inherit' });
  if (!existsSync(gguf)) writeGguf(gguf, shape);
}

if (process.argv.includes('--one')) {
  console.log(JSON.stringify(await peer()));
  process.exit(0);
}
prepare();
const pairs = [];
for (let run = 0; run < runs; run++) {
  const us = ours();
  const them = JSON.parse(execFileSync(process.execPath, [process.argv[1], '--one', ...process.argv.slice(2)],
    { stdio: ['ignore', 'pipe', 'inherit'] }).toString().trim().split('\n').at(-1));
  pairs.push({ us, them });
}
const table = ['prefill', 'decode'].map(phase => ({
  phase: phase === 'prefill' ? `prefill ${prompt}` : `decode at ${prompt}`,
  moebius: median(pairs.map(pair => pair.us[phase])),
  'llama.cpp': median(pairs.map(pair => pair.them[phase])),
  ratio: median(pairs.map(pair => pair.us[phase] / pair.them[phase])),
}));
console.log(`${pairs[0].us.machine}; tokens per second, medians of ${runs} runs in turn`);
console.table(Object.fromEntries(table.map(({ phase, ...row }) => [phase, Object.fromEntries(
  Object.entries(row).map(([key, value]) => [key, Number(value.toFixed(2))]))])));
if (flag('--json')) writeFileSync(flag('--json'), JSON.stringify({ machine: pairs[0].us.machine, pairs, table }, null, 2));
