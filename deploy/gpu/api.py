"""api.py PORT: asks a Moebius that serves its demo model, and fails where one answer is not what another way of asking gives."""
import json
import sys
import urllib.request
from concurrent.futures import ThreadPoolExecutor


def post(body):
    request = urllib.request.Request(
        f"http://127.0.0.1:{sys.argv[1]}/v1/chat/completions", json.dumps(body).encode(), {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=300) as answer:
        return answer.read().decode()


def chat(question, **more):
    return {"messages": [{"role": "user", "content": question}], "max_tokens": 16, "temperature": 0, **more}


def text(body):
    return json.loads(post(body))["choices"][0]["message"]["content"]


def streamed(body):
    events = [line[6:] for line in post({**body, "stream": True}).splitlines() if line.startswith("data: ")]
    assert events[-1] == "[DONE]", events[-1]
    deltas = [json.loads(event)["choices"][0]["delta"] for event in events[:-1]]
    return "".join(delta.get("content") or "" for delta in deltas)


questions = ["Tell me a story.", "What is the capital of France?", "Hello!", "Who are you?"]
alone = [text(chat(question)) for question in questions]
print(*alone, sep="\n")
assert all(alone), "an empty answer"
assert [streamed(chat(question)) for question in questions] == alone, "streamed otherwise"
with ThreadPoolExecutor(8) as many:
    assert list(many.map(lambda question: text(chat(question)), 4 * questions)) == 4 * alone, "other answers among others"
drawn = {text(chat(questions[0], temperature=1, seed=5)) for _ in range(2)}
assert len(drawn) == 1, "a seed that draws otherwise"
print("the API: streamed, from many at once and with a seed alike")
