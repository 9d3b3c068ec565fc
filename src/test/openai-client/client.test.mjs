// Drives a running Moebius (MOEBIUS_URL, MOEBIUS_METRICS_URL) that serves the demo model with OpenAI's own client.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import OpenAI from 'openai';

const base = process.env.MOEBIUS_URL;
const client = new OpenAI({ baseURL: `${base}/v1`, apiKey: 'none', maxRetries: 0 });
const model = 'moebius/demo-moe-fp8';
const france = [{ role: 'user', content: 'What is the capital of France?' }];
const answer = 'The capital of France is Paris.';
const greedy = { model, messages: france, temperature: 0 };

async function gauge(name) {
  const text = await (await fetch(`${process.env.MOEBIUS_METRICS_URL}/metrics`)).text();
  const line = text.split('\n').find(l => l.startsWith(name + ' ') || l.startsWith(name + '{'));
  assert.ok(line, `no series ${name}`);
  return Number(line.split(' ').pop());
}

test('lists the model it serves', async () => {
  const models = await client.models.list();
  assert.deepEqual(models.data.map(m => m.id), [model]);
  assert.equal((await client.models.retrieve(model)).object, 'model');
});

test('answers a chat', async () => {
  const chat = await client.chat.completions.create(greedy);
  assert.equal(chat.object, 'chat.completion');
  assert.match(chat.id, /^chatcmpl-[0-9a-f]{32}$/);
  assert.equal(chat.choices[0].message.role, 'assistant');
  assert.equal(chat.choices[0].message.content, answer);
  assert.equal(chat.choices[0].finish_reason, 'stop');
  assert.equal(chat.usage.prompt_tokens, 15);
  assert.equal(chat.usage.completion_tokens, 8);
  assert.equal(chat.usage.total_tokens, 23);
});

test('remembers the conversation', async () => {
  const chat = await client.chat.completions.create({
    model, temperature: 0,
    messages: [...france, { role: 'assistant', content: answer }, { role: 'user', content: 'And what is the capital of Japan?' }],
  });
  assert.match(chat.choices[0].message.content, /Tokyo/);
});

test('streams a chat as the same text, with usage last', async () => {
  const stream = await client.chat.completions.create({ ...greedy, stream: true, stream_options: { include_usage: true } });
  const chunks = [];
  for await (const chunk of stream) chunks.push(chunk);
  assert.equal(new Set(chunks.map(c => c.id)).size, 1);
  assert.equal(chunks[0].choices[0].delta.role, 'assistant');
  assert.equal(chunks.slice(1).filter(c => c.choices[0]?.delta.role).length, 0);
  assert.equal(chunks.map(c => c.choices[0]?.delta.content ?? '').join(''), answer);
  assert.deepEqual(chunks.at(-1).choices, []);
  assert.equal(chunks.at(-1).usage.completion_tokens, 8);
  assert.deepEqual(chunks.at(-2).choices[0].delta, {});
  assert.equal(chunks.at(-2).choices[0].finish_reason, 'stop');
  assert.ok(chunks.length >= 8, 'text arrives in pieces');
});

test('streams several choices through the client\'s helper', async () => {
  const runner = client.chat.completions.stream({ ...greedy, n: 3 });
  const chat = await runner.finalChatCompletion();
  assert.deepEqual(chat.choices.map(c => c.message.content), [answer, answer, answer]);
  assert.deepEqual(chat.choices.map(c => c.index), [0, 1, 2]);
});

test('gives the same answer for the same seed, and others for others', async () => {
  // A beginning that the model was not trained on leaves it undecided.
  const ramble = seed => client.completions.create({
    model, seed, temperature: 2, max_tokens: 24, prompt: 'zebra quantum',
  }).then(completion => completion.choices[0].text);
  const answers = await Promise.all([1, 1, 2, 3, 4].map(ramble));
  assert.equal(answers[0], answers[1]);
  assert.ok(new Set(answers).size > 2, answers.join('\n'));
});

test('reports log-probabilities whose tokens join to the text', async () => {
  const chat = await client.chat.completions.create({ ...greedy, logprobs: true, top_logprobs: 3 });
  const content = chat.choices[0].logprobs.content;
  assert.equal(Buffer.concat(content.map(t => Buffer.from(t.bytes))).toString().replace('</s>', '').trim(), answer);
  for (const token of content) {
    assert.ok(token.logprob <= 0);
    assert.equal(token.top_logprobs.length, 3);
    assert.ok(token.top_logprobs[0].logprob >= token.top_logprobs[2].logprob);
  }
});

test('stops before a stop string', async () => {
  const chat = await client.chat.completions.create({ ...greedy, stop: [' is P', 'never'] });
  assert.equal(chat.choices[0].message.content, 'The capital of France');
  assert.equal(chat.choices[0].finish_reason, 'stop');
});

test('ends at max_tokens with reason length', async () => {
  const chat = await client.chat.completions.create({ ...greedy, max_completion_tokens: 3 });
  assert.equal(chat.choices[0].finish_reason, 'length');
  assert.equal(chat.usage.completion_tokens, 3);
});

test('completes a prompt', async () => {
  const completion = await client.completions.create({
    model, prompt: '[INST] What is the capital of France? [/INST]', temperature: 0, max_tokens: 20,
  });
  assert.equal(completion.object, 'text_completion');
  assert.match(completion.id, /^cmpl-[0-9a-f]{32}$/);
  assert.equal(completion.choices[0].text.trim(), answer);
  assert.ok(Array.isArray(completion.choices[0].tokens));
  assert.equal(typeof completion.choices[0].seed, 'number');
});

test('streams a completion as the same text', async () => {
  const request = { model, prompt: '[INST] What is the capital of France? [/INST]', temperature: 0, max_tokens: 20 };
  const stream = await client.completions.create({ ...request, stream: true });
  let text = '';
  let reason;
  for await (const chunk of stream) {
    text += chunk.choices[0]?.text ?? '';
    reason = chunk.choices[0]?.finish_reason ?? reason;
  }
  assert.equal(text, (await client.completions.create(request)).choices[0].text);
  assert.equal(reason, 'stop');
});

test('turns errors into the client\'s own classes', async () => {
  await assert.rejects(client.chat.completions.create({ ...greedy, model: 'gpt-5' }), error => {
    assert.ok(error instanceof OpenAI.NotFoundError);
    assert.equal(error.code, 'model_not_found');
    return true;
  });
  await assert.rejects(client.chat.completions.create({ ...greedy, messages: [] }), OpenAI.BadRequestError);
  await assert.rejects(client.chat.completions.create({ ...greedy, n: 129 }), error => {
    assert.ok(error instanceof OpenAI.BadRequestError);
    assert.equal(error.param, 'n');
    assert.match(error.message, /129/);
    assert.match(error.message, /128/);
    return true;
  });
  const long = 'word '.repeat(5000);
  await assert.rejects(client.chat.completions.create({ model, messages: [{ role: 'user', content: long }] }), error => {
    assert.equal(error.status, 400);
    assert.equal(error.code, 'context_length_exceeded');
    return true;
  });
});

test('frees the sequence of a client that goes away', async () => {
  const stream = await client.chat.completions.create({
    model, stream: true, max_tokens: 1800, min_tokens: 1800, messages: [{ role: 'user', content: 'Tell me a story.' }],
  });
  for await (const chunk of stream) {
    if (chunk.choices[0]?.delta.content) break; // leaving the loop aborts the request
  }
  const until = Date.now() + 10_000;
  while (await gauge('friendli_current_items') > 0) {
    assert.ok(Date.now() < until, 'still running');
    await new Promise(resolve => setTimeout(resolve, 20));
  }
  assert.ok(await gauge('friendli_failure_by_cancel') >= 1);
});
