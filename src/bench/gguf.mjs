// Writes a Mixtral-shaped GGUF (version 3) of random weights for llama.cpp: Q8_0 layers, a float16 output matrix. Streams.
import { closeSync, openSync, writeSync } from 'node:fs';

const F32 = 0, F16 = 1, Q8_0 = 8;
const UINT32 = 4, INT32 = 5, FLOAT32 = 6, STRING = 8, ARRAY = 9;
const ALIGNMENT = 32;
const Q8_BLOCK = 32, Q8_BLOCK_BYTES = 34;

const tensorBytes = ({ type, dims }) => {
  const elements = dims.reduce((a, b) => a * b, 1);
  return type === F32 ? 4 * elements : type === F16 ? 2 * elements : elements / Q8_BLOCK * Q8_BLOCK_BYTES;
};

// Dimensions innermost first, as GGUF wants them.
function tensors({ hidden, layers, heads, kvHeads, ffn, experts, vocab }) {
  const kv = hidden / heads * kvHeads;
  const all = [{ name: 'token_embd.weight', type: Q8_0, dims: [hidden, vocab], deviation: 1 }];
  for (let i = 0; i < layers; i++) {
    const add = (name, type, dims, deviation) => all.push({ name: `blk.${i}.${name}.weight`, type, dims, deviation });
    const residual = 1 / Math.sqrt(2 * layers);
    add('attn_norm', F32, [hidden]);
    add('attn_q', Q8_0, [hidden, hidden], hidden ** -0.5);
    add('attn_k', Q8_0, [hidden, kv], hidden ** -0.5);
    add('attn_v', Q8_0, [hidden, kv], hidden ** -0.5);
    add('attn_output', Q8_0, [hidden, hidden], residual * hidden ** -0.5);
    add('ffn_norm', F32, [hidden]);
    add('ffn_gate_inp', F32, [hidden, experts], hidden ** -0.5);
    add('ffn_gate_exps', Q8_0, [hidden, ffn, experts], hidden ** -0.5);
    add('ffn_up_exps', Q8_0, [hidden, ffn, experts], hidden ** -0.5);
    add('ffn_down_exps', Q8_0, [ffn, hidden, experts], residual * ffn ** -0.5);
  }
  all.push({ name: 'output_norm.weight', type: F32, dims: [hidden] });
  all.push({ name: 'output.weight', type: F16, dims: [hidden, vocab], deviation: 2 * hidden ** -0.5 });
  return all;
}

function metadata({ hidden, layers, heads, kvHeads, ffn, experts, vocab }) {
  const names = ['<unk>', '<s>', '</s>'];
  for (let b = 0; b < 256; b++) names.push(`<0x${b.toString(16).toUpperCase().padStart(2, '0')}>`);
  while (names.length < vocab) names.push(`word${names.length}`);
  const u32 = value => [UINT32, value], f32 = value => [FLOAT32, value];
  return {
    'general.architecture': [STRING, 'llama'],
    'general.alignment': u32(ALIGNMENT),
    'general.file_type': u32(7),
    'llama.context_length': u32(32768),
    'llama.embedding_length': u32(hidden),
    'llama.block_count': u32(layers),
    'llama.feed_forward_length': u32(ffn),
    'llama.attention.head_count': u32(heads),
    'llama.attention.head_count_kv': u32(kvHeads),
    'llama.attention.layer_norm_rms_epsilon': f32(1e-5),
    'llama.rope.freq_base': f32(1e6),
    'llama.rope.dimension_count': u32(hidden / heads),
    'llama.expert_count': u32(experts),
    'llama.expert_used_count': u32(2),
    'llama.vocab_size': u32(vocab),
    'tokenizer.ggml.model': [STRING, 'llama'],
    'tokenizer.ggml.tokens': [ARRAY, STRING, names],
    'tokenizer.ggml.scores': [ARRAY, FLOAT32, names.map((_, i) => -i)],
    'tokenizer.ggml.token_type': [ARRAY, INT32, names.map((_, i) => (i === 0 ? 2 : i < 3 ? 3 : i < 259 ? 6 : 1))],
    'tokenizer.ggml.bos_token_id': u32(1),
    'tokenizer.ggml.eos_token_id': u32(2),
    'tokenizer.ggml.unknown_token_id': u32(0),
  };
}

class Bytes {
  parts = [];
  length = 0;

  add(buffer) {
    this.parts.push(buffer);
    this.length += buffer.length;
  }

  number(type, value) {
    const buffer = Buffer.alloc(4);
    if (type === FLOAT32) buffer.writeFloatLE(value);
    else if (type === INT32) buffer.writeInt32LE(value);
    else buffer.writeUInt32LE(value);
    this.add(buffer);
  }

  long(value) {
    const buffer = Buffer.alloc(8);
    buffer.writeBigUInt64LE(BigInt(value));
    this.add(buffer);
  }

  string(text) {
    const buffer = Buffer.from(text);
    this.long(buffer.length);
    this.add(buffer);
  }

  value(type, value) {
    if (type === STRING) this.string(value);
    else this.number(type, value);
  }
}

const aligned = n => Math.ceil(n / ALIGNMENT) * ALIGNMENT;

function header(shape, all) {
  const entries = metadata(shape);
  const out = new Bytes();
  out.add(Buffer.from('GGUF'));
  out.number(UINT32, 3);
  out.long(all.length);
  out.long(Object.keys(entries).length);
  for (const [key, [type, ...rest]] of Object.entries(entries)) {
    out.string(key);
    out.number(UINT32, type);
    if (type === ARRAY) {
      const [element, values] = rest;
      out.number(UINT32, element);
      out.long(values.length);
      values.forEach(value => out.value(element, value));
    } else {
      out.value(type, rest[0]);
    }
  }
  let offset = 0;
  for (const tensor of all) {
    out.string(tensor.name);
    out.number(UINT32, tensor.dims.length);
    tensor.dims.forEach(dim => out.long(dim));
    out.number(UINT32, tensor.type);
    out.long(offset);
    offset = aligned(offset + tensorBytes(tensor));
  }
  out.add(Buffer.alloc(aligned(out.length) - out.length));
  return Buffer.concat(out.parts);
}

const gaussian = () => Math.sqrt(-2 * Math.log(1 - Math.random())) * Math.cos(2 * Math.PI * Math.random());

function half(value) {
  const bits = new Uint32Array(new Float32Array([value]).buffer)[0];
  const exponent = (bits >>> 23 & 255) - 112;
  return exponent <= 0 ? bits >>> 16 & 0x8000 : bits >>> 16 & 0x8000 | exponent << 10 | bits >>> 13 & 1023;
}

// A pattern of some megabytes that is repeated: speed does not hang on which numbers they are.
function pattern({ type, deviation }) {
  if (type === F32) {
    return Buffer.from(Float32Array.from({ length: 1 << 16 }, () => (deviation ? deviation * gaussian() : 1)).buffer);
  }
  if (type === F16) {
    return Buffer.from(Uint16Array.from({ length: 1 << 20 }, () => half(deviation * gaussian())).buffer);
  }
  const blocks = 30011;
  const buffer = Buffer.alloc(blocks * Q8_BLOCK_BYTES);
  for (let b = 0; b < blocks; b++) {
    buffer.writeUInt16LE(half(3 * deviation / 127), b * Q8_BLOCK_BYTES);
    for (let i = 0; i < Q8_BLOCK; i++) {
      buffer.writeInt8(Math.max(-127, Math.min(127, Math.round(127 / 3 * gaussian()))), b * Q8_BLOCK_BYTES + 2 + i);
    }
  }
  return buffer;
}

export function writeGguf(file, shape) {
  const all = tensors(shape);
  const out = openSync(file, 'w');
  writeSync(out, header(shape, all));
  const patterns = new Map();
  for (const tensor of all) {
    const key = `${tensor.type} ${tensor.deviation}`;
    if (!patterns.has(key)) patterns.set(key, pattern(tensor));
    const bytes = patterns.get(key);
    const size = tensorBytes(tensor);
    for (let left = size; left > 0; left -= bytes.length) writeSync(out, bytes, 0, Math.min(left, bytes.length));
    writeSync(out, Buffer.alloc(aligned(size) - size));
  }
  closeSync(out);
}
