"""Tricks with the body's encoding and with JSON."""

import base64
import gzip
import json
import zlib

import prompts
from prompts import body, chat, escaped, messages, prompt
from table import Same, Told, case, post

BODY = body()
TEXT = BODY.decode()
LIMIT = 256 * 1024
# A stored block of deflate without a byte in it.
EMPTY_BLOCK = bytes([0, 0, 0, 0xFF, 0xFF])


def named(kind):
    return [("content-type", kind)] if kind else []


def encoded(data, *names):
    return post(data, [("content-encoding", name) for name in names])


def multipart(data):
    return b"--x\r\ncontent-disposition: form-data; name=\"file\"; filename=\"a.json\"\r\n\r\n" + data + b"\r\n--x--\r\n"


for kind in ["text/plain", "application/x-www-form-urlencoded", "application/octet-stream", "APPLICATION/JSON;;charset", "\t",
             "application/json; charset=utf-16", "application/json; charset=latin1", "multipart/form-data; boundary=x", None]:
    case(f"content-type {kind!r}", post(kind=named(kind)), Same(), "what is JSON is read as JSON, whatever its type says")
case("a-form", post(b"model=m&messages=" + prompt().replace(" ", "+").encode(),
                    kind=named("application/x-www-form-urlencoded")), Told(), "no LLM API takes forms; it is counted and told")
case("multipart", post(multipart(BODY), kind=named("multipart/form-data; boundary=x")), Told(),
     "no LLM call takes multipart bodies; it is counted and told")
case("empty", post(b""), Told(), "there is nothing to read, and nothing for upstream to answer")

# Character encodings that JSON parsers find out about by themselves (Python's json does).
for name in ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"]:
    case(name, post(TEXT.encode(name)), Same(), "found out from the first bytes, as Python's json.loads does")
    case(f"{name} that says so", post(TEXT.encode(name), kind=named(f"application/json; charset={name[:6]}")), Same(),
         "the bytes decide, so that a header cannot lie about them")
for name in ["utf-32", "utf-32-le", "utf-32-be"]:
    case(name, post(TEXT.encode(name)), Told(),
         "Python's json.loads would read it; four bytes a character in a real request are a trick, and it is told as one")
case("utf-7", post(TEXT.encode("utf-7"), kind=named("application/json; charset=utf-7")), Same(),
     "what is ASCII in it stands for itself but for a few marks, and JSON is UTF-8 (RFC 8259)")
case("utf-7 all through", post(b"+" + base64.b64encode(TEXT.encode("utf-16-be")) + b"-",
                               kind=named("application/json; charset=utf-7")), Told(),
     "JSON is UTF-8 (RFC 8259); a server that decodes this is told of by the label")
case("ebcdic", post(TEXT.encode("cp500"), kind=named("application/json; charset=ibm500")), Told(), "as above")

# Content encodings.
case("gzip", encoded(gzip.compress(BODY), "gzip"), Same(), "undone within the limit")
case("gzip in two headers with identity", encoded(gzip.compress(BODY), "Identity", "GZIP"), Same(), "names have no case")
case("gzip in members", encoded(gzip.compress(b" ") + gzip.compress(BODY[:50]) + gzip.compress(BODY[50:]), "gzip"), Same(),
     "servers read all members of a gzip body, and so does the filter")
case("deflate", encoded(zlib.compress(BODY), "deflate"), Same(), "zlib's format is what deflate means")
case("deflate without its header", encoded(zlib.compress(BODY)[2:-4], "deflate"), Same(), "what some clients mean by it")
case("twice", encoded(gzip.compress(zlib.compress(BODY)), "deflate, gzip"), Told(),
     "no client does that, and the outer one could pack the inner a thousandfold; counted and told")
case("twice in two headers", encoded(gzip.compress(gzip.compress(BODY)), "gzip", "gzip"), Told(), "as above")
case("gzip behind blocks that hold nothing", encoded(EMPTY_BLOCK * 100 + zlib.compress(BODY)[2:-4], "deflate"), Told(),
     "compressors make none; their work is bounded, and what could not be read is told")
case("gzip that is none", encoded(BODY, "gzip"), Same(), "many servers never look at the header")
case("gzip that is not named", post(gzip.compress(BODY)), Told(), "a server that does not look at the header cannot read it")
case("an encoding that is not undone", encoded(b"\x8b\x00\x80" + BODY, "br"), Told(),
     "brotli is left out of the module; few servers take it in requests, and it is told")

# JSON that parsers read in different ways.
DECOY = json.dumps(messages(prompts.OTHER))
case("the messages twice", post(f'{{"model":"m","messages":{DECOY},"messages":{json.dumps(messages())}}}'.encode()),
     Same("tail"), "the last of several equal keys counts with every provider, and its end is the template's")
case("the content twice", post(f'{{"messages":[{{"role":"user","content":{json.dumps(prompts.OTHER)},'
                               f'"content":{json.dumps(prompt())}}}]}}'.encode()), Same("tail"),
     "all copies are read as one text, so what upstream takes is in it, and its end is the template's")
for keys in ["Messages Role Content", "MESSAGES ROLE CONTENT"]:
    renamed = TEXT
    for plain, other in zip(["messages", "role", "content"], keys.split()):
        renamed = renamed.replace(f'"{plain}"', f'"{other}"')
    case(f"keys {keys!a}", post(renamed.encode()), Same(), "servers written in Go do not mind the case of keys")
case("keys in letters that Go folds", post(TEXT.replace('"messages"', '"me\u017f\u017fages"').encode()), Told(),
     "Go takes a long s for an s; nobody else does, and it is told")
case("a comment before", post(b"/* a */" + BODY), Told(), "no provider's parser takes comments; where one does, it is told")
case("a comment between", post(BODY.replace(b"{", b"{/* a */", 1)), Told(), "as above")
case("a comment between the messages", post(f'{{"messages":[{json.dumps(messages(prompts.OTHER)[0])},/* */'
                                            f'{json.dumps(messages()[0])}]}}'.encode()), Told("truncated"), "as above")
case("commas", post(BODY.replace(b'", "', b'",,"').replace(b"]}", b",],}")), Same(), "lenient parsers forgive commas")
case("not a number", post(BODY.replace(b'{"model"', b'{"temperature":NaN,"top_p":-Infinity,"model"')), Same(),
     "Python's parser takes both")
case("escapes", post(escaped(chat()).encode()), Same(), "keys and text are unescaped before they are compared")
case("control characters", post(BODY.replace(b" the ", b" \x01the\x7f ")), Same(), "they end no word and are none")
case("bytes that are no UTF-8", post(BODY.replace(b" the ", b" \xff\xc0the ")), Same(),
     "replaced as servers that forgive them do; they only part words")
case("a list of bodies", post(b"[" + BODY + b"]"), Told(), "no API takes a list; it is told")
case("a string of JSON", post(json.dumps(TEXT).encode()), Told(), "no API takes JSON in a string; it is told")
case("two bodies", post(BODY + body(prompts.OTHER)), Same(), "a parser takes the first or refuses both")
case("fields that nobody knows", post(body(x={"messages": messages(prompts.OTHER)}, y=[[[[]]]])), Same(), "skipped, at any depth")

# More than is read.
case("white space before the messages", post(b"{" + b" " * LIMIT + BODY[1:]), Told(),
     "beyond `inspect_bytes` nothing is read; it costs the sender 256 KiB a request, and shows in the metrics `unread`, `truncated`")
case("a decoy, and white space before the messages", post(
    f'{{"messages":{DECOY},{" " * LIMIT}"messages":{json.dumps(messages())}}}'.encode()), Told("truncated"),
     "as above; raise `inspect_bytes` (up to 1 MiB) where honest bodies are long")
case("white space behind the messages", post(BODY[:-1] + b" " * LIMIT + b"}"), Same(truncated=True),
     "the beginning is judged, and it has the template")
case("a system prompt longer than is read", post(json.dumps(
    {"messages": messages(system=prompts.words(40_000, 1))}).encode()), Told("truncated"),
     "the sender pays for 60,000 tokens a request; told as truncated")
case("a long system prompt", post(json.dumps({"messages": messages(system=prompts.words(20_000, 2))}).encode()), Same(),
     "the user's turn is a text of its own")
