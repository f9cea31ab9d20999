"""Honest people with keys of their own whose app chooses the model, and honest things that change hands: what `compose.py` adds for
`families/apps.json`. None of the prompts here is in the corpora, so no content model has seen them.

`chat_app` (users of one chat app: its prompt, its program, its provider), `judges` (firms that grade their own answers with one
library's prompt, through both clients of one SDK), `link` (a conversation that is passed around: several go on with it),
`second_key` (people who go on with a reasoning session under another key of theirs, elsewhere).
"""

PROMPTS = [
    "You are the assistant of a note-taking program. Rely on the notes that the user gives you, say so where you are unsure, and "
    "answer in the language of the question. If the user says vault, the folder with all notes is meant.",
    "You are the AI of a launcher for desktop computers. Answer briefly in Markdown, in the language of the user.",
    "You are an AI programming assistant. Follow the user's requirements carefully and to the letter. Keep your answers short and "
    "impersonal. Use Markdown formatting in your answers.",
    "You are a chatbot on the website of a small business. Be friendly and helpful, answer in the language of the visitor, and keep "
    "answers under 120 words.",
    "You are Robo, a friendly robot who answers the questions of children between 7 and 11. Use simple words, be kind and never scary.",
    "You are a bot in a chat room called Mochi. You are witty, casual and helpful. Keep replies under 2000 characters and use no headings.",
    "You are a helpful assistant in a messenger. Reply in the language of the message and format for a small screen.",
    "You are a voice assistant. Your answers will be spoken aloud, so keep them short, use no lists and no Markdown.",
    "You are a health information assistant. Give general information in plain language, advise people to see a doctor where needed, "
    "and never diagnose.",
    "You are a writing companion inside a text editor. Help the user with whatever they are working on, match their tone, and offer "
    "alternatives.",
    "You are a helpful assistant in the user's terminal. The operating system is Linux and the shell is zsh. Answer with plain text "
    "that fits eighty columns.",
    "You are a large language model behind a chat window. Knowledge cutoff: June 2025. Write formulas in LaTeX between dollar signs.",
]
JUDGE = ("Given a context, and an answer, analyze each statement in the answer and classify if the statement can be attributed to the "
         "given context or not. Use only Yes (1) or No (0) as a binary classification. Output JSON with a reason for each.")


def senders(generate):
    class Apps:
        """A mixin for the composed trace."""

        def chat_app(self, spec, n):
            # A program's name ends before its first digit.
            rng, name = self.rng, f"chat-app-{chr(ord('a') + n)}"
            habits = {"params": {"max_tokens": 2048, "temperature": 0.7}, "ignores_pipeline": True}
            dialect = spec["dialects"][n % len(spec["dialects"])]
            for account in self.accounts(spec, name, dialect=dialect, habits=habits):
                account.ua, zone = f"{name}/{rng.randrange(1, 4)}.0", rng.choice(range(-8, 10))
                for _ in range(max(1, int(rng.expovariate(1 / spec["each"])))):
                    row = dict(self.chat(), system=PROMPTS[n % len(PROMPTS)], params={})
                    self.add(generate.diurnal(rng, self.start, self.hours, zone), account, row, "benign", "chat_app", name)

        def judges(self, spec, n):
            rng, same = self.rng, {"dialect": "openai", "habits": {"params": {"max_tokens": 3072, "temperature": 0.01}, "ignores_pipeline": True}}
            rows = [row for kind in ("rag", "summarisation", "support_bot") for row in self.c.rows(kind)]
            for account in self.accounts(spec, f"judges-{n}", **same):
                account.ua = f"{rng.choice(['', 'Async'])}OpenAI/Python 2.{rng.randrange(3)}.0"
                for begin in [self.moment() for _ in range(spec["runs"])]:
                    for k in range(rng.randrange(4, 12)):
                        text = generate.text_of(self.fresh(rng.choice(rows))["messages"][-1]["content"])[:1_500]
                        message = {"role": "user", "content": f"{JUDGE}\n\nContext: {text}\n\nAnswer: {rng.choice(self.c.sentences)}"}
                        row = {"kind": "judges", "source": "judges", "system": None, "messages": [message], "params": {}}
                        self.add(begin + 2 * k, account, row, "benign", "judges", "judges")

        def passed_around(self, row, t, owner, others):
            """The first turns of a conversation by one account, the last by the others."""
            last = [m for m in row["messages"] if m["role"] == "user"][-1]
            upto = row["messages"].index(last)
            self.session(owner, dict(row, messages=row["messages"][:upto]), t, "benign", "link", owner.home)
            for k, account in enumerate(others):
                asked = {"role": "user", "content": f"{generate.text_of(last['content'])} {self.rng.choice(self.c.sentences)}"}
                row = dict(row, messages=[*row["messages"][:upto], asked])
                self.add(t + 1800 + 600 * k, account, row, "benign", "link", "link", ip=account.home)

        def talks(self):
            rows = [row for row in self.c.rows("human_chat") if sum(m["role"] == "user" for m in row["messages"]) > 1]
            return self.fresh(self.rng.choice(rows))

        def link(self, spec, n):
            owner, *readers = (generate.Account(self.rng, f"link-{n}-{k}", dialect=spec["dialect"]) for k in range(spec["accounts"]))
            self.passed_around(self.talks(), self.moment(), owner, readers)
            for account in readers:
                for _ in range(spec["later"]):
                    t = generate.diurnal(self.rng, self.start, self.hours, 0)
                    self.add(t, account, self.chat(), "benign", "link", "link", ip=account.home)

        def second_key(self, spec, n):
            at_home = generate.Account(self.rng, f"second-{n}-a", dialect="anthropic")
            at_work = generate.Account(self.rng, f"second-{n}-b", dialect="anthropic", ua=at_home.ua, habits=at_home.habits)
            t, before = self.moment(), len(self.events)
            self.session(at_home, self.talks(), t, "benign", "second_key", at_home.home, thinker=True)
            # What is left of it, its blobs with it, comes from the other key.
            for place in range(before + 1, len(self.events)):
                event = list(self.events[place])
                event[2], event[7] = at_work, at_work.home
                self.events[place] = tuple(event)

    return Apps
