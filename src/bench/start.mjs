// node src/bench/start.mjs [ROUNDS] -- COMMAND...: starts COMMAND (the executable, or java -jar ...) with the demo model ROUNDS times and
// prints the medians of: start to open port, start to the first token of an answer, and the resident memory a second later.
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { createServer } from 'node:net';
import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';

const separator = process.argv.indexOf('--');
const rounds = Number(process.argv[2] === '--' ? 9 : process.argv[2]);
const command = process.argv.slice(separator + 1);
if (separator < 0 || command.length === 0 || !(rounds > 0)) {
  console.error('start.mjs: node src/bench/start.mjs [ROUNDS] -- COMMAND...');
  process.exit(2);
}

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}

async function untilOpen(port) {
  for (;;) {
    const socket = connect(port, '127.0.0.1');
    const open = await new Promise((resolve) => socket.once('connect', () => resolve(true)).once('error', () => resolve(false)));
    socket.destroy();
    if (open) return;
    await pause(1);
  }
}

async function firstToken(port) {
  for (;;) {
    const answer = await fetch(`http://127.0.0.1:${port}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ messages: [{ role: 'user', content: 'What is the capital of France?' }], stream: true, max_tokens: 8 }),
    });
    if (answer.status === 200) {
      for await (const chunk of answer.body) if (new TextDecoder().decode(chunk).includes('"content":"')) return answer.body;
    }
    await answer.arrayBuffer();
    await pause(2);
  }
}

const results = [];
for (let round = 0; round < rounds; round++) {
  const [port, metricsPort] = [await freePort(), await freePort()];
  const begin = performance.now();
  const [program, ...flags] = command;
  const child = spawn(program, [...flags, '--web-server-port', port, '--metrics-port', metricsPort], { stdio: 'ignore' });
  await untilOpen(port);
  const open = performance.now() - begin;
  await firstToken(port);
  const token = performance.now() - begin;
  await pause(1000);
  const resident = Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))[1]) / 1000;
  child.kill('SIGTERM');
  await once(child, 'exit');
  results.push([open, token, resident]);
}
const median = (column) => results.map((row) => row[column]).sort((a, b) => a - b)[Math.floor(rounds / 2)];
const best = (column) => Math.min(...results.map((row) => row[column]));
console.log(`start to open port    ${median(0).toFixed(0)} ms (best ${best(0).toFixed(0)})`);
console.log(`start to first token  ${median(1).toFixed(0)} ms (best ${best(1).toFixed(0)})`);
console.log(`resident when idle    ${median(2).toFixed(0)} MB`);
