"""compare.py STEPS.json STEPS.jsonl: the times of `bench model` over those of the harness for the same work, by default variants."""
import json
import sys
from pathlib import Path

engine, harness = (Path(name).read_text() for name in sys.argv[1:3])
steps = [step for step in map(json.loads, harness.splitlines()) if step["variants"] == "default"]
times = {(step["phase"], step["batch"], step["prompt_tokens"]): step for step in steps}
print("phase    batch  prompt  engine ms  harness ms  ratio")
for result in json.loads(engine)["results"]:
    phase, batch, prompt = result["phase"], result["batch"], result["prompt_tokens"]
    step = times.get((phase, batch, prompt))
    if step:
        milliseconds = 1e3 * (prompt if phase == "prefill" else batch) / result["tokens_per_second"]
        print(f"{phase:8} {batch:5}  {prompt:6}  {milliseconds:9.3f}  {step['milliseconds']:10.3f}  {milliseconds / step['milliseconds']:5.3f}"
              f"   harness: {step['layers']} layers")
