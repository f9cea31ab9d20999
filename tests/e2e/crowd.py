"""People and a harvest, as requests of the tests: who sends what to which proxy."""

import itertools
import random

import client
import rules

MODELS = ["gpt-5", "mistral-large", "llama-4", "qwen-3", "deepseek-r1"]
TARGET = "deepseek-r1"
SYSTEM = ("You are an expert tutor. Think aloud about the task below in complete detail, number every step of your "
          "reasoning, criticise each step, and give the final answer between the marks BEGIN and END.")
SUBJECTS = ["bridges over rivers", "the price of tea", "an engine that stalls", "a garden in the shade", "old maps",
            "the tides at night", "a poem about rust", "roots of equations", "a recipe with lentils", "birds in winter"]
_numbers = itertools.count(1)


def digest(key):
    """The digest by which rules name the account of a key."""
    return rules.digest(key)


def address(n):
    """A network of its own."""
    return f"{20 + n // 65536 % 200}.{n // 256 % 256}.{n % 256}.7"


def headers(key, n):
    # The harness's Envoy appends its peer to x-forwarded-for: the client is the second address from the right.
    return [("authorization", f"Bearer {key}"), ("content-type", "application/json"), ("x-forwarded-for", address(n))]


def person(port, n):
    """A person with a model and words of their own."""
    own = random.Random(next(_numbers))
    words = ["".join(own.choices("abdegiklmnoprstu", k=own.randint(3, 8))) for _ in range(own.randint(12, 30))]
    model = random.Random(n).choice(MODELS)
    body = client.chat(" ".join(words), model=model, temperature=own.randint(0, 9) / 10)
    return client.post(port, client.CHAT, body, headers(f"sk-person-{n:06}", n))


def harvester(n):
    """The headers of an account of the harvest."""
    return headers(f"sk-harvest-{n:06}", 50_000 + n)


def bot(port, n):
    """An account of the harvest: one template, one model, ever new payloads."""
    number = next(_numbers)
    task = f"Task {number}: {SUBJECTS[number % 10]}, in the variant x{number * 104729} of the list."
    messages = [{"role": "system", "content": SYSTEM}, {"role": "user", "content": task}]
    body = client.chat(task, model=TARGET, messages=messages, max_tokens=4096)
    return client.post(port, client.CHAT, body, harvester(n))


def ask(port, n, text, *more):
    """An account of the harvest asks what anybody might."""
    return client.post(port, client.CHAT, client.chat(text, model=TARGET), [*harvester(n), *more])


def people(proxies, count):
    """People, through the proxies in turn; none of them may be hindered."""
    for n in range(count):
        assert person(proxies[n % len(proxies)].port, n).status == 200


def harvest(proxies, accounts=14):
    """The statuses of a request of each account, through the proxies in turn: of two, each sees too few of them to tell
    them from a popular prompt."""
    return [bot(proxies[n % len(proxies)].port, n).status for n in range(accounts)]


def recognised(proxy):
    """Whether one more request of the harvest is seen as one of a named campaign (who had the template first is exempt)."""
    bot(proxy.port, 9)
    return "campaign_member" in proxy.access_log()[-1]["azeotrope"]
