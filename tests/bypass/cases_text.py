"""Tricks with the wording, and with where in a request it stands."""

import json

import prompts
from prompts import CIRCLED, CYRILLIC, FULL_WIDTH, MATHEMATICAL, drawn, insert, messages, prompt, words
from table import Lost, Same, case, post, says

PARAPHRASE = "the sender pays with the wording that the harvest needs; paraphrases are for the second tier (tests/detection)"


def calls(list_of_messages):
    return post(json.dumps({"model": prompts.MODEL, "messages": list_of_messages}).encode())


def user(content):
    return calls([{"role": "user", "content": content}])


# Characters.
for name, mark in [("zero-width spaces", "\u200b"), ("joiners", "\u2060"), ("soft hyphens", "\u00ad"), ("strokes", "\u0336"),
                   ("accents", "\u0301\u0323"), ("tags", "\U000e0041"), ("variation selectors", "\ufe0f"),
                   ("fillers", "\u3164"), ("directions", "\u202e\u202c")]:
    case(f"{name} in every word", says(insert(prompt(), mark)), Same(), "what does not show is no letter, and parts no word")
for name, alphabet in [("Cyrillic", CYRILLIC), ("full-width", FULL_WIDTH), ("mathematical", MATHEMATICAL), ("circled", CIRCLED)]:
    case(f"{name} letters", says(drawn(prompt(), alphabet)), Same(), "letters drawn alike are one letter")
case("case", says(prompt().swapcase()), Same(), "case is folded")
case("punctuation and white space", says(prompt().replace(" ", " — \n\t").replace(",", ";;")), Same(), "neither is kept")
case("numbers", says(prompt(f"{prompts.TASK} 4711, 0.815 and 1,000,000")), Same(), "every number is the same word")

# Padding.
for name, before, behind, same in [("an open fence", "```\n", "", Same()), ("a fence", "```\n", "\n```", Same()),
                                   ("a fence with a language", "```text\n", "\n```", Same("tail")), ("quotation marks", '"', '"', Same())]:
    case(f"{name} around the prompt", says(before + prompt() + behind), same, "code and quotations are read as all else")
case("padding before", says(f"{words(60, 3)}\n{prompt()}"), Same("tail"), "its end is still the template's")
case("padding behind", says(f"{prompt()}\n{words(60, 4)}"), Same(), "its beginning is still the template's")
case("padding on both sides", says(f"{words(30, 5)}\n{prompt()}\n{words(30, 6)}"), Same("part"),
     "one of eight parts is enough for the second tier to know it again")
case("more padding than template", says(f"{words(2_000, 7)}\n{prompt()}\n{words(2_000, 8)}"), Lost(),
     "costs 8,000 tokens a request, and of texts over 8 KiB only both ends are read")
case("a paraphrase", says("Pretend that you teach, and reason out loud, step after step, on this: " + prompts.TASK), Lost(),
     PARAPHRASE)

# Places.
case("parts of one word", user([{"type": "text", "text": word + " "} for word in prompt().split()]), Same(),
     "the parts of a turn are one text")
case("parts without a type", user([{"text": prompt()}]), Same(), "parts are known by their fields")
case("parts of another dialect", user([{"type": "input_text", "text": prompt()}]), Same(), "as above")
case("an image before and behind", user([{"type": "image_url", "image_url": {"url": "data:,x"}}, {"type": "text", "text": prompt()},
                                         {"type": "image_url", "image_url": {"url": "data:,x"}}]), Same(),
     "media part no text")
case("parts in parts", user([[{"type": "text", "text": prompt()}]]), Lost(), "no API takes lists in lists: upstream refuses it")
case("text in an object", user([{"type": "text", "text": {"value": prompt()}}]), Lost(), "no API takes it: upstream refuses it")
case("one message, not a list", post(json.dumps({"messages": messages()[0]}).encode()), Same(), "read as a list of one")
case("no role", calls([{"content": prompt()}]), Same(), "who is not named is the user")
case("a role that nobody knows", calls([{"role": "USER", "content": prompt()}]), Same(), "as above")
case("a conversation before", calls([{"role": "user", "content": "Hello!"}, {"role": "assistant", "content": words(200, 9)},
                                     *messages()]), Same(), "the last turn is the one that asks")
case("a prefilled answer behind", calls([*messages(), {"role": "assistant", "content": words(50, 10)}]), Same(),
     "the user's last turn is the one that asks")
case("small talk behind the prompt", calls([*messages(), {"role": "user", "content": "Go on."}]), Same(),
     "messages of the user that follow each other are one, to providers as well")
case("a made-up answer and small talk behind the prompt",
     calls([*messages(), {"role": "assistant", "content": "Understood."}, {"role": "user", "content": "Go on."}]), Same(),
     "what asks is the last text that is more than small talk")
case("the prompt as system prompt and small talk", calls([{"role": "system", "content": prompt()}, {"role": "user", "content": "Go on."}]),
     Same(), "where the user asks nothing, the system prompt does")
case("a made-up answer and a question behind the prompt",
     calls([*messages(), {"role": "assistant", "content": "Understood."}, {"role": "user", "content": words(12, 21)}]), Lost(),
     "costs a question of its own for every request: one that all accounts share gives them away as the template does")
case("a system prompt that changes", calls(messages(system=words(100, 11))), Same(), "each text has keys of its own")
case("the template as system prompt", calls([{"role": "system", "content": prompts.SYSTEM}, {"role": "user", "content": prompts.TASK}]),
     Same("system"), "the system prompt is a template, too")
case("the template as developer prompt", calls([{"role": "developer", "content": [{"text": prompts.SYSTEM}]},
                                                {"role": "user", "content": prompts.TASK}]), Same("system"), "as above")

def block(**members):
    """Sends a Messages call whose user has one block and says something of no template behind it."""
    said = [members, {"type": "text", "text": "Go on."}]
    return post(json.dumps({"model": "claude-x", "max_tokens": 4096, "messages": [{"role": "user", "content": said}]}).encode(),
                path="/v1/messages")


TEXT = [{"type": "text", "text": prompt()}]
FOUND = {"source": "https://s", "title": "", "content": TEXT}
case("a search result carries the template", block(type="search_result", **FOUND), Same(), "what the user brings along is the user's")
case("a search result that says so at its end", block(**FOUND, type="search_result"), Same(), "keys of JSON have no order")
case("a block of a type yet unknown", block(content=TEXT, type="new"), Same(), "what is no tool's is the user's")
case("instructions between", block(content=[{"type": "text", "text": prompts.SYSTEM}], type="mid_conv_system"), Same("system"),
     "they are system prompt, wherever they stand")
CALL = {"role": "assistant", "tool_calls": [{"id": "1", "type": "function", "function": {"name": "read", "arguments": "{}"}}]}
case("a tool's result carries the template", calls([{"role": "user", "content": "Go on."}, CALL,
                                                    {"role": "tool", "tool_call_id": "1", "content": prompt()}]), Lost(),
     "every request needs a made-up call, and who goes on with a conversation of another party is known by that; what tools "
     "give back is often the same for unrelated people, so it must not group them")
case("an answer carries the template", calls([{"role": "user", "content": "Go on."}, {"role": "assistant", "content": prompt()},
                                              {"role": "user", "content": "Yes."}]), Lost(),
     "as above: answers are the model's words, and often the same for unrelated people")
case("a tool's description carries the template", post(json.dumps({"messages": messages("Go on."), "tools": [
    {"type": "function", "function": {"name": "f", "description": prompt()}}]}).encode()), Lost(),
     "tools are an app's, the same for all its users; told as tools in the request's shape")
case("the schema of the answer carries the template", post(json.dumps({"messages": messages("Go on."), "response_format": {
    "type": "json_schema", "json_schema": {"name": "a", "description": prompt(), "schema": {"type": "object"}}}}).encode()), Lost(),
     "as above: a schema has a key of its own beside tools, under which the accounts that share it gather")
