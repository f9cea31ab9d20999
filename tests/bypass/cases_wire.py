"""Tricks with HTTP itself: framing, headers, methods, upgrades."""

import client
import prompts
from prompts import body, chunked
from table import AUTH, JSON, KEY, Refused, Same, Untouched, case, post, raw

BODY = body()
CHARACTERS = body(prompts.prompt("Erkläre 日本語 🧪 наука: how does a bridge of wire carry a train in the wind?"))
LENGTH = ("content-length", len(BODY))
HEAD = client.head(headers=[*AUTH, LENGTH])


def chunks(data, size=1, extension=b""):
    pieces = [data[at:at + size] for at in range(0, len(data), size)]
    return [b"%x%b\r\n%b\r\n" % (len(piece), extension, piece) for piece in pieces]


def http2(**options):
    data = options.pop("body", BODY)
    headers = options.pop("headers", [])
    return lambda port: client.http2(port, data, headers=[*AUTH, *JSON, *headers], **options)


case("trailers", http2(trailers=[("x-checksum", "1")]), Same(),
     "HTTP/2 trailers take the end of stream away from the body; the verdict comes with them")
case("trailers-on-chunks", raw(chunked(chunks(BODY, 100), headers=AUTH, last=b"0\r\nx-checksum: 1\r\n\r\n")), Same(),
     "HTTP/1.1 trailers: Envoy drops them and ends the body")
case("chunks-of-one-byte", raw(chunked(chunks(CHARACTERS), headers=AUTH)), Same(),
     "the body is read whole, however it was cut, in the middle of characters too")
case("frames-of-one-byte", http2(body=CHARACTERS, size=1), Same(), "the same over HTTP/2")
case("a-slow-body", raw([client.head(headers=[*AUTH, LENGTH]), BODY[:50], BODY[50:]], pause=0.1), Same(),
     "waiting between pieces changes nothing: no verdict is made of half a body")
case("chunk-extensions", raw(chunked(chunks(BODY, 64, b';name="value"'), headers=AUTH)), Same(),
     "Envoy drops chunk extensions (RFC 9112, 7.1.1) before the filter and upstream")
case("a-chunk-that-ends-in-a-bare-line-feed", raw([client.head(headers=[*AUTH, ("transfer-encoding", "chunked")]),
                                                    b"5\n{\"a\":\n0\n\n"]), Refused(400),
     "servers that disagree about line ends can be made to see two requests; Envoy refuses")
case("length-and-chunks", raw(chunked([client.chunk(BODY)], headers=[*AUTH, ("content-length", 5)])), Refused(400),
     "two framings are how requests are smuggled; Envoy refuses (RFC 9112, 6.3)")
case("two-lengths", raw([client.head(headers=[*AUTH, LENGTH, ("content-length", 5)]), BODY]), Refused(400),
     "as above, with two content-lengths that differ")
case("unknown-transfer-coding", raw([client.head(headers=[*AUTH, ("transfer-encoding", "gzip, chunked")]),
                                     client.chunk(BODY), client.chunk(b"")]), Refused(501),
     "Envoy reads no transfer coding but chunked, and says so with 501, as RFC 9112 asks")
case("http-1.0", raw([HEAD.replace(b"HTTP/1.1", b"HTTP/1.0"), BODY]), Refused(426),
     "Envoy wants HTTP/1.1 unless told otherwise; with accept_http_10 the request is like any other")
case("folded-header", raw([client.head(headers=[*AUTH, LENGTH, ("x-long", b"a\r\n b")]), BODY]), Same(),
     "obsolete line folding can hide a header from one of two readers; Envoy unfolds it before the filter and upstream")
case("space-before-colon", raw([client.head(headers=[*AUTH, LENGTH, ("x-azeotrope ", "spoofed")]), BODY]), Refused(400),
     "as above: a name that some readers trim")
case("lower-case-method", raw([client.head(headers=[*AUTH, LENGTH], method="post"), BODY]), Refused(400),
     "methods are case-sensitive; Envoy knows no `post`")
case("put", lambda port: client.http1(port, "PUT", client.CHAT, BODY, [*AUTH, *JSON]), Untouched(),
     "every provider and OpenAI-compatible server answers another method than POST with 405")
case("method-override-to-get", post(headers=[("x-http-method-override", "GET")]), Same(),
     "the request is judged as the POST that it is, whatever upstream makes of the header")
case("method-override-to-post", lambda port: client.http1(port, "GET", client.CHAT, BODY, [
    *AUTH, *JSON, ("x-http-method-override", "POST"), ("x-method-override", "POST")]), Untouched(),
     "no LLM API knows method overrides, and the frameworks that do let only a POST be overridden")
case("absolute-target", raw([client.head("http://api.example.com" + client.CHAT, [*AUTH, LENGTH]), BODY]), Same(),
     "a proxy's form of the target; Envoy takes the path out of it")
case("websocket-upgrade", raw([client.head("/v1/realtime?model=gpt-realtime", [
    *AUTH, ("connection", "upgrade"), ("upgrade", "websocket"), ("sec-websocket-version", "13"),
    ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==")], "GET")]), Refused(403),
     "realtime sessions are not read; Envoy refuses upgrades unless `upgrade_configs` allows them, and so none gets by")
case("connect", raw([client.head("api.example.com:443", AUTH, "CONNECT")]), Refused(404),
     "a tunnel would hide everything in it; there is no route for one")

# Who sends.
case("header-casing", post(auth=[("AUTHORIZATION", f"Bearer {KEY}")], kind=[("CONTENT-TYPE", "application/json")]), Same(),
     "names of headers have no case")
case("scheme-casing-and-space", post(auth=[("authorization", f"bEARER    {KEY} ")]), Same(),
     "nor have schemes; white space around a key is none of it")
case("the-key-elsewhere", post(auth=[("x-api-key", KEY)]), Same(), "one key is one account, wherever it is sent")
case("the-key-twice", post(auth=[("x-api-key", KEY), ("x-api-key", "sk-other")]), Same(),
     "of several values the first counts, as for servers that take one; others join them, and then no key is valid")
case("an-empty-key-first", post(auth=[("x-api-key", " "), ("x-api-key", KEY)]), Same(), "a blank value is no key")

