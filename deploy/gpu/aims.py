"""aims.py FOLDER: what the parts of `run` have measured, beside the aims for Mixtral-8x7B's shape on one H200; FOLDER/aims.json says the
same. On another card, or with another shape, the aims are no aims: the machine stands above them."""
import json
import sys
from pathlib import Path

RIVAL = {(128, 128): 17158, (1000, 1000): 10371, (2048, 2048): 6940}


def read(name):
    file = folder / name
    return json.loads(file.read_text()) if file.exists() else None


def ratios(engine, lines):
    """Times of `bench model` over the harness's for the same step by default variants; prints each."""
    steps = [step for step in map(json.loads, lines) if step["variants"] == "default"]
    times = {(step["phase"], step["batch"], step["prompt_tokens"]): step for step in steps}
    print("phase    batch  prompt  engine ms  harness ms  ratio")
    for result in engine["results"]:
        phase, batch, prompt = result["phase"], result["batch"], result["prompt_tokens"]
        step = times.get((phase, batch, prompt))
        if step:
            ms = 1e3 * (prompt if phase == "prefill" else batch) / result["tokens_per_second"]
            ratio = ms / step["milliseconds"]
            print(f"{phase:8} {batch:5}  {prompt:6}  {ms:9.3f}  {step['milliseconds']:10.3f}  {ratio:5.3f}   harness: {step['layers']} layers")
            yield ratio


def decode(batch):
    """Tokens per second of a step."""
    return next((r["tokens_per_second"] for r in steps["results"] if r["phase"] == "decode" and r["batch"] == batch), None) if steps else None


folder = Path(sys.argv[1])
parts = {}
if (folder / "parts.jsonl").exists():
    parts = {part["part"]: "passed" if part["passed"] else "FAILED" for part in map(json.loads, (folder / "parts.jsonl").read_text().splitlines())}
steps, files = read("steps.json"), read("files.json")
served = {lengths: read("load-%d-%d.json" % lengths) for lengths in RIVAL}
harness = folder / "harness/steps.jsonl"
over = list(ratios(steps, harness.read_text().splitlines())) if steps and harness.exists() else []

aims = []


def aim(what, wanted, measured, met):
    aims.append({"what": what, "aim": wanted, "measured": measured, "met": None if measured is None else bool(met(measured))})


for part in ("fixtures", "widths"):
    aim(f"logits: {part}", "within the bounds", parts.get(part), lambda outcome: outcome == "passed")
aim("decode, batch 1, tokens/s", ">= 280", decode(1), lambda rate: rate >= 280)
step = 64 / decode(64) * steps["bounds"]["read_bytes_per_second"] / steps["load"]["bytes"] if decode(64) and steps["bounds"] else None
aim("decode step at batch 64 over streaming all weights once", "<= 1.3", step, lambda ratio: ratio <= 1.3)
aim("engine's step time over the harness's, at most", "<= 1.05", max(over, default=None), lambda ratio: ratio <= 1.05)
for lengths, rival in RIVAL.items():
    rate = served[lengths]["results"][0]["output_tokens_per_second"] if served[lengths] else None
    aim("output tokens/s, in/out %d/%d" % lengths, f"> {rival}", rate, lambda rate, rival=rival: rate > rival)
aim("load from the page cache, GB/s", ">= 8", files and files["load"]["bytes"] / files["load"]["seconds"] / 1e9, lambda rate: rate >= 8)

machine = next((report["machine"] for report in (steps, files, *served.values()) if report), "nothing measured")
print(f"\naims for one H200; this is {machine}")
for line in aims:
    measured = line["measured"]
    text = "not measured" if measured is None else f"{measured:.3f}" if isinstance(measured, float) else measured
    print(f"{line['what']:57} {line['aim']:18} {text!s:14} {'' if measured is None else 'met' if line['met'] else 'MISSED'}")
(folder / "aims.json").write_text(json.dumps({"machine": machine, "aims": aims}, indent=1))
