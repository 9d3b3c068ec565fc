"""reference.py FOLDER: logits of a generated Mixtral checkpoint (bench generate, autofp8 or bf16) by numpy in float32, with weights
dequantised exactly and inputs of FP8 layers left unquantised (w8a16) or rounded to e4m3 codes of the stored scale (w8a8), written
beside it as golden.json and golden.safetensors."""
import json
import struct
import sys
from pathlib import Path

import numpy as np

PROMPTS = [[1, 5, 9, 300, 77, 41, 498], [1, 17]]


class Checkpoint:
    """Safetensors shards as float32 arrays, and products with them."""

    def __init__(self, folder):
        self.quantises = False
        self.places = {}
        for path in sorted(folder.glob("*.safetensors")):
            if path.name == "golden.safetensors":
                continue
            data = np.memmap(path, np.uint8, "r")
            length = struct.unpack("<Q", bytes(data[:8]))[0]
            for name, entry in json.loads(bytes(data[8:8 + length])).items():
                if name != "__metadata__":
                    begin, end = (8 + length + offset for offset in entry["data_offsets"])
                    self.places[name] = entry["dtype"], entry["shape"], data[begin:end]
        codes = np.arange(256)
        exponent, fraction = codes >> 3 & 15, codes & 7
        values = np.where(exponent == 0, fraction / 8 * 2.0 ** -6, (1 + fraction / 8) * 2.0 ** (exponent - 7.0))
        self.e4m3 = np.where(codes < 128, values, -values).astype(np.float32)

    def raw(self, name):
        dtype, shape, data = self.places[name]
        if dtype == "BF16":
            return (data.view(np.uint16).astype(np.uint32) << 16).view(np.float32).reshape(shape)
        if dtype == "F32":
            return data.view(np.float32).reshape(shape)
        return self.e4m3[data].reshape(shape)

    def scalar(self, name):
        return self.raw(name).reshape(-1)[0]

    def product(self, x, name):
        """x times the transposed matrix of a linear layer."""
        weight = self.raw(name + ".weight")
        if name + ".weight_scale" not in self.places:
            return x @ weight.T
        if self.quantises:
            x = rounded(x, self.scalar(name + ".input_scale"))
        return x @ weight.T * self.scalar(name + ".weight_scale")


def rounded(x, scale):
    """To the nearest scaled e4m3 code, ties to even."""
    codes = np.clip(x / scale, -448, 448)
    step = 2.0 ** (np.maximum(np.frexp(codes)[1] - 1, -6) - 3)
    return (np.round(codes / step) * step * scale).astype(np.float32)


def norm(x, weight, epsilon):
    return x / np.sqrt((x * x).mean(-1, keepdims=True) + epsilon) * weight


def rotate(x, theta):
    """x [tokens, heads, channels]; the halves of a head are the two coordinates."""
    half = x.shape[-1] // 2
    angles = np.arange(x.shape[0])[:, None] * theta ** (-np.arange(half) / half)
    cos, sin = (f(angles)[:, None].astype(np.float32) for f in (np.cos, np.sin))
    return np.concatenate([x[..., :half] * cos - x[..., half:] * sin, x[..., half:] * cos + x[..., :half] * sin], -1)


def softmax(x):
    e = np.exp(x - x.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def attention(x, weights, prefix, config):
    tokens, heads, shared = len(x), config["num_attention_heads"], config["num_key_value_heads"]
    channels = config["hidden_size"] // heads
    q, k, v = (
        weights.product(x, prefix + name).reshape(tokens, count, channels)
        for name, count in (("q_proj", heads), ("k_proj", shared), ("v_proj", shared)))
    q, k = rotate(q, config["rope_theta"]), rotate(k, config["rope_theta"])
    k, v = (np.repeat(part, heads // shared, 1) for part in (k, v))
    scores = np.einsum("thc,shc->hts", q, k) / np.sqrt(channels) + np.triu(np.full((tokens, tokens), -1e30, np.float32), 1)
    return weights.product(np.einsum("hts,shc->thc", softmax(scores), v).reshape(tokens, -1), prefix + "o_proj")


def experts(x, weights, prefix, config):
    scores = softmax(weights.product(x, prefix + "gate"))
    chosen = np.argsort(-scores, -1, kind="stable")[:, :config["num_experts_per_tok"]]
    out = np.zeros_like(x)
    for expert in np.unique(chosen):
        rows = np.nonzero((chosen == expert).any(-1))[0]
        share = scores[rows, expert] / np.take_along_axis(scores, chosen, -1)[rows].sum(-1)
        name = f"{prefix}experts.{expert}."
        gate = weights.product(x[rows], name + "w1")
        up = weights.product(x[rows], name + "w3")
        out[rows] += share[:, None] * weights.product(gate / (1 + np.exp(-gate)) * up, name + "w2")
    return out


def logits(ids, weights, config):
    epsilon = config["rms_norm_eps"]
    x = weights.raw("model.embed_tokens.weight")[ids]
    for layer in range(config["num_hidden_layers"]):
        prefix = f"model.layers.{layer}."
        x = x + attention(norm(x, weights.raw(prefix + "input_layernorm.weight"), epsilon), weights, prefix + "self_attn.", config)
        x = x + experts(
            norm(x, weights.raw(prefix + "post_attention_layernorm.weight"), epsilon), weights, prefix + "block_sparse_moe.", config)
    return weights.product(norm(x, weights.raw("model.norm.weight"), epsilon), "lm_head")


def main():
    folder = Path(sys.argv[1])
    config, weights = json.loads((folder / "config.json").read_text()), Checkpoint(folder)
    header, body, prompts = {}, b"", []
    for number, ids in enumerate([i % config["vocab_size"] for i in ids] for ids in PROMPTS):
        for mode in ("w8a16", "w8a8"):
            weights.quantises = mode == "w8a8"
            values = logits(np.array(ids), weights, config).astype("<f4")
            header[f"p{number}.{mode}.logits"] = {
                "dtype": "F32", "shape": list(values.shape), "data_offsets": [len(body), len(body) + values.nbytes]}
            body += values.tobytes()
        modes = {mode: {"greedy_ids": [], "same_in_float32": True} for mode in ("w8a16", "w8a8")}
        prompts.append({"id": number, "ids": ids, "modes": modes})
    text = json.dumps(header).encode()
    (folder / "golden.safetensors").write_bytes(struct.pack("<Q", len(text)) + text + body)
    (folder / "golden.json").write_text(json.dumps({"prompts": prompts}))


main()
