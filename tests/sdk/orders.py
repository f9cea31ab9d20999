"""Rules that name keys of the tests: how a verdict is forced."""
import pathlib
import subprocess
import uuid

from clients import CLIENTS

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROGRAM = ROOT / "target" / "release" / "azeotrope"
#: Seconds that throttled SDKs are told to wait: short, because a test waits for it.
RETRY_AFTER = 2
CONTACT = "abuse@example.com"
ACTIONS = ("throttle", "block")
#: What a degraded caller's answer may have at most: less than the SDK tests ask for.
DEGRADED_TOKENS = 64
#: A key of each SDK that the rules name, for each action, and a digest of it: the rules know no keys.
ORDERED = {(client.name, action): client.key_prefix + uuid.uuid5(uuid.NAMESPACE_URL, f"{client}-{action}").hex[:16].upper()
           for client in CLIENTS for action in (*ACTIONS, "degrade")}


def digest(key):
    """The digest by which rules name the account of a key (AWS: of an access key id), as an operator finds it out."""
    command = [str(PROGRAM), "digest", "--access-key" if key.startswith("AKIA") else "--account", "-"]
    return subprocess.run(command, input=key, check=True, capture_output=True, text=True).stdout.strip()


def rules():
    """Rules that order something for every key of ORDERED, and for nobody else."""
    deny = [{"account": digest(key), "action": action, "note": f"test of {name}"}
            for (name, action), key in ORDERED.items()]
    return {"format": 1, "version": 1, "name": "sdk tests", "throttle": {"retry_after_seconds": RETRY_AFTER},
            "degrade": {"max_tokens": DEGRADED_TOKENS}, "deny": deny}
